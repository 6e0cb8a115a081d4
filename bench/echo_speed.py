"""What a tick of echo cancelling costs, by lines, a third of them playing, and what learning a path costs.

    python -m hotline.bench.echo_speed [--seconds 4]

"steady" is a tick in which every path is known; "learning" the mean over the first 1.2 s of a prompt that begins on all
playing lines at once, which no house has: a lesson is a matter of a call's first seconds, and of one line.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # after the variable that tells its BLAS to keep to one core
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from .. import voice
from ..dsp import echo, generate
from ..dsp.echo import FRAME
from ..voice import audiofile

LINES = (1, 16, 128, 1024)
LEARNING = 60  # ticks
PROMPT = Path(voice.__file__).parent / "prompts" / "P01.wav"


def path(rng: np.random.Generator) -> NDArray[np.float64]:
    """A hybrid 10 dB down, 4 ms long."""
    taps = rng.standard_normal(32) * np.exp(-np.arange(32) / 10)
    result: NDArray[np.float64] = taps / np.sqrt(np.sum(taps**2)) * 10 ** (-10 / 20)
    return result


def costs(lines: int, seconds: float) -> NDArray[np.float64]:
    """Milliseconds of processor time, tick by tick."""
    prompt = audiofile.read_pcm(PROMPT)
    rng = np.random.default_rng(1)
    back = generate.to_int16(np.convolve(prompt, path(rng))[: len(prompt)] + rng.standard_normal(len(prompt)) * 20)
    playing = np.arange(0, lines, 3)
    begins = rng.integers(0, len(prompt) - round(seconds * 50 + 1) * FRAME, len(playing))
    canceller = echo.Canceller(lines)
    sent, received = np.zeros((2, lines, FRAME), np.int16)
    spent = np.empty(round(seconds * 50))
    for tick in range(len(spent)):
        index = begins[:, None] + tick * FRAME + np.arange(FRAME)
        sent[playing], received[playing] = prompt[index], back[index]
        before = time.process_time()
        canceller.feed(received, sent)
        spent[tick] = (time.process_time() - before) * 1000
    return spent


def silent(lines: int) -> float:
    """Milliseconds of a tick in which nobody plays anything."""
    canceller, frames = echo.Canceller(lines), np.zeros((lines, FRAME), np.int16)
    before = time.process_time()
    for _ in range(200):
        canceller.feed(frames, frames)
    return (time.process_time() - before) * 1000 / 200


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    table = Table("lines", "playing", "none playing, ms", "steady, ms", "of 20 ms", "learning, ms", "a lesson, ms")
    for lines in LINES:
        spent = costs(lines, options.seconds)
        steady = float(np.median(spent[LEARNING:]))
        playing = -(-lines // 3)
        learning = float(spent[:LEARNING].mean())
        lesson = float(np.sort(spent[:LEARNING])[-2] - steady) / playing
        table.add_row(
            str(lines),
            str(playing),
            f"{silent(lines):.3f}",
            f"{steady:.2f}",
            f"{steady / 20:.0%}",
            f"{learning:.1f}",
            f"{lesson:.1f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
