"""The race: processor time of DTMF on the same samples, ours and theirs by turns, so that a busy machine slows both.

On speech (our prompts), keys without end and near silence. Each entrant runs ROUNDS times and its best run counts. Ours
is timed inside the process, theirs as the processor time of the C loop (libspandsp) or of the child process
(multimon-ng, its start taken off).
"""

from __future__ import annotations

import resource
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import soxr

from ...config.tones import load
from ...dsp import dtmf, progress
from ...dsp.generate import to_int16
from ...dsp.levels import RATE
from ..dsp_speed import SIGNALS
from .peers import MULTIMON_RATE, Spandsp, decode
from .pieces import Samples

TICK = 160
LINES = (1, 16, 128, 1024)
ROUNDS = 3
FILE_SECONDS = 60
LEAST_TICKS = 100
GOLDEN = 0.618  # lines begin as evenly spread as any number of them can


def spread(samples: Samples, lines: int) -> Samples:
    """int16 (lines, n): each line carries another part of the samples, two seconds at least, a minute together."""
    count = TICK * max(LEAST_TICKS, FILE_SECONDS * RATE // TICK // lines)
    begins = (np.arange(lines) * GOLDEN % 1 * (len(samples) - count)).astype(np.int64)
    block: Samples = samples[begins[:, None] + np.arange(count)]
    return block


def ours(block: Samples) -> float:
    """Processor seconds for all lines of the block, tick by tick."""
    frames = [np.ascontiguousarray(block[:, at : at + TICK]) for at in range(0, block.shape[1], TICK)]
    detector = dtmf.Detector(len(block))
    began = time.process_time()
    for frame in frames:
        detector.feed(frame)
    return time.process_time() - began


def ours_file(samples: Samples) -> float:
    """Processor seconds for a file fed whole."""
    detector = dtmf.Detector(1)
    began = time.process_time()
    detector.feed(samples[None])
    return time.process_time() - began


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
    contests: dict[str, dict[str, float]] = {}
    for kind, make in SIGNALS.items():
        rng = np.random.default_rng(1)
        samples = np.resize(make(rng, FILE_SECONDS * RATE), FILE_SECONDS * RATE)
        contests |= {f"{kind}: {contest}": best for contest, best in contest_on(samples, spandsp).items()}
    return contests


def contest_on(samples: Samples, spandsp: Spandsp) -> dict[str, dict[str, float]]:
    """The same for one signal, as a file and on lines. libspandsp's receiver takes the lines one after another, which
    is its best case: its state stays in the cache."""
    blocks = {str(lines): spread(samples, lines) for lines in LINES}
    best: dict[str, dict[str, float]] = {contest: {} for contest in ("file", *blocks)}
    for _ in range(ROUNDS):
        spent = {
            "file": {
                "ours": ours_file(samples),
                "spandsp": spandsp.seconds(samples),
                "multimon": multimon_file(samples),
            }
        }
        for contest, block in blocks.items():
            spent[contest] = {"ours": ours(block), "spandsp": spandsp.seconds(block.reshape(-1))}
        for contest, entrants in spent.items():
            audio = (blocks[contest].size if contest in blocks else len(samples)) / RATE
            for entrant, seconds in entrants.items():
                best[contest][entrant] = max(best[contest].get(entrant, 0.0), audio / seconds)
    return best


def bytes_a_line() -> dict[str, float]:
    """What one more line takes in memory, from the growth between LINES' last two."""
    few, many = LINES[-2:]
    detectors: dict[str, Callable[[int], object]] = {
        "keys": dtmf.Detector,
        "tones": lambda lines: progress.Detector(lines, load("cn")),
    }
    grown: dict[str, float] = {}
    for name, make in detectors.items():
        sizes = []
        for lines in (few, many):
            tracemalloc.start()
            kept = make(lines)
            sizes.append(tracemalloc.get_traced_memory()[0])
            tracemalloc.stop()
            del kept
        grown[name] = (sizes[1] - sizes[0]) / (many - few)
    return grown
