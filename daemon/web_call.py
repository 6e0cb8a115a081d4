"""A telephone in the browser: what happens on its WebSocket.

- One WebSocket is one call: opening it dials, closing it puts the receiver down, however it closes. The
  query names the `line` (empty: any free one) and the `caller`'s number (empty: withheld).
- Binary messages carry int16 samples, mono, 8000 Hz, little endian, whole frames of 160, both ways.
- The service also sends JSON: {"state": "ringing" | "talking" | "ended", "line": NAME},
  {"said": {"at": SECONDS, "who": TEXT, "text": TEXT}}, and, instead of a call, {"refused": TEXT}.
- A line belongs to one page until that page puts the receiver down.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..drivers.line import FRAME
from ..drivers.simulated.exchange import State
from ..drivers.simulated.line import SimulatedLine
from ..drivers.simulated.telephone import LiveTelephone
from .pulse import Figures

TICK = 0.02  # seconds
UNREAD = 500  # transcript entries a stuck browser may leave unread before the oldest are dropped
BUSY_TONE = 30.0  # seconds until a forgotten receiver is put down after the other end hung up
MOST_WAITING = 1000.0  # ms of sound from a page; keys come 180 ms at a time and must not be cut
LONGEST_NUMBER = 20  # digits of a caller's number

CLOSED, UNSUPPORTED = 1000, 1003  # RFC 6455 7.4.1

STATES = {State.RINGING: "ringing", State.TALKING: "talking"}
ENDED = "ended"


@dataclass(frozen=True)
class LineState:
    """One line as /api/lines shows it."""

    name: str
    driver: str
    state: str  # "on-hook", "ringing" or "off-hook", as drivers.line.HookState
    in_call_since: float | None  # Unix time
    alarm: str | None
    levels: dict[str, float] | None = None  # in a call, dBm0: of everything, of the voice, of noise, of hum
    events: list[tuple[float, str]] = field(default_factory=list)  # the last ones: Unix time, what happened


class Entry(Protocol):
    """A line of the transcript: `at` seconds after the call was answered, `who` is 系统, 来电, 按键 or 状态."""

    @property
    def at(self) -> float: ...
    @property
    def who(self) -> str: ...
    @property
    def text(self) -> str: ...


class Engine(Protocol):
    """What the pages need of the running service; all methods return at once."""

    def lines(self) -> Sequence[LineState]:
        """Every line, in the order of the settings."""

    def figures(self) -> Sequence[Figures]:
        """What each process that carries lines says of itself."""

    def menu(self) -> str:
        """The menu tree in use, as a page."""

    def phones(self) -> Sequence[SimulatedLine]:
        """The lines the page may call."""

    def subscribe(self, line_name: str, callback: Callable[[Entry], None]) -> Callable[[], None]:
        """Give `callback` every entry of this line's calls from now on, until the returned function is called."""


class Refused(Exception):
    """The call is not put through; the text is for whoever dialled."""


class Over(Exception):
    """There is no more to say on either side; `code` tells the page why (RFC 6455 7.4.1)."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Phones:
    """The calls of all pages."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._taken: set[str] = set()

    async def call(self, websocket: WebSocket) -> None:
        """Carry one call from the first ring to the receiver going down."""
        with suppress(WebSocketDisconnect, OSError):  # a page may be gone at any moment; OSError: before it is accepted
            await websocket.accept()
            query = websocket.query_params
            try:
                line, number = self._free_line(query.get("line", "")), _number(query.get("caller", ""))
            except Refused as refusal:
                await websocket.send_json({"refused": str(refusal)})
                await websocket.close(CLOSED)
            else:
                await self._carry(websocket, line, number)

    async def _carry(self, websocket: WebSocket, line: SimulatedLine, number: str | None) -> None:
        """Both ways until one is over. Closing comes after both: a message after it is an error of ours."""
        telephone, code = LiveTelephone(most_ms=MOST_WAITING), None
        with self._receiver_up(line, telephone, number) as said:
            try:
                async with asyncio.TaskGroup() as both_ways:
                    both_ways.create_task(_send(websocket, line, telephone, said))
                    both_ways.create_task(_receive(websocket, telephone))
            except* Over as over:
                code = next(each.code for each in over.exceptions if isinstance(each, Over))
            except* WebSocketDisconnect:  # perhaps at the same moment: there is nobody to tell
                code = None
        if code is not None:
            await websocket.close(code)

    def _free_line(self, name: str) -> SimulatedLine:
        """The named line, or any free one. Raises Refused."""
        phones = [line for line in self._engine.phones() if name in ("", line.name)]
        if not phones:
            raise Refused(
                f"没有线路“{name}”。" if name else '服务没有配置模拟线路（driver = "simulated"），不能在网页上拨打。'
            )
        untaken = [line for line in phones if line.name not in self._taken]
        if not untaken:
            raise Refused("这条线路正由另一个页面使用。请换一条线路，或等对方挂机后再拨。")
        free = [line for line in untaken if line.exchange.free]
        if not free:
            raise Refused("线路正忙：上一通电话还没有收线，或线路有故障。请过几秒再拨。")
        return free[0]

    @contextmanager
    def _receiver_up(self, line: SimulatedLine, telephone: LiveTelephone, number: str | None) -> Iterator[deque[Entry]]:
        """The line is ours, and called; gives the transcript as it comes. Afterwards the receiver is down."""
        said: deque[Entry] = deque(maxlen=UNREAD)
        self._taken.add(line.name)
        unsubscribe = self._engine.subscribe(line.name, said.append)
        line.exchange.call(telephone, number)
        try:
            yield said
        finally:
            line.exchange.hang_up(telephone)
            unsubscribe()
            self._taken.remove(line.name)


def _number(typed: str) -> str | None:
    """The caller's number, None to withhold it. Raises Refused."""
    if typed and not (typed.isascii() and typed.isdigit() and len(typed) <= LONGEST_NUMBER):
        raise Refused(f"主叫号码只能是不超过 {LONGEST_NUMBER} 位的数字，或者留空。")
    return typed or None


async def _send(websocket: WebSocket, line: SimulatedLine, telephone: LiveTelephone, said: deque[Entry]) -> None:
    """State, transcript and sound to the page. Raises Over when it has heard enough of the busy tone."""
    clock = asyncio.get_running_loop().time
    shown, hang_up_at = "", float("inf")
    while clock() < hang_up_at:
        # The service having left, someone else may be calling the line already: that is not our call any more.
        state = ENDED if shown == ENDED else STATES.get(line.exchange.state, ENDED)
        if state != shown:
            shown = state
            await websocket.send_json({"state": state, "line": line.name})
            if state == ENDED:
                hang_up_at = clock() + BUSY_TONE
        while said:
            entry = said.popleft()
            await websocket.send_json({"said": {"at": entry.at, "who": entry.who, "text": entry.text}})
        samples = telephone.pull()
        if samples.size:
            await websocket.send_bytes(samples.astype("<i2").tobytes())
        await asyncio.sleep(TICK)
    raise Over(CLOSED)


async def _receive(websocket: WebSocket, telephone: LiveTelephone) -> None:
    """Sound from the page. Raises WebSocketDisconnect when it has gone, Over when it sends anything else."""
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        sound = message.get("bytes")
        if not sound or len(sound) % (2 * FRAME):
            raise Over(UNSUPPORTED)
        telephone.push(np.frombuffer(sound, "<i2").astype(np.int16))
