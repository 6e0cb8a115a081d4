"""The textbook's measurement of one key press, one step after another in double precision: the slow twin by which the
tests judge dsp/keypress.py, which measures many at once."""

from __future__ import annotations

from functools import cache

import numpy as np
from hotline.dsp import goertzel
from hotline.dsp.company import RECENT, Rest
from hotline.dsp.generate import HIGH, LOW
from hotline.dsp.keypress import HALF, HISTORY, HOP, LIMITS, WINDOW, Limits, Press, Refusal
from hotline.dsp.levels import RATE, decibels, ms, sine_dbm0
from numpy.typing import NDArray

Signal = NDArray[np.float64]
Track = NDArray[np.complex128]

_WINDOWS = np.arange(0, HISTORY - WINDOW + 1, HOP)[:, None] + np.arange(WINDOW)


@cache
def _pair(digit: int) -> Signal:
    row, column = divmod(digit, 4)
    return goertzel.basis((LOW[row], HIGH[column]), goertzel.hann(WINDOW)).T.copy()


@cache
def _hann(length: int) -> Signal:
    window = goertzel.hann(length)
    window *= 2.0 / window.sum()
    return window


def track(samples: Signal, digit: int) -> Track:
    """Complex amplitude of the digit's two tones every 5 ms over HISTORY samples: (hops, 2)."""
    parts = samples[_WINDOWS] @ _pair(digit)
    tones: Track = parts[:, :2] + 1j * parts[:, 2:]
    return tones


def _crossing(envelope: Signal, below: int, above: int) -> float:
    """Where the envelope passes one half between two neighbouring hops, in hops."""
    low, high = envelope[below], envelope[above]
    return float(below + (above - below) * (HALF - low) / (high - low))


_FILLED = np.cumsum(goertzel.hann(WINDOW)) / goertzel.hann(WINDOW).sum()
_SURELY = 0.97  # a window that full may as well be quite full


def _reach(envelope: float) -> float:
    """How far beyond a window's middle a tone goes that fills so much of it, in ms; up to 10, negative below a half."""
    filled = int(np.searchsorted(_FILLED, min(envelope, _SURELY)))
    return (filled - WINDOW / 2) * 1000 / RATE


def _response(off: Signal) -> Signal:
    """What the window leaves of a sine so many Hz off: 1 at 0, 0.54 at the 2.3 % of 1336 Hz."""
    bins = off * WINDOW / RATE
    response: Signal = np.sinc(bins) / (1 - bins**2)
    return np.maximum(response, 0.1)


def _position(hop: float, hops: int) -> float:
    """The middle of a hop's window, in samples before the end."""
    return (hop - hops + 1) * HOP - WINDOW / 2


def edge(samples: Signal, digit: int, low: float, high: float, *, rising: bool) -> float:
    """The newest place at which both tones rose above (or one fell below) half of these amplitudes, in samples before
    the end; the oldest place looked at if there is none."""
    envelope = np.min(np.abs(track(samples, digit)) / (low, high), axis=1)
    on = envelope >= HALF
    changes = np.flatnonzero(on[1:] != on[:-1])
    changes = changes[on[changes + 1] == rising]
    if not len(changes):
        return _position(0, len(envelope))
    k = int(changes[-1])
    return _position(_crossing(envelope, *((k, k + 1) if rising else (k + 1, k))), len(envelope))


def judge(samples: Signal, digit: int, limits: Limits = LIMITS) -> Press | Refusal:
    """Is this digit's key (an index of KEYS) held at the end of these samples (HISTORY of them)?"""
    tones = track(samples, digit)
    size = np.abs(tones)
    envelope = np.min(size / size[-4:].max(axis=0), axis=1)
    on = envelope >= HALF
    if not on[-4:].any():  # the two tones do not sound together
        return Refusal("on", 0.0, limits.on)
    last = int(np.flatnonzero(on)[-1])
    silent = np.flatnonzero(~on[:last])
    # One that sounds throughout began as if nothing had been there a hop before.
    first = _crossing(envelope, silent[-1], silent[-1] + 1) if len(silent) else HALF / float(envelope[0]) - 1
    age = (last - first) * HOP * 1000 / RATE + _reach(float(envelope[last]))
    if age < limits.on:
        return Refusal("on", age, limits.on)

    inner = tones[max(int(np.ceil(first + 2)), last - 5) : last + 1]  # windows filled by the key, or nearly
    sizes = np.abs(inner)
    nominal = np.array((LOW[digit // 4], HIGH[digit % 4]))
    advance = inner[1:] * inner[:-1].conj() * np.exp(-2j * np.pi * nominal * HOP / RATE)
    seen = np.sqrt(np.abs(advance.sum(axis=0)) / len(advance))
    hertz = RATE / (2 * np.pi * HOP)
    off = np.angle(advance.sum(axis=0)) * hertz
    percent = off / nominal * 100
    apart = ((1 + percent[1] / 100) / (1 + percent[0] / 100) - 1) * 100
    low, high = (float(size) for size in seen / _response(off))
    twist = decibels(high / low)
    steady = decibels(float((sizes.max(axis=0) / sizes.min(axis=0)).max()))
    drift = float(np.ptp(np.angle(advance), axis=0).max()) * hertz
    for check, value, limit in (
        ("deviation", float(np.abs(percent).max()), limits.deviation),
        ("apart", abs(apart), limits.apart),
        ("twist_high", twist, limits.twist_high),
        ("steady", steady, max(limits.steady, limits.noise_steady)),
        ("drift", drift, limits.drift),
    ):
        if value > limit:
            return Refusal(check, value, limit)
    for check, value, limit in (
        ("floor", float(sine_dbm0(min(low, high))), limits.floor),
        ("twist_low", twist, limits.twist_low),
    ):
        if value < limit:
            return Refusal(check, value, limit)

    start = _position(first, len(tones))
    begin = max(round(start) + ms(3), -RECENT)
    left = rest(samples[begin:], nominal * (1 + percent / 100))
    weaker = float(seen.min())  # as seen: a tone far off has to be purer
    flat = decibels(left.strongest / left.median) <= limits.noise_crest
    if steady > limits.steady and not flat:
        return Refusal("steady", steady, limits.steady)
    voice, purity = decibels(weaker / left.voice), decibels(weaker / left.strongest)
    if voice < limits.voice:
        return Refusal("voice", voice, limits.voice)
    under = decibels(weaker / left.under)
    if under < limits.under:
        return Refusal("under", under, limits.under)
    firm = steady <= limits.firm_steady and drift <= limits.firm_drift
    firm = firm and age >= limits.firm_on and abs(apart) <= limits.firm_apart
    least = min(limits.purity, limits.firm_purity if firm else np.inf, limits.noise_purity if flat else np.inf)
    if purity < least:
        return Refusal("purity", purity, least)
    return Press(start, low, high, float(seen[0]), float(seen[1]), float(percent[0]), float(percent[1]))


_POINTS = 1024


def _band(low: float, high: float) -> slice:
    return slice(int(np.ceil(low * _POINTS / RATE)), int(high * _POINTS / RATE) + 1)


_VOICE = _band(190, 275)  # between hum and the lowest dial tone, both of which may be strong
_UNDER = _band(275, 320)  # a struck bar's pitch: below the lowest dial tone too, but on its skirts
_SPEECH = _band(530, 3450)  # above the dial tones


def rest(samples: Signal, frequencies: Signal) -> Rest:
    """What is left once two steady sines of these frequencies (Hz) are subtracted by least squares."""
    window = _hann(len(samples))
    time = np.arange(len(samples))[:, None]
    sines = np.exp(time * (2j * np.pi / RATE * frequencies)) * window[:, None]
    model = sines.view(np.float64)  # cosine and sine of each, weighted
    weighted = samples * window
    fit = np.linalg.solve(model.T @ model, model.T @ weighted)
    spectrum = np.abs(np.fft.rfft(weighted - model @ fit, _POINTS))
    speech = np.sort(spectrum[_SPEECH])
    strongest, median, voice = speech[-1], speech[len(speech) // 2], spectrum[_VOICE].max()
    peaks = [spectrum[k] for k in range(_UNDER.start, _UNDER.stop) if spectrum[k] == spectrum[k - 1 : k + 2].max()]
    return Rest(*(max(float(size), 1e-9) for size in (strongest, median, voice, max(peaks, default=0.0))))
