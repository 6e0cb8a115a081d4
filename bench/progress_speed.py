"""What a tick of call-progress detection costs, by lines and by what is on them.

    python -m hotline.bench.progress_speed [--plan cn]

One tick is 20 ms. "talk" is noise with syllables, "busy" has a busy tone on every line, each at its own phase: the
dearest case, for each burst is looked at one by one. Each tick is fed several times over and its cheapest run counts.
The file rows feed one line in one long block. libspandsp's receiver of China's tones, compiled here, takes the same
sound line after line, which is its best case; without a compiler or the library its row is left out.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from ..config import tones
from ..dsp import generate, progress
from ..dsp.levels import RATE
from .lab import peers

TICK = 160
LINES = (1, 16, 128, 512, 1024)
TICKS = 60
ROUNDS = 4


def talk(seconds: int) -> NDArray[np.int16]:
    """Syllables of harmonic sound: what a talking line looks like to the detector."""
    rng = np.random.default_rng(1)
    time_axis = np.arange(seconds * RATE) / RATE
    pitch = 2 * np.pi * np.cumsum(180 + 40 * np.sin(2 * np.pi * 0.7 * time_axis)) / RATE
    voice = sum(np.sin(k * pitch) / k for k in range(1, 12))
    loudness = np.maximum(np.sin(2 * np.pi * 2.3 * time_axis), 0.05)
    return generate.to_int16(voice * loudness * 3000 + rng.normal(0, 20, len(time_axis)))


def sources(seconds: int) -> dict[str, NDArray[np.int16]]:
    """What the lines hear in each case."""
    return {
        "silence": np.zeros(seconds * RATE, np.int16),
        "talk": talk(seconds),
        "busy": generate.cadence([450.0], [(0.35, 0.35)], seconds),
    }


def tick_cost(detector: progress.Detector, audio: NDArray[np.int16], lines: int) -> float:
    """Milliseconds of processor time for one tick, the mean of all ticks' cheapest runs."""
    phases = (np.arange(lines) * 977) % (len(audio) - TICK)
    index = phases[:, None] + np.arange(TICK)
    frames = [audio[(index + tick * TICK) % len(audio)] for tick in range(TICKS)]
    best = np.full(TICKS, np.inf)
    for _ in range(ROUNDS):
        for tick, frame in enumerate(frames):
            before = time.process_time()
            detector.feed(frame)
            best[tick] = min(best[tick], time.process_time() - before)
    return float(best.mean()) * 1000


def spandsp_times() -> list[str]:
    """How many times real time libspandsp's receiver of tones works in each case; nothing where it cannot be had."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            spandsp = peers.Spandsp(Path(folder))
        except (peers.MissingError, FileNotFoundError):
            return []
        return [
            f"{60 / min(spandsp.tone_seconds(audio) for _ in range(ROUNDS)):.0f} x" for audio in sources(60).values()
        ]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--plan", default="cn")
    plan = tones.load(parser.parse_args().plan)
    table = Table("lines", *(f"{name}, ms a tick, times real time" for name in sources(1)))
    for lines in LINES:
        costs = [tick_cost(progress.Detector(lines, plan), audio, lines) for audio in sources(30).values()]
        table.add_row(str(lines), *(f"{cost:.3f}  {lines * 20 / cost:.0f} x" for cost in costs))
    if theirs := spandsp_times():
        table.add_row("libspandsp", *theirs)
    files = Table("one file", "seconds of audio a processor second")
    for name, audio in sources(600).items():
        before = time.process_time()
        progress.Detector(1, plan).feed(audio[None, :])
        files.add_row(name, f"{600 / (time.process_time() - before):.0f}")
    console = Console()
    console.print(table)
    console.print(files)


if __name__ == "__main__":
    main()
