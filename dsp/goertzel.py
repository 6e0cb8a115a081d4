"""How strong chosen frequencies are in many windows at once.

Goertzel's recursion gives one point of a discrete Fourier sum; a bank of K points over M windows is the same sum as one
matrix product, (2K, W) by (W, M), which the processor's vector units do for all lines of a tick together. `recursion`
is the textbook's loop, kept as the slow twin the tests judge the bank by.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .levels import RATE


def hann(length: int) -> NDArray[np.float64]:
    """A Hann window without its two zeros."""
    return np.hanning(length + 2)[1:-1]


def basis(frequencies: Sequence[float], window: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows cos(f) for every frequency in Hz, then -sin(f), each W samples long, weighted by the window and scaled so
    that a sine gives its peak amplitude. The phase is that in the middle of the window: shape (2K, W)."""
    time = (np.arange(len(window)) - (len(window) - 1) / 2) / RATE
    angle = 2 * np.pi * np.outer(frequencies, time)
    rows: NDArray[np.float64] = np.concatenate([np.cos(angle), -np.sin(angle)]) * (window * (2.0 / window.sum()))
    return rows


def bank(bases: NDArray[np.floating], windows: NDArray[np.floating]) -> NDArray[np.complexfloating]:
    """The bank's complex amplitudes for M windows, (M, W) to (M, K)."""
    parts = windows @ bases.T
    count = bases.shape[0] // 2
    result: NDArray[np.complexfloating] = parts[..., :count] + 1j * parts[..., count:]
    return result


def recursion(samples: NDArray[np.generic], frequency: float, window: NDArray[np.float64]) -> float:
    """Peak amplitude at one frequency by Goertzel's second-order recursion (Amer. Math. Monthly 65, 1958, p. 34)."""
    turn = 2.0 * np.cos(2 * np.pi * frequency / RATE)
    newer = older = 0.0
    for sample in samples.astype(np.float64) * window:
        newer, older = sample + turn * newer - older, newer
    power = newer * newer + older * older - turn * newer * older
    return float(2.0 * np.sqrt(max(power, 0.0)) / window.sum())
