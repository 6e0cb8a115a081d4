"""What sounds beside two tones.

A pair of tones is a key's only if little else sounds with it. The signal is looked at through a Hann window as long as
the press has lasted; two steady sines are subtracted by least squares, and of what is left the spectrum is taken.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.fft import rfft  # numpy itself would load it at its first use, which is in a tick
from numpy.typing import NDArray

from .levels import RATE, ms

RECENT = ms(60)  # what is looked at: an older disturbance, as of a prompt's echo, must not spoil a long press

Single = NDArray[np.float32]
Indexes = NDArray[np.intp]

_NOTHING = np.float32(1e-9)  # instead of an amplitude of 0


class Rest(NamedTuple):
    """What stands out in what is left of n signals, as peak amplitudes of sines, each (n,)."""

    strongest: Single
    median: Single
    voice: Single
    under: Single


def _windows(size: int) -> Single:
    """Hann windows of each length up to this at the end of so many samples, scaled so that a sine gives its peak
    amplitude: (size + 1, size)."""
    lengths = np.arange(size + 1)[:, None]
    inside = np.maximum(np.arange(1, size + 1) - size + lengths, 0)
    windows: NDArray[np.float64] = 4 / (lengths + 1) * np.sin(np.pi * inside / (lengths + 1)) ** 2
    return windows.astype(np.float32)


_WINDOWS = _windows(RECENT)
_RADIANS = (np.arange(RECENT) * (2 * np.pi / RATE)).astype(np.float32)  # by which 1 Hz turns in so many samples


def residual(samples: Single, lengths: Indexes, hertz: Single) -> Single:
    """What is left of the last `lengths` (n) of the samples (n, RECENT at most), through a Hann window, once steady
    sines of these frequencies (n, sines) are subtracted by least squares."""
    count, size = samples.shape
    windows = _WINDOWS[lengths, -size:]
    angle = hertz[..., None] * _RADIANS[:size]
    model = np.empty((count, 2 * angle.shape[1], size), np.float32)
    np.cos(angle, out=model[:, : angle.shape[1]])
    np.sin(angle, out=model[:, angle.shape[1] :])
    model *= windows[:, None]
    weighted = samples * windows
    fit = np.linalg.solve(model @ model.transpose(0, 2, 1), model @ weighted[..., None])
    left: Single = weighted - (fit.transpose(0, 2, 1) @ model)[:, 0]
    return left


_POINTS = 1024


def _band(low: float, high: float) -> slice:
    return slice(int(np.ceil(low * _POINTS / RATE)), int(high * _POINTS / RATE) + 1)


_VOICE = _band(190, 275)  # between hum and the lowest dial tone, both of which may be strong
_UNDER = _band(275, 320)  # on the skirts of dial tones: the lowest is 330 Hz, so only peaks count
ABOVE_DIAL_TONES = 530.0  # Hz
_SPEECH = _band(ABOVE_DIAL_TONES, 3450)


def rest(left: Single) -> Rest:
    """What stands out in the spectrum of each residual (n, samples)."""
    spectra = np.abs(rfft(left, _POINTS))
    speech = np.sort(spectra[:, _SPEECH], axis=1)
    voice, under = spectra[:, _VOICE].max(axis=1), _highest_peak(spectra, _UNDER)
    sizes = speech[:, -1], speech[:, speech.shape[1] // 2], voice, under
    return Rest(*(np.maximum(each, _NOTHING) for each in sizes))


def _highest_peak(spectra: Single, band: slice) -> Single:
    """Of each spectrum (n, points) the highest point of this band that neither of its neighbours exceeds, or 0."""
    below, here, above = (spectra[:, band.start + by : band.stop + by] for by in (-1, 0, 1))
    peaks: Single = np.where((here >= below) & (here >= above), here, 0).max(axis=1)
    return peaks
