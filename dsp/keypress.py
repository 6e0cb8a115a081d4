"""Key presses, measured: is it one, when did it begin, how strong and how far off is each tone (ITU-T Q.23, Q.24).

Pure functions of 80 ms of samples, for the few moments at which the detector's gates (see dtmf.py) saw a pair of tones
that is not clear (clear.py).
All moments of a tick are judged together, in arrays whose last axis is the moments: ten cost little more than one.
A caller's prompt must stop while the key is still down, so the verdict cannot wait for the key's end; it is asked again
every 20 ms until it is yes, and has to be sure each time.

What tells keys from speech best, over hours of speech and thousands of keys, is the strongest component left once two
steady sines are subtracted (company.py). A voice that happens to have two harmonics on the grid has more of them close
below. Keys have company as weak as that only from noise, which is flat, or from an echo, and then the tones themselves
do not waver, and keep their ratio; hence three ways to be pure enough. (Of a steady high voice harmonics 4 and 5 are
the key *, their ratio 2.7 % too small, or 3 and 4, 3.8 % too large.)

Music has pairs as pure as that. A bar that is struck (glockenspiel, chimes) sounds at 1, 2.76 and 5.40 times its pitch,
the bending modes of a free bar. Of one tuned to 308 Hz the overtones are the key C; its pitch, far stronger, lies below
all that keys are compared with. And an octave is the key 2, 6 or C, the lower tone 2.1 % flat, the upper as sharp.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import goertzel
from .company import RECENT, residual, rest
from .generate import HIGH, LOW
from .levels import RATE, amplitude, ms

WINDOW = ms(30)  # the two nearest tones are 73 Hz apart: a Hann window of 30 ms puts them on each other's skirts
HOP = ms(5)
HISTORY = ms(80)  # what is looked at to find where a key began; one older than 65 ms counts as that old
HALF = 0.5  # a Hann window that is half filled gives half the amplitude

Single = NDArray[np.float32]
Signal = NDArray[np.float64]
Track = NDArray[np.complex64]
Indexes = NDArray[np.intp]
Small = NDArray[np.int8]  # small, to stay in the cache


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
    apart: float = 4.15  # %, ratio of the tones off nominal: 3.7 if 1.8 off and opposed, 4.08 if 2; an octave 4.26
    drift: float = 10.0  # Hz, spread of a tone's frequency from hop to hop
    voice: float = 8.0  # dB, weaker tone over a voice's fundamental
    under: float = -5.0  # dB, weaker tone over the pitch of a bar whose overtones they are: -9.5 and less, mostly -12
    purity: float = 15.0  # dB, weaker tone over the strongest other component
    noise_purity: float = 9.0  # dB, the same if what is left is flat as noise is:
    noise_crest: float = 13.0  # dB, its strongest over its median (white noise: 8)
    noise_steady: float = 4.0  # dB, what noise may make of a tone's amplitude
    firm_purity: float = 9.0  # dB, the same if the tones are as firm as only a machine's are:
    firm_on: float = 40.0
    firm_steady: float = 1.5
    firm_drift: float = 3.0
    firm_apart: float = 1.4  # %, either way: one generator's tones are off together; a 5089's by 1.37 at most

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


CHECKS = ("on", "deviation", "apart", "twist_high", "steady", "drift", "floor", "twist_low", "voice", "under", "purity")
ON, PASSED = 0, -1


class Verdicts(NamedTuple):
    """What n presses are: `check` is the index in CHECKS of the first they fail, with its `value` and `limit`, or
    PASSED; `presses` are the fields of a Press by n, of those that passed."""

    check: Indexes
    value: Signal
    limit: Signal
    presses: Signal

    def refuse(self, rows: Indexes, check: Indexes, value: NDArray[np.floating], limit: NDArray[np.floating]) -> None:
        """These fail."""
        self.check[rows], self.value[rows], self.limit[rows] = check, value, limit

    def one(self, row: int) -> Verdict:
        """Of this row alone."""
        if self.check[row] == PASSED:
            return Press(*self.presses[:, row].tolist())
        return Refusal(CHECKS[self.check[row]], float(self.value[row]), float(self.limit[row]))


class _Pairs(NamedTuple):
    """Two tones that sound together, measured: of each (2, n), or of both (n,)."""

    seen: Single  # amplitude through windows tuned to the nominal frequency
    size: Single  # amplitude
    hertz: Single
    percent: Single  # off nominal
    apart: Single  # %, by which their ratio is larger than nominal
    steady: Single  # dB between the largest and smallest amplitude, of the worse
    drift: Single  # Hz between frequencies from hop to hop, of the worse


ZERO_DBM0 = amplitude(0.0)
_PARTS = WINDOW // HOP  # of a window: each is multiplied with the samples once, for every window it lies in
_HOPS = (HISTORY - WINDOW) // HOP + 1
_NEWEST = 4  # hops: a key that is held sounds in one of them
_INNER = 6  # hops at most that are measured
_HERTZ = np.float32(RATE / (2 * math.pi * HOP))  # of a radian from hop to hop
_NOTHING = np.float32(1e-9)  # instead of an amplitude of 0

_NOMINAL = np.array([(low, high) for low in LOW for high in HIGH], np.float32).T  # Hz, by digit: (2, 16)
_TURN = np.exp(-2j * np.pi * HOP / RATE * _NOMINAL).astype(np.complex64)  # takes a nominal tone's advance to 0


def _rows() -> Single:
    """What measures each digit's two tones in a window, as rows for each part of it, real and imaginary of either tone:
    (16, parts * 4, HOP)."""
    window = goertzel.hann(WINDOW)
    bases = np.stack([goertzel.basis((low, high), window) for low in LOW for high in HIGH])[:, (0, 2, 1, 3)]
    rows = bases.reshape(-1, 4, _PARTS, HOP).transpose(0, 2, 1, 3).reshape(-1, _PARTS * 4, HOP)
    return np.ascontiguousarray(rows, np.float32)


_ROWS = _rows()


def track(samples: Single, digits: Indexes) -> Track:
    """Complex amplitudes of each digit's two tones every 5 ms: (n, HISTORY) to (2, hops, n)."""
    count = len(samples)
    parts = _ROWS[digits] @ samples.reshape(count, -1, HOP).transpose(0, 2, 1)
    # A window's next part is that of the next block; part and part + 3 first, then what is left is three.
    half, ahead = 2 * _PARTS, _PARTS // 2
    sums = parts[:, :half, :-ahead] + parts[:, half:, ahead:]
    tones = sums[:, 0:4, :_HOPS] + sums[:, 4:8, 1 : 1 + _HOPS]
    tones += sums[:, 8:12, 2 : 2 + _HOPS]
    by_hop = np.ascontiguousarray(tones.reshape(count, 2, 2, _HOPS).transpose(1, 3, 0, 2))
    return by_hop.view(np.complex64)[..., 0]


class _Hops(NamedTuple):
    """Which hops count, by which are full of both tones. As rows of one table, so that one look tells all."""

    silent: Small  # (n,): the last that is not full before the last that is; counted from 1, for 0 is before the first
    last: Small  # (n,): the last that is full; where that is none of the newest, the last of all
    held: Small  # (n,): 1 if it is one of the newest
    inner: Small  # (_INNER, n): those that a key fills, or nearly; two at least, and the first several times over
    steps: Small  # (n,): from one hop to another among the inner
    repeated: Small  # (_INNER - 1, n): 1 if the hop after it is the same

    @classmethod
    def of(cls, rows: Small) -> _Hops:
        return cls(rows[0], rows[1], rows[2], rows[3:9], rows[9], rows[10:])


def _table() -> Small:
    """The table, with a column for each set of full hops: bit 0 is the first."""
    hop = np.arange(_HOPS)[:, None]
    full = np.arange(2**_HOPS) >> hop & 1 == 1
    last = np.where(full, hop, -1).max(axis=0)
    silent = np.where(full | (hop > last), -1, hop).max(axis=0)
    held = last >= _HOPS - _NEWEST
    begin = np.minimum(np.maximum(silent + 3, last - (_INNER - 1)), last - 1)
    inner = np.where(held, np.maximum(last - np.arange(_INNER)[::-1, None], begin), 0)
    silent, last = np.where(held, silent + 1, _HOPS), np.where(held, last, _HOPS - 1)
    return np.vstack([silent, last, held, inner, last - begin, inner[1:] == inner[:-1]]).astype(np.int8)


_TABLE = _table()
_BITS = (2.0 ** np.arange(_HOPS)).astype(np.float32)

_FILLED = np.cumsum(goertzel.hann(WINDOW)) / goertzel.hann(WINDOW).sum()
_SURELY = 0.97  # a window that full may as well be quite full
_REACH = (np.arange(WINDOW + 1) - WINDOW / 2) * (1000 / RATE)


def _reach(envelope: Single) -> Signal:
    """How far beyond a window's middle a tone goes that fills so much of it, in ms; up to 10, negative below a half."""
    reach: Signal = _REACH[_FILLED.searchsorted(np.minimum(envelope, _SURELY))]
    return reach


def _response(bins: Signal) -> Signal:
    """What the window leaves of a sine so many bins off: 1 at 0, 0.54 at 1.02, the 2.3 % of 1336 Hz."""
    response: Signal = np.sinc(bins) + (np.sinc(bins - 1) + np.sinc(bins + 1)) / 2
    return np.maximum(response, 0.1)


_OFF = np.linspace(0, 100, 1001)  # Hz
_RESPONSE = _response(_OFF * WINDOW / RATE)


def _position(hop: Signal) -> Signal:
    """The middle of a hop's window, in samples before the end."""
    return (hop - (_HOPS - 1)) * HOP - WINDOW / 2


def _spans(sizes: Single) -> tuple[Small, Signal, Signal]:
    """Of tones (2, hops, n): columns of the table for the hops that are full of both; where, in hops, they rose above
    half of what they are in the newest; and for how many ms they have sounded, 0 if they do not sound together."""
    shares = sizes / np.maximum.reduce(sizes[:, -_NEWEST:], axis=1, keepdims=True, initial=_NOTHING)
    envelope = np.zeros((_HOPS + 2, sizes.shape[2]), np.float32)  # between a hop that is empty and one that is full
    np.minimum(shares[0], shares[1], out=envelope[1:-1])
    envelope[-1] = 1
    rows = _TABLE[:, (_BITS @ (envelope[1:-1] >= HALF)).astype(np.intp)]
    silent, last, held, *_ = rows
    here, there, newest = envelope[[silent, silent + 1, last + 1], np.arange(sizes.shape[2])]
    first = silent - 1 + (HALF - here) / (there - here)
    age = ((last - first) * (HOP * 1000 / RATE) + _reach(newest)) * held
    return rows, first, age


def _measure(tones: Track, hops: _Hops, digits: Indexes) -> _Pairs:
    """The tones (2, hops, n) in the newest windows that the key fills, or nearly."""
    inner = tones[:, hops.inner, np.arange(len(digits))]
    again, nominal = hops.repeated.view(np.bool_), _NOMINAL[:, digits]
    advance = inner[:, 1:] * inner[:, :-1].conj()
    advance *= _TURN[:, None, digits]
    np.copyto(advance, 0, where=again)
    total = np.add.reduce(advance, axis=1)
    np.copyto(advance, total[:, None], where=again)
    both = np.empty((2, *inner.shape), np.float32)  # sizes, as logarithms, and turns
    np.log10(np.abs(inner), out=both[0])
    np.arctan2(advance.imag, advance.real, out=both[1, :, 1:])
    both[1, :, 0] = both[1, :, -1]
    spread = np.maximum.reduce(both, axis=2) - np.minimum.reduce(both, axis=2)
    steady, drift = np.maximum(spread[:, 0], spread[:, 1])
    off = np.arctan2(total.imag, total.real) * _HERTZ
    percent = off / nominal * 100
    apart = (100 + percent[1]) / (100 + percent[0]) * 100 - 100
    seen = np.sqrt(np.abs(total) / hops.steps)
    size = seen / np.interp(np.abs(off), _OFF, _RESPONSE).astype(np.float32)
    return _Pairs(seen, size, nominal + off, percent, apart, 20 * steady, drift * _HERTZ)


# The checks that need the two tones alone: is the limit the most, or the least?
_MOST = {"deviation": 1, "apart": 1, "twist_high": 1, "steady": 1, "drift": 1, "floor": -1, "twist_low": -1}
_SIGNS = np.array(list(_MOST.values()))


def _compare(pairs: _Pairs, limits: Limits) -> tuple[Single, Single]:
    """What those checks measure of each pair, and the limit, (checks, n) and (checks, 1); a pair fails where the first
    is larger. What must not be too small is negative in both."""
    values = np.empty((len(_MOST), pairs.size.shape[1]), np.float32)
    level = 20 * np.log10(pairs.size / np.float32(ZERO_DBM0))
    np.maximum.reduce(np.abs(pairs.percent), axis=0, out=values[0])
    np.subtract(level[1], level[0], out=values[2])
    values[1], values[3], values[4] = np.abs(pairs.apart), pairs.steady, pairs.drift
    np.minimum(level[0], level[1], out=values[5])
    values[6] = values[2]
    values[5:] *= -1
    bounds = np.array([[getattr(limits, check) * sign] for check, sign in _MOST.items()], np.float32)
    bounds[3] = max(limits.steady, limits.noise_steady)
    return values, bounds


def judge(samples: Single, digits: Indexes, limits: Limits = LIMITS) -> Verdicts:
    """Is each digit's key (an index of KEYS) held at the end of its samples? `samples`: (n, HISTORY)."""
    count = len(digits)
    tones = track(samples, digits)
    hops, first, age = _spans(np.abs(tones))
    lasting = age >= limits.on
    verdicts = Verdicts(np.where(lasting, PASSED, ON), age, np.empty(count), np.zeros((len(Press._fields), count)))
    verdicts.limit.fill(limits.on)
    (rows,) = lasting.nonzero()
    if not len(rows):
        return verdicts
    if len(rows) < count:
        tones, hops, digits = tones[..., rows], hops[:, rows], digits[rows]
    pairs = _measure(tones, _Hops.of(hops), digits)
    values, bounds = _compare(pairs, limits)
    over = values > bounds
    failed = np.logical_or.reduce(over, axis=0)
    if failed.any():
        worst, (column,) = over.argmax(axis=0)[failed], failed.nonzero()
        sign = _SIGNS[worst]
        verdicts.refuse(rows[failed], 1 + worst, sign * values[worst, column], sign * bounds[worst, 0])
        if failed.all():
            return verdicts
        rows, pairs = rows[~failed], _Pairs(*(each[..., ~failed] for each in pairs))
    verdicts.presses[0, rows] = _position(first[rows])
    verdicts.presses[1:, rows] = np.concatenate([pairs.size, pairs.seen, pairs.percent])
    _listen(verdicts, rows, samples[rows, -RECENT:], pairs, limits)
    return verdicts


_LISTENED = np.array([CHECKS.index(check) for check in ("steady", "voice", "under", "purity")])


def _listen(verdicts: Verdicts, rows: Indexes, recent: Single, pairs: _Pairs, limits: Limits) -> None:
    """The last check: refuse those that have company too strong, and those that only noise would excuse."""
    lengths = np.minimum(-np.rint(verdicts.presses[0, rows]).astype(np.intp) - ms(3), RECENT)
    left = rest(residual(recent, lengths, np.ascontiguousarray(pairs.hertz.T)))
    weaker = np.minimum(pairs.seen[0], pairs.seen[1])  # as seen: a tone far off has to be purer
    voice, under, purity = 20 * np.log10(weaker / np.stack([left.voice, left.under, left.strongest]))
    firm = (pairs.steady <= limits.firm_steady) & (pairs.drift <= limits.firm_drift)
    firm &= (np.abs(pairs.apart) <= limits.firm_apart) & (verdicts.value[rows] >= limits.firm_on)
    flat = 20 * np.log10(left.strongest / left.median) <= limits.noise_crest
    least = np.where(firm, min(limits.purity, limits.firm_purity), limits.purity)
    least = np.where(flat, np.minimum(least, limits.noise_purity), least)
    values, bounds = np.stack([pairs.steady, voice, under, purity]), np.empty((4, len(rows)))
    bounds[0], bounds[1], bounds[2], bounds[3] = limits.steady, limits.voice, limits.under, least
    fails = values < bounds
    fails[0] = (pairs.steady > limits.steady) & ~flat
    (failed,) = np.logical_or.reduce(fails, axis=0).nonzero()
    worst = fails.argmax(axis=0)[failed]
    verdicts.refuse(rows[failed], _LISTENED[worst], values[worst, failed], bounds[worst, failed])


def edges(samples: Single, digits: Indexes, sizes: Signal, rising: NDArray[np.bool_]) -> Signal:
    """The newest place at which both tones rose above (or one fell below) half of their sizes (2, n), in samples before
    the end; the oldest place looked at if there is none. `samples`: (n, HISTORY)."""
    envelope = np.minimum.reduce(np.abs(track(samples, digits)) / sizes[:, None], axis=0)
    full, column = envelope >= HALF, np.arange(len(digits))
    changes = (full[1:] == rising) & (full[:-1] != rising)
    after = np.where(changes, np.arange(1, _HOPS)[:, None], 0).max(axis=0)
    here, there = envelope[after - 1, column], envelope[after, column]
    crossing = after - 1 + (HALF - here) / np.where(after > 0, there - here, 1)
    return _position(np.where(after > 0, crossing, 0.0))
