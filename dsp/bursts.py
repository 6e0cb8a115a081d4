"""Hops of all lines as bursts of sound: when one has begun, when it has ended, and what it was like.

A hop belongs to a burst while the bank calls it pure and it is no more than 6 dB weaker than the loudest hop of the
burst: the tone is off when it is weaker than it was, not when it is under some level, so crosstalk of a tone into its
own pauses does no harm. Three hops (30 ms) make a burst; a break of up to three is bridged, for a lost frame of 20 ms
is no pause. A Hann window that stands just on an edge has half the amplitude: that is how edges are placed to about a
millisecond with hops of ten.

Positions are samples since the first one fed; hops are counted from 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .levels import ratio, sine_dbm0
from .tonebank import HOP, Hops

OFF = 6.0  # dB under the loudest hop: half the amplitude
FADING = 0.12  # dB a hop (12 dB a second) by which that loudest hop is forgotten
FORGOTTEN = 3  # hops without the sound after which it is forgotten at once
BEGIN = 3  # hops that make a burst
BRIDGED = 3  # hops without the sound that do not end one

STEADY_DB = 1.5  # a burst is steady if so large a part of its hops is so near their median
STEADY_HZ = 4.0
STEADY_PART = 0.7
BLURRED = 160  # samples, 20 ms: a half-amplitude edge this far from the hops full of the burst is not the burst's
DRIFT_HOPS = 5
DRIFT_DB = 0.6  # a continuous tone may grow (a howler does), but in the median not by more in 50 ms; a violin's does
FADES_DB = 1.5  # nor may it die away by more from the first third of its time to the last, as a string does

KEPT = 384  # hops of every sound that can be measured, 3.84 s
TICKS = 8  # hops added at once, until more are
CHUNK = 1024  # hops of all lines together added at once at most
BEFORE = 9  # hops to look back for the beginning of a burst that has just been recognised
EXCESS = 400.0  # dB, more than any two levels differ
NOTHING = np.float32(-1000.0)  # dB

Levels = NDArray[np.float32]


class Burst(NamedTuple):
    """A piece of one sound. `sound` is its index in the bank; Hz and dBm0 are medians of the hops that were full of
    it."""

    sound: int
    start: int
    end: int
    frequency: float
    level_dbm0: float


class Edge(NamedTuple):
    """At this hop a burst of this sound is known to have begun, or to have ended."""

    hop: int
    sound: int
    begins: bool


class Bursts:
    """The bursts of `lines` lines and `sounds` sounds; state is arrays over both."""

    def __init__(self, lines: int, sounds: int, lead: int) -> None:
        """`lead`: samples from the middle of the bank's windows to their end."""
        self.hops = 0
        self._lead = lead
        self._lines = lines
        self.most = max(CHUNK // max(lines, 1), TICKS)  # hops that may be added at once
        self._history = KEPT + TICKS
        self._power = np.zeros((self._history, sounds, lines), np.float32)
        self._frequency = np.zeros((self._history, sounds, lines), np.float32)
        pairs = sounds * lines
        self._loudest = np.full(pairs, NOTHING, np.float32)
        self._runs = np.zeros((2, pairs), np.int32)  # for how many hops it has been off, and on
        self._runs[0] = BRIDGED + 1
        self._without = np.full(pairs, FORGOTTEN, np.int32)

    def reset(self, line: int) -> None:
        """Forget what this line sounded like."""
        self._power[:, :, line] = self._frequency[:, :, line] = 0
        ours = slice(line, None, self._lines)
        self._loudest[ours] = NOTHING
        self._runs[0, ours], self._runs[1, ours], self._without[ours] = BRIDGED + 1, 0, FORGOTTEN

    def add(self, hops: Hops) -> dict[int, list[Edge]]:
        """Take the next hops, `most` at most; the edges found in them, in order, by line."""
        count = len(hops.pure)
        if count > self._history - KEPT:
            self._lengthen()
        at = self.hops % self._history
        split = min(count, self._history - at)  # what does not fit at the end begins anew
        for kept, new in ((self._power, hops.power), (self._frequency, hops.frequency)):
            kept[at : at + split] = new[:split]
            if split < count:
                kept[: count - split] = new[split:]
        pure = hops.pure.reshape(count, len(self._without))
        pairs = np.flatnonzero(pure.any(axis=0) | (self._without < FORGOTTEN) | (self._runs[0] <= BRIDGED))
        found: dict[int, list[Edge]] = {}
        if len(pairs) and count:  # nothing changes for the others
            begins, ends = self._edges(pairs, pure[:, pairs], hops.power.reshape(pure.shape)[:, pairs])
            for hop, pair in np.argwhere(begins | ends).tolist():
                sound, line = divmod(int(pairs[pair]), self._lines)
                found.setdefault(line, []).append(Edge(self.hops + hop, sound, bool(begins[hop, pair])))
        self.hops += count
        return found

    def _lengthen(self) -> None:
        """Make room for `most` hops beside what is kept."""
        hops, self._history = np.arange(self.hops - KEPT, self.hops), KEPT + self.most
        self._power, self._frequency = (_moved(kept, hops, self._history) for kept in (self._power, self._frequency))

    def _edges(
        self, pairs: NDArray[np.intp], pure: NDArray[np.bool_], power: Levels
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether at (hop, pair) a burst has begun, and whether one has ended."""
        level = 10.0 * np.log10(np.maximum(power, np.float32(1e-3)))
        without = _run(~pure, self._without[pairs])
        # The loudest hop so far, fading, is a running maximum of levels that have been tilted against the fading. To
        # forget is to lift everything that follows above all that was before.
        tilt = FADING * np.arange(1, len(pure) + 1)[:, None]
        lift = tilt + np.cumsum(without == FORGOTTEN, axis=0) * EXCESS
        lifted = np.where(pure, level + lift, NOTHING)
        lifted[0] = np.maximum(lifted[0], self._loudest[pairs])
        loudest = np.maximum.accumulate(lifted, axis=0) - lift
        on = pure & (level >= loudest - np.float32(OFF))
        runs = _run(np.stack([~on, on], axis=1), self._runs[:, pairs])
        self._runs[:, pairs], self._without[pairs] = runs[-1], without[-1]
        self._loudest[pairs] = np.maximum(loudest[-1], NOTHING)
        return runs[:, 1] == BEGIN, runs[:, 0] == BRIDGED + 1

    def heard(self, hop: int) -> int:
        """How many samples it takes to complete this hop."""
        return (hop + 1) * HOP

    def beginning(self, line: int, sound: int, hop: int) -> int:
        """Where the burst began that was recognised at this hop."""
        if hop >= BEFORE + self.hops - self._history:
            hops = np.arange(max(hop - BEFORE, 0), hop + 1)
            amplitude = np.sqrt(self._power[hops % self._history, sound, line])
            crossing = _last_crossing(amplitude, amplitude[-1] * ratio(-OFF), rising=True)
            if crossing is not None:
                return self._middle(hops[0] + crossing)
        return self._middle(hop - BEGIN)

    def measure(self, line: int, sound: int, start: int, hop: int) -> tuple[Burst, bool]:
        """The burst that is known at this hop to have ended, and whether it was steady."""
        hops = self._kept(self._at(start), hop)
        begin, at = int(hops[0]), hops % self._history
        amplitude = np.sqrt(self._power[at, sound, line])
        full = _median(amplitude[: -BRIDGED - 1]) if len(hops) > BRIDGED + 1 else float(amplitude[0])
        crossing = _last_crossing(amplitude, full * ratio(-OFF), rising=False)
        end = self._middle(hop - BRIDGED - 0.5 if crossing is None else begin + crossing)
        first = max(self._at(start + self._lead) + 1, begin)  # of the hops that are full of the burst
        inner = slice(first - begin, max(self._at(end - self._lead) + 1 - begin, 0))
        level, frequency = sine_dbm0(amplitude[inner]), self._frequency[at[inner], sound, line]
        if len(level) < 2:
            return Burst(sound, start, max(end, start), 0.0, 0.0), False
        middle_db, middle_hz = _median(level), _median(frequency)
        alike = (np.abs(level - middle_db) <= STEADY_DB) & (np.abs(frequency - middle_hz) <= STEADY_HZ)
        alike_at = np.flatnonzero(alike)
        if not len(alike_at):
            return Burst(sound, start, end, round(middle_hz, 1), round(middle_db, 1)), False
        # Where another sound ran into the burst, its edge is a window's half from the last hop full of the burst.
        begins, ends = self._middle(first + alike_at[0]) - self._lead, self._middle(first + alike_at[-1]) + self._lead
        start = begins if begins - start > BLURRED and self._at(start) >= begin - 1 else start
        end = ends if end - ends > BLURRED else end
        steady = len(alike_at) >= STEADY_PART * (alike_at[-1] - alike_at[0] + 1)
        return Burst(sound, start, end, round(middle_hz, 1), round(middle_db, 1)), bool(steady)

    def lasting(self, line: int, sound: int, start: int, hop: int, samples: int) -> tuple[Burst, bool]:
        """The last so many samples up to this hop of a burst that goes on, and whether they are steady."""
        at = self._kept(hop + 1 - samples // HOP, hop) % self._history
        level, frequency = sine_dbm0(np.sqrt(self._power[at, sound, line])), self._frequency[at, sound, line]
        middle_hz = _median(frequency)
        drift = _median(np.abs(level[DRIFT_HOPS:] - level[:-DRIFT_HOPS]))
        third = len(level) // 3
        fades = _median(level[:third]) - _median(level[-third:]) > FADES_DB
        steady = drift <= DRIFT_DB and not fades and _near(frequency, middle_hz, STEADY_HZ)
        return Burst(sound, start, self.heard(hop), round(middle_hz, 1), round(_median(level), 1)), steady

    def _kept(self, first: int, last: int) -> NDArray[np.intp]:
        """These hops as far as they are still known."""
        return np.arange(max(first, last + 1 - KEPT, 0), last + 1)

    def _middle(self, hop: float) -> int:
        """The sample in the middle of a hop's window."""
        return round((hop + 1) * HOP) - self._lead

    def _at(self, position: int) -> int:
        """The last hop whose window's middle does not lie behind this sample."""
        return (position + self._lead) // HOP - 1


def _moved(kept: Levels, hops: NDArray[np.intp], history: int) -> Levels:
    """These hops of a ring, at their places in one that is so long."""
    moved = np.zeros((history, *kept.shape[1:]), np.float32)
    moved[hops % history] = kept[hops % len(kept)]
    return moved


def _run(mask: NDArray[np.bool_], before: NDArray[np.int32]) -> NDArray[np.int32]:
    """For how many hops up to each one `mask`, (hops, ...), has held without a break. `before` is the count at the hop
    before these."""
    numbers = np.arange(1, len(mask) + 1, dtype=np.int32).reshape(-1, *(1,) * before.ndim)
    broken = np.maximum.accumulate(np.where(mask, np.int32(0), numbers), axis=0)
    runs: NDArray[np.int32] = numbers - broken + before * (broken == 0)
    return runs


def _last_crossing(amplitude: Levels, half: float, *, rising: bool) -> float | None:
    """Where the amplitude passes `half` for the last time, in steps of the array; None if it does not."""
    side = np.flatnonzero(amplitude < half if rising else amplitude >= half)
    if not len(side) or side[-1] + 1 == len(amplitude):
        return None
    at = int(side[-1])
    return at + float((half - amplitude[at]) / (amplitude[at + 1] - amplitude[at]))


def _median(values: NDArray[np.floating]) -> float:
    """The lower median; several times as fast as numpy's for a few dozen values."""
    return float(np.sort(values)[(len(values) - 1) // 2])


def _near(values: NDArray[np.floating], middle: float, distance: float) -> bool:
    """Whether enough of the values are so near the middle."""
    return int(np.count_nonzero(np.abs(values - middle) <= distance)) >= STEADY_PART * len(values)
