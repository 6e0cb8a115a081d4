"""What telephone lines carry, for measurements of speed. int16 samples at 8000 Hz, as long as asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from ..dsp import generate
from ..dsp.levels import RATE, ms

TICK = 160
MINUTE = 60 * RATE
LEAST_TICKS = 100
GOLDEN = 0.618  # lines begin as evenly spread as any number of them can
NOISE = -60.0  # dBm0, of a line nobody speaks on

Samples = NDArray[np.int16]
Signal = Callable[[np.random.Generator, int], Samples]


def speech(rng: np.random.Generator, samples: int) -> Samples:
    """The shipped prompts one after another, from anywhere in them."""
    files = sorted((Path(__file__).parent.parent / "voice" / "prompts").glob("**/*.wav"))
    parts = [soundfile.read(file, dtype="int16")[0] for file in files]
    return np.resize(np.roll(np.concatenate(parts), -int(rng.integers(1 << 20))), samples)


def keying(rng: np.random.Generator, samples: int) -> Samples:
    """Somebody keys without pause, 100 ms a key."""
    digits = "".join(rng.choice(list(generate.KEYS), samples // 1600 + 1))
    return generate.mix(generate.silence(rng.uniform(0, 200)), generate.dtmf(digits, 100, 100))[:samples]


def quiet(rng: np.random.Generator, samples: int) -> Samples:
    """A listening caller: line noise."""
    return generate.noise(samples * 1000 / RATE, NOISE, rng)


def call(rng: np.random.Generator, samples: int) -> Samples:
    """Calls of a minute one after another: 27 keys by hand (two menus, an ID number, a PIN, once more), the rest is
    listened, but for ten seconds in which the caller speaks."""
    minutes = []
    for _ in range(-(-samples // MINUTE)):
        keys = [
            generate.dtmf(key, rng.uniform(80, 160), rng.uniform(120, 350))
            for key in rng.choice(list("0123456789"), 27)
        ]
        said = [generate.silence(5000), *keys, generate.silence(20_000), speech(rng, ms(10_000))]
        minutes.append(np.concatenate([*said, np.zeros(MINUTE, np.int16)])[:MINUTE])
    return generate.mix(np.concatenate(minutes)[:samples], quiet(rng, samples))


def busy(rng: np.random.Generator, samples: int) -> Samples:
    """China's busy tone without end."""
    return generate.cadence([450.0], [(0.35, 0.35)], samples / RATE)


SIGNALS: dict[str, Signal] = {"speech": speech, "calls": call, "keys": keying, "quiet": quiet}
TONE_SIGNALS: dict[str, Signal] = {"speech": speech, "busy": busy, "quiet": quiet}


def spread(samples: Samples, lines: int) -> Samples:
    """int16 (lines, n): each line carries another part of the samples, two seconds at least, a minute together."""
    count = TICK * max(LEAST_TICKS, MINUTE // TICK // lines)
    begins = (np.arange(lines) * GOLDEN % 1 * (len(samples) - count)).astype(np.int64)
    block: Samples = samples[begins[:, None] + np.arange(count)]
    return block


def frames(block: Samples) -> list[Samples]:
    """The ticks of a block (lines, n), each a piece of memory of its own."""
    return [np.ascontiguousarray(block[:, at : at + TICK]) for at in range(0, block.shape[1], TICK)]
