"""Clear keys: two steady tones with next to nothing beside them, as most telephones on most lines send them.

What the judge (keypress.py) finds out step by step, one product tells of them: the last 36 ms, through a Hann window,
are compared with either tone at its nominal frequency, and with one that changes its sign in the middle and grows to
either side. How much there is of the second beside the first is, in phase, how fast the tone becomes louder and, a
quarter of a turn away, how far it is off. What neither explains is company, all of it together. A key is clear if all
of that is less than what one component of it may be. Of a key that is not clear nothing is said.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .generate import HIGH, LOW, TONES_OF
from .goertzel import hann
from .keypress import Limits
from .levels import RATE, amplitude, ms, ratio

LENGTH = ms(36)  # of the youngest key that is judged (follow.GROWN)
GROWTH = 1.0  # dB in 20 ms, what a tone may become louder or weaker by

Single = NDArray[np.float32]
Indexes = NDArray[np.intp]
Mask = NDArray[np.bool_]

_TONES = np.array(LOW + HIGH)  # Hz
_TIME = np.arange(LENGTH) - (LENGTH - 1) / 2
_SQUARED = hann(LENGTH) ** 2
_WIDTH = float(np.sqrt(np.average(_TIME**2, weights=_SQUARED)))  # samples
_ENERGY = float(_SQUARED.sum() / 2)  # of a sine with a peak of 1


def _rows() -> Single:
    """What measures each tone: with it, with the same times time (its slope), and with two sums of both, whose energies
    tell how these lie to each other. Real and imaginary part of each, so that squares are energies: (8 * 8, LENGTH)."""
    tone = np.exp(-2j * np.pi / RATE * np.outer(_TONES, _TIME)) * (_SQUARED / np.sqrt(_ENERGY))
    slope = tone * (_TIME / _WIDTH)
    rows = [part for one in (tone, slope, tone + slope, tone - 1j * slope) for part in (one.real, one.imag)]
    return np.ascontiguousarray(np.stack(rows, axis=1).reshape(-1, LENGTH), np.float32)


_ROWS = _rows()
_ROWS_OF = (8 * TONES_OF[:, None] + np.arange(8)[:, None]).reshape(16, 16)  # of each digit, as columns
_WEIGHTS = _SQUARED.astype(np.float32)

FAR = 14.0  # Hz, 2 % of the lowest tone; of one that is further off, more than noise is left
_TURNED = 2 * np.pi / RATE * FAR * _TIME
_SEEN = np.cos(_TURNED) @ _SQUARED
_FAR = float(np.sin(_TURNED) @ (_SQUARED * _TIME / _WIDTH) / _SEEN)  # how much slope such a tone has, across
_PERCENT = (100 * FAR / _FAR / _TONES).astype(np.float32)  # of its frequency, that a tone is off, by the same
_PERCENT_OF = _PERCENT[TONES_OF]  # of each digit's tones, (2, 16)

# A pair is measured by 16 numbers, 8 of either tone, and its energy is the 17th. These add up squares of them: (17,),
# or (2, 17) of low and high.
_SUMMED = np.eye(17)
_ALL = _SUMMED[16]
_TONE, _SLOPE, _SUM, _TURN = _SUMMED[:16].reshape(2, 4, 2, 17).sum(axis=2).transpose(1, 0, 2)
_BOTH = _TONE + _SLOPE
_GROWS, _ACROSS = (_SUM - _BOTH) / 2, (_TURN - _BOTH) / 2  # the slope's part of the tone in phase, and across it
_WANTED = [*_BOTH / _ENERGY, *_TONE, *_ACROSS]
SIZES, TONES, ACROSS, BOUNDED = slice(0, 2), slice(2, 4), slice(4, 6), slice(6, None)  # rows of all that is wanted


class Bounds(NamedTuple):
    """What makes a key clear: sums of squares that must not be less than something. For many pairs together one product
    costs less than a comparison for each."""

    sums: Single  # (BOUNDED.start + n, 17)
    least: Single  # (n, 1): of the last of them

    @classmethod
    def of(cls, limits: Limits) -> Bounds:
        """Nothing is clear if it has to last longer than what is looked at."""
        purity = ratio(max(limits.purity, limits.voice, limits.under)) ** 2
        floor = amplitude(limits.floor) ** 2 * _ENERGY if ms(limits.on) <= LENGTH else math.inf
        growth = math.log(ratio(min(GROWTH, limits.steady))) / ms(20) * _WIDTH
        far = min(_FAR, *(min(limits.deviation, limits.apart / 2) / _PERCENT).tolist())
        low, high = _BOTH
        at_least_floor = [low, high]
        at_least_0 = [
            *_BOTH - purity * (_ALL - low - high),
            ratio(limits.twist_high) ** 2 * low - high,
            high - ratio(limits.twist_low) ** 2 * low,
            *growth * _TONE - _GROWS,
            *growth * _TONE + _GROWS,
            *far * _TONE - _ACROSS,
            *far * _TONE + _ACROSS,
        ]
        least = [floor] * len(at_least_floor) + [0.0] * len(at_least_0)
        sums = np.array([*_WANTED, *at_least_floor, *at_least_0], np.float32)
        return cls(sums, np.array(least, np.float32)[:, None])


def clear_keys(samples: Single, digits: Indexes, bounds: Bounds) -> tuple[Mask, Single, Single]:
    """Which of these digits, (n,), are clear keys in these samples, (n, LENGTH); their tones' peak amplitudes and how
    far they are off nominal in per cent, (2, n) each."""
    count = len(samples)
    squares = np.empty((len(_SUMMED), count), np.float32)
    parts = _ROWS.dot(samples.T).take(_ROWS_OF.take(digits, 1) * count + np.arange(count))
    np.square(parts, out=squares[:16])
    np.square(samples).dot(_WEIGHTS, out=squares[16])
    sums = bounds.sums.dot(squares)
    passes = np.logical_and.reduce(sums[BOUNDED] >= bounds.least, axis=0)
    percent = sums[ACROSS] / sums[TONES] * _PERCENT_OF.take(digits, 1)
    return passes, np.sqrt(sums[SIZES]), percent
