"""The far end of a simulated line: anything that speaks and hears a frame a tick.

A tick is one `speak` followed by one `hear`, so both directions share one time axis: the frame heard
in a tick starts at the same sample as the frame spoken in it. (A line with a frequency error asks for
a frame more or less now and then, as two exchanges whose clocks differ do.)
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from ..dsp import generate
from .line import FRAME, RATE, Frame

SILENCE: Frame = np.zeros(FRAME, np.int16)
SILENCE.flags.writeable = False


class Telephone(Protocol):
    """Called from the switchboard's thread; neither method may block, change the frame or keep a reference to it."""

    def speak(self) -> Frame | None:
        """The next frame, valid until the next call; None: the receiver has been put down."""

    def hear(self, frame: Frame) -> None:
        """What the line carried to us in this tick."""


class Silent:
    """A party that says nothing and never hangs up."""

    def speak(self) -> Frame | None:
        """Silence."""
        return SILENCE

    def hear(self, frame: Frame) -> None:
        """Nobody is listening."""


class WavTelephone:
    """Plays samples (int16, 8000 Hz) as soon as its receiver is up, then is silent or hangs up."""

    def __init__(self, samples: Frame, hang_up: bool = False) -> None:
        self._samples = np.concatenate((samples, np.zeros(-len(samples) % FRAME, np.int16)))
        self._at = 0
        self._hangs_up = hang_up

    def speak(self) -> Frame | None:
        """The next piece; the last one is filled up with silence."""
        at = self._at
        if at < len(self._samples):
            self._at = at + FRAME
            return self._samples[at : at + FRAME]
        return None if self._hangs_up else SILENCE

    def hear(self, frame: Frame) -> None:
        """Nobody is listening."""


class Tape:
    """A recording in memory that grows by doubling: an append costs one copy."""

    def __init__(self) -> None:
        self._samples = np.zeros(16 * RATE, np.int16)
        self.length = 0

    def add(self, frame: Frame) -> None:
        """Append any number of samples."""
        end = self.length + len(frame)
        if end > len(self._samples):
            self._samples = np.resize(self._samples, 2 * end)
        self._samples[self.length : end] = frame
        self.length = end

    @property
    def samples(self) -> Frame:
        """All that was added so far; a view."""
        return self._samples[: self.length]


@dataclass(frozen=True)
class Said:
    """One key or utterance as it went out: samples start..end since the call began, pauses not included."""

    label: str
    start: int
    end: int


@lru_cache(maxsize=256)
def _key(digit: str, milliseconds: float, level_dbm0: float, twist_db: float, deviation_percent: float) -> Frame:
    return generate.dtmf(digit, milliseconds, 0.0, level_dbm0, twist_db, deviation_percent)


class KeypadTelephone:
    """A caller who does what he is told: keys, words, pauses, one after the other.

    `heard` is everything the line brought, from the first ring-back on; `said` says when each key and
    utterance went out on the same axis. `record=False` keeps nothing of either, for crowds of callers.
    """

    def __init__(self, record: bool = True) -> None:
        self.said: list[Said] = []
        self.position = 0  # samples since the call began
        self._tape = Tape() if record else None
        self._queue: deque[tuple[str, Frame]] = deque()
        self._at = 0  # in the first item of the queue
        self._frame = np.zeros(FRAME, np.int16)
        self._down = False

    @property
    def idle(self) -> bool:
        """Whether everything it was told to say is out."""
        return not self._queue

    @property
    def heard(self) -> Frame:
        """All samples heard so far; a view."""
        return self._tape.samples if self._tape else SILENCE[:0]

    def keys(
        self,
        digits: str,
        on_ms: float = 100,
        off_ms: float = 100,
        level_dbm0: float = -9.0,
        twist_db: float = 0.0,
        deviation_percent: float = 0.0,
    ) -> None:
        """Press these keys; level of each tone, twist is high group minus low group."""
        for digit in digits:
            self._queue.append((digit, _key(digit, on_ms, level_dbm0, twist_db, deviation_percent)))
            self.wait(off_ms / 1000)

    def say(self, samples: Frame, label: str = "") -> None:
        """Speak these samples, int16 at 8000 Hz."""
        self._queue.append((label, samples))

    def wait(self, seconds: float) -> None:
        """Be silent for so long before going on."""
        self._queue.append(("", np.zeros(round(seconds * RATE), np.int16)))

    def hush(self) -> None:
        """Forget what has not been said yet."""
        self._queue.clear()
        self._at = 0

    def hang_up(self) -> None:
        """Put the receiver down now."""
        self._down = True

    def speak(self) -> Frame | None:
        """The next frame of what it was told."""
        if self._down:
            return None
        if not self._queue:
            return SILENCE
        frame, filled = self._frame, 0
        while filled < FRAME and self._queue:
            label, samples = self._queue[0]
            if self._at == 0 and label and self._tape:
                start = self.position + filled
                self.said.append(Said(label, start, start + len(samples)))
            take = min(FRAME - filled, len(samples) - self._at)
            frame[filled : filled + take] = samples[self._at : self._at + take]
            filled += take
            self._at += take
            if self._at == len(samples):
                self._queue.popleft()
                self._at = 0
        frame[filled:] = 0
        return frame

    def hear(self, frame: Frame) -> None:
        """Note it down."""
        self.position += FRAME
        if self._tape:
            self._tape.add(frame)
