"""Where on any line a row's and a column's tone stand out together: what may be a key, every 20 ms, cheaply.

The samples of all lines are kept in one ring. Its length is a whole number of steps, and before its beginning stands
what precedes it, so that every window lies in one piece: for all lines it is one operand of one matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from . import goertzel
from .generate import HIGH, LOW
from .keypress import HALF, HISTORY, WINDOW, Limits
from .levels import amplitude, ms, ratio

STEP = ms(20)  # one tick: a verdict between two would be acted upon no sooner
LOOK_BACK = ms(10)  # a key that ends between two looks is judged this much before its window
BLOCK = 1 << 18  # samples of all lines taken at once; a longer feed is cut, so that the work fits the cache
KEPT = HISTORY + LOOK_BACK + STEP
LEAD = WINDOW - STEP  # samples before the ring's beginning
APART = -(-WINDOW // STEP)  # windows so many steps apart do not overlap
OFF = 5.0  # dB, what a tone 1.8 % off loses in a window tuned to the nominal frequency

TONES = LOW + HIGH
# What is looked at beside the pair: outside the groups, and between the high tones, on the skirts of one that is off.
REFERENCES = (590.0, 1040.0, 1110.0, 1740.0, 1850.0, 1272.0, 1406.0, 1555.0)
OUTSIDE, BETWEEN = slice(0, 5), slice(5, 8)

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
    lasting: float = 0.001  # of a tone's power must have been there a hop ago; a key 11 ms long had it

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


@cache
def _columns() -> Powers:
    """What windows are multiplied by: (WINDOW, 32), real parts of tones and references, then imaginary parts."""
    return goertzel.basis(TONES + REFERENCES, goertzel.hann(WINDOW)).T.astype(np.float32, order="C")


class Look(NamedTuple):
    """The windows that are complete now: where they end, the squared amplitudes in them of the eight tones and of the
    references, (8, hops, lines), and of the tones in the window before them, (8, lines)."""

    ends: range
    powers: Powers
    references: Powers
    before: Powers

    def of(self, line: int, hop: int) -> tuple[list[float], list[float]]:
        """The eight tones of a line a hop before and at this hop."""
        before = self.powers[:, hop - 1, line] if hop else self.before[:, line]
        return before.tolist(), self.powers[:, hop, line].tolist()


class Candidates(NamedTuple):
    """Pairs that stand out, (n,) each, by hop and line. `grown`: half their amplitude was there a hop ago."""

    lines: Indexes
    hops: Indexes
    digits: Indexes
    grown: NDArray[np.bool_]


_NO = np.zeros(0, np.intp)
NONE = Candidates(_NO, _NO, _NO, np.zeros(0, np.bool_))


class Pairs:
    """The samples of `lines` lines and what stands out in them."""

    def __init__(self, lines: int) -> None:
        self._ring = STEP * max(-(-KEPT // STEP) + 1, BLOCK // max(lines, 1) // STEP)
        self._samples = np.zeros((lines, LEAD + self._ring), np.float32)
        self._windows = sliding_window_view(self._samples, WINDOW, axis=1)
        self.position = 0  # samples fed to every line so far
        self._columns = _columns()
        self._before = np.zeros((8, lines), np.float32)  # squared amplitudes at the last hop

    def reset(self, line: int) -> None:
        """Forget what this line carried."""
        self._samples[line] = 0
        self._before[:, line] = 0

    def room(self) -> int:
        """How many samples may be fed at once now, one at least."""
        return min(self._ring - self.position % self._ring, self._ring - KEPT)

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

    def _begin(self, end: int) -> int:
        """The column at which the window begins that ends at this position."""
        return (end - STEP) % self._ring

    def _look(self, ends: range) -> Look:
        first, hops, lines = self._begin(ends[0]), len(ends), len(self._samples)
        parts = np.empty((hops, lines, 32), np.float32)
        if hops > lines:  # a file: windows that do not overlap are the rows of one matrix
            last = first + (hops - 1) * STEP
            for line in range(lines):
                for k in range(min(APART, hops)):
                    windows = self._windows[line, first + k * STEP : last + 1 : APART * STEP]
                    parts[k::APART, line] = windows @ self._columns
        else:
            for k in range(hops):
                begin = first + k * STEP
                np.matmul(self._samples[:, begin : begin + WINDOW], self._columns, out=parts[k])
        squares = parts.reshape(-1, 32).T.copy()
        squares *= squares
        powers = squares[:16]
        powers += squares[16:]
        powers = powers.reshape(16, hops, lines)
        before, self._before = self._before, powers[:8, -1]
        return Look(ends, powers[:8], powers[8:], before)

    def candidates(self, look: Look, gates: Gates) -> Candidates:
        """The pairs that pass the gates. Nothing is compared with the energy of the whole band."""
        lines = look.before.shape[1]
        groups, references = look.powers.reshape(2, 4, -1), look.references.reshape(8, -1)
        tops, least = groups.max(axis=1), groups.sum(axis=1)
        least *= gates.share
        outside = references[OUTSIDE].max(axis=0, initial=gates.floor * gates.outside)
        outside *= 1 / gates.outside
        between = references[BETWEEN].max(axis=0)
        between *= 1 / gates.between
        np.maximum(least, outside, out=least)
        np.maximum(least[1], between, out=least[1])
        stands_out = tops >= least
        (window,) = (stands_out[0] & stands_out[1]).nonzero()
        if not len(window):
            return NONE
        low, high = tops[:, window]
        row, column = groups[:, :, window].argmax(axis=1)
        earlier = np.concatenate([look.before, look.powers.reshape(8, -1)], axis=1)
        before = np.minimum(earlier[row, window] / low, earlier[4 + column, window] / high)
        keep = (before >= gates.lasting) & (high <= low * gates.twist_high) & (high >= low * gates.twist_low)
        hop, line = np.divmod(window[keep], lines)
        return Candidates(line, hop, (4 * row + column)[keep], before[keep] >= HALF**2)

    def recent(self, at: list[tuple[int, int]]) -> NDArray[np.float64]:
        """The HISTORY samples of each line up to each position, (n, HISTORY)."""
        found = np.empty((len(at), HISTORY))
        for row, (line, end) in zip(found, at, strict=True):
            stop = (end - 1) % self._ring + 1
            old = max(HISTORY - stop, 0)
            row[old:] = self._samples[line, LEAD + stop - HISTORY + old : LEAD + stop]
            if old:
                row[:old] = self._samples[line, len(self._samples[line]) - old :]
        return found
