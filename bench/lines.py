"""How many lines one core carries: every line in a call, at a menu, its prompt being played.

    python -m hotline.bench.lines [--lines 16,64,128,256,512] [--seconds 10]

The whole service without its databases' load: simulated lines, both detectors, prompts, interpreter. A line
counts as carried while a tick costs less than 20 ms at the 99th percentile. `bookkeeping` is the part of a tick
spent in Python for single lines: everything but detectors and playout, which work on all lines at once.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # after the variable that tells its BLAS to keep to one core

from ..config.settings import Line
from ..daemon import demo
from ..daemon.call import TICKS_PER_SECOND
from ..daemon.service import Service
from ..drivers.telephone import KeypadTelephone


class Timed:
    """Calls through, and adds up the time spent inside."""

    def __init__(self, inner: object, name: str) -> None:
        self.spent = 0.0
        self._inner = getattr(inner, name)
        setattr(inner, name, self._call)

    def _call(self, *args: object) -> object:
        begun = time.perf_counter()
        try:
            return self._inner(*args)
        finally:
            self.spent += time.perf_counter() - begun


def measure(state: Path, count: int, seconds: float) -> tuple[float, float, float]:
    """p50 and p99 of a tick in milliseconds, and the share of it that is bookkeeping."""
    settings = demo.prepare(state).settings
    lines = {f"L{i:04d}": Line(driver="simulated", rings=1) for i in range(count)}
    service = Service(settings.model_copy(update={"lines": lines}), virtual=True)
    service.open()
    try:
        callers = []
        for index, line in enumerate(service.phones()):
            telephone = KeypadTelephone(record=False)
            line.exchange.call(telephone, None)
            callers.append((telephone, "123456"[index % 6]))
        for tick in range(3 * TICKS_PER_SECOND):
            service.tick()
            for telephone, key in callers[tick::97]:  # keys spread over time, as callers are
                telephone.keys(key)
        board = service.board
        signals = [Timed(board._dtmf, "feed"), Timed(board._progress, "feed"), Timed(board._meter, "feed")]
        sound = Timed(board.playout, "fill")
        spent = np.empty(round(seconds * TICKS_PER_SECOND))
        for tick in range(len(spent)):
            begun = time.perf_counter()
            service.tick()
            spent[tick] = time.perf_counter() - begun
            for telephone, _ in callers[tick % 97 :: 97]:
                telephone.keys("*")  # back, and the prompt again
        inside = sum(part.spent for part in [*signals, sound])
        p50, p99 = np.percentile(spent, [50, 99]) * 1000
        return float(p50), float(p99), 1 - inside / float(spent.sum())
    finally:
        service.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--lines", default="16,64,128,256,512")
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    print("lines   tick p50 ms   p99 ms   of 20 ms   bookkeeping")
    with tempfile.TemporaryDirectory() as folder:
        for count in map(int, options.lines.split(",")):
            p50, p99, share = measure(Path(folder), count, options.seconds)
            print(f"{count:5d}   {p50:11.2f}   {p99:6.2f}   {p50 / 20:8.0%}   {share:11.0%}", flush=True)


if __name__ == "__main__":
    main()
