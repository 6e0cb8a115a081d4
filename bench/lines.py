"""How many lines one core carries: every line in a call, at a menu, its prompt being played.

    python -m hotline.bench.lines [--lines 16,64,128,256,512] [--seconds 10]

The whole service without its databases' load: simulated lines, detectors, prompts, interpreter. A line counts as
carried while a tick costs less than 20 ms at the 99th percentile; times are this thread's own, so that other
programs on the machine do not count. The columns after that say where a tick goes, in milliseconds: echo
canceller, detectors and playout work on all lines at once; `lines` is the simulated hardware, one line after the
other; `rest` is our own bookkeeping: events, calls, dialogs. All calls begin together here and all callers key, so
the canceller learns in every tick; over calls that begin one by one its share is smaller.
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
from ..drivers.line import FRAME
from ..drivers.simulated.telephone import KeypadTelephone


class Timed:
    """Calls through, and adds up the time spent inside."""

    def __init__(self, inner: object, name: str) -> None:
        self.spent = 0.0
        self._inner = getattr(inner, name)
        setattr(inner, name, self._call)

    def _call(self, *args: object) -> object:
        begun = time.thread_time()
        try:
            return self._inner(*args)
        finally:
            self.spent += time.thread_time() - begun


PARTS = {"echo": "_echo", "dtmf": "_dtmf", "progress": "_progress", "meter": "_meter"}
SPREAD = 97  # ticks over which keys are spread, as callers are; each line is keyed once in so many


def measure(state: Path, count: int, seconds: float) -> dict[str, float]:
    """p50 and p99 of a tick, and the mean of each part of it, in milliseconds."""
    settings = demo.prepare(state).settings
    names = {f"L{i:04d}": Line(driver="simulated", rings=1) for i in range(count)}
    service = Service(settings.model_copy(update={"lines": names}), virtual=True)
    service.open()
    try:
        board, callers = service.board, []
        for line in service.phones():
            callers.append(KeypadTelephone(record=False))
            line.exchange.call(callers[-1], None)
        for tick in range(3 * TICKS_PER_SECOND):
            service.tick()
            for index in range(tick, count if tick < SPREAD else 0, SPREAD):
                callers[index].keys("123456"[index % 6])  # six menus
        parts = {name: Timed(getattr(board, attribute), "feed") for name, attribute in PARTS.items()}
        parts["playout"] = Timed(board.playout, "fill")
        spent, playing = np.empty(round(seconds * TICKS_PER_SECOND)), 0
        for tick in range(len(spent)):
            begun = time.thread_time()
            service.tick()
            spent[tick] = time.thread_time() - begun
            playing += sum(map(board.playout.playing, range(tick % SPREAD, count, SPREAD)))
            for telephone in callers[tick % SPREAD :: SPREAD]:
                telephone.keys("*")  # back, and the prompt again
        looked = sum(len(range(tick % SPREAD, count, SPREAD)) for tick in range(len(spent)))
        if playing < 0.9 * looked:
            raise RuntimeError(f"only {playing} of {looked} looks at a line found its prompt being played")
        row = {name: part.spent / len(spent) * 1000 for name, part in parts.items()} | {"lines": _lines_alone(service)}
        row["rest"] = float(spent.mean()) * 1000 - sum(row.values())
        p50, p99 = np.percentile(spent, [50, 99]) * 1000
        return {"p50": float(p50), "p99": float(p99)} | row
    finally:
        service.close()


def _lines_alone(service: Service) -> float:
    """What the simulated lines take of a tick, in milliseconds: the same calls, with nothing between them."""
    frame, seats, ticks = np.zeros(FRAME, np.int16), service.board.seats, TICKS_PER_SECOND
    begun = time.thread_time()
    for _ in range(ticks):
        for seat in seats:
            seat.line.read(frame)
            seat.line.events()
        for seat in seats:
            seat.line.write(frame)
    return (time.thread_time() - begun) / ticks * 1000


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--lines", default="16,64,128,256,512")
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    columns = ("p50", "p99", *PARTS, "playout", "lines", "rest")
    print("lines  " + "".join(f"{name:>9}" for name in columns) + "   ms a tick of 20 ms")
    with tempfile.TemporaryDirectory() as folder:
        for count in map(int, options.lines.split(",")):
            row = measure(Path(folder), count, options.seconds)
            print(f"{count:5d}  " + "".join(f"{row[name]:9.2f}" for name in columns), flush=True)


if __name__ == "__main__":
    main()
