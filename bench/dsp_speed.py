"""What hearing keys costs: a tick of many lines, and a file.

    OPENBLAS_NUM_THREADS=1 python -m hotline.bench.dsp_speed

The lines carry speech (the shipped prompts), keys without end, or near silence. Each tick is fed several times over and
its cheapest run counts, so that a busy machine does not blur the figures.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one core, before numpy is loaded

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from ..dsp import dtmf, generate, levels

LINES = (1, 16, 128, 1024)
SECONDS = 1.0
ROUNDS = 7
Samples = NDArray[np.int16]


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
    """A listening caller: line noise of -60 dBm0."""
    return generate.noise(samples * 1000 / levels.RATE, -60.0, rng)


SIGNALS: dict[str, Callable[[np.random.Generator, int], Samples]] = {"speech": speech, "keys": keying, "quiet": quiet}


def tick(lines: int, name: str) -> float:
    """Seconds of processor time of one tick of so many lines, the mean over a second's ticks."""
    rng = np.random.default_rng(1)
    kinds = [SIGNALS[name](rng, int(SECONDS * levels.RATE)) for _ in range(min(lines, 64))]
    signal = np.stack([np.roll(kinds[k % len(kinds)], 37 * k) for k in range(lines)])
    frames = [np.ascontiguousarray(signal[:, k : k + 160]) for k in range(0, signal.shape[1], 160)]
    detector = dtmf.Detector(lines)
    best = np.full(len(frames), np.inf)
    for _ in range(ROUNDS):
        for k, frame in enumerate(frames):
            began = time.process_time()
            detector.feed(frame)
            best[k] = min(best[k], time.process_time() - began)
    return float(best.mean())


def file(name: str) -> float:
    """Seconds of audio a processor second gets through when a recording is fed whole."""
    rng = np.random.default_rng(1)
    signal = np.tile(SIGNALS[name](rng, 60 * levels.RATE), 10)[None]
    best = np.inf
    for _ in range(ROUNDS):
        detector = dtmf.Detector(1)
        began = time.process_time()
        detector.feed(signal)
        best = min(best, time.process_time() - began)
    return float(signal.shape[1] / levels.RATE / best)


def main() -> None:
    """Print the table."""
    print(f"{'DTMF':8}" + "".join(f"{lines:>9} lines" for lines in LINES) + "   whole file")
    for name in SIGNALS:
        ticks = [tick(lines, name) for lines in LINES]
        print(f"{name:8}" + "".join(f"{1e6 * cost:12.0f} us" for cost in ticks) + f"{file(name):12.0f} x real time")
        print(f"{'':8}" + "".join(f"{lines * 0.02 / cost:13.0f} x" for lines, cost in zip(LINES, ticks, strict=True)))


if __name__ == "__main__":
    main()
