"""One key press, measured: is it one, when did it begin, how strong and how far off is each tone (ITU-T Q.23, Q.24).

Pure functions of the last 100 ms of one line, in double precision, for the few moments at which the detector's gates
(see dtmf.py) saw a pair of tones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from . import goertzel
from .generate import HIGH, LOW
from .levels import RATE, decibels, ms

WINDOW = ms(30)  # the two nearest tones are 73 Hz apart: a Hann window of 30 ms puts them on each other's skirts
HOP = ms(5)
HISTORY = ms(100)  # what `judge` looks at
FREQUENCIES = LOW + HIGH
NYQUIST = RATE / 2

Signal = NDArray[np.float64]


@dataclass(frozen=True)
class Limits:
    """What counts as a key. Frequencies in per cent of nominal, levels in dBm0 per tone, twist = high minus low group
    in dB, times in ms. Q.24 table A-1 gives one column for each administration; the hardest value is taken, and where
    a receiver is free to choose, the limit lies between "must accept" and "must reject"."""

    deviation: float = 2.3  # NTT and Brazil: accept 1.8, reject 3.0
    floor: float = -46.0  # accepted from -42; Brazil: reject at -50
    twist_high: float = 7.5  # high group stronger; Q.24: AT&T +4, accepted to +6
    twist_low: float = -11.5  # high group weaker; Brazil 9, accepted to -10
    on: float = 31.0  # accept 40 (all), reject 23 (AT&T)
    bridge: float = 25.0  # breaks up to 20 (European) are one press, pauses from 30 (NTT) are two
    age: float = 24.0  # decide when a window is centred so far behind the beginning: its data ends 15 ms later
    steady: float = 2.5  # dB, change of a tone's level within the press
    drift: float = 1.6  # per cent, spread of a tone's frequency within the press
    purity: float = 12.0  # dB, weaker tone over the strongest other component
    group: float = 2.0  # dB, a tone over all others of its group together (gate)
    reference: float = 4.9  # dB, weaker tone over every reference frequency (gate)
    harmonic: float = 0.0  # dB, weaker tone over the second harmonics (gate)


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Press:
    """A key held. Positions are samples before the end of what was judged, so they are negative."""

    start: float
    low: float  # peak amplitude
    high: float
    low_percent: float
    high_percent: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why it is none: the first check that failed, what it measured, and its limit."""

    check: str
    value: float
    limit: float


@cache
def _pair(digit: int) -> Signal:
    row, column = divmod(digit, 4)
    return goertzel.basis((LOW[row], HIGH[column]), goertzel.hann(WINDOW)).T.copy()


def track(samples: Signal, digit: int) -> NDArray[np.complex128]:
    """Complex amplitude of the digit's two tones every 5 ms, the last window ending with the samples: (hops, 2)."""
    spare = (len(samples) - WINDOW) % HOP
    parts = sliding_window_view(samples[spare:], WINDOW)[::HOP] @ _pair(digit)
    result: NDArray[np.complex128] = parts[:, :2] + 1j * parts[:, 2:]
    return result


def crossing(envelope: Signal, below: int, above: int) -> float:
    """Where the envelope passes one half between two neighbouring hops, in hops."""
    low, high = envelope[below], envelope[above]
    return float(below + (above - below) * (0.5 - low) / (high - low))


def hop_position(hop: float, hops: int) -> float:
    """The middle of a hop's window in samples before the end."""
    return (hop - hops + 1) * HOP - WINDOW / 2


def edge(samples: Signal, digit: int, low: float, high: float, *, rising: bool) -> float:
    """The newest place at which both tones rose above (or one fell below) half of the amplitudes given, in samples
    before the end; the oldest place looked at if there is none."""
    envelope = np.min(np.abs(track(samples, digit)) / (low, high), axis=1)
    on = envelope >= 0.5
    changes = np.flatnonzero(on[1:] != on[:-1])
    changes = changes[on[changes + 1] == rising]
    if not len(changes):
        return hop_position(0, len(envelope))
    k = int(changes[-1])
    return hop_position(crossing(envelope, *((k, k + 1) if rising else (k + 1, k))), len(envelope))


def judge(samples: Signal, digit: int, limits: Limits = LIMITS) -> Press | Refusal:
    """Is this digit's key held at the end of these samples (HISTORY of them, float64)?"""
    z = track(samples, digit)
    size = np.abs(z)
    top = size[-4:].max(axis=0)
    envelope = np.min(size / top, axis=1)
    on = envelope >= 0.5
    if not on[-4:].any():  # the two tones do not sound together
        return Refusal("age", 0.0, limits.age)
    last = int(np.flatnonzero(on)[-1])
    before = np.flatnonzero(~on[:last])
    start = crossing(envelope, int(before[-1]), int(before[-1]) + 1) if len(before) else 0.0
    age = (last - start) * HOP * 1000 / RATE
    if age < limits.age:
        return Refusal("age", age, limits.age)

    inner = z[int(np.ceil(start + 2)) : last + 1]
    inner_size = np.abs(inner)
    low, high = (float(v) for v in np.median(inner_size, axis=0))
    for check, value, limit in (
        ("level", decibels(min(low, high) / 32767) + 3.14, limits.floor),
        ("twist", decibels(high / low), limits.twist_low),
        ("twist", -decibels(high / low), -limits.twist_high),
    ):
        if value < limit:
            return Refusal(check, value, limit)
    change = decibels(float((inner_size.max(axis=0) / inner_size.min(axis=0)).max()))
    if change > limits.steady:
        return Refusal("steady", change, limits.steady)

    nominal = np.array((LOW[digit // 4], HIGH[digit % 4]))
    advance = inner[1:] * inner[:-1].conj() * np.exp(-2j * np.pi * nominal * HOP / RATE)
    to_percent = RATE / (2 * np.pi * HOP) / nominal * 100
    percent = np.angle(advance.sum(axis=0)) * to_percent
    worst = float(np.abs(percent).max())
    if worst > limits.deviation:
        return Refusal("deviation", worst, limits.deviation)
    spread = float((np.ptp(np.angle(advance), axis=0) * to_percent).max())
    if spread > limits.drift:
        return Refusal("drift", spread, limits.drift)

    first = round(hop_position(start, len(z))) + ms(3)
    other = strongest_other(samples[first:], nominal * (1 + percent / 100))
    purity = decibels(min(low, high) / other)
    if purity < limits.purity:
        return Refusal("purity", purity, limits.purity)
    return Press(hop_position(start, len(z)), low, high, float(percent[0]), float(percent[1]))


POINTS = 1024
_GRID = np.fft.rfftfreq(POINTS, 1 / RATE)
# The fundamental of a voice, and everything from above the dial tones up; hum and dial tone may be strong.
_HEARD = ((_GRID > 190) & (_GRID < 275)) | ((_GRID > 530) & (_GRID < 3450))


@cache
def _hann(length: int) -> Signal:
    window = goertzel.hann(length)
    window *= 2.0 / window.sum()
    return window


def strongest_other(samples: Signal, frequencies: Signal) -> float:
    """Peak amplitude of the strongest component left once two steady sines are subtracted by least squares."""
    window = _hann(len(samples))
    angle = 2 * np.pi / RATE * np.outer(np.arange(len(samples)), frequencies)
    model = np.concatenate([np.cos(angle), np.sin(angle)], axis=1) * window[:, None]
    weighted = samples * window
    fit = np.linalg.solve(model.T @ model, model.T @ weighted)
    spectrum = np.abs(np.fft.rfft(weighted - model @ fit, POINTS))
    return float(spectrum[_HEARD].max())
