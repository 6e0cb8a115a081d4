"""One line in the technician's hands: ticks, with everything that is read, sent and reported kept.

Time is ticks; whoever paces them is asked once a tick and returns when the next one is due.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...drivers.line import FRAME, RATE, Alarm, Event, Line

TICKS = RATE // FRAME  # a second

Samples = NDArray[np.int16]


class LineFailed(Exception):
    """The line gave an alarm in the midst of the trial; the text is the driver's."""


class Trial:
    """A line, open. `received` and `sent` have a frame for every tick so far."""

    def __init__(self, line: Line, pace: Callable[[], None]) -> None:
        self.line = line
        self.events: list[Event] = []
        self._pace = pace
        self._received: list[Samples] = []
        self._sent: list[Samples] = []

    @property
    def now(self) -> int:
        """Ticks so far."""
        return len(self._received)

    def tick(self, sending: Samples | None = None) -> list[Event]:
        """20 ms; `sending` is one frame, silence if not given. Returns what the line reported. Raises LineFailed."""
        frame = np.zeros(FRAME, np.int16) if sending is None else sending
        received = np.zeros(FRAME, np.int16)
        self.line.read(received)
        events = self.line.events()
        self.line.write(frame)
        self._received.append(received)
        self._sent.append(frame)
        self.events += events
        for event in events:
            if isinstance(event, Alarm):
                raise LineFailed(event.reason)
        self._pace()
        return events

    def run(self, seconds: float, sending: Samples | None = None) -> Samples:
        """So long; `sending` from the beginning, then silence. Returns what came in. Raises LineFailed."""
        ticks = round(seconds * TICKS)
        outgoing = np.zeros(ticks * FRAME, np.int16)
        if sending is not None:
            outgoing[: len(sending)] = sending[: len(outgoing)]
        since = self.now
        for frame in outgoing.reshape(ticks, FRAME):
            self.tick(frame)
        return self.received(since)

    def until(self, condition: Callable[[list[Event]], bool], seconds: float) -> bool:
        """Until a tick's events are what is waited for, or so long; whether they were. Raises LineFailed."""
        return any(condition(self.tick()) for _ in range(round(seconds * TICKS)))

    def received(self, since: int = 0) -> Samples:
        """What came in from that tick on, shape (n,)."""
        return np.concatenate(self._received[since:]) if self.now > since else np.zeros(0, np.int16)

    def sent(self, since: int = 0) -> Samples:
        """What went out meanwhile."""
        return np.concatenate(self._sent[since:]) if self.now > since else np.zeros(0, np.int16)
