"""Levels in dBm0 and what they are in samples.

A sine that just fills 16 bits (peak 32767) is +3.14 dBm0, the overload point of A-law (ITU-T G.711 table 1a,
"theoretical load capacity +3.14 dBm0"). A level is always that of power, so white noise and a sine of the same
dBm0 have the same RMS. Functions take floats or arrays and return the same shape.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

RATE = 8000  # samples a second, everywhere in this package
FULL_SCALE = 32767.0
FULL_SCALE_DBM0 = 3.14
SILENCE_DBM0 = -120.0  # what digital silence is reported as, far below one quantisation step (-87 dBm0)


def ms(duration: float) -> int:
    """Milliseconds as the nearest number of samples."""
    return round(duration * RATE / 1000)


def ratio(db: float) -> float:
    """An amplitude ratio from dB."""
    return float(10.0 ** (db / 20.0))


_SILENT = ratio(SILENCE_DBM0)


def decibels(amplitude_ratio: float) -> float:
    """dB of an amplitude ratio; a ratio of nothing is SILENCE_DBM0."""
    return 20.0 * math.log10(amplitude_ratio) if amplitude_ratio > _SILENT else SILENCE_DBM0


def amplitude(dbm0: float) -> float:
    """Peak of a sine of this level, in samples' units."""
    return FULL_SCALE * ratio(dbm0 - FULL_SCALE_DBM0)


def rms(dbm0: float) -> float:
    """Root mean square of any signal of this level, in samples' units."""
    return amplitude(dbm0) / float(np.sqrt(2.0))


def sine_dbm0(peak: ArrayLike) -> NDArray[np.float64]:
    """Level of sines with these peaks; inverse of `amplitude`."""
    relative = np.asarray(peak, np.float64) / FULL_SCALE
    return 20.0 * np.log10(np.maximum(relative, ratio(SILENCE_DBM0 - FULL_SCALE_DBM0))) + FULL_SCALE_DBM0


def power_dbm0(samples: NDArray[np.generic]) -> NDArray[np.float64]:
    """Level of the samples along the last axis: shape (..., n) to (...). No samples at all are silence."""
    if samples.shape[-1] == 0:
        return np.full(samples.shape[:-1], SILENCE_DBM0)
    mean_square = np.mean(np.square(samples.astype(np.float64)), axis=-1)
    return sine_dbm0(np.sqrt(2.0 * mean_square))
