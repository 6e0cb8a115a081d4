"""Clear keys: two steady tones with next to nothing beside them, as most telephones on most lines send them.

What the judge (keypress.py) finds out step by step, one product tells of them: the last 36 ms, through a Hann window,
are compared with either tone at its nominal frequency, and with one that changes its sign in the middle and grows to
either side. How much there is of the second beside the first is, in phase, how fast the tone becomes louder and, a
quarter of a turn away, how far it is off. What neither explains is company, all of it together. A key is clear if all
of that is less than what one component of it may be. Of a key that is not clear nothing is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .generate import HIGH, LOW
from .goertzel import hann
from .keypress import Limits
from .levels import RATE, amplitude, ms, ratio

LENGTH = ms(36)  # of the youngest key that is judged (follow.GROWN)
GROWTH = 1.0  # dB in 20 ms, what a tone may become louder or weaker by

Single = NDArray[np.float32]
Signal = NDArray[np.float64]
Indexes = NDArray[np.intp]
Mask = NDArray[np.bool_]

_TONES = np.array(LOW + HIGH)  # Hz
_TIME = np.arange(LENGTH) - (LENGTH - 1) / 2
_SQUARED = hann(LENGTH) ** 2
_WIDTH = float(np.sqrt(np.average(_TIME**2, weights=_SQUARED)))  # samples
_ENERGY = float(_SQUARED.sum() / 2)  # of a sine with a peak of 1


def _rows() -> Single:
    """What measures each tone: its cosine and sine, and the same times time, scaled so that the squares of what they
    measure are energies: (8 * 4, LENGTH)."""
    turns = np.exp(-2j * np.pi / RATE * np.outer(_TONES, _TIME)) * (_SQUARED / np.sqrt(_ENERGY))
    slopes = turns * (_TIME / _WIDTH)
    rows = np.stack([turns.real, turns.imag, slopes.real, slopes.imag], axis=1)
    return np.ascontiguousarray(rows.reshape(-1, LENGTH), np.float32)


_ROWS = _rows()
_WEIGHTS = _SQUARED.astype(np.float32)

FAR = 14.0  # Hz, 2 % of the lowest tone; of one that is further off, more than noise is left
_TURNED = 2 * np.pi / RATE * FAR * _TIME
_SEEN = np.cos(_TURNED) @ _SQUARED
_FAR = np.sin(_TURNED) @ (_SQUARED * _TIME / _WIDTH) / _SEEN  # the second measure of it over the first
_PERCENT = (100 * FAR / _FAR / _TONES).astype(np.float32)  # of its frequency, that a tone is off, by the same


@dataclass(frozen=True)
class Bounds:
    """What makes a key clear; nothing does if it has to last longer than what is looked at."""

    least: float  # of a tone's energy to that of all that is left
    floor: float  # of a tone's energy
    twist: Single  # of a tone's energy to the other's, (2, 1)
    off: Single  # the second measure of each tone to the first, across, at most: (8,)
    growth: float  # the second measure of a tone to the first, in phase, at most

    @classmethod
    def of(cls, limits: Limits) -> Bounds:
        off = min(limits.deviation, limits.apart / 2) / _PERCENT
        return cls(
            least=ratio(max(limits.purity, limits.voice, limits.under)) ** 2,
            floor=amplitude(limits.floor) ** 2 * _ENERGY if ms(limits.on) <= LENGTH else math.inf,
            twist=np.array([[ratio(-limits.twist_high)], [ratio(limits.twist_low)]], np.float32) ** 2,
            off=np.minimum(off, _FAR).astype(np.float32),
            growth=math.log(ratio(min(GROWTH, limits.steady))) / ms(20) * _WIDTH,
        )


def clear_keys(samples: Single, tones: Indexes, bounds: Bounds) -> tuple[Mask, Signal, Signal]:
    """Which pairs of tones, of the eight (2, n), are clear keys in these samples, (n, LENGTH); the tones' peak
    amplitudes and how far they are off nominal in per cent, (2, n) each."""
    parts = _ROWS.dot(samples.T).reshape(8, 4, -1)[tones, :, np.arange(tones.shape[1])]
    energy = np.add.reduce(np.square(parts), axis=2)
    left = np.square(samples).dot(_WEIGHTS) - energy[0] - energy[1]
    pairs = parts.view(np.complex64)
    beside = pairs[..., 1] / pairs[..., 0]
    ok = energy >= np.maximum(np.maximum(bounds.least * left, bounds.floor), energy[::-1] * bounds.twist)
    ok &= np.abs(beside.real) <= bounds.growth
    ok &= np.abs(beside.imag) <= bounds.off[tones]
    return ok[0] & ok[1], np.sqrt(energy / _ENERGY), beside.imag * _PERCENT[tones]
