"""How much of what is heard is one steady tone: level, frequency and purity of chosen sounds every 10 ms.

A *sound* is one frequency, or several together, somewhere within a tolerance of where they should be. For each sound
and each 10 ms hop the bank gives

    power      squared amplitude of its sines together, in squared sample units (a full-scale sine has 32767 ** 2)
    pure       whether the hop is this sound and hardly anything else: the sound is half of all power above 200 Hz
               (as with white noise just as strong), its frequencies are right, and none of several sines is missing.
               What is below 200 Hz (DC, hum and its harmonics) does not count
    frequency  of its first sine, Hz, by phase advance from hop to hop; 0 where the hop cannot be pure

measured through a Hann window of 30 ms (50 ms for sines too close to be told apart by that). Two bins stand in for a
frequency, half its tolerance to either side, so a tone anywhere within the tolerance is seen alike.

Each 10 ms block of samples is multiplied once, by every part of every window, in one matrix product for all lines;
a window is the sum of its parts over successive blocks. So frames may be cut anywhere and no sample is copied twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .goertzel import basis, hann
from .levels import RATE, amplitude, ratio

HOP = 80  # samples, 10 ms
WINDOW = 240  # samples, 30 ms: a 60 ms tone fills three windows, and sines 67 Hz apart do not see each other
LONG_WINDOW = 400  # samples, 50 ms: for sines from 40 Hz apart (440 + 480 Hz, 400 + 450 Hz)
CLOSE = 67.0  # Hz
HUM = (0.0, 50.0, 100.0, 150.0)  # Hz: what is not counted as heard
HUM_ROWS = 2 * len(HUM) - 1

PURITY = 0.5  # of the power above 200 Hz: white noise as strong as the tone
HOP_SPREAD = 6.0  # Hz that noise 6 dB under the tone moves the frequency of a single hop
UNBALANCE = ratio(-12.0) ** 2  # the weakest of several sines, to the sum of all
MARGIN = ratio(-3.0) ** 2  # a hop may be so much weaker than the quietest tone

Real = NDArray[np.float32]


class Sound(NamedTuple):
    """Sines that sound together: Hz, how far each may be off (Hz), and the quietest level of the sum (dBm0)."""

    frequencies: tuple[float, ...]
    tolerance: float
    quietest: float


class Hops(NamedTuple):
    """Shape (lines, hops, sounds) each, but `heard`: (lines, hops), the power of all there is above 200 Hz."""

    power: Real
    frequency: Real
    pure: NDArray[np.bool_]
    heard: Real


class Bank:
    """The front end over `lines` lines; keeps what a window needs from the frames before."""

    def __init__(self, lines: int, sounds: Sequence[Sound]) -> None:
        windows = [_window(sound) for sound in sounds]
        self.parts = max(windows) // HOP  # blocks a window spans
        self.lead = self.parts * HOP // 2  # samples from the middle of a window to its end
        self._lines = lines
        self._first = np.cumsum([0] + [len(sound.frequencies) for sound in sounds[:-1]])
        self._centre = np.array([f for sound in sounds for f in sound.frequencies], np.float32)
        spread = np.array([sound.tolerance for sound in sounds for _ in sound.frequencies], np.float32)
        each = np.array([window for sound, window in zip(sounds, windows, strict=True) for _ in sound.frequencies])
        self._bins = np.stack([self._centre - spread / 2, self._centre + spread / 2])  # (2, sines)
        self._turn: NDArray[np.complex64] = np.exp(-2j * np.pi * self._bins * HOP / RATE).astype(np.complex64)
        self._reach = (spread + HOP_SPREAD).astype(np.float32)
        self._gain = np.stack([_gain(s, w) for s, w in zip(spread, each, strict=True)], axis=1).astype(np.float32)
        far = self._reach**2
        self._gain_at_reach = self._gain[0] + far * (self._gain[1] + far * self._gain[2])  # the most it is corrected
        self._floor = np.array([amplitude(sound.quietest) ** 2 * MARGIN for sound in sounds], np.float32)
        kinds = sorted(set(windows))
        self._kind = np.array([kinds.index(window) for window in windows])
        span = self.parts * HOP
        rows = [_tone_rows(self._bins, each, span), *(_hum_rows(kind, span) for kind in kinds)]
        self._basis = _split(np.concatenate(rows), self.parts)
        self._squares = _split(np.stack([_padded(hann(kind) ** 2, span) for kind in kinds]), self.parts)
        self._energy = np.array([2.0 / np.sum(hann(kind) ** 2) for kind in kinds], np.float32)
        self._rest = np.zeros((lines, 0), np.float32)
        self._sums = np.zeros((lines, self.parts - 1, self._basis.shape[1]), np.float32)
        self._square_sums = np.zeros((lines, self.parts - 1, self._squares.shape[1]), np.float32)
        self._before = np.zeros((lines, 4 * len(self._centre)), np.float32)

    def reset(self, line: int) -> None:
        """Forget what this line has sent."""
        for state in (self._rest, self._sums, self._square_sums, self._before):
            state[line] = 0

    def feed(self, frames: NDArray[np.int16]) -> Hops:
        """The hops that are complete with these frames, shape (lines, n), any n."""
        samples = np.concatenate([self._rest, frames.astype(np.float32)], axis=1)
        hops = samples.shape[1] // HOP
        self._rest = samples[:, hops * HOP :]
        blocks = samples[:, : hops * HOP].reshape(self._lines * hops, HOP)
        sums, self._sums = self._windows(self._sums, blocks @ self._basis, hops)
        square, self._square_sums = self._windows(self._square_sums, (blocks * blocks) @ self._squares, hops)
        return self._measure(sums, square)

    def _windows(self, before: Real, products: Real, hops: int) -> tuple[Real, Real]:
        """Add up the parts of each window: (lines, hops, columns), and what the next windows need of these blocks."""
        blocks = np.concatenate([before, products.reshape(self._lines, hops, products.shape[1])], axis=1)
        columns = blocks.shape[2] // self.parts
        total = blocks[:, :hops, :columns].copy()
        for part in range(1, self.parts):
            total += blocks[:, part : part + hops, part * columns : (part + 1) * columns]
        return total, blocks[:, hops:]

    def _measure(self, sums: Real, square: Real) -> Hops:
        sines = len(self._centre)
        waves, hum = sums[..., : 4 * sines], sums[..., 4 * sines :]
        hum = hum.reshape(*sums.shape[:2], len(self._energy), HUM_ROWS)
        heard = np.maximum(square - np.einsum("lhkr,lhkr->lhk", hum, hum), 0.0) * self._energy
        whole = np.maximum(heard[:, :, self._kind], np.float32(1.0))
        last = np.concatenate([self._before[:, None], waves], axis=1)
        self._before = last[:, -1]
        squares = waves * waves  # added up by slices: numpy sums an axis of four at a tenth of the speed
        each = squares[..., :sines] + squares[..., sines : 2 * sines]
        each += squares[..., 2 * sines : 3 * sines]
        each += squares[..., 3 * sines :]
        power = np.add.reduceat(each * self._gain[0], self._first, axis=2)
        at_most = np.add.reduceat(each * self._gain_at_reach, self._first, axis=2)
        frequency = np.zeros_like(power)
        pure = (at_most >= self._floor) & (at_most >= PURITY * whole)
        lines, hops = np.nonzero(pure.any(axis=2))
        if len(lines):
            found = self._look_closer(last[lines, hops], last[lines, hops + 1], each[lines, hops])
            near = pure[lines, hops]
            power[lines, hops] = np.where(near, found.power, power[lines, hops])
            frequency[lines, hops] = found.frequency
            pure[lines, hops] = near & found.pure & (found.power >= PURITY * whole[lines, hops])
        return Hops(power, frequency, pure, heard[:, :, 0])

    def _look_closer(self, before: Real, now: Real, each: Real) -> Hops:
        """Frequencies, and what depends on them, of hops that may be pure; shapes (n, ...)."""
        sines = len(self._centre)
        shape = (len(now), 2, sines)
        was, is_now = (x[:, : 2 * sines] + 1j * x[:, 2 * sines :] for x in (before, now))
        advance = (is_now * was.conj()).reshape(shape) * self._turn
        strength = (now[:, : 2 * sines] ** 2 + now[:, 2 * sines :] ** 2).reshape(shape)
        lower = strength[:, 0] >= strength[:, 1]
        turned = np.angle(np.where(lower, advance[:, 0], advance[:, 1]))
        frequency = np.where(lower, self._bins[0], self._bins[1]) + turned * np.float32(RATE / (2 * np.pi * HOP))
        off = np.abs(frequency - self._centre)
        square_off = np.minimum(off, self._reach) ** 2
        corrected = each * (self._gain[0] + square_off * (self._gain[1] + square_off * self._gain[2]))
        total = np.add.reduceat(corrected, self._first, axis=1)
        pure = (total >= self._floor) & np.logical_and.reduceat(off <= self._reach, self._first, axis=1)
        if sines > len(self._first):
            pure &= np.minimum.reduceat(corrected, self._first, axis=1) >= UNBALANCE * total
        return Hops(total, frequency[:, self._first], pure, total)


def strongest_other(samples: NDArray[np.int16], frequencies: Sequence[float]) -> float:
    """How strong the strongest sine beside these frequencies and their harmonics is, in dB over the strongest of them.
    `samples`: the LONG_WINDOW to look at. Dearer than a hop of the bank; tells a tone from half of a key press."""
    spectrum = np.abs(np.fft.rfft(samples * hann(LONG_WINDOW)))
    axis = np.fft.rfftfreq(LONG_WINDOW, 1 / RATE)
    ours = np.zeros(len(axis), np.bool_)
    for frequency in frequencies:
        nearest = np.maximum(np.rint(axis / frequency), 1) * frequency
        ours |= np.abs(axis - nearest) < CLOSE
    other = ~ours & (axis > HUM[-1] + CLOSE)
    return float(20 * np.log10((spectrum[other].max() + 1e-3) / (spectrum[ours].max() + 1e-3)))


def _window(sound: Sound) -> int:
    steps = np.diff(np.sort(sound.frequencies))
    return LONG_WINDOW if np.any(steps < CLOSE) else WINDOW


def _padded(window: NDArray[np.float64], span: int) -> NDArray[np.float64]:
    """A window in the middle of the span all windows share."""
    side = (span - len(window)) // 2
    return np.pad(window, (side, span - len(window) - side))


def _tone_rows(bins: NDArray[np.float64], windows: NDArray[np.int_], span: int) -> NDArray[np.float64]:
    """Rows of the matrix, (4 * sines, span): real parts of lower and upper bins, then the imaginary parts."""
    rows = [
        [_padded(row, span) for row in basis([frequency], hann(int(window)))]
        for side in bins
        for frequency, window in zip(side, windows, strict=True)
    ]
    return np.stack([real for real, _ in rows] + [imaginary for _, imaginary in rows])


def _hum_rows(window: int, span: int) -> NDArray[np.float64]:
    """Rows whose squares add up to the energy that DC, hum and its harmonics have in this window, (7, span)."""
    time = (np.arange(window) - (window - 1) / 2) / RATE
    waves = [wave(2 * np.pi * f * time) for f in HUM for wave in (np.cos, np.sin) if f or wave is np.cos]
    orthonormal, _ = np.linalg.qr(np.stack(waves, axis=1) * hann(window)[:, None])
    return np.stack([_padded(row * hann(window), span) for row in orthonormal.T])


def _split(rows: NDArray[np.float64], parts: int) -> Real:
    """Rows (n, span) as columns (HOP, parts * n): one column for each part of each row."""
    return np.ascontiguousarray(rows.reshape(len(rows), parts, HOP).transpose(2, 1, 0).reshape(HOP, -1), np.float32)


def _gain(tolerance: float, window: int) -> NDArray[np.float64]:
    """What to multiply the sum of both bins' powers by to get the sine's squared amplitude: a polynomial (1, x, x ** 2)
    in x = square of its distance from the middle, Hz ** 2, fitted to the window's own response."""
    distance = np.linspace(0.0, tolerance + HOP_SPREAD, 33)
    time = (np.arange(window) - (window - 1) / 2) / RATE

    def response(offset: NDArray[np.float64]) -> NDArray[np.float64]:
        value: NDArray[np.float64] = np.cos(2 * np.pi * np.outer(offset, time)) @ hann(window) / np.sum(hann(window))
        return value**2

    both = response(distance - tolerance / 2) + response(distance + tolerance / 2)
    return np.asarray(np.polynomial.polynomial.polyfit(distance**2, 1.0 / both, 2))
