"""What a sound that is no key would have been, for whoever asks why a key was refused.

The detector looks only at the eight nominal frequencies, so a pair that is 5 % off leaves no trace there. Here the
spectrum is searched for what stands out wherever it is: a clear pair near a row and a column, or one tone of a key
whose other tone is missing. Slow, and asked only by technicians (`Detector(explain=True)`).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from . import goertzel
from .company import ABOVE_DIAL_TONES, residual, rest
from .generate import HIGH, KEYS, LOW
from .keypress import WINDOW, Limits, Refusal, judge
from .levels import RATE, decibels, ms, sine_dbm0
from .pairs import STEP

FARTHEST = 10.0  # per cent of nominal that is still called a tone of the grid; rows and columns are 10.5 % apart
FAINTEST = -56.0  # dBm0 of the weaker tone: half the least a key may have
CLEAR = 10.0  # dB, the weaker tone over the strongest other component: speech seldom has such a pair
ALONE = 20.0  # dB, a tone without partner over the strongest other component
OUT = 0.8  # of all power above dial tones a pair that stands out has; in speech one of twenty, in noise none
WIDTH = 80.0  # Hz either side, where most of a tone's power lies even if it fills but 20 ms of the window
STILL = 8.0  # Hz it may have moved in
AGO = ms(10)
POINTS = 8192  # of a spectrum: 1 Hz apart

Signal = NDArray[np.floating]


def why(samples: Signal, seen: int | None, limits: Limits) -> tuple[str, Refusal] | None:
    """The key that these samples (keypress.HISTORY of them) come nearest to at their end, and the check it fails; None
    if nothing clear sounds, or a key that passes. `seen` is the digit at whose nominal frequencies most sounds, if any.
    Where one tone sounds alone all four keys it may belong to are told, and the check is "low_missing" or
    "high_missing": by how many dB everything else is weaker than it, and the most it may be."""
    now, ago = _strongest(samples[-WINDOW:]), _strongest(samples[-WINDOW - AGO : -AGO])
    still = [abs(frequency - before) <= STILL for frequency, before in zip(now, ago, strict=True)]
    found = _pair(samples, now, limits) if all(still) else None
    for group in range(2):
        if found is None and still[group]:
            found = _alone(samples, group, now[group], limits)
    if found is None and seen is not None:
        found = _judged(samples, seen, limits)
    return found


def stands_out(samples: Signal) -> bool:
    """Is there, or was there a hop ago, a pair of tones in these samples that somebody may have meant for a key?"""
    return _is_pair(samples[-WINDOW:]) or _is_pair(samples[-WINDOW - STEP : -STEP])


def _is_pair(samples: Signal) -> bool:
    power = np.abs(np.fft.rfft(samples * _window(), POINTS)) ** 2
    axis = np.arange(len(power)) * (RATE / POINTS)
    near = np.min([np.abs(axis - tone) for tone in _strongest(samples)], axis=0) <= WIDTH
    heard = axis >= ABOVE_DIAL_TONES
    return float(power[near & heard].sum()) >= OUT * float(power[heard].sum()) > 0


def _judged(samples: Signal, digit: int, limits: Limits) -> tuple[str, Refusal] | None:
    verdict = judge(samples[None], np.array([digit]), limits).one(0)
    return (KEYS[digit], verdict) if isinstance(verdict, Refusal) else None


def _pair(samples: Signal, found: list[float], limits: Limits) -> tuple[str, Refusal] | None:
    """Two tones and nothing else: the nearest key, if one of them is too far off."""
    sizes, strongest = _sizes(samples, found)
    weaker = min(sizes)
    if sine_dbm0(weaker) < FAINTEST or decibels(weaker / strongest) < CLEAR:
        return None
    nearest = [_nearest(frequency, group) for frequency, group in zip(found, (LOW, HIGH), strict=True)]
    digit = 4 * nearest[0][0] + nearest[1][0]
    off = max(abs(percent) for _, percent in nearest)
    if off > limits.deviation:
        return KEYS[digit], Refusal("deviation", off, limits.deviation)
    return _judged(samples, digit, limits)


def _alone(samples: Signal, group: int, frequency: float, limits: Limits) -> tuple[str, Refusal] | None:
    """One tone on its place and nothing else."""
    place, off = _nearest(frequency, (LOW, HIGH)[group])
    (size,), strongest = _sizes(samples, [frequency])
    if abs(off) > limits.deviation or sine_dbm0(size) < limits.floor or decibels(size / strongest) < ALONE:
        return None
    missing = decibels(size / strongest)
    if group == 0:
        return KEYS[4 * place : 4 * place + 4], Refusal("high_missing", missing, -limits.twist_low)
    return KEYS[place::4], Refusal("low_missing", missing, limits.twist_high)


@cache
def _window() -> Signal:
    window = goertzel.hann(WINDOW)
    window /= window.sum()
    return window


def _strongest(samples: Signal) -> list[float]:
    """The frequencies in Hz of the strongest component near either group's tones."""
    spectrum = np.abs(np.fft.rfft(samples * _window(), POINTS))
    found = []
    for group in (LOW, HIGH):
        low, high = group[0] * (1 - FARTHEST / 100), group[-1] * (1 + FARTHEST / 100)
        first, last = round(low * POINTS / RATE), round(high * POINTS / RATE)
        found.append(float((first + spectrum[first : last + 1].argmax()) * RATE / POINTS))
    return found


def _sizes(samples: Signal, frequencies: list[float]) -> tuple[list[float], float]:
    """Peak amplitudes of these sines over the last window, and of the strongest component besides."""
    recent, nominal = samples[-WINDOW:], np.array(frequencies)
    sines = np.exp(np.arange(WINDOW)[:, None] * (2j * np.pi / RATE * nominal)).view(np.float64)
    weights = np.sqrt(_window())[:, None]
    parts = np.linalg.lstsq(sines * weights, recent * weights[:, 0], rcond=None)[0].reshape(-1, 2)
    left = residual(recent[None], np.array([WINDOW]), nominal[None].astype(np.float32))
    return [float(size) for size in np.hypot(parts[:, 0], parts[:, 1])], float(rest(left).strongest[0])


def _nearest(frequency: float, group: tuple[float, ...]) -> tuple[int, float]:
    """The place in its group of the tone this frequency is nearest to, and how far it is off in per cent."""
    off = [(frequency / nominal - 1) * 100 for nominal in group]
    place = min(range(len(off)), key=lambda one: abs(off[one]))
    return place, off[place]
