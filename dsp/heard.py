"""What is heard of keys: events in the order in which they happened on each lane (see follow.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .generate import KEYS
from .keypress import ZERO_DBM0, Press

# Rows of what is known of a key: the positions at which it was declared and where it paused, infinite while it sounds
# and where there is none; and a Press, but with the position where it began.
DECLARED, ENDED, START, SIZE, SEEN, PERCENT = 0, 1, 2, slice(3, 5), slice(5, 7), slice(7, 9)
ROWS = START + len(Press._fields)

Indexes = NDArray[np.intp]
Signal = NDArray[np.float64]


class Onset(NamedTuple):
    """A key is held and certain; `at` is the sample index, since the line's reset, by which it was known."""

    line: int
    digit: str
    at: int


class Digit(NamedTuple):
    """A key was released. Positions are sample indexes since the line's reset; levels are those of each tone, and
    `level_dbm0` is the stronger; twist is high group minus low group; deviations are in per cent of nominal."""

    line: int
    digit: str
    start: int
    end: int
    declared: int
    level_dbm0: float
    low_dbm0: float
    high_dbm0: float
    twist_db: float
    low_percent: float
    high_percent: float


class Refused(NamedTuple):
    """A sound that is no key though it is like one: the check it failed (a field of Limits, or one of near_miss), with
    what value. `digit` is all four keys where one tone sounds alone. A key that is accepted is usually refused before,
    for being too short yet."""

    line: int
    digit: str
    at: int
    check: str
    value: float
    limit: float


Event = Onset | Digit | Refused


class Ended(NamedTuple):
    """Keys that have been let go."""

    lanes: Indexes
    lines: Indexes
    digits: Indexes
    known: Signal  # (ROWS, n)
    began: Indexes  # the position at which each line's call began


class Heard:
    """Events, and the lane of each."""

    def __init__(self) -> None:
        self._lanes: list[int] = []
        self._events: list[Event] = []

    def add(self, lanes: Sequence[int], events: Sequence[Event]) -> None:
        """These have happened, after all that was told before."""
        self._lanes.extend(lanes)
        self._events.extend(events)

    def let_go(self, ended: Ended) -> None:
        """These keys have been let go."""
        self.add(ended.lanes.tolist(), _digits(ended))

    def take(self) -> list[Event]:
        """What can be told now."""
        events, self._lanes, self._events = self._events, [], []
        return events

    def take_by_lanes(self, counts: Sequence[bool]) -> list[Event]:
        """All that happened on lanes that count, lane by lane."""
        order = np.argsort(np.array(self._lanes, np.intp), kind="stable").tolist()
        lanes = self._lanes
        events = self.take()
        return [events[one] for one in order if counts[lanes[one]]]


def _digits(ended: Ended) -> list[Digit]:
    known, names = ended.known, [KEYS[digit] for digit in ended.digits.tolist()]
    times = np.rint(np.maximum(known[START::-1] - ended.began, 0)).astype(int).tolist()
    low, high = 20 * np.log10(known[SIZE] / ZERO_DBM0)
    levels = np.array([np.maximum(low, high), low, high, high - low]).round(1).tolist()
    return list(map(Digit, ended.lines.tolist(), names, *times, *levels, *known[PERCENT].round(2).tolist()))
