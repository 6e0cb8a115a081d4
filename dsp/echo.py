"""Our own sound taken out of what comes back, on all lines at once.

What we play is known to the sample, so its echo from the hybrid (and from a gateway behind it) can be computed and
subtracted: what is left is the caller. Two parts:

- Every tick, for the lines that play or have just played: the sent sound through the path found so far, by one batch
  of transforms. Lines that play nothing or have no echo are passed on untouched and cost next to nothing.
- At growing intervals, line by line: the path anew from the last KEPT ticks by least squares (echo_path.py). A path,
  once it is good, is left alone until it is not. Nothing else moves it, so a caller's voice or key does not.

Which frames belong together: `sent` is the frame that was given to the line just before `received` was taken from it,
so that its first sample can be heard in the first of `received` when there is no delay at all. For a switchboard that
reads, then writes, in each tick: the frame read in this tick and the one written in the last. Any further delay, up to
250 ms, is found, the farthest at the same cost as the nearest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import echo_path
from .echo_path import BLOCK, HISTORY, NOTHING, TAPS, UNIT, Path
from .levels import rms

FRAME = 2 * BLOCK  # one tick
KEPT = 60  # ticks to learn from, 1.2 s: the A-law steps, 38 dB down, are then the limit
SLOTS = 2 * KEPT + HISTORY  # blocks
SEGMENT = TAPS + FRAME  # what a tick's echo comes from
TAIL = -(-HISTORY // 2)  # ticks after the last sound sent in which its echo may still come

LOUD = rms(-45.0) ** 2  # sent: a tick that teaches something
FIRST = 3  # loud ticks before the first lesson
GROWTH = 1.5  # each lesson comes after so many times the ticks of the last
FINE = 34.0  # dB enhancement with which a path is left alone while it has heard little,
GOOD = 15.0  # dB enhancement with which a path is left alone
FALLEN = 1 / 3  # of the best enhancement, in dB: the path has changed, or the caller talks; it is learnt anew at once,
AGAIN = 50  # loud ticks, 1 s, after the last lesson
HELPS = 3.0  # dB enhancement with which a path is worth refining, or its loss worth a lesson

# What is left of a loud echo can sound like a faint key; so little beside so much is no caller (G.168 calls this the
# non-linear processor).
REMNANT = 10 ** (-18.0 / 10)
HUSH = 0.1

FAST, SLOW = 0.4, 0.05  # each tick's share in the powers that decide, and in those that are reported

Samples = NDArray[np.int16]
Figures = NDArray[np.float32]


class Canceller:
    """Cancels the echo on `lines` lines. `lessons` bounds how many lines may learn in one tick, so that a tick's cost
    is bounded; lines then wait for each other. None: as many as are due, and no line depends on another.

    Figures, one entry a line, NaN as long as there was no echo to learn from:
    loss         echo return loss of the path found, dB: what is sent over its echo, at equal power at all frequencies;
                 120 where there is no echo, or none that could be found
    enhancement  echo return loss enhancement over the last 0.4 s of playing, dB: what was received over what is left;
                 the caller's own sound is part of both, so it is highest while he is silent
    """

    def __init__(self, lines: int, *, lessons: int | None = None) -> None:
        self.loss: Figures = np.full(lines, np.nan, np.float32)
        self.enhancement: Figures = np.full(lines, np.nan, np.float32)
        self._lessons = lines if lessons is None else lessons
        self._sent = np.zeros((lines, SLOTS, BLOCK), np.int16)
        self._received = np.zeros((lines, SLOTS, BLOCK), np.int16)
        self._head = np.zeros(lines, np.int64)  # the slot to be written next
        self._idle = np.full(lines, TAIL, np.int64)  # ticks since we last sent a sound
        self._heard = np.zeros(lines, np.int64)  # ticks in _received since reset, KEPT at most
        self._loud = np.zeros(lines, np.int64)  # those that taught something, all of them
        self._due = np.full(lines, FIRST, np.int64)
        self._last = np.zeros(lines, np.int64)  # at how many the last lesson was
        self._best = np.zeros(lines, np.float32)  # enhancement since then
        self._echoes = np.zeros(lines, np.bool_)  # there is a path
        self._delay = np.zeros(lines, np.int64)
        self._path = np.zeros((lines, SEGMENT // 2 + 1), np.complex64)
        self._powers = np.zeros((lines, 2, 2), np.float32)  # fast and slow; received and left
        self._paths: dict[int, Path] = {}

    def reset(self, line: int) -> None:
        """A new call begins on this line: its path is learnt afresh."""
        self.loss[line] = self.enhancement[line] = np.nan
        for state in (
            self._sent,
            self._received,
            self._head,
            self._heard,
            self._loud,
            self._last,
            self._best,
            self._echoes,
        ):
            state[line] = 0
        self._powers[line] = 0
        self._idle[line], self._due[line] = TAIL, FIRST
        self._paths.pop(line, None)

    def feed(self, received: Samples, sent: Samples) -> Samples:
        """`received` without the echo of `sent`; both int16 (lines, 160). See the module for which belong together.

        The result shares no memory with the arguments, which are not changed. Raises ValueError for other shapes."""
        expected = (len(self._head), FRAME)
        for name, frames in (("received", received), ("sent", sent)):
            if frames.shape != expected or frames.dtype != np.int16:
                raise ValueError(f"{name} is {frames.dtype} {frames.shape}; expected int16 {expected}")
        cleaned = received.copy()
        self._idle += 1
        self._idle[sent.any(axis=1)] = 0
        rows = np.flatnonzero(self._idle < TAIL)
        if not len(rows):
            return cleaned
        self._keep(rows, received[rows], sent[rows])
        echoing = rows[self._echoes[rows]]
        if len(echoing):
            cleaned[echoing] = self._subtract(echoing, received[echoing])
        self._learn(rows, sent[rows])
        return cleaned

    def _keep(self, rows: NDArray[np.int64], received: Samples, sent: Samples) -> None:
        slots = (self._head[rows, None] + (0, 1)) % SLOTS
        self._sent[rows[:, None], slots] = sent.reshape(-1, 2, BLOCK)
        self._received[rows[:, None], slots] = received.reshape(-1, 2, BLOCK)
        self._head[rows] = (self._head[rows] + 2) % SLOTS
        self._heard[rows] = np.minimum(self._heard[rows] + 1, KEPT)

    def _subtract(self, rows: NDArray[np.int64], received: Samples) -> Samples:
        """What is left of these lines' frames, hushed where it is but a remnant of the echo; or the frames as they are
        where the path has lately done harm."""
        first = self._head[rows] * (BLOCK // UNIT) - (self._delay[rows] + SEGMENT) // UNIT
        units = (first[:, None] + np.arange(SEGMENT // UNIT)) % (SLOTS * BLOCK // UNIT)
        sent = self._sent.reshape(len(self._sent), -1, UNIT)
        segments = sent[rows[:, None], units].reshape(len(rows), SEGMENT).astype(np.float32)
        echo = np.fft.irfft(np.fft.rfft(segments) * self._path[rows], SEGMENT)[:, TAPS:].astype(np.float32)
        heard = received.astype(np.float32)
        left = heard - echo
        powers = np.stack([_power(heard), _power(left)], axis=1)
        running = self._powers[rows]
        running += np.array([[FAST], [SLOW]], np.float32) * (powers[:, None] - running)
        self._powers[rows] = running
        self.enhancement[rows] = 10 * np.log10((running[:, 1, 0] + 1) / (running[:, 1, 1] + 1))
        harm = running[:, 0, 1] > running[:, 0, 0]
        left[harm] = heard[harm]
        left[powers[:, 1] < REMNANT * _power(echo)] *= HUSH
        cleaned: Samples = np.clip(np.rint(left), -32768, 32767).astype(np.int16)
        return cleaned

    def _learn(self, rows: NDArray[np.int64], sent: Samples) -> None:
        """Give a lesson to the lines that have one due."""
        loud = rows[_power(sent.astype(np.float32)) > LOUD]
        self._loud[loud] += 1
        self._best[loud] = np.fmax(self._best[loud], self.enhancement[loud])
        fallen = self.enhancement[loud] < FALLEN * self._best[loud]
        fallen &= (self._best[loud] > HELPS) & (self._loud[loud] >= self._last[loud] + AGAIN)
        self._due[loud[fallen]] = 0
        due = loud[self._loud[loud] >= self._due[loud]]
        newest = due[np.argsort(self._due[due], kind="stable")]  # who knows least comes first
        for line in newest[: self._lessons].tolist():
            count = int(self._loud[line])
            self._due[line] = max(count + 2, int(count * GROWTH)) if self._due[line] else count + AGAIN
            if not self.enhancement[line] > (FINE if count <= KEPT else GOOD):
                self._take(line)
                self._last[line], self._best[line] = count, 0.0

    def _take(self, line: int) -> None:
        """Learn one line's path from what is kept of it."""
        blocks = 2 * int(self._heard[line])
        slots = (self._head[line] - np.arange(blocks + HISTORY, 0, -1)) % SLOTS
        received = self._received[line, slots[HISTORY:]].reshape(-1)
        firm = bool(self._loud[line] > KEPT and self.enhancement[line] > HELPS)
        path = echo_path.learn(self._sent[line, slots].reshape(-1), received, self._paths.get(line, NOTHING), firm=firm)
        self._paths[line] = path
        self._echoes[line] = path is not NOTHING
        self._delay[line] = path.delay
        self._path[line] = np.fft.rfft(path.taps, SEGMENT)
        self.loss[line] = -10 * np.log10(float(path.taps @ path.taps) + 1e-12)


def _power(frames: NDArray[np.float32]) -> Figures:
    mean_squares: Figures = np.einsum("ln,ln->l", frames, frames) / FRAME
    return mean_squares
