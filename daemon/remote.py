"""A scripted caller from outside, over AudioSocket: for `hotline call --to`.

He follows the same scripts as caller.py, but knows only what he hears: a prompt has ended when it has been silent for
a second. `step` is called every 20 ms, by whatever keeps the time; nothing here reads a clock but `call`.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import numpy as np

from ..drivers.audiosocket.caller import Caller, announce, ask_target
from ..drivers.line import FRAME, Frame
from ..drivers.simulated.telephone import KeypadTelephone
from ..voice import audiofile
from .call import ticks
from .caller import BARGE_IN_AFTER, Word

LOUD = 100  # peak of a frame that is sound: -47 dBm0; the service's own silence is exact
ENDED = ticks(1.0)  # of silence after which a prompt is over: no pause within one is as long
NOTHING = ticks(10.0)  # of silence after which he goes on without having heard anything
TICK = 0.02  # seconds


@dataclass(frozen=True)
class Entry:
    """Who did what; `at` in seconds since the call began."""

    at: float
    who: str
    text: str


class Way(Protocol):
    """What carries the call: an AudioSocket connection, a port of an exchange in software. Frames are 320 bytes."""

    @property
    def over(self) -> str | None: ...
    def receive(self) -> list[bytes]: ...
    def send(self, frame: bytes) -> None: ...
    def hang_up(self) -> None: ...


class RemoteCaller:
    """One call; all of it is over when `over` says how."""

    def __init__(self, script: list[Word], caller: Way, speech: Frame | None = None) -> None:
        self.entries: list[Entry] = []
        self.telephone = KeypadTelephone()
        self._script = deque(script)
        self._caller = caller
        self._now = 0  # ticks
        self._speaking = 0  # ticks since this prompt began; 0: there is none
        self._quiet = 0  # ticks since the last sound
        self._heard = False  # anything since we did something last
        self._acting = False  # our own keys or words are going out
        if speech is not None:
            self.telephone.say(speech)

    @property
    def over(self) -> str | None:
        """How the call ended."""
        return self._caller.over

    def step(self) -> None:
        """Hear what has come, do what is due, say the next 20 ms."""
        self._hear(self._caller.receive())
        if self._caller.over is not None:
            self._note("状态", "对方挂机")
            return
        if self.telephone.idle and self._due():
            self._do()
        frame = self.telephone.speak()
        if self._caller.over is None and frame is not None:
            self._caller.send(frame.astype("<i2").tobytes())
        self._now += 1

    def hang_up(self) -> None:
        """Put the receiver down, wherever the call stands; also twice."""
        self._caller.hang_up()

    def _hear(self, frames: list[bytes]) -> None:
        sound = np.frombuffer(b"".join(frames), "<i2")
        for frame in sound.reshape(-1, FRAME):
            self.telephone.hear(frame)
        if self._acting and not self.telephone.idle:  # what is heard now may be the end of what we interrupt
            return
        self._acting = False
        if len(sound) and np.abs(sound.astype(np.int32)).max() > LOUD:
            if not self._speaking:
                self._note("系统", "开始说话")
            self._heard, self._quiet = True, 0
            self._speaking += 1
            return
        self._quiet += 1
        self._speaking += bool(self._speaking)
        if self._speaking and self._quiet == ENDED:
            self._note("系统", "说完", ENDED)
            self._speaking = 0

    def _due(self) -> bool:
        """Whether it is time for the next word, or, after the last, to hang up."""
        kind = self._script[0].kind if self._script else "hangup at the end"
        if kind in ("wait", "hangup"):
            return True
        if kind == "barge" and self._speaking >= BARGE_IN_AFTER:
            return True
        return self._quiet >= (ENDED if self._heard else NOTHING)

    def _do(self) -> None:
        word = self._script.popleft() if self._script else Word("hangup")
        self._acting = word.kind != "wait"
        if self._acting:  # who only waits goes on listening to the same prompt
            self._heard, self._speaking, self._quiet = False, 0, 0
        match word.kind:
            case "keys" | "barge":
                # More than one key may be somebody's ID number or PIN.
                self._note("按键", word.value if len(word.value) == 1 else f"{len(word.value)} 个键")
                self.telephone.keys(word.value)
            case "wait":
                self.telephone.wait(float(word.value))
            case "say":
                self._note("来电", word.value)
                self.telephone.say(audiofile.read(Path(word.value)))
            case "hangup":
                self._note("状态", "来电人挂机")
                self._caller.hang_up()

    def _note(self, who: str, text: str, ago: int = 0) -> None:
        self.entries.append(Entry((self._now - ago) * TICK, who, text))


class NotTaken(Exception):
    """The service does not take this call; the text says why."""


REFUSALS = {"busy": "线路全忙", "refused": "口令不对：请用 --token 写出 [lines.…] token"}


def call(
    host: str, port: int, script: list[Word], number: str | None, token: str, speech: Frame | None
) -> RemoteCaller:
    """A whole call in real time. Raises CallError, NotTaken, AudioError."""
    uuid = uuid4()
    verdict = announce(host, port, uuid, number, token=token)
    if verdict != "welcome":
        raise NotTaken(REFUSALS.get(verdict, verdict))
    caller = RemoteCaller(script, Caller(host, port, uuid), speech)
    due = time.monotonic()
    try:
        while caller.over is None:
            caller.step()
            due += TICK
            time.sleep(max(0.0, due - time.monotonic()))
    finally:
        caller.hang_up()
    target = ask_target(host, port, uuid, token)
    if target:
        caller.entries.append(Entry(caller.entries[-1].at, "状态", f"转往 {target}"))
    return caller
