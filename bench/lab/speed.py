"""The race: processor time of the receivers of keys and of tones on the same samples, ours and theirs by turns, so that
a busy machine slows both.

Each entrant runs ROUNDS times and its best run counts. Ours is timed inside the process, theirs as the processor time
of the C loop (libspandsp) or of the child process (multimon-ng, its start taken off).
"""

from __future__ import annotations

import resource
import time
import tracemalloc
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import soxr

from ...config.tones import load
from ...dsp import dtmf, progress
from ...dsp.generate import to_int16
from ...dsp.levels import RATE
from ..carried import MINUTE, SIGNALS, TONE_SIGNALS, Samples, Signal, frames, spread
from .peers import MULTIMON_RATE, Spandsp, decode

LINES = (1, 16, 128, 1024)
ROUNDS = 7
FILE = 10 * MINUTE  # samples: of shorter ones the time is mostly that of the first look at new memory


def ours(detector: Any, ticks: list[Samples]) -> float:
    """Processor seconds of our detector of keys or of tones for these, tick by tick or a file at once."""
    began = time.process_time()
    for frame in ticks:
        detector.feed(frame)
    return time.process_time() - began


def keys(lines: int) -> dtmf.Detector:
    return dtmf.Detector(lines)


def tones(lines: int) -> progress.Detector:
    return progress.Detector(lines, load("cn"))


def multimon_file(samples: Samples) -> float:
    """Processor seconds of multimon-ng for a file already at its own rate."""
    raw = to_int16(soxr.resample(samples.astype(float), RATE, MULTIMON_RATE)).tobytes()

    def child(data: bytes) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        decode(data)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return max(child(raw) - child(b""), 1e-6)


def race(spandsp: Spandsp) -> dict[str, dict[str, float]]:
    """Seconds of audio a processor second gets through: {contest: {entrant: figure}}."""
    of_keys = contests(SIGNALS, keys, {"spandsp": spandsp.seconds}, {"multimon": multimon_file})
    of_tones = contests(TONE_SIGNALS, tones, {"spandsp": spandsp.tone_seconds}, {})
    return of_keys | {f"tones, {contest}": best for contest, best in of_tones.items()}


Theirs = Mapping[str, Callable[[Samples], float]]  # processor seconds for the samples of one line


def contests(
    signals: Mapping[str, Signal], make: Callable[[int], object], theirs: Theirs, for_files: Theirs
) -> dict[str, dict[str, float]]:
    """Each signal as a file and on lines. A receiver of theirs takes the lines one after another, which is its best
    case: its state stays in the cache."""
    best: dict[str, dict[str, float]] = {}
    for kind, signal in signals.items():
        samples = np.resize(signal(np.random.default_rng(1), FILE), FILE)
        on_lines = {f"{kind}: {lines}": spread(samples[:MINUTE], lines) for lines in LINES}
        blocks = {f"{kind}: file": samples[None], **on_lines}
        for _ in range(ROUNDS):
            for contest, block in blocks.items():
                entrants = {**theirs, **for_files} if contest.endswith("file") else theirs
                spent = {name: seconds(block.reshape(-1)) for name, seconds in entrants.items()}
                ticks = [block] if contest.endswith("file") else frames(block)
                spent["ours"] = ours(make(len(block)), ticks)
                figures = best.setdefault(contest, {})
                for entrant, seconds in spent.items():
                    figures[entrant] = max(figures.get(entrant, 0.0), block.size / RATE / seconds)
    return best


def bytes_a_line() -> dict[str, float]:
    """What one more line takes in memory, from the growth between LINES' last two."""
    few, many = LINES[-2:]
    grown: dict[str, float] = {}
    for name, make in {"keys": keys, "tones": tones}.items():
        sizes = []
        for lines in (few, many):
            tracemalloc.start()
            kept = make(lines)
            sizes.append(tracemalloc.get_traced_memory()[0])
            tracemalloc.stop()
            del kept
        grown[name] = (sizes[1] - sizes[0]) / (many - few)
    return grown
