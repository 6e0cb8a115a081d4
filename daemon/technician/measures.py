"""What a stretch of line sounds like, as figures: pure functions of samples (int16, 8000 Hz, shape (n,)).

How far each may be off was seen on simulated lines whose truth is known: tests/daemon/technician/test_measures.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...dsp import learn
from ...dsp.levels import RATE, ms, power_dbm0, rms, sine_dbm0

HUM = (50.0, 100.0, 150.0)  # Hz; what else there is below this band is counted as noise
LOWEST_TONE, FAINTEST_TONE = 300.0, -45.0  # Hz and dBm0, as tone plans have them
LONGEST_ECHO = ms(600)  # a sound card's buffers there and back, and a network's
PROBE_DBM0 = -13.0  # dBm0: loud enough to be found, 3 dB below the usual level of speech on the line
PROBE_SECONDS = 1.5
TAPS = ms(32)  # hybrids ring for 2-8 ms, seldom longer than 16
LEAD = ms(4)  # before the strongest echo
SILENT_DBM0 = -80.0  # weaker than that is rounding
HIDDEN_DB = 12.0  # dB an echo is under all else when it is none: of noise alone least squares explain so much less

Samples = NDArray[np.int16]


@dataclass(frozen=True)
class Quiet:
    """A line on which nobody speaks: dBm0 of everything but DC and hum, and of hum; DC in steps of 16 bits."""

    noise_dbm0: float
    hum_dbm0: float
    dc: float


@dataclass(frozen=True)
class DialTone:
    """Hz, rising, and dBm0 of all of them together; `cadence` on, off, ... in seconds, empty if it does not pause."""

    frequencies: tuple[float, ...]
    cadence: tuple[float, ...]
    level_dbm0: float


@dataclass(frozen=True)
class Echo:
    """What comes back of what we send: dB weaker, ms later; `taps` is the echo of a click, from `delay_ms` on."""

    loss_db: float
    delay_ms: float
    taps: tuple[float, ...]


def quiet(samples: Samples) -> Quiet:
    """Figures of a stretch of at least 100 ms."""
    whole = len(samples) // ms(20) * ms(20)  # whole periods of 50 Hz: DC, hum and the rest are apart by themselves
    signal = samples[:whole].astype(np.float64)
    mean = float(signal.mean())
    rest = signal - mean
    time = np.arange(whole) / RATE
    hum = 0.0
    for frequency in HUM:
        turn = np.exp(-2j * np.pi * frequency * time)
        wave = 2 * complex(rest @ turn) / whole
        rest -= (wave * turn.conj()).real
        hum += abs(wave) ** 2
    return Quiet(float(power_dbm0(rest)), float(sine_dbm0(np.sqrt(hum))), mean)


def dial_tone(samples: Samples) -> DialTone | None:
    """The steady tone in some four seconds, or None."""
    try:
        found = learn.learn(samples)
    except learn.NotLearned:
        return None
    return DialTone(found.frequencies, found.cadence, found.level_dbm0)


def tonal(samples: Samples) -> bool:
    """Whether a stretch of some tenths of a second is a signal tone rather than silence, noise or speech: one sine has
    half the power or more, and is no hum."""
    window = np.hanning(len(samples))
    power = np.abs(np.fft.rfft(samples.astype(np.float64) * window, 4 * len(samples))) ** 2
    power[: round(LOWEST_TONE * 4 * len(samples) / RATE)] = 0
    top, reach = int(power.argmax()), 10  # bins of a quarter of the window's: its main lobe is 8 of them wide
    lobe = power[max(0, top - reach) : top + reach + 1].sum()
    return bool(power_dbm0(samples) > FAINTEST_TONE and lobe > power.sum() / 2)


def probe() -> Samples:
    """White noise to find the echo with, always the same."""
    noise = np.random.default_rng(12329).standard_normal(round(PROBE_SECONDS * RATE)) * rms(PROBE_DBM0)
    return np.clip(np.rint(noise), -32768, 32767).astype(np.int16)


def echo(sent: Samples, received: Samples) -> Echo | None:
    """The echo of `sent` in what was received meanwhile, same length; None if what comes back is hidden by noise.

    A correlation finds how long the way is, least squares over all of it what it does. (dsp/echo_path.py learns from
    speech and in a call; a probe that is white and seconds long needs none of its care, and gateways and sound cards
    are farther away than it looks.)"""
    x, y = sent.astype(np.float64), received.astype(np.float64)
    size = 1 << (2 * len(x) - 1).bit_length()
    own = np.fft.rfft(x, size)
    likeness = np.fft.irfft(np.fft.rfft(y, size) * own.conj(), size)
    lag = max(0, int(np.abs(likeness[:LONGEST_ECHO]).argmax()) - LEAD)
    row = np.fft.irfft(own * own.conj(), size)[:TAPS]
    apart = np.abs(np.subtract.outer(np.arange(TAPS), np.arange(TAPS)))
    taps = np.linalg.solve(row[apart] + np.eye(TAPS), likeness[lag : lag + TAPS])
    way = np.concatenate([np.zeros(lag), np.convolve(x, taps)])[: len(y)]
    if power_dbm0(way) < max(float(power_dbm0(y - way)) - HIDDEN_DB, SILENT_DBM0):
        return None
    delay = (lag + int(np.abs(taps).argmax())) * 1000 / RATE
    return Echo(-10 * float(np.log10(taps @ taps)), delay, tuple(np.round(taps, 5).tolist()))
