"""What hearing keys costs: a tick of many lines, and a file.

    OPENBLAS_NUM_THREADS=1 python -m hotline.bench.dsp_speed

Each tick is fed several times over and its cheapest run counts, so that a busy machine does not blur the figures.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one core, before numpy is loaded

import time

import numpy as np

from ..dsp import dtmf
from ..dsp.levels import RATE
from .carried import MINUTE, SIGNALS, frames, spread

LINES = (1, 16, 128, 1024)
ROUNDS = 7


def tick(lines: int, name: str) -> float:
    """Seconds of processor time of one tick of so many lines, the mean of all ticks' cheapest runs."""
    ticks = frames(spread(SIGNALS[name](np.random.default_rng(1), MINUTE), lines))
    detector = dtmf.Detector(lines)
    best = np.full(len(ticks), np.inf)
    for _ in range(ROUNDS):
        for k, frame in enumerate(ticks):
            began = time.process_time()
            detector.feed(frame)
            best[k] = min(best[k], time.process_time() - began)
    return float(best.mean())


def file(name: str) -> float:
    """Seconds of audio a processor second gets through when a recording is fed whole."""
    signal = np.tile(SIGNALS[name](np.random.default_rng(1), MINUTE), 10)[None]
    best = np.inf
    for _ in range(ROUNDS):
        detector = dtmf.Detector(1)
        began = time.process_time()
        detector.feed(signal)
        best = min(best, time.process_time() - began)
    return float(signal.shape[1] / RATE / best)


def main() -> None:
    """Print the table."""
    print(f"{'DTMF':8}" + "".join(f"{lines:>9} lines" for lines in LINES) + "   whole file")
    for name in SIGNALS:
        ticks = [tick(lines, name) for lines in LINES]
        print(f"{name:8}" + "".join(f"{1e6 * cost:12.0f} us" for cost in ticks) + f"{file(name):12.0f} x real time")
        print(f"{'':8}" + "".join(f"{lines * 0.02 / cost:13.0f} x" for lines, cost in zip(LINES, ticks, strict=True)))


if __name__ == "__main__":
    main()
