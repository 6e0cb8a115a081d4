"""Telephone signals as int16 samples at 8000 Hz: keys, tones in cadence, silence, noise.

Everything here is a pure function; noise takes its generator from the caller so that a test can repeat it. Signals
that would leave 16 bits are clipped, as a real channel does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from .levels import RATE, amplitude, ms, rms

LOW = (697.0, 770.0, 852.0, 941.0)  # ITU-T Q.23, Hz
HIGH = (1209.0, 1336.0, 1477.0, 1633.0)
KEYS = "123A456B789C*0#D"  # row by row: key i is LOW[i // 4] with HIGH[i % 4]
TONES_OF = np.array([np.arange(16) // 4, 4 + np.arange(16) % 4])  # of each key, as indexes of LOW + HIGH

Samples = NDArray[np.int16]
Signal = NDArray[np.float64]


def to_int16(signal: Signal) -> Samples:
    """Round and clip to 16 bits."""
    return np.clip(np.rint(signal), -32768, 32767).astype(np.int16)


def silence(duration_ms: float) -> Samples:
    """Nothing, for so long."""
    return np.zeros(ms(duration_ms), np.int16)


def tones(
    frequencies: Sequence[float],
    levels_dbm0: Sequence[float],
    samples: int,
    *,
    ramp_ms: float = 0.0,
    phases: Sequence[float] | None = None,
) -> Signal:
    """A sum of sines, one level each, as float samples not yet clipped. The edges rise and fall as a raised cosine of
    `ramp_ms`; phases are in radians, zero if not given."""
    time = np.arange(samples) / RATE
    signal = np.zeros(samples)
    for frequency, level, phase in zip(frequencies, levels_dbm0, phases or [0.0] * len(frequencies), strict=True):
        signal += amplitude(level) * np.sin(2 * np.pi * frequency * time + phase)
    ramp = min(ms(ramp_ms), samples // 2)
    if ramp:
        edge = 0.5 - 0.5 * np.cos(np.pi * (np.arange(ramp) + 0.5) / ramp)
        signal[:ramp] *= edge
        signal[samples - ramp :] *= edge[::-1]
    return signal


def tone(frequency: float, duration_ms: float, level_dbm0: float = -10.0, *, ramp_ms: float = 0.0) -> Samples:
    """One sine."""
    return to_int16(tones([frequency], [level_dbm0], ms(duration_ms), ramp_ms=ramp_ms))


def cadence(
    frequencies: Sequence[float],
    pattern_s: Iterable[tuple[float, float]],
    duration_s: float,
    level_dbm0: float = -10.0,
) -> Samples:
    """A call-progress tone: (on, off) seconds over and over, cut at `duration_s`; an off of 0 after the only on is a
    continuous tone. The level is that of all frequencies together, as tone plans state it."""
    pattern = list(pattern_s)
    return sequence([frequencies] * len(pattern), pattern, duration_s, level_dbm0)


def sequence(
    sounds: Sequence[Sequence[float]],
    pattern_s: Sequence[tuple[float, float]],
    duration_s: float,
    level_dbm0: float = -10.0,
) -> Samples:
    """A cadence whose every `on` has frequencies of its own, as those of a plan's entry (its `sounds` and `pattern`).
    Each sine keeps its phase through the pauses. Raises ValueError for a cadence that lasts no time."""
    steps = [(round(on * RATE), round(off * RATE)) for on, off in pattern_s]
    samples = round(duration_s * RATE)
    if sum(on + off for on, off in steps) <= 0:
        raise ValueError("a cadence needs at least one (on, off) pair that lasts longer than nothing")
    which = np.resize(np.concatenate([np.repeat([step, -1], pair) for step, pair in enumerate(steps)]), samples)
    signal = np.zeros(samples)
    for frequencies in dict.fromkeys(map(tuple, sounds)):
        each = [level_dbm0 - 10.0 * np.log10(len(frequencies))] * len(frequencies)
        on = np.isin(which, [step for step, sound in enumerate(sounds) if tuple(sound) == frequencies])
        signal += tones(frequencies, each, samples) * on
    return to_int16(signal)


def key(
    digit: str,
    on_ms: float = 70.0,
    level_dbm0: float = -10.0,
    twist_db: float = 0.0,
    deviation_percent: float | tuple[float, float] = 0.0,
    *,
    ramp_ms: float = 0.0,
    phases: tuple[float, float] = (0.0, 0.0),
) -> Signal:
    """One key press as float samples. The level is that of the stronger tone, twist is high group minus low group in
    dB, the deviation one percentage for both tones or one each. Raises ValueError for a key that is none of KEYS."""
    if len(digit) != 1 or digit not in KEYS:
        raise ValueError(f"{digit!r} is not a DTMF key; there are {KEYS}")
    row, column = divmod(KEYS.index(digit), 4)
    low_off, high_off = deviation_percent if isinstance(deviation_percent, tuple) else (deviation_percent,) * 2
    frequencies = (LOW[row] * (1 + low_off / 100), HIGH[column] * (1 + high_off / 100))
    levels = (level_dbm0 - max(twist_db, 0.0), level_dbm0 + min(twist_db, 0.0))
    return tones(frequencies, levels, ms(on_ms), ramp_ms=ramp_ms, phases=phases)


def dtmf(
    digits: str,
    on_ms: float = 70.0,
    off_ms: float = 70.0,
    level_dbm0: float = -10.0,
    twist_db: float = 0.0,
    deviation_percent: float | tuple[float, float] = 0.0,
    *,
    ramp_ms: float = 0.0,
) -> Samples:
    """A string of keys, each followed by its pause; parameters as for `key`."""
    parts: list[Signal] = []
    for digit in digits:
        parts += [key(digit, on_ms, level_dbm0, twist_db, deviation_percent, ramp_ms=ramp_ms), np.zeros(ms(off_ms))]
    return to_int16(np.concatenate(parts)) if parts else silence(0)


def noise(duration_ms: float, level_dbm0: float, rng: np.random.Generator) -> Samples:
    """White noise from 0 to 4000 Hz with this total power."""
    return to_int16(rng.standard_normal(ms(duration_ms)) * rms(level_dbm0))


def mix(*signals: Samples | Signal) -> Samples:
    """The sum of signals, as long as the longest."""
    total = np.zeros(max((len(signal) for signal in signals), default=0))
    for signal in signals:
        total[: len(signal)] += signal
    return to_int16(total)
