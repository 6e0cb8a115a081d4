"""Which frequencies of a recording stay where they are: the sines of a tone nobody has described yet.

Speech moves, a generator does not. So the peaks of all spectra that have few of them are counted by frequency; the
frequency most of them share, and those that sound together with it, are a tone's. Nothing is assumed about cadence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ..config.tones import CLOSEST
from .bursts import Burst
from .goertzel import hann
from .levels import RATE, amplitude
from .tonebank import HOP

WINDOW = 640  # samples, 80 ms: a Hann window that long keeps sines 40 Hz apart
POINTS = 2048
BAND = (300.0, 3400.0)  # Hz, what a tone plan may hold
QUIETEST = -45.0  # dBm0, likewise
NEAR_PEAKS = 10.0  # dB: weaker peaks of a spectrum do not count
MOST_PEAKS = 4  # a spectrum with more of them is speech or noise; a plan's tones have four sines at most
BIN = 2.0  # Hz, of the histogram of peaks,
SPREAD = 4.0  # Hz, and how far peaks of one sine lie from each other at 10 dB S/N
TOGETHER = 0.5  # of a sine's spectra hold the other, if they are one tone
HARMONIC = 0.01  # a peak so near (relative) to a multiple of another is its harmonic
TRIED = 3  # sets of frequencies tried: the steadiest may be hum or a whistle

Samples = NDArray[np.int16]


def candidates(samples: Samples) -> Iterator[tuple[float, ...]]:
    """Sets of frequencies that stay where they are, the most lasting first."""
    hops, peaks = _peaks(samples)
    least = int(0.2 * RATE / HOP)  # two bursts of 100 ms
    left = np.ones(len(peaks), bool)
    for _ in range(TRIED):
        if not len(peaks[left]):
            return
        frequency, count = _mode(peaks[left])
        if count < least:
            return
        found = [frequency]
        own = hops[np.abs(peaks - frequency) <= 2 * SPREAD]
        other = np.isin(hops, own)
        while len(found) < MOST_PEAKS:
            for known in found:
                other &= (np.abs(peaks - known) >= CLOSEST - SPREAD) & ~_harmonic(peaks, known)
            if not len(peaks[other]):
                break
            frequency, count = _mode(peaks[other])
            if count < TOGETHER * len(own):
                break
            found.append(frequency)
        for known in found:
            left &= np.abs(peaks - known) >= CLOSEST / 2
        yield tuple(sorted(found))


def _peaks(samples: Samples) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Hop and frequency (Hz) of the peaks of every spectrum that has few, in steps of HOP."""
    at = np.arange(0, len(samples) - WINDOW + 1, HOP)
    low, high = (round(edge * POINTS / RATE) for edge in BAND)
    floor = (amplitude(QUIETEST) / 2) ** 2
    hops, frequencies = [], []
    window = (hann(WINDOW) * 2 / hann(WINDOW).sum()).astype(np.float32)
    for first in range(0, len(at), 1000):
        some = at[first : first + 1000]
        spectra = np.abs(np.fft.rfft(samples[some[:, None] + np.arange(WINDOW)] * window, POINTS)) ** 2
        power = np.log10(np.maximum(spectra[:, low - 1 : high + 2], 1e-6))
        middle = power[:, 1:-1]
        least = np.maximum(middle.max(axis=1) - NEAR_PEAKS / 10, np.log10(floor))
        peak = (middle > power[:, :-2]) & (middle >= power[:, 2:]) & (middle >= least[:, None])
        peak[peak.sum(axis=1) > MOST_PEAKS] = False
        hop, at_bin = np.nonzero(peak)
        left, top, right = (power[hop, at_bin + step] for step in range(3))
        hops.append(hop + first)
        frequencies.append((low + at_bin + 0.5 * (left - right) / (left - 2 * top + right)) * RATE / POINTS)
    if not hops:
        return np.zeros(0, np.intp), np.zeros(0)
    return np.concatenate(hops), np.concatenate(frequencies)


def _mode(frequencies: NDArray[np.float64]) -> tuple[float, int]:
    """The frequency most of these are near, and how many are."""
    counts = np.bincount((frequencies / BIN).astype(np.intp))
    reach = int(SPREAD / BIN)
    best = int(np.convolve(counts, np.ones(2 * reach + 1), "same").argmax())
    near = np.abs(frequencies - (best + 0.5) * BIN) <= SPREAD + BIN / 2
    return float(np.median(frequencies[near])), int(np.count_nonzero(near))


def _harmonic(frequencies: NDArray[np.float64], of: float) -> NDArray[np.bool_]:
    """Which of these are multiples of a frequency, or it of them."""
    ratio = np.maximum(frequencies, of) / np.minimum(frequencies, of)
    found: NDArray[np.bool_] = (np.rint(ratio) >= 2) & (np.abs(ratio / np.rint(ratio) - 1) <= HARMONIC)
    return found


def refined(samples: Samples, rough: Sequence[float], bursts: Sequence[Burst]) -> tuple[tuple[float, ...], float]:
    """Frequencies in Hz and purity in dB, from the spectra of the bursts themselves, as long as they are."""
    points = 4 * POINTS
    axis = np.arange(points // 2 + 1) * RATE / points
    total, ours = np.zeros(len(axis)), np.zeros(len(axis), bool)
    for burst in bursts:
        part = samples[burst.start + HOP : burst.end - HOP][:points]
        window = hann(len(part)) / np.sqrt(np.sum(hann(len(part)) ** 2))
        total += np.abs(np.fft.rfft(part * window, points)) ** 2
        reach = max(2 * RATE / len(part), 2 * SPREAD)
        ours |= np.min([np.abs(axis - frequency) for frequency in rough], axis=0) <= reach
    found = []
    for frequency in rough:
        near = np.flatnonzero(np.abs(axis - frequency) <= 2 * SPREAD)
        top = int(near[total[near].argmax()])
        left, middle, right = np.log(total[top - 1 : top + 2])
        found.append(round(float((top + 0.5 * (left - right) / (left - 2 * middle + right)) * RATE / points), 1))
    heard = axis >= 200
    rest = max(float(total[heard & ~ours].sum()), 1e-6 * float(total.sum()))
    return tuple(found), round(10 * float(np.log10(total[ours].sum() / rest)), 1)
