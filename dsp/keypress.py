"""Key presses, measured: is it one, when did it begin, how strong and how far off is each tone (ITU-T Q.23, Q.24).

Pure functions of 100 ms of samples, in double precision, for the few moments at which the detector's gates (see
dtmf.py) saw a pair of tones; all moments of a tick are judged together. A caller's prompt must stop while the key is
still down, so the verdict cannot wait for the key's end; it is asked again every 20 ms until it is yes, and has to be
sure each time.

What tells keys from speech best, over hours of speech and thousands of keys, is the strongest component left once two
steady sines are subtracted. A voice that happens to have two harmonics on the grid has more of them close below.
Keys have company as weak as that only from noise, which is flat, or from an echo, and then the tones themselves do not
waver; hence three ways to be pure enough.

Music has pairs as pure as that. A bar that is struck (glockenspiel, chimes) sounds at 1, 2.76 and 5.40 times its pitch,
the bending modes of a free bar. Of one tuned to 308 Hz the overtones are the key C; its pitch, far stronger, lies below
all that keys are compared with. And an octave is the key 2, 6 or C, the lower tone 2.1 % flat, the upper as sharp.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from cmath import phase, rect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.fft import rfft  # numpy itself would load it at its first use, which is in a tick
from numpy.typing import NDArray

from . import goertzel
from .generate import HIGH, LOW
from .levels import RATE, amplitude, decibels, ms, ratio

WINDOW = ms(30)  # the two nearest tones are 73 Hz apart: a Hann window of 30 ms puts them on each other's skirts
HOP = ms(5)
HISTORY = ms(100)  # what `judge` looks at to find where a key began
RECENT = ms(60)  # what it judges: an older disturbance, as of a prompt's echo, must not spoil a long press
HALF = 0.5  # a Hann window that is half filled gives half the amplitude

Signal = NDArray[np.float64]
Single = NDArray[np.float32]
Track = NDArray[np.complex128]
Indexes = NDArray[np.intp]


@dataclass(frozen=True)
class Limits:
    """What counts as a key. Levels are in dBm0 of one tone, twist is high minus low group in dB, frequencies in per
    cent of nominal, times in ms. Q.24 table A-1 has one column for each administration; "must accept" and "must reject"
    below are its hardest, and where it leaves a range between them, the limit lies inside."""

    deviation: float = 2.2  # accept 1.8, reject 3.0 (NTT, Brazil)
    floor: float = -46.0  # accept -25, reject -50 (Brazil); lines are weaker than exchanges, so from -42 on
    twist_high: float = 7.5  # high group stronger: accept 5 (NTT); 6 with margin
    twist_low: float = -11.5  # high group weaker, as long cable makes it: accept 9 (Brazil), 10 (Australia)
    on: float = 31.0  # accept 40, reject 23 (AT&T)
    bridge: float = 25.0  # breaks up to 20 are one press (European), pauses from 30 are two (NTT)

    # The laboratory's own: chosen on speech and impaired keys, judged on others.
    steady: float = 3.0  # dB, change of a tone's amplitude
    apart: float = 4.15  # %, ratio of the tones over nominal: 3.7 if 1.8 off and opposed, 4.08 if 2; an octave 4.26
    drift: float = 10.0  # Hz, spread of a tone's frequency from hop to hop
    voice: float = 8.0  # dB, weaker tone over a voice's fundamental
    under: float = -5.0  # dB, weaker tone over the pitch of a bar whose overtones they are: -9.5 and less, mostly -12
    purity: float = 15.0  # dB, weaker tone over the strongest other component
    noise_purity: float = 9.0  # dB, the same if what is left is flat as noise is:
    noise_crest: float = 13.0  # dB, its strongest over its median (white noise: 8)
    firm_purity: float = 9.0  # dB, the same if the tones are as firm as only a machine's are:
    firm_on: float = 40.0
    firm_steady: float = 2.0
    firm_drift: float = 5.0

    # Gates, loose: what passes them is measured.
    group: float = 3.0  # dB, a tone over all others of its group together
    outside: float = 5.0  # dB, weaker tone over reference frequencies outside the groups
    between: float = 3.0  # dB, high tone over those between high tones, on its own skirts when it is off


LIMITS = Limits()


class Press(NamedTuple):
    """A key held. `start` counts samples from the end of what was judged, so it is negative."""

    start: float
    low: float  # peak amplitudes
    high: float
    low_seen: float  # the same as a window tuned to the nominal frequency sees them, weaker if the tone is off
    high_seen: float
    low_percent: float
    high_percent: float


class Refusal(NamedTuple):
    """Why it is none: the first check that failed (a field of Limits), what it measured, and its limit."""

    check: str
    value: float
    limit: float


Verdict = Press | Refusal


class Rest(NamedTuple):
    """What is left of a signal once its tones are subtracted, as peak amplitudes of sines."""

    strongest: float
    median: float
    voice: float
    under: float


class _Tone(NamedTuple):
    """One of a press's two tones."""

    seen: float  # amplitude through windows tuned to the nominal frequency
    size: float  # amplitude
    hertz: float
    percent: float  # off nominal
    steady: float  # dB between its largest and smallest amplitude
    drift: float  # Hz between its frequencies from hop to hop


class _Pair(NamedTuple):
    """Two tones that sound together and pass all checks but the last."""

    start: float  # samples before the end
    low: _Tone
    high: _Tone
    firm: bool


ZERO_DBM0 = amplitude(0.0)
_PARTS = WINDOW // HOP  # of a window: each is multiplied with the samples once, for every window it lies in
_HOPS = (HISTORY - WINDOW) // HOP + 1
_NEWEST = 4  # hops: a key that is held sounds in one of them
_INNER = 6  # hops at most that are measured
_HERTZ = RATE / (2 * math.pi * HOP)  # of a radian from hop to hop
_NOTHING = 1e-9  # instead of an amplitude of 0


def _pairs() -> Signal:
    """What measures each digit's two tones in a window, as columns for each part of it, real parts and imaginary by
    turns: (16, HOP, parts * 4)."""
    window = goertzel.hann(WINDOW)
    bases = np.stack([goertzel.basis((low, high), window) for low in LOW for high in HIGH])[:, (0, 2, 1, 3)]
    return bases.reshape(-1, 4, _PARTS, HOP).transpose(0, 3, 2, 1).reshape(-1, HOP, _PARTS * 4)


_PAIRS = _pairs()


def track(samples: Signal, digits: Indexes) -> Track:
    """Complex amplitudes of each digit's two tones every 5 ms: (n, HISTORY) to (n, hops, 2)."""
    blocks = samples.reshape(len(samples), -1, HOP)
    products = blocks @ _PAIRS[digits]
    row, block, one = products.strides
    part = 4 * one  # a window's next part is that of the next block
    parts: Signal = np.ndarray(
        (len(samples), _HOPS, _PARTS, 4), np.float64, products, strides=(row, block, block + part, one)
    )
    tones: Track = parts.sum(axis=2).view(np.complex128)
    return tones


def _crossing(envelope: list[float], after: int) -> float:
    """Where the envelope passes one half between this hop and the next."""
    here, there = envelope[after], envelope[after + 1]
    return after + (HALF - here) / (there - here)


_FILLED = (np.cumsum(goertzel.hann(WINDOW)) / goertzel.hann(WINDOW).sum()).tolist()
_SURELY = 0.97  # a window that full may as well be quite full


def _reach(envelope: float) -> float:
    """How far beyond a window's middle a tone goes that fills so much of it, in ms; up to 10, negative below a half."""
    return (bisect_left(_FILLED, min(envelope, _SURELY)) - WINDOW / 2) * 1000 / RATE


def _response(off: float) -> float:
    """What the window leaves of a sine so many Hz off: 1 at 0, 0.54 at the 2.3 % of 1336 Hz."""
    bins = abs(off) * WINDOW / RATE
    if bins in (0.0, 1.0):
        return 1.0 - bins / 2
    return max(math.sin(math.pi * bins) / (math.pi * bins * (1 - bins**2)), 0.1)


def _position(hop: float) -> float:
    """The middle of a hop's window, in samples before the end."""
    return (hop - _HOPS + 1) * HOP - WINDOW / 2


def edges(samples: Signal, digits: Indexes, sizes: Signal, rising: Iterable[bool]) -> list[float]:
    """The newest place at which both tones rose above (or one fell below) half of their sizes (n, 2), in samples before
    the end; the oldest place looked at if there is none. `samples`: (n, HISTORY)."""
    envelopes = (np.abs(track(samples, digits)) / sizes[:, None]).min(axis=2).tolist()
    return [_edge(envelope, up) for envelope, up in zip(envelopes, rising, strict=True)]


def _edge(envelope: list[float], rising: bool) -> float:
    for after in range(_HOPS - 2, -1, -1):
        if (envelope[after] < HALF) == rising and (envelope[after + 1] >= HALF) == rising:
            return _position(_crossing(envelope, after))
    return _position(0)


def judge(samples: Signal, digits: Indexes, limits: Limits = LIMITS) -> list[Verdict]:
    """Is each digit's key (an index of KEYS) held at the end of its samples? `samples`: (n, HISTORY)."""
    tones = track(samples, digits)
    sizes = np.abs(tones)
    loudest = np.maximum(sizes[:, -_NEWEST:].max(axis=1, keepdims=True), _NOTHING)
    envelopes = (sizes / loudest).min(axis=2).tolist()
    found = [_pair(*row, limits) for row in zip(envelopes, tones, digits.tolist(), strict=True)]
    pure = _pure(samples, {row: pair for row, pair in enumerate(found) if isinstance(pair, _Pair)}, limits)
    return [next(pure) if isinstance(one, _Pair) else one for one in found]


def _pair(envelope: list[float], tones: Track, digit: int, limits: Limits) -> _Pair | Refusal:
    """The two tones, if they sound together, for long enough, steadily and at their frequencies."""
    last = _HOPS - 1
    while envelope[last] < HALF:
        last -= 1
        if last < _HOPS - _NEWEST:
            return Refusal("on", 0.0, limits.on)
    silent = last - 1
    while silent >= 0 and envelope[silent] >= HALF:
        silent -= 1
    first = _crossing(envelope, silent) if silent >= 0 else 0.0
    age = (last - first) * HOP * 1000 / RATE + _reach(envelope[last])
    if age < limits.on:
        return Refusal("on", age, limits.on)
    inner = tones[max(math.ceil(first + 2), last + 1 - _INNER) : last + 1]  # windows filled by the key, or nearly
    nominal = LOW[digit // 4], HIGH[digit % 4]
    low, high = (_tone(hops, hertz) for hops, hertz in zip(inner.T.tolist(), nominal, strict=True))
    twist = decibels(high.size / low.size)
    steady, drift = max(low.steady, high.steady), max(low.drift, high.drift)
    for check, value, limit in (
        ("deviation", max(abs(low.percent), abs(high.percent)), limits.deviation),
        ("apart", ((100 + high.percent) / (100 + low.percent) - 1) * 100, limits.apart),
        ("twist_high", twist, limits.twist_high),
        ("steady", steady, limits.steady),
        ("drift", drift, limits.drift),
    ):
        if value > limit:
            return Refusal(check, value, limit)
    for check, value, limit in (
        ("floor", decibels(min(low.size, high.size) / ZERO_DBM0), limits.floor),
        ("twist_low", twist, limits.twist_low),
    ):
        if value < limit:
            return Refusal(check, value, limit)
    firm = age >= limits.firm_on and steady <= limits.firm_steady and drift <= limits.firm_drift
    return _Pair(_position(first), low, high, firm)


def _tone(hops: list[complex], nominal: float) -> _Tone:
    """What successive hops, three at least, say of their tone."""
    sizes = sorted(map(abs, hops))
    turn = rect(1.0, -nominal / _HERTZ)
    advance = [new * old.conjugate() * turn for old, new in pairwise(hops)]
    turned = [phase(step) for step in advance]
    off = phase(sum(advance)) * _HERTZ
    seen = sizes[len(sizes) // 2]
    steady, drift = decibels(sizes[-1] / sizes[0]), (max(turned) - min(turned)) * _HERTZ
    return _Tone(seen, seen / _response(off), nominal + off, off / nominal * 100, steady, drift)


def _pure(samples: Signal, pairs: dict[int, _Pair], limits: Limits) -> Iterator[Verdict]:
    """The last check, of all pairs together; by row of the samples. Where no component of what is left can be too
    strong, since all of it together is not, its spectrum is spared."""
    lengths = np.array([min(-round(pair.start) - ms(3), RECENT) for pair in pairs.values()])
    hertz = np.array([(pair.low.hertz, pair.high.hertz) for pair in pairs.values()])
    recent = samples[list(pairs), -RECENT:]
    surely = ratio(max(limits.purity, limits.noise_purity, limits.voice))
    weaker = [min(pair.low.seen, pair.high.seen) for pair in pairs.values()]  # as seen: a tone far off has to be purer
    most = most_left(recent, lengths, hertz).tolist()
    unsure = [row for row, size in enumerate(weaker) if size < surely * most[row]]
    left = rest(residual(recent[unsure], lengths[unsure], hertz[unsure])) if unsure else []
    company = dict(zip(unsure, left, strict=True))
    for row, (start, low, high, firm) in enumerate(pairs.values()):
        refusal = _company(weaker[row], company[row], limits, firm=firm) if row in company else None
        yield refusal or Press(start, low.size, high.size, low.seen, high.seen, low.percent, high.percent)


def _company(weaker: float, left: Rest, limits: Limits, *, firm: bool) -> Refusal | None:
    """Why a pair with this weaker tone is refused for what sounds with it."""
    voice, under, purity = (decibels(weaker / other) for other in (left.voice, left.under, left.strongest))
    if voice < limits.voice:
        return Refusal("voice", voice, limits.voice)
    if under < limits.under:
        return Refusal("under", under, limits.under)
    flat = decibels(left.strongest / left.median) <= limits.noise_crest
    least = min(limits.purity, limits.firm_purity if firm else math.inf, limits.noise_purity if flat else math.inf)
    return Refusal("purity", purity, least) if purity < least else None


def _windows(size: int) -> Single:
    """Hann windows of each length up to this at the end of so many samples, scaled so that a sine gives its peak
    amplitude: (size + 1, size)."""
    lengths = np.arange(size + 1)[:, None]
    inside = np.maximum(np.arange(1, size + 1) - size + lengths, 0)
    windows: Signal = 4 / (lengths + 1) * np.sin(np.pi * inside / (lengths + 1)) ** 2
    return windows.astype(np.float32)


_WINDOWS = _windows(RECENT)
_RADIANS = (np.arange(RECENT) * (2 * np.pi / RATE)).astype(np.float32)  # by which 1 Hz turns in so many samples
_COARSE, _FINE = 24, 20  # what turns is taken in such steps, so that few sines are needed: RECENT samples
_STEPS = (np.concatenate([np.arange(_FINE), np.arange(_COARSE) * _FINE]) * (2 * np.pi / RATE)).astype(np.float32)
_SHARED = 2e-4  # of two tones' energy: more than windowed sines of 30 ms and 200 Hz apart have in common


def most_left(samples: Signal, lengths: Indexes, hertz: Signal) -> Signal:
    """What no component of the `residual` of samples (n, RECENT) exceeds, without making it: its energy is what the two
    sines leave of the samples' energy, and a sum of n numbers is at most the root of n times that of their squares."""
    windows = _WINDOWS[lengths]
    weighted = samples.astype(np.float32) * windows
    energy = np.einsum("nt,nt->n", weighted, weighted)
    weighted *= windows
    angle = hertz.astype(np.float32)[:, None] * _STEPS[:, None]
    turns = np.empty(angle.shape, np.complex64)
    np.cos(angle, out=turns.real)
    np.sin(angle, out=turns.imag)
    parts = weighted.reshape(-1, _COARSE, _FINE) @ turns[:, :_FINE].view(np.float32)
    sines = (parts.view(np.complex64) * turns[:, _FINE:]).sum(axis=1).view(np.float32)
    energy -= (1 - _SHARED) / 3 * (lengths + 1) * np.einsum("nk,nk->n", sines, sines)
    most: Signal = np.sqrt(np.maximum(energy, 0.0) * lengths)
    return most


def residual(samples: Signal, lengths: Indexes, hertz: Signal) -> Single:
    """What is left of the last `lengths` (n) of the samples (n, RECENT at most), through a Hann window, once steady
    sines of these frequencies (n, sines) are subtracted by least squares."""
    count, size = samples.shape
    windows = _WINDOWS[lengths, -size:]
    angle = hertz.astype(np.float32)[..., None] * _RADIANS[:size]
    model = np.empty((count, 2 * angle.shape[1], size), np.float32)
    np.cos(angle, out=model[:, : angle.shape[1]])
    np.sin(angle, out=model[:, angle.shape[1] :])
    model *= windows[:, None]
    weighted = samples.astype(np.float32) * windows
    fit = np.linalg.solve(model @ model.transpose(0, 2, 1), model @ weighted[..., None])
    left: Single = weighted - (fit.transpose(0, 2, 1) @ model)[:, 0]
    return left


_POINTS = 1024


def _band(low: float, high: float) -> slice:
    return slice(int(np.ceil(low * _POINTS / RATE)), int(high * _POINTS / RATE) + 1)


_VOICE = _band(190, 275)  # between hum and the lowest dial tone, both of which may be strong
_UNDER = _band(275, 320)  # on the skirts of dial tones: the lowest is 330 Hz, so only peaks count
_SPEECH = _band(530, 3450)  # above the dial tones


def rest(left: Single) -> list[Rest]:
    """What stands out in the spectrum of each residual (n, samples)."""
    spectra = np.abs(rfft(left, _POINTS))
    speech = np.sort(spectra[:, _SPEECH], axis=1)
    voice, under = spectra[:, _VOICE].max(axis=1), _highest_peak(spectra, _UNDER)
    sizes = speech[:, -1], speech[:, speech.shape[1] // 2], voice, under
    return [Rest(*each) for each in np.maximum(sizes, _NOTHING).T.tolist()]


def _highest_peak(spectra: Single, band: slice) -> Single:
    """Of each spectrum (n, points) the highest point of this band that neither of its neighbours exceeds, or 0."""
    below, here, above = (spectra[:, band.start + by : band.stop + by] for by in (-1, 0, 1))
    peaks: Single = np.where((here >= below) & (here >= above), here, 0).max(axis=1)
    return peaks
