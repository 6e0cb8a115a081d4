"""How the engine keeps time: what its ticks take, how late they begin, what the process costs the machine."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

KEPT = 3000  # ticks looked back on: a minute
TOO_LATE = 0.040  # seconds: 60 ms then lie between two frames, which `hotline load` counts as a gap


@dataclass(frozen=True)
class Figures:
    """One engine process. Times of a tick are of the last minute, counts are since the start."""

    pid: int
    ticks: int
    tick_ms_p50: float
    tick_ms_p99: float
    tick_ms_most: float
    late_ticks: int  # begun more than 40 ms behind schedule
    cpu_seconds: float
    memory_bytes: int | None  # None where the system does not say


class Pulse:
    """Told once a tick; asked by whoever looks."""

    def __init__(self) -> None:
        self._spent = np.zeros(KEPT)
        self._ticks = 0
        self._late = 0

    def beat(self, spent: float, behind: float) -> None:
        """A tick took `spent` seconds, and began `behind` seconds after it was due."""
        self._spent[self._ticks % KEPT] = spent
        self._ticks += 1
        self._late += behind > TOO_LATE

    def figures(self) -> Figures:
        """As things stand now."""
        spent = 1000 * self._spent[: self._ticks] if self._ticks else np.zeros(1)
        p50, p99 = np.percentile(spent, [50, 99]).round(3).tolist()
        return Figures(
            os.getpid(), self._ticks, p50, p99, round(float(spent.max()), 3), self._late, time.process_time(), _memory()
        )


def _memory() -> int | None:
    """Resident bytes of this process, as Linux tells them."""
    if sys.platform != "linux":
        return None
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
