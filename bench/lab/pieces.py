"""What cases are made of: strings of keys with marks, noise, bands, companding, hybrids. Float samples at 8000 Hz.

Everything random comes from the generator that is passed in. Levels are dBm0 as dsp.levels has them; that of a key is
its stronger tone's, twist is high minus low group in dB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ...dsp import g711, generate
from ...dsp.levels import RATE, ms, ratio, rms

Signal = NDArray[np.float64]
Samples = NDArray[np.int16]


@dataclass(frozen=True)
class Case:
    """One signal and what is right for it. `expect`: the keys in order, or the name of a tone, or nothing.

    `value` is what its group sweeps. `begins`: the sample before which no tone is right. `sent`: what we play."""

    group: str
    value: float
    expect: str
    samples: Samples
    begins: int = 0
    sent: Samples | None = None


@dataclass(frozen=True)
class Context:
    """What a family is given: its own generator, how many of each case (1 is the full corpus), recorded prompts."""

    rng: np.random.Generator
    scale: float
    prompts: Samples

    def times(self, full: int) -> range:
        """As many repetitions as this scale makes of `full`, at least one."""
        return range(max(1, int(full * self.scale)))

    def prompt(self, samples: int) -> Samples:
        """So much of our own prompts, from anywhere in them."""
        begin = int(self.rng.integers(len(self.prompts) - samples))
        return self.prompts[begin : begin + samples]


Family = Callable[[Context], Iterator[Case]]


@dataclass(frozen=True)
class Keyed:
    """A string of keys as float samples, and the (begin, end) of each."""

    signal: Signal
    marks: list[tuple[int, int]]


def shuffled(rng: np.random.Generator, keys: str = generate.KEYS) -> str:
    """Each of these once, in any order."""
    return "".join(rng.permutation(list(keys)))


def tones(rng: np.random.Generator, samples: int, frequencies: Sequence[float], levels: Sequence[float]) -> Signal:
    """A sum of sines in any phase, one level each."""
    return generate.tones(frequencies, levels, samples, phases=list(rng.uniform(0, 2 * np.pi, len(frequencies))))


def keyed(
    rng: np.random.Generator,
    digits: str,
    on_ms: float | Sequence[float] = 50.0,
    off_ms: float | Sequence[float] = 50.0,
    level: float = -13.0,
    twist: float = 0.0,
    off_percent: float | tuple[float, float] = 0.0,
    *,
    ramp_ms: float = 0.0,
) -> Keyed:
    """These keys, each in a phase of its own, 40 to 90 ms of silence before and 80 ms after them."""
    ons = [on_ms] * len(digits) if isinstance(on_ms, float | int) else list(on_ms)
    offs = [off_ms] * len(digits) if isinstance(off_ms, float | int) else list(off_ms)
    at = ms(rng.uniform(40, 90))
    parts, marks = [np.zeros(at)], []
    for digit, on, off in zip(digits, ons, offs, strict=True):
        first, second = rng.uniform(0, 2 * np.pi, 2)
        key = generate.key(digit, on, level, twist, off_percent, ramp_ms=ramp_ms, phases=(first, second))
        parts += [key, np.zeros(ms(off))]
        marks.append((at, at + len(key)))
        at += len(key) + ms(off)
    return Keyed(np.concatenate([*parts, np.zeros(ms(80))]), marks)


def by_hand(rng: np.random.Generator, count: int) -> tuple[list[float], list[float]]:
    """How long people hold keys and pause, in ms: lognormal about 120 and 160, as the laboratory has them."""
    on = np.clip(rng.lognormal(np.log(120), 0.4, count), 48, 500)
    off = np.clip(rng.lognormal(np.log(160), 0.6, count), 45, 1500)
    return on.tolist(), off.tolist()


def white(rng: np.random.Generator, samples: int, level: float) -> Signal:
    """Noise from 0 to 4000 Hz of this total power."""
    return rng.standard_normal(samples) * rms(level)


def on_a_line(rng: np.random.Generator, signal: Signal, floor: float = -68.0) -> Samples:
    """int16, with the line's own noise."""
    return generate.to_int16(signal + white(rng, len(signal), floor))


def active_rms(signal: Signal) -> float:
    """Root mean square of what is louder than a twentieth of the loudest: pauses do not count."""
    loud = np.abs(signal) > 0.05 * np.max(np.abs(signal), initial=0.0)
    return float(np.sqrt(np.mean(signal[loud] ** 2))) if loud.any() else 1.0


def at_level(signal: Signal, level: float) -> Signal:
    """Scaled so that it is so loud while it sounds."""
    return signal * (rms(level) / active_rms(signal))


def band(signal: Signal, low: float = 300.0, high: float = 3400.0) -> Signal:
    """A telephone channel: Butterworth, fourth order."""
    from scipy.signal import sosfilt

    result: Signal = sosfilt(_sections(low, high), signal)
    return result


@cache
def _sections(low: float, high: float) -> Signal:
    from scipy.signal import butter

    sections: Signal = butter(4, [low, high], "bandpass", fs=RATE, output="sos")
    return sections


def alaw(samples: Samples) -> Samples:
    """Through A-law and back."""
    return g711.alaw_decode(g711.alaw_encode(samples))


def mulaw(samples: Samples) -> Samples:
    """Through mu-law and back."""
    return g711.mulaw_decode(g711.mulaw_encode(samples))


def hybrid(rng: np.random.Generator, sent: Signal, loss_db: float) -> Signal:
    """What comes back of a signal: up to 6 ms later, smeared over 6 ms, so much weaker."""
    taps = rng.standard_normal(48) * np.exp(-np.arange(48) / rng.uniform(4, 12))
    taps[0] += 2.0 * rng.choice([-1, 1])
    taps *= ratio(-loss_db) / np.sqrt(np.sum(taps**2))
    delay = ms(rng.uniform(0, 6))
    return np.concatenate([np.zeros(delay), np.convolve(sent, taps)])[: len(sent)]
