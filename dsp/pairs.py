"""Where on any line a row's and a column's tone stand out together: what may be a key, every 20 ms, cheaply.

The samples of all lines are kept in one ring. Its length is a whole number of steps, and before its beginning stands
what precedes it, so that every window lies in one piece: for all lines it is one operand of one matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from . import goertzel
from .generate import HIGH, LOW, TONES_OF
from .keypress import HISTORY, WINDOW, Limits
from .levels import amplitude, ms, ratio

STEP = ms(20)  # one tick: a verdict between two would be acted upon no sooner
LOOK_BACK = ms(10)  # a key that ends between two looks is judged this much before its window
KEPT = HISTORY + LOOK_BACK + STEP
RING = -(-(KEPT + STEP) // STEP) * STEP  # samples of each line, no more than a tick needs: less memory is faster
BLOCK = 1 << 20  # samples of all lines, once more has been fed at a time; what is still longer is cut
LEAD = WINDOW - STEP  # samples before the ring's beginning
# Windows multiplied at once, so that the product stays in the nearest cache and its three sizes multiply to less than
# a million: up to there OpenBLAS copies no operand before it begins, which would cost half as much again.
TILE = 128
APART = -(-WINDOW // STEP)  # windows so many steps apart do not overlap
BEFORE = 2  # hops of which the powers are kept, so that a press 56 ms long can be measured
SLOTS = 4  # hops that fit behind those, at least, until they are moved
OFF = 5.0  # dB, what a tone 1.8 % off loses in a window tuned to the nominal frequency

TONES = LOW + HIGH
# What is looked at beside the pair: outside the groups, and between the high tones, on the skirts of one that is off.
REFERENCES = (590.0, 1040.0, 1110.0, 1740.0, 1850.0, 1272.0, 1406.0, 1555.0)

Powers = NDArray[np.float32]
Indexes = NDArray[np.intp]


@dataclass(frozen=True)
class Gates:
    """What a pair must pass, as ratios of squared amplitudes; looser than the limits, since noise may take a little."""

    share: float  # of its group's four tones a tone must have
    floor: float
    twist_high: float
    twist_low: float
    outside: float
    between: float

    @classmethod
    def of(cls, limits: Limits) -> Gates:
        return cls(
            share=1 / (1 + ratio(-limits.group) ** 2),
            floor=amplitude(limits.floor - OFF) ** 2,
            twist_high=ratio(limits.twist_high + OFF) ** 2,
            twist_low=ratio(limits.twist_low - OFF) ** 2,
            outside=ratio(-limits.outside) ** 2,
            between=ratio(-limits.between) ** 2,
        )

    @cached_property
    def least(self) -> Powers:
        """What the squared amplitudes of tones and references, (16, n), are multiplied by for what the strongest low
        tone and the strongest high one must have at least, 13 bounds each by turns: (26, 16). For all lines together
        one product costs less than a comparison for each gate."""
        bounds = np.zeros((13, 2, 16), np.float32)
        of_low, of_high = bounds[:, 0], bounds[:, 1]
        low, high, outside, between = slice(0, 4), slice(4, 8), slice(8, 13), slice(13, 16)
        of_low[0, low] = of_high[0, high] = self.share
        of_low[1:5, high], of_high[1:5, low] = np.eye(4) / self.twist_high, np.eye(4) * self.twist_low
        of_low[5:10, outside] = of_high[5:10, outside] = np.eye(5) / self.outside
        of_high[10:, between] = np.eye(3) / self.between
        return bounds.reshape(26, 16)


@cache
def _columns() -> Powers:
    """What windows are multiplied by, as columns: (32, WINDOW), real parts of tones and references, then imaginary."""
    return goertzel.basis(TONES + REFERENCES, goertzel.hann(WINDOW)).astype(np.float32, order="F")


@dataclass
class Look:
    """The windows that are complete now. What it shows is overwritten when more is fed.

    Columns number windows from the first of the hops before: hop * lines + line."""

    ends: range  # where the windows end
    powers: Powers  # (16, BEFORE + hops, lines): squared amplitudes of the tones, then of the references
    flat: Powers  # the memory behind that, from its first element on
    where: Indexes  # (2 * (1 + BEFORE), 16), see `_where`

    def around(self, columns: Indexes, digits: Indexes, hops: int) -> Powers:
        """Squared amplitudes of these digits' tones in so many windows, the ones at these columns and those one, two
        hops before: (hops, 2, n)."""
        return self.flat.take(self.where[: 2 * hops].take(digits, 1) + columns).reshape(hops, 2, -1)


def _where(slots: int, lines: int) -> Indexes:
    """What is added to a column for the place of a digit's tones in memory, now and a hop before and two: (6, 16)."""
    before = np.arange(1 + BEFORE)[:, None, None] * lines
    return (TONES_OF * (slots * lines) - before).reshape(-1, 16)


class Candidates(NamedTuple):
    """Pairs that stand out, (n,) each. `windows`: hop * lines + line, ascending."""

    windows: Indexes
    digits: Indexes


_NO = np.zeros(0, np.intp)
NONE = Candidates(_NO, _NO)


class Pairs:
    """The samples of `lines` lines and what stands out in them."""

    def __init__(self, lines: int) -> None:
        self._ring, self._longest = RING, max(RING, BLOCK // max(lines, 1) // STEP * STEP)
        self._keep(np.zeros((lines, LEAD + self._ring), np.float32))
        self.position = 0  # samples fed to every line so far
        self._columns = _columns()
        self._make_slots(SLOTS)

    def reset(self, line: int) -> None:
        """Forget what this line carried."""
        self._samples[line] = 0
        self._powers[:, :, line] = 0

    def room(self, wanted: int) -> int:
        """How many of so many samples may be fed at once now, one at least. The first long feed lengthens the ring."""
        if wanted > self._ring - KEPT and self._ring < self._longest:
            self._lengthen()
        return min(wanted, self._ring - self.position % self._ring, self._ring - KEPT)

    def _lengthen(self) -> None:
        """Make the ring as long as it may be."""
        kept = self.position + np.arange(-KEPT, 0)
        samples = np.empty((len(self._samples), LEAD + self._longest), np.float32)
        samples[:, LEAD + kept % self._longest] = self._samples[:, LEAD + kept % self._ring]
        samples[:, :LEAD] = samples[:, -LEAD:]
        self._ring = self._longest
        self._keep(samples)

    def _keep(self, samples: Powers) -> None:
        """From now on this is the ring, with what precedes it."""
        self._samples = samples
        self._windows = sliding_window_view(samples, WINDOW, axis=1)
        self._histories = sliding_window_view(samples, HISTORY, axis=1)

    def feed(self, frames: NDArray[np.int16]) -> Look | None:
        """The next samples of all lines, (lines, n), n up to `room`."""
        at = self.position % self._ring
        if at == 0:
            self._samples[:, :LEAD] = self._samples[:, -LEAD:]
        count = frames.shape[1]
        self._samples[:, LEAD + at : LEAD + at + count] = frames
        ends = range((self.position // STEP + 1) * STEP, self.position + count + 1, STEP)
        self.position += count
        return self._look(ends) if ends else None

    def _make_slots(self, hops: int) -> None:
        """Room for the powers of so many hops behind those before."""
        lines = len(self._samples)
        self._powers, self._next = np.zeros((16, BEFORE + hops, lines), np.float32), BEFORE
        self._flat, self._where = self._powers.reshape(-1), _where(BEFORE + hops, lines)

    def _take_slots(self, hops: int) -> int:
        """The first of so many slots for the next hops; behind the last ones, or these are moved to the front."""
        if self._next + hops > self._powers.shape[1]:
            last = self._powers[:, self._next - BEFORE : self._next]
            if BEFORE + hops > self._powers.shape[1]:
                self._make_slots(hops)
            self._powers[:, :BEFORE], self._next = last, BEFORE
        self._next += hops
        return self._next - hops

    def _look(self, ends: range) -> Look:
        first, hops, lines = (ends[0] - STEP) % self._ring, len(ends), len(self._samples)
        at = self._take_slots(hops)
        if hops > lines:  # a file: windows that do not overlap are the rows of one matrix
            windows = self._windows[:, first : first + hops * STEP : STEP]
            for line in range(lines):
                for k in range(min(APART, hops)):
                    self._measure(windows[line, k::APART], self._powers[:, at + k : self._next : APART, line])
        else:
            for hop in range(hops):
                self._measure(self._windows[:, first + hop * STEP], self._powers[:, at + hop])
        known = self._powers[:, at - BEFORE : self._next]
        return Look(ends, known, self._flat[(at - BEFORE) * lines :], self._where)

    def _measure(self, windows: Powers, powers: Powers) -> None:
        """The squared amplitudes in windows (n, WINDOW), into (16, n)."""
        for at in range(0, len(windows), TILE):
            parts = self._columns @ windows[at : at + TILE].T
            parts *= parts
            np.add(parts[:16], parts[16:], out=powers[:, at : at + TILE])

    def candidates(self, look: Look, gates: Gates) -> Candidates:
        """The pairs that pass the gates. Nothing is compared with the energy of the whole band."""
        powers = look.powers[:, BEFORE:].reshape(16, -1)
        groups = powers[:8].reshape(2, 4, -1)
        tops = np.maximum.reduce(groups, axis=1)
        least = np.maximum.reduce(gates.least.dot(powers).reshape(13, 2, -1), axis=0, initial=gates.floor)
        stands_out = tops >= least
        (window,) = (stands_out[0] & stands_out[1]).nonzero()
        if not len(window):
            return NONE
        places = groups.take(window, 2).argmax(axis=1)
        return Candidates(window, 4 * places[0] + places[1])

    def recent(self, lines: Indexes, ends: Indexes, length: int = HISTORY) -> Powers:
        """The samples of each line (n,) up to each position (n,), HISTORY at most: (n, length)."""
        if len(ends) and np.count_nonzero(ends == ends[0]) == len(ends):
            return self._upto(lines, int(ends[0] - 1) % self._ring + 1, length)
        stops = (ends - 1) % self._ring + 1
        found = np.empty((len(lines), length), np.float32)
        inside = stops >= HISTORY - LEAD
        found[inside] = self._histories[lines[inside], LEAD + stops[inside] - HISTORY, -length:]
        for stop in set(stops[~inside].tolist()):
            these = stops == stop
            found[these] = self._upto(lines[these], stop, length)
        return found

    def _upto(self, lines: Indexes, stop: int, length: int) -> Powers:
        """The last samples of these lines up to one place in the ring."""
        begin = LEAD + stop - length
        if begin >= 0:
            return self._samples[lines, begin : LEAD + stop]
        # The ring's end stands before its beginning as far as LEAD.
        return np.concatenate([self._samples[lines, begin - LEAD : -LEAD], self._samples[lines, : LEAD + stop]], axis=1)
