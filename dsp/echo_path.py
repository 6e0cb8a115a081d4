"""The echo path of one line, learnt from what was sent and what came back.

A hybrid's echo is a short linear filter of what we send. Speech leaves most frequencies empty most of the time, so a
gradient method (NLMS, or its frequency-domain forms, a Kalman filter per bin among them) needs seconds to find it:
measured on our prompts, 12 dB after one second. Least squares over everything heard so far needs a tenth of a second.
What makes it affordable, and fit for a caller who presses keys meanwhile:

- The normal equations are exact, but never formed by multiplying the samples out. As long as the weight stays the
  same, each diagonal of X'X differs from element to element by the samples that enter and leave at the edges alone, so
  the matrix is its first row (one correlation) and one outer product for each edge.
- Every block counts by the inverse power of what the path does not explain in it: a key over the prompt takes its own
  block out of the sums, without anybody having to decide that it is a key.
- Each tap has a prior variance, first by the shape hybrids have, then by the taps found so far: with little heard, the
  answer stays small and short instead of fitting noise.
- A path must explain more than any path would by chance, or there is none.

Pure functions in double precision, for one line at a time; `echo.Canceller` decides when.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .levels import ms, rms

BLOCK = ms(10)  # samples with one weight
UNIT = ms(2.5)  # a path's delay is a multiple of it
LEAD = ms(2.5)  # the window begins so long before the strongest echo, or up to UNIT earlier
TAPS = ms(20)  # hybrids ring for 2-8 ms, seldom longer than 16: 15 ms after the strongest echo are always inside
# Delays looked for: a modem's was 100 ms in simulation, a sound card's up to 135, both may be buffered.
SEARCH = ms(250)
HISTORY = -(-(SEARCH + TAPS) // BLOCK)  # blocks sent before the first one received
SPAN = 10 * BLOCK  # samples transformed together
FRAME = TAPS + SPAN

# Speech has its power below 1 kHz; both signals are flattened before they are compared, so that noise and a caller's
# voice weigh alike at all frequencies. Two real zeros take 25 dB off the bottom.
FLATTEN = np.convolve([1.0, -0.9], [1.0, -0.5])
# Times the mean over all delays: how alike they must be at one; by chance 4 is reached in a half of cases.
STANDS_OUT = 4.0
EMPTY = 0.1  # of the mean power sent: frequencies with less do not count when the delay is looked for

NOISE = rms(-68.0) ** 2  # steps of A-law at speech level and the floor of a good line: nothing is cleaner than that
CLEANEST = 5e-4  # of the mean power: blocks that seem to be explained better than that count no more for it;
FEW = 20  # blocks: of fewer, any path explains much

# The prior variance of the taps, before anything is known: half of it within 3 ms of the strongest echo.
SETTLED = ms(4.0)
SHAPE = np.exp(-np.abs(np.arange(TAPS) - LEAD - UNIT / 2) / SETTLED) / (2 * SETTLED)
ANYWHERE = 0.01 / TAPS
SPREAD = 9  # taps: one found lends its variance to its neighbours
UNLIKELY = 3e-4  # of the path's power: the variance of a tap where nothing was found
FRESH = 5.0  # blocks in which what was found counts no more than SHAPE
LEAST = 1e-6
FAINTEST = 1e-4  # 40 dB of echo return loss: such an echo is left alone
CHANGE = 0.1  # of a tap's variance: how far a firm path may have moved

PASSES = 2  # for a path that was not known: weights and variances are those of the pass before
EXPLAINS = 0.7  # nepers, 3 dB, by which a path that was known must lower the power, or another is looked for
CHANCE = 2 * TAPS / BLOCK  # nepers in all by which one more path lowers the blocks' powers: Akaike's price of its taps

Signal = NDArray[np.float64]
Spectra = NDArray[np.complex128]
Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Path:
    """Echo of a unit impulse: `delay` samples of nothing, then `taps`, float64 (TAPS,)."""

    delay: int
    taps: Signal


NOTHING = Path(0, np.zeros(TAPS))


def learn(sent: Samples, received: Samples, known: Path = NOTHING, *, firm: bool = False) -> Path:
    """The path that explains `received` best, as far as it can; NOTHING if none does.

    sent: int16 ((HISTORY + n) * BLOCK,), received: int16 (n * BLOCK,), n >= 1. They end together: the last sample
    received may hold the echo of the last one sent. `known` is the answer of a moment ago; `firm` says that it comes
    from other samples than these, so that it counts as knowledge: what a vowel cannot show, the consonant before it has
    shown."""
    y = _flat(received)
    powers = _powers(y)
    if powers.max() <= NOISE:
        return NOTHING
    x = _flat(sent)
    blocks = len(powers)
    floor = NOISE + CLEANEST * (1 + (FEW / blocks) ** 2) * float(powers.mean())
    nothing = float(np.log(powers + floor).sum())
    best, left = NOTHING, nothing
    if known.taps.any():
        best, left = _Fit(x, y, floor, known.delay).refined(known.taps, 1, firm)
        if left < nothing - EXPLAINS * blocks:
            return best
    weights = 1 / (powers + floor)
    at = _strongest(x, y, weights)
    if at is None:
        return best if left < nothing - CHANCE else NOTHING
    if best is NOTHING or not best.delay <= at < best.delay + TAPS // 2:
        fit = _Fit(x, y, floor, max(0, at - LEAD) // UNIT * UNIT)
        gain = fit.gain(weights, powers)
        if gain > FAINTEST:
            other, remains = fit.refined(fit.first(weights, gain), PASSES)
            if remains < left - CHANCE:
                best, left = other, remains
    return best if left < nothing - CHANCE else NOTHING


class _Fit:
    """The taps behind one delay that explain y best."""

    def __init__(self, x: Signal, y: Signal, floor: float, delay: int) -> None:
        self._x = x[HISTORY * BLOCK - TAPS - delay : len(x) - delay]
        self._y = y
        self._floor = floor
        self._delay = delay
        self._frames = spectra_of(self._x)

    def gain(self, weights: Signal, powers: Signal) -> float:
        """Power of the echo over that of what was sent, were all of y echo; its quietest blocks count most."""
        return float(weights @ powers) / (float(weights @ _powers(self._x[TAPS:])) + LEAST)

    def first(self, weights: Signal, gain: float) -> Signal:
        """What a hybrid's shape, an echo of this gain and these weights give."""
        return self._solved(weights, gain * (SHAPE + ANYWHERE) + LEAST)

    def refined(self, taps: Signal, passes: int, firm: bool = False) -> tuple[Path, float]:
        """The path, each pass with weights and variances by the one before, and the nepers of power it leaves."""
        for _ in range(passes):
            weights, variance = 1 / (self._left(taps) + self._floor), _variance(taps)
            if firm:
                taps = self._solved(weights, CHANGE * variance, taps)
            else:
                taps = self._solved(weights, variance + FRESH / len(weights) * float(taps @ taps) * SHAPE)
        return Path(self._delay, taps), float(np.log(self._left(taps) + self._floor).sum())

    def _solved(self, weights: Signal, variance: Signal, expected: Signal | None = None) -> Signal:
        weights = np.exp2(np.rint(np.log2(weights)))  # steps of 3 dB: fewer edges
        matrix, vector = normal_equations(self._x, self._y, weights, self._frames)
        matrix[np.diag_indices(TAPS)] += 1 / variance
        if expected is not None:
            vector += expected / variance
        # In single precision: what that gets wrong in the echo is 90 dB down.
        taps: Signal = np.linalg.solve(matrix.astype(np.float32), vector.astype(np.float32)).astype(np.float64)
        return taps

    def _left(self, taps: Signal) -> Signal:
        """Powers of the blocks of y without the echo."""
        echo = np.fft.irfft(self._frames * np.fft.rfft(taps, FRAME), FRAME)[:, TAPS:].reshape(-1)
        return _powers(self._y - echo[len(echo) - len(self._y) :])


def normal_equations(x: Signal, y: Signal, weights: Signal, frames: Spectra) -> tuple[Signal, Signal]:
    """Sums over all samples t of y, times their block's weight, of x[t-i] x[t-j] and of x[t-i] y[t]: float64
    (TAPS, TAPS) and (TAPS,). `x` begins TAPS samples before y; `frames` are its `spectra_of`."""
    each = np.repeat(weights, BLOCK)
    row = _correlate(frames, each * x[TAPS:])
    change = np.diff(weights, prepend=0.0, append=0.0)
    edges = np.flatnonzero(change)
    around = x[(TAPS - 1 + BLOCK * edges)[:, None] - np.arange(TAPS)]
    steps = (around * change[edges, None]).T @ around
    wide = np.zeros((TAPS, 3 * TAPS))  # the matrix is in the middle, so that all its diagonals begin in the first row
    wide[0, 1 : 2 * TAPS] = np.concatenate([row[:0:-1], row])
    wide[1:, TAPS + 1 : 2 * TAPS] = steps[:-1, :-1]
    down, across = wide.strides
    diagonals = np.lib.stride_tricks.as_strided(wide, (TAPS, 2 * TAPS), (down + across, across))
    np.cumsum(diagonals, axis=0, out=diagonals)
    return wide[:, TAPS : 2 * TAPS], _correlate(frames, each * y)


def spectra_of(x: Signal) -> Spectra:
    """Spectra of all spans of x, each with the TAPS samples before it; the first is filled up with silence."""
    filled = np.concatenate([np.zeros((TAPS - len(x)) % SPAN), x])
    return np.fft.rfft(np.lib.stride_tricks.sliding_window_view(filled, FRAME)[::SPAN])


def _correlate(frames: Spectra, y: Signal) -> Signal:
    """Sum over t of x[t-j] y[t], for j < TAPS."""
    spans = np.zeros((len(frames), FRAME))
    spans[:, TAPS:] = np.concatenate([np.zeros(len(frames) * SPAN - len(y)), y]).reshape(-1, SPAN)
    return np.fft.irfft(np.einsum("nf,nf->f", np.fft.rfft(spans), frames.conj()), FRAME)[:TAPS]


def _flat(samples: Samples) -> Signal:
    return np.convolve(samples, FLATTEN)[: len(samples)]


def _powers(y: Signal) -> Signal:
    blocks = y.reshape(-1, BLOCK)
    powers: Signal = np.einsum("nb,nb->n", blocks, blocks) / BLOCK
    return powers


def _variance(taps: Signal) -> Signal:
    squares = taps * taps
    variance: Signal = np.convolve(squares, np.full(SPREAD, 1 / SPREAD), "same") + UNLIKELY * squares.sum() + LEAST
    return variance


def _strongest(x: Signal, y: Signal, weights: Signal) -> int | None:
    """The lag in samples at which x, as flat as its spectrum allows, is most like y; None if no lag stands out."""
    size = _transformed(len(x))
    sent = np.fft.rfft(x, size)
    power = sent.real**2 + sent.imag**2
    received = np.fft.rfft(y * np.sqrt(np.repeat(weights, BLOCK)), size)
    likeness = np.fft.irfft(received * sent.conj() / (power + EMPTY * power.mean() + 1e-9), size)
    squares = likeness[(np.arange(SEARCH) - HISTORY * BLOCK) % size] ** 2
    at = int(squares.argmax())
    return at if squares[at] > STANDS_OUT**2 * squares.mean() else None


def _transformed(length: int) -> int:
    """The least of the sizes 4, 5, 6 and 7 times a power of two that holds so much: they transform fast."""
    step = 1 << max((length - 1).bit_length() - 3, 0)
    return -(-length // step) * step
