"""The telephone's WebSocket given any messages in any order, beside a call that must not notice.

All of it runs as in the service: the page's coroutine, its telephone, the exchange, a line that is ticked. Only the
browser is made up, one step behind the web server (ASGI), and time: it is skipped whenever everybody waits.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from starlette.websockets import WebSocket

from ...daemon.pulse import Figures
from ...daemon.web_call import MOST_WAITING, TICK, Entry, LineState, Phones
from ...drivers.line import FRAME, Frame, HookState
from ...drivers.simulated.exchange import State
from ...drivers.simulated.line import SimulatedLine

Message = MutableMapping[str, Any]  # as ASGI has it
Step = tuple[int, Message]  # ticks to wait, and what the browser then sends

LONGEST = 50  # ticks a script takes at most
QUIET = LONGEST + round(MOST_WAITING / 1000 / TICK) + 10  # ticks after which nothing a page has sent is still waiting
LASTS = 10  # ticks a call may take to end once its page has gone
TOGETHER = QUIET + 5 * LASTS  # ticks the other call lasts: longer than any of that

CONNECT: Message = {"type": "websocket.connect"}
GONE: Message = {"type": "websocket.disconnect", "code": 1006}


class Skipping(selectors.SelectSelector):
    """Where others would wait, the time is over."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready."""
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits for somebody else"
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop with such a clock."""

    def __init__(self) -> None:
        self._clock = Skipping()
        super().__init__(self._clock)

    def time(self) -> float:
        """Seconds that were skipped."""
        return self._clock.now


class Service:
    """Two lines that answer at once and play one sound; what the pages need of a service."""

    def __init__(self) -> None:
        self._lines = [SimulatedLine("1"), SimulatedLine("2")]
        self.heard: dict[str, list[Frame]] = {line.name: [] for line in self._lines}
        self.followers: dict[str, list[Callable[[Entry], None]]] = {line.name: [] for line in self._lines}
        for line in self._lines:
            line.open()

    def lines(self) -> Sequence[LineState]:
        """No page shows them."""
        return []

    def figures(self) -> Sequence[Figures]:
        """No page shows them."""
        return []

    def menu(self) -> str:
        """No page shows it."""
        return ""

    def phones(self) -> Sequence[SimulatedLine]:
        """Both."""
        return self._lines

    def subscribe(self, line_name: str, callback: Callable[[Entry], None]) -> Callable[[], None]:
        """Every tick says something."""
        self.followers[line_name].append(callback)
        return lambda: self.followers[line_name].remove(callback)

    async def run(self) -> None:
        """Tick until cancelled, half a tick beside the pages, so that who comes first is always the same."""
        await asyncio.sleep(TICK / 2)
        while True:
            for line in self._lines:
                frame = np.zeros(FRAME, np.int16)
                line.read(frame)
                line.events()
                self.heard[line.name].append(frame)
                if line.state is HookState.RINGING:
                    line.off_hook()
                elif line.exchange.state is State.CLEARED:
                    line.on_hook()
                line.write(np.full(FRAME, len(self.heard[line.name]), np.int16))
                for tell in self.followers[line.name]:
                    tell(Said(len(self.heard[line.name]) * TICK, "系统", "您好"))
            await asyncio.sleep(TICK)


@dataclass(frozen=True)
class Said:
    """A line of the transcript."""

    at: float
    who: str
    text: str


@dataclass
class Browser:
    """What stands at the other end: `steps`, and then it is gone."""

    steps: Iterator[Step]
    slow: int = 0  # ticks it takes for each message
    told: list[Message] = field(default_factory=list)
    gone: bool = False
    arrived: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)

    async def act(self) -> None:
        """Do everything in its time, whether or not anybody looks."""
        for wait, message in self.steps:
            await asyncio.sleep(wait * TICK)
            self.put(message)

    def put(self, message: Message) -> None:
        """This arrives now."""
        self.arrived.put_nowait(message)
        self.gone |= message["type"] == "websocket.disconnect"

    async def receive(self) -> Message:
        """The next message."""
        return await self.arrived.get()

    async def send(self, message: Message) -> None:
        """What the page says, as a web server takes it: it may keep the page waiting, and finds a browser gone."""
        await asyncio.sleep(self.slow * TICK)
        if self.gone:
            raise OSError("nobody there")
        assert not self.closed, "a page speaks after it has closed"
        self.told.append(message)

    @property
    def closed(self) -> bool:
        """Whether the page has ended the call."""
        return any(message["type"] == "websocket.close" for message in self.told)

    async def call(self, phones: Phones, query: bytes) -> None:
        """One call, to its end."""
        scope = {"type": "websocket", "path": "/phone/call", "query_string": query, "headers": []}
        acting = asyncio.create_task(self.act())
        await phones.call(WebSocket(scope, self.receive, self.send))
        acting.cancel()


def sound(value: int) -> Message:
    """20 ms that can be told apart."""
    return {"type": "websocket.receive", "bytes": np.full(FRAME, value, "<i2").tobytes()}


def script(data: bytes) -> Iterator[Step]:
    """What a browser does, as bytes say: two bits say what, six how much of it; its last word may be that it leaves."""
    yield 0, CONNECT
    at, ticks = 0, 0
    while at < len(data):
        kind, size = data[at] >> 6, data[at] & 63
        piece, at = data[at + 1 : at + 1 + size], at + 1
        wait = 0
        match kind:
            case 0:
                message: Message = {"text": piece.decode("utf-8", "replace")}
                at += size
            case 1:
                message = {"bytes": piece}
                at += size
            case 2:
                message = {"bytes": sound(1 + size)["bytes"] * (1 + size % 8)}
            case _:
                wait = min(size % 16, LONGEST - ticks)
                ticks += wait
                message = sound(size)
                if size > 47:
                    yield wait, GONE
                    return
        yield wait, {"type": "websocket.receive", **message}


def well_behaved() -> Iterator[Step]:
    """A frame every tick, each different."""
    yield 0, CONNECT
    yield from ((1, sound(number)) for number in range(1, TOGETHER))
    yield 1, GONE


async def _both(data: bytes | None) -> tuple[list[Message], list[Frame]]:
    service = Service()
    phones = Phones(service)
    ticking = asyncio.create_task(service.run())
    other = Browser(well_behaved())
    lasting = asyncio.create_task(other.call(phones, b"line=1&caller=139"))
    await asyncio.sleep(4.25 * TICK)  # the stranger's ticks are nobody else's
    if data is not None:
        await _stranger(data, service, phones)
    await lasting
    ticking.cancel()
    return other.told, service.heard["1"]


async def _stranger(data: bytes, service: Service, phones: Phones) -> None:
    """Its call ends when it leaves or breaks the rules, and its line can then be called again."""
    query, rest = (data[1:13], data[13:]) if data[:1] > b"\xbf" else (b"line=2", data[1:])
    browser = Browser(script(rest), slow=data[0] % 4 if data else 0)
    call = asyncio.create_task(browser.call(phones, query))
    await asyncio.wait([call], timeout=QUIET * TICK)
    if not call.done():
        assert not service.heard["2"][-1].any(), "more sound is kept than may be"
        browser.put(GONE)
        await asyncio.wait([call], timeout=LASTS * TICK)
    assert call.done(), "a call goes on though its page is gone"
    await call
    assert not service.followers["2"], "a page that is gone is still told"
    await asyncio.sleep(LASTS * TICK)
    again = Browser(iter([(0, CONNECT), (LASTS, GONE)]))
    await again.call(phones, b"line=2")
    assert '"ringing"' in again.told[1]["text"], "the line cannot be called any more"


def run(data: bytes | None) -> tuple[list[Message], list[Frame]]:
    """What the other page was told, and what its line heard, beside a stranger or without one."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_both(data))


@cache
def alone() -> tuple[list[Message], list[Frame]]:
    """What it is without one."""
    return run(None)


def check_phone(data: bytes) -> None:
    """Whatever a page sends, its call ends when it is gone, and the other call is the same to the last sample."""
    told, heard = run(data)
    expected, expected_heard = alone()
    assert told == expected, "the other page was told something else"
    assert np.array_equal(heard, expected_heard), "the other call sounds different"
