"""A service small enough for the pages' tests: real lines, real detector, real web server, no dialogs.

It lets the line ring for a moment, answers, greets, plays a tone until the first key, and writes every key it
recognises into the transcript. It runs in a thread with an event loop of its own, in real time, because browsers do.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from hotline.daemon.pulse import Figures, Pulse
from hotline.daemon.web import Hint, create_app, serving
from hotline.daemon.web_call import Entry, LineState
from hotline.drivers.line import FRAME, RATE, CallerId, HookState, Ring
from hotline.drivers.simulated.exchange import State
from hotline.drivers.simulated.line import SimulatedLine
from hotline.dsp import dtmf

TICK = FRAME / RATE
GREETING = "您好，12329 住房公积金热线为您服务。"
PROMPT = np.round(8000 * np.sin(2 * np.pi * 440 / RATE * np.arange(RATE))).astype(np.int16)  # loops without a click
HINTS = [
    Hint("演示密码", "135790", "135790", "人人都是这个密码"),
    Hint("末位是 X", "99010119870316005X", "99010119870316005*", "X 用 * 键代替"),
]

T = TypeVar("T")


@dataclass(frozen=True)
class Said:
    at: float
    who: str
    text: str


class SmallService:
    """The engine; all its methods belong to the loop's thread, `ask` is for the others."""

    def __init__(self, names: Sequence[str], rings_for: float = 0.2) -> None:
        self.address = ""
        self.rings_for = rings_for  # seconds
        self.keys: dict[str, str] = defaultdict(str)  # per line, what the detector recognised in all calls
        self.heard_at: list[float] = []  # Unix time of each of them
        self.received = np.zeros((len(names), FRAME), np.int16)  # what the lines brought in the last tick
        self._lines = [SimulatedLine(name) for name in names]
        self._detector = dtmf.Detector(len(self._lines))
        self._ticks = [0] * len(self._lines)  # since the call began
        self._greeting = [False] * len(self._lines)
        self._followers: dict[str, list[Callable[[Entry], None]]] = defaultdict(list)
        self._loop = asyncio.new_event_loop()

    def lines(self) -> list[LineState]:
        return [LineState(line.name, "simulated", line.state.value, None, None) for line in self._lines]

    def figures(self) -> list[Figures]:
        return [Pulse().figures()]

    def menu(self) -> str:
        return "<title>菜单流程</title>"

    def phones(self) -> list[SimulatedLine]:
        return self._lines

    def subscribe(self, line_name: str, callback: Callable[[Entry], None]) -> Callable[[], None]:
        self._followers[line_name].append(callback)
        return lambda: self._followers[line_name].remove(callback)

    @property
    def followers(self) -> int:
        return sum(len(callbacks) for callbacks in self._followers.values())

    def hang_up(self) -> None:
        for line in self._lines:
            line.on_hook()

    def rest(self) -> None:
        """Wait until all pages have gone and all lines are at rest, answering what still rings."""

        def at_rest() -> bool:
            self.hang_up()
            return not self.followers and all(line.exchange.state is State.IDLE for line in self._lines)

        self.until(at_rest)

    def ask(self, question: Callable[[], T]) -> T:
        """Call a function in the loop's thread and wait for its answer."""

        async def answer() -> T:
            return question()

        return asyncio.run_coroutine_threadsafe(answer(), self._loop).result(30)

    def until(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait until the condition holds at the end of some tick."""

        async def wait() -> None:
            async with asyncio.timeout(seconds):
                while not condition():
                    await asyncio.sleep(TICK)

        asyncio.run_coroutine_threadsafe(wait(), self._loop).result(seconds + 5)

    def _say(self, index: int, who: str, text: str) -> None:
        for follower in list(self._followers[self._lines[index].name]):
            follower(Said(self._ticks[index] * TICK, who, text))

    def _tick(self) -> None:
        received = self.received
        for index, line in enumerate(self._lines):
            line.read(received[index])
            for event in line.events():
                match event:
                    case Ring(1):
                        self._ticks[index] = 0
                    case CallerId(number):
                        self._say(index, "来电", number or "号码未显示")
            if line.state is HookState.RINGING and self._ticks[index] * TICK >= self.rings_for:
                self._answer(index)
        for event in self._detector.feed(received):
            if isinstance(event, dtmf.Onset) and self._lines[event.line].state is HookState.OFF_HOOK:
                self.keys[self._lines[event.line].name] += event.digit
                self.heard_at.append(time.time())
                self._greeting[event.line] = False
                self._say(event.line, "按键", event.digit)
        for index, line in enumerate(self._lines):
            at = self._ticks[index] * FRAME % RATE
            line.write(PROMPT[at : at + FRAME] if self._greeting[index] else np.zeros(FRAME, np.int16))
            self._ticks[index] += 1

    def _answer(self, index: int) -> None:
        self._lines[index].off_hook()
        self._detector.reset(index)
        self._greeting[index] = True
        self._say(index, "系统", GREETING)

    async def _serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        for line in self._lines:
            line.open()
        async with serving(create_app(self, "http://127.0.0.1:8330/", HINTS), "127.0.0.1", 0) as self.address:
            ready.set()
            due = self._loop.time()
            while not stop.is_set():
                self._tick()
                due += TICK
                await asyncio.sleep(max(0.0, due - self._loop.time()))
        for line in self._lines:
            line.close()

    @contextmanager
    def running(self) -> Iterator[SmallService]:
        """Serve in a thread while the block runs."""
        ready, stop = threading.Event(), asyncio.Event()

        def run() -> None:
            try:
                self._loop.run_until_complete(self._serve(ready, stop))
            finally:
                self._loop.close()

        thread = threading.Thread(target=run, name="small service")
        thread.start()
        assert ready.wait(30), "the small service did not start"
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(stop.set)
            thread.join(20)
