"""The echo path of one line, learnt from what was sent and what came back.

A hybrid's echo is a short linear filter of what we send. Speech leaves most frequencies empty most of the time, so a
gradient method (NLMS, or its frequency-domain forms, a Kalman filter per bin among them) needs seconds to find it:
measured on our prompts, 12 dB after one second. Least squares over everything heard so far needs a fifth of a second.
What makes it affordable, and fit for a caller who presses keys meanwhile:

- The normal equations are exact, but never formed by multiplying the samples out. Within a block, each diagonal of
  X'X differs from element to element by the samples that enter and leave at the block's edges alone, so the matrix is
  its first row (one correlation) and one outer product for each edge.
- Every block counts by the inverse power of what the path does not explain in it: a key over the prompt takes its own
  block out of the sums, without anybody having to decide that it is a key.
- Each tap has a prior variance, first alike, then by the taps found so far: with little heard, the answer stays small
  and short instead of fitting noise.

Pure functions in double precision, for one line at a time; `echo.Canceller` decides when.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .levels import ms, rms

BLOCK = ms(10)  # samples with one weight; also the unit of a path's delay
TAPS = ms(32)  # hybrids ring for 2-8 ms, seldom longer than 16; ITU-T G.168 has no path beyond 32 ms after its delay
SEARCH = 12  # blocks: delays looked for, up to 120 ms; gateways and AudioSocket add one to three frames each way
HISTORY = SEARCH + -(-TAPS // BLOCK)  # blocks sent before the first one received
LEAD = ms(2.5)  # the window begins so long before the strongest echo, or up to BLOCK earlier

# Speech has its power below 1 kHz; both signals are flattened before they are compared, so that noise and a caller's
# voice weigh alike at all frequencies. Two real zeros take 25 dB off the bottom.
FLATTEN = np.convolve([1.0, -0.9], [1.0, -0.5])
NOISE = rms(-68.0) ** 2  # steps of A-law at speech level and the floor of a good line: nothing is cleaner than that
CLEANEST = 0.003  # of the mean power: blocks that seem to be explained better than that count no more for it

AT_FIRST = 1 / TAPS  # prior variance of a tap, before anything is known: 0 dB of loss in all
SPREAD = 9  # taps: one found lends its variance to its neighbours
UNLIKELY = 1e-3  # of the path's power: the variance of a tap where nothing was found
CHANGE = 0.1  # of a tap's variance: how far a firm path may have moved
PASSES = 2  # weights and variances are those of the pass before; what is firm gives them for one pass

Signal = NDArray[np.float64]
Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Path:
    """Echo of a unit impulse: `delay` blocks of nothing, then `taps`, float64 (TAPS,)."""

    delay: int
    taps: Signal


def learn(sent: Samples, received: Samples, known: Path | None = None, *, firm: bool = False) -> Path:
    """The path that explains `received` best, as far as it can.

    sent: int16 ((HISTORY + n) * BLOCK,), received: int16 (n * BLOCK,), n >= 1. They end together: the last sample
    received may hold the echo of the last one sent. `known` is the answer of a moment ago, if there is one; `firm` says
    that it comes from other samples than these, so that it counts as knowledge: what a vowel cannot show, the
    consonant before it has shown."""
    x, y = np.convolve(sent, FLATTEN)[: len(sent)], np.convolve(received, FLATTEN)[: len(received)]
    least = NOISE + CLEANEST * float(np.mean(y * y))
    weights = 1 / (_powers(y) + least)
    delay = max(0, _strongest(x, y, weights) - LEAD) // BLOCK
    x = x[(SEARCH - delay) * BLOCK : len(x) - delay * BLOCK]
    frames = np.fft.rfft(_frames(x))
    variance, expected = np.full(TAPS, AT_FIRST), np.zeros(TAPS)
    if known is not None and known.delay == delay:
        if firm:
            expected = known.taps
        weights, variance = 1 / (_powers(y - _echo(frames, known.taps)) + least), _variance(known.taps)
    for remaining in reversed(range(1 if expected.any() else PASSES)):
        matrix, vector = normal_equations(x, y, weights, frames)
        precision = 1 / (variance * (CHANGE if expected.any() else 1.0))
        matrix.flat[:: TAPS + 1] += precision
        taps: Signal = np.linalg.solve(matrix, vector + precision * expected).astype(np.float64, copy=False)
        if remaining:
            weights, variance = 1 / (_powers(y - _echo(frames, taps)) + least), _variance(taps)
    return Path(delay, taps)


def normal_equations(x: Signal, y: Signal, weights: Signal, frames: NDArray[np.complex128]) -> tuple[Signal, Signal]:
    """Sums over all samples t of y, times their block's weight, of x[t-i] x[t-j] and of x[t-i] y[t]: float64
    (TAPS, TAPS) and (TAPS,). `x` begins FRONT samples before y; `frames` are its overlapping spectra."""
    each = np.repeat(weights, BLOCK)
    row = _correlate(frames, each * x[FRONT:])
    edges = FRONT + BLOCK * np.arange(len(weights) + 1)
    around = x[edges[:, None] - 1 - np.arange(TAPS)]
    change = np.diff(weights, prepend=0.0, append=0.0)
    steps = (around * change[:, None]).T @ around
    matrix = np.empty((TAPS, TAPS))
    matrix[0] = matrix[:, 0] = row
    for i in range(TAPS - 1):
        np.add(matrix[i, :-1], steps[i, :-1], out=matrix[i + 1, 1:])
    return matrix, _correlate(frames, each * y)


FRONT = -(-TAPS // BLOCK) * BLOCK  # samples of x kept before y, whole blocks
FRAME = FRONT + BLOCK


def _frames(x: Signal) -> Signal:
    """Each block with the FRONT samples before it: (n, FRAME)."""
    return np.lib.stride_tricks.sliding_window_view(x, FRAME)[::BLOCK]


def _correlate(frames: NDArray[np.complex128], y: Signal) -> Signal:
    """Sum over t of x[t-j] y[t], for j < TAPS."""
    blocks = np.zeros((len(frames), FRAME))
    blocks[:, FRONT:] = y.reshape(-1, BLOCK)
    spectra = np.fft.rfft(blocks)
    return np.fft.irfft(np.einsum("nf,nf->f", spectra, frames.conj()), FRAME)[:TAPS]


def _echo(frames: NDArray[np.complex128], taps: Signal) -> Signal:
    return np.fft.irfft(frames * np.fft.rfft(taps, FRAME), FRAME)[:, FRONT:].reshape(-1)


def _powers(y: Signal) -> Signal:
    blocks = y.reshape(-1, BLOCK)
    powers: Signal = np.einsum("nb,nb->n", blocks, blocks) / BLOCK
    return powers


def _variance(taps: Signal) -> Signal:
    squares = taps * taps
    variance: Signal = np.convolve(squares, np.full(SPREAD, 1 / SPREAD), "same") + UNLIKELY * squares.sum() + 1e-6
    return variance


def _strongest(x: Signal, y: Signal, weights: Signal) -> int:
    """The lag in samples at which x, as flat as its spectrum allows, is most like y."""
    size = 1 << (len(x) - 1).bit_length()
    sent = np.fft.rfft(x, size)
    power = sent.real**2 + sent.imag**2
    received = np.fft.rfft(y * np.sqrt(np.repeat(weights, BLOCK)), size)
    likeness = np.fft.irfft(received * sent.conj() / (power + 0.01 * power.mean() + 1e-9), size)
    lags = np.arange(SEARCH * BLOCK)
    return int(np.abs(likeness[(lags - HISTORY * BLOCK) % size]).argmax())
