"""The far end of a simulated line: anything that speaks and hears a frame a tick.

A telephone hears from the moment it calls: ring-back, us, busy tone. It is asked to speak while it is
connected to us. A tick is one `speak` followed by one `hear`, so both directions share one time axis:
the frame heard in a tick starts at the same sample as the frame spoken in it. (A line with a frequency
error asks for a frame more or less now and then, as two exchanges whose clocks differ do.)

A receiver is put down by `Exchange.hang_up`, or by `speak` returning None.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from ...dsp import generate
from ...dsp.levels import ms
from ..line import FRAME, RATE, Frame

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
    """Plays samples (int16, 8000 Hz) from the moment it is connected, then is silent or hangs up."""

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
    """One key or utterance as it went out: samples start..end since it called us, pauses not included."""

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
        self.position = 0  # samples since it called us
        self._tape = Tape() if record else None
        self._queue: deque[tuple[str, Frame]] = deque()
        self._at = 0  # in the first item of the queue
        self._frame = np.zeros(FRAME, np.int16)

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

    def speak(self) -> Frame | None:
        """The next frame of what it was told."""
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


class LiveTelephone:
    """A telephone at the end of a network: `push` what it says, `pull` what it hears.

    Sound from a network arrives in bursts, and its clock is not ours. So speaking begins only when
    `target_ms` of it wait (or have been waited for: a short sound is not held back), and begins anew
    after the buffer has run dry. What waits without need for a whole second is lag, of which a frame is
    dropped; more than `most_ms` is cut back to the target at once. Not locked: for the switchboard's thread.
    """

    def __init__(self, target_ms: float = 60.0, most_ms: float = 500.0) -> None:
        self.underruns = 0  # the buffer ran dry, also each time the other side just stopped sending
        self.overruns = 0  # samples pushed and thrown away
        self.unpulled = 0  # samples heard and thrown away
        self._target = ms(target_ms)
        self._most = ms(most_ms)
        self._waiting: Frame = SILENCE[:0]
        self._held = 0  # ticks something has been waiting to begin
        self._speaking = False
        self._least = 0  # samples that waited at least, in this second
        self._ticks = 0
        self._heard: deque[Frame] = deque(maxlen=RATE // FRAME)
        self._frame = np.zeros(FRAME, np.int16)

    def push(self, samples: Frame) -> None:
        """Say these samples, any number, int16 at 8000 Hz."""
        self._waiting = np.concatenate((self._waiting, samples))
        if len(self._waiting) > self._most:
            self._drop(len(self._waiting) - self._target)

    def pull(self) -> Frame:
        """Everything heard since the last `pull`, but never more than the last second."""
        heard = list(self._heard)
        self._heard.clear()
        return np.concatenate(heard) if heard else SILENCE[:0]

    def speak(self) -> Frame:
        """The next frame that has arrived, or silence."""
        if not self._speaking and not self._begin():
            return SILENCE
        self._trim()
        ready = self._waiting[:FRAME]
        self._waiting = self._waiting[FRAME:]
        if len(ready) == FRAME:
            return ready
        self.underruns += 1
        self._speaking = False
        self._frame[: len(ready)] = ready
        self._frame[len(ready) :] = 0
        return self._frame

    def hear(self, frame: Frame) -> None:
        """Keep it for `pull`; with nobody pulling, the oldest goes."""
        if len(self._heard) == self._heard.maxlen:
            self.unpulled += FRAME
        self._heard.append(frame.copy())

    def _begin(self) -> bool:
        if len(self._waiting):
            self._held += 1
            self._speaking = len(self._waiting) >= self._target or self._held * FRAME > self._target
        if self._speaking:
            self._held, self._ticks, self._least = 0, 0, self._most
        return self._speaking

    def _trim(self) -> None:
        self._least = min(self._least, len(self._waiting))
        self._ticks += 1
        if self._ticks == RATE // FRAME:
            if self._least > self._target + FRAME:
                self._drop(FRAME)
            self._ticks, self._least = 0, self._most

    def _drop(self, samples: int) -> None:
        self._waiting = self._waiting[samples:]
        self.overruns += samples
