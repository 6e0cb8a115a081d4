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

All lines' windows are multiplied by all sines in one matrix product for each hop, straight from where the samples are
kept; frames may be cut anywhere. Exactly where a sine is, is asked only where one may be a tone.
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

BEHIND = LONG_WINDOW + HOP  # samples kept of those before the last ones fed
ROOM = 4 * 160  # samples, four ticks: so many are fed before what is kept is moved

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
    """Shape (hops, sounds, lines) each, but `heard`: (hops, lines), the power of all there is above 200 Hz; 0 where it
    was not asked for and no sound is strong enough to be a tone."""

    power: Real
    frequency: Real
    pure: NDArray[np.bool_]
    heard: Real


class Bank:
    """The front end over `lines` lines; keeps what a window needs from the frames before. `everywhere`: `heard` is
    wanted of every hop."""

    def __init__(self, lines: int, sounds: Sequence[Sound], *, everywhere: bool = False) -> None:
        windows = [_window(sound) for sound in sounds]
        self.parts = max(windows) // HOP  # hops a window spans
        self.lead = self.parts * HOP // 2  # samples from the middle of a window to its end
        self._lines = lines
        self._everywhere = everywhere
        self._first = np.cumsum([0] + [len(sound.frequencies) for sound in sounds[:-1]])
        self._centre = np.array([f for sound in sounds for f in sound.frequencies], np.float32)
        spread = np.array([sound.tolerance for sound in sounds for _ in sound.frequencies], np.float32)
        each = np.array([window for sound, window in zip(sounds, windows, strict=True) for _ in sound.frequencies])
        self._bins = np.stack([self._centre - spread / 2, self._centre + spread / 2])  # (2, sines)
        self._turn: NDArray[np.complex64] = np.exp(-2j * np.pi * self._bins * HOP / RATE).astype(np.complex64)
        self._reach = (spread + HOP_SPREAD).astype(np.float32)
        self._gain = np.stack([_gain(s, w) for s, w in zip(spread, each, strict=True)], axis=1).astype(np.float32)
        far = self._reach**2
        gain_at_reach = self._gain[0] + far * (self._gain[1] + far * self._gain[2])  # the most it is corrected
        self._power, self._at_most = (_adding(self._first, gain) for gain in (self._gain[0], gain_at_reach))
        self._floor = np.array([amplitude(sound.quietest) ** 2 * MARGIN for sound in sounds], np.float32)
        kinds = sorted(set(windows))
        self._kind = np.array([kinds.index(window) for window in windows])
        span = self.parts * HOP
        self._basis = np.ascontiguousarray(_tone_rows(self._bins, each, span).T, np.float32)
        self._hum = np.concatenate([_hum_rows(kind, span) for kind in kinds]).T.astype(np.float32)
        shapes = [_padded(hann(kind), span) ** 2 * 2.0 / np.sum(hann(kind) ** 2) for kind in kinds]
        self._energy = np.stack(shapes, axis=1).astype(np.float32)
        self._of_kind = np.repeat(np.eye(len(kinds), dtype=np.float32), HUM_ROWS, axis=0)
        self._kept = np.zeros((lines, BEHIND + ROOM), np.float32)
        self._end = BEHIND  # in `_kept`
        self._rest = 0  # samples after the last hop
        self._before = np.zeros((1, lines, 2 * len(self._centre)), np.complex64)

    def reset(self, line: int) -> None:
        """Forget what this line has sent."""
        self._kept[line] = self._before[:, line] = 0

    def feed(self, frames: NDArray[np.int16]) -> Hops:
        """The hops that are complete with these frames, shape (lines, n), any n."""
        self._keep(frames)
        hops, self._rest = divmod(self._rest + frames.shape[1], HOP)
        windows = self._windows(self._end - self._rest, hops)
        return self._measure(windows, self._waves(windows))

    def _waves(self, windows: Real) -> Real:
        """All windows (hops, lines, span) multiplied by all sines. No sample is copied: one operand is the windows of a
        hop, or, in a file, those of a line that do not overlap."""
        hops, lines, _ = windows.shape
        if hops <= lines:
            of_hops: Real = np.matmul(windows, self._basis)
            return of_hops
        waves = np.empty((hops, lines, self._basis.shape[1]), np.float32)
        for line in range(lines):
            for k in range(min(self.parts, hops)):
                waves[k :: self.parts, line] = windows[k :: self.parts, line] @ self._basis
        return waves

    def recent(self, line: int, before: int) -> Real:
        """The LONG_WINDOW of one line's samples that ends `before` samples before the last one fed; known as far back
        as BEHIND samples before the frames fed last."""
        end = self._end - before
        return self._kept[line, end - LONG_WINDOW : end]

    def _keep(self, frames: NDArray[np.int16]) -> None:
        count = frames.shape[1]
        if self._end + count > self._kept.shape[1]:
            last = self._kept[:, self._end - BEHIND : self._end]
            if BEHIND + count > self._kept.shape[1]:
                self._kept = np.empty((self._lines, BEHIND + count), np.float32)
            self._kept[:, :BEHIND] = last
            self._end = BEHIND
        self._kept[:, self._end : self._end + count] = frames
        self._end += count

    def _windows(self, end: int, hops: int) -> Real:
        """Each hop's window of each line, the last one up to here in `_kept`: a view, (hops, lines, span)."""
        span = len(self._basis)
        line, sample = self._kept.strides
        first = (end - (hops - 1) * HOP - span) * sample
        return np.ndarray((hops, self._lines, span), np.float32, self._kept, first, (HOP * sample, line, sample))

    def _measure(self, windows: Real, waves: Real) -> Hops:
        squares = np.square(waves).transpose(0, 2, 1)
        power, at_most = self._power @ squares, self._at_most @ squares
        frequency, pure = np.zeros_like(power), np.zeros(power.shape, np.bool_)
        heard = np.zeros(waves.shape[:2], np.float32)
        last = np.concatenate([self._before, waves.view(np.complex64)])
        self._before = last[len(waves) :]
        hop, line = np.nonzero((at_most >= self._floor[:, None]).any(axis=1) | self._everywhere)
        if len(hop):
            whole = self._heard(windows[hop, line])
            heard[hop, line] = whole[:, 0]
            least = np.maximum(PURITY * np.maximum(whole, np.float32(1.0))[:, self._kind], self._floor)
            near = at_most[hop, :, line] >= least
            some = np.flatnonzero(near.any(axis=1))
            hop, line, near, least = hop[some], line[some], near[some], least[some]
        if len(hop):
            found = self._look_closer(last[hop, line], last[hop + 1, line])
            power[hop, :, line] = np.where(near, found.power, power[hop, :, line])
            frequency[hop, :, line] = found.frequency
            pure[hop, :, line] = near & found.pure & (found.power >= least)
        return Hops(power, frequency, pure, heard)

    def _heard(self, samples: Real) -> Real:
        """The power above 200 Hz in windows of samples, (n, span), which are used up, through each kind of window:
        (n, kinds)."""
        low = np.square(samples @ self._hum) @ self._of_kind
        np.square(samples, out=samples)
        whole: Real = np.maximum(samples @ self._energy - low, np.float32(0.0))
        return whole

    def _look_closer(self, before: NDArray[np.complex64], now: NDArray[np.complex64]) -> Hops:
        """Frequencies, and what depends on them, of hops that may be pure; shapes (n, ...)."""
        sines = len(self._centre)
        advance = (now * before.conj()).reshape(-1, 2, sines) * self._turn
        strength = (now.real**2 + now.imag**2).reshape(-1, 2, sines)
        lower = strength[:, 0] >= strength[:, 1]
        turned = np.angle(np.where(lower, advance[:, 0], advance[:, 1]))
        frequency = np.where(lower, self._bins[0], self._bins[1]) + turned * np.float32(RATE / (2 * np.pi * HOP))
        off = np.abs(frequency - self._centre)
        square_off = np.square(np.minimum(off, self._reach))
        each = strength[:, 0] + strength[:, 1]
        corrected = each * (self._gain[0] + square_off * (self._gain[1] + square_off * self._gain[2]))
        right = off <= self._reach
        if sines == len(self._first):
            return Hops(corrected, frequency, right, corrected)
        total = np.add.reduceat(corrected, self._first, axis=1)
        pure = np.logical_and.reduceat(right, self._first, axis=1)
        pure &= np.minimum.reduceat(corrected, self._first, axis=1) >= UNBALANCE * total
        return Hops(total, frequency[:, self._first], pure, total)


def strongest_other(samples: NDArray[np.int16] | Real, frequencies: Sequence[float]) -> float:
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
    """Rows of the matrix, (4 * sines, span): real and imaginary part of each lower bin, then of each upper one."""
    return np.stack(
        [
            _padded(row, span)
            for side in bins
            for frequency, window in zip(side, windows, strict=True)
            for row in basis([frequency], hann(int(window)))
        ]
    )


def _adding(first: NDArray[np.int_], gain: Real) -> Real:
    """The matrix that adds up the squares of each sound's rows, times the gain of its sines: (sounds, 4 * sines).
    `first`: the first sine of each sound."""
    sound = np.searchsorted(first, np.arange(len(gain)), side="right") - 1
    each = np.where(sound == np.arange(len(first))[:, None], gain, np.float32(0.0))
    return np.tile(np.repeat(each, 2, axis=1), (1, 2))


def _hum_rows(window: int, span: int) -> NDArray[np.float64]:
    """Rows whose squares add up to the energy that DC, hum and its harmonics have in this window, in units of power:
    (7, span)."""
    time = (np.arange(window) - (window - 1) / 2) / RATE
    waves = [wave(2 * np.pi * f * time) for f in HUM for wave in (np.cos, np.sin) if f or wave is np.cos]
    orthonormal, _ = np.linalg.qr(np.stack(waves, axis=1) * hann(window)[:, None])
    shape = hann(window) * np.sqrt(2.0 / np.sum(hann(window) ** 2))
    return np.stack([_padded(row * shape, span) for row in orthonormal.T])


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
