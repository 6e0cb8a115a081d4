"""Sound that has come and was not read yet, for all lines of a server at once.

A network brings 20 ms now and then a moment late, then twice as much. Nothing is held back for that: a frame that is
not there is silence, counted, and what comes late is read late. Thus a line gathers just the delay its network needs;
what waited all of five seconds without need is cut by a frame.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..line import FRAME, Frame

ROOM = 10 * FRAME  # samples a line can have waiting: 200 ms; the oldest go when it is full
LOOK = 250  # ticks over which the least delay is looked for


class Arrivals:
    """Waiting sound of `lines` lines."""

    def __init__(self, lines: int) -> None:
        self.frames: Frame = np.zeros((lines, FRAME), np.int16)  # of this tick
        self.listening: npt.NDArray[np.bool_] = np.zeros(lines, np.bool_)
        self._waiting: Frame = np.zeros((lines, ROOM), np.int16)
        self._count: npt.NDArray[np.int64] = np.zeros(lines, np.int64)
        self._ready: npt.NDArray[np.bool_] = np.zeros(lines, np.bool_)
        self._flowing: npt.NDArray[np.bool_] = np.zeros(lines, np.bool_)  # since the first frame of a call
        self._least: npt.NDArray[np.int64] = np.full(lines, ROOM, np.int64)
        self._ticks = 0

    def listen(self, line: int, listening: bool) -> None:
        """Begin or end to keep what comes for this line; nothing older is heard."""
        self.listening[line] = listening
        self._flowing[line] = False
        self._count[line] = 0
        self._least[line] = ROOM
        self.frames[line] = 0

    def add(self, line: int, samples: Frame) -> None:
        """Any number of samples for one line."""
        if not self.listening[line]:
            return
        samples = samples[-ROOM:]
        kept = min(int(self._count[line]), ROOM - len(samples))
        row = self._waiting[line]
        row[:kept] = row[self._count[line] - kept : self._count[line]]
        row[kept : kept + len(samples)] = samples
        self._count[line] = kept + len(samples)

    def add_frames(self, lines: npt.NDArray[np.intp], frames: Frame) -> None:
        """One frame for each of these lines, frames of shape (len(lines), 160)."""
        empty = self._count[lines] == 0
        now = lines[empty]
        self._waiting[now, :FRAME] = frames[empty]
        self._count[now] = FRAME
        for line, frame in zip(lines[~empty].tolist(), frames[~empty], strict=True):
            self.add(line, frame)

    def advance(self) -> None:
        """The frames of the last tick are over; make room."""
        self._count[self._ready] -= FRAME
        for line in np.flatnonzero(self._ready & (self._count > 0)).tolist():
            self._drop_read(line)

    def serve(self) -> list[int]:
        """Set `frames` to what is next. Returns the lines that should have had sound and had none."""
        self._count[~self.listening] = 0
        np.greater_equal(self._count, FRAME, out=self._ready)
        np.multiply(self._waiting[:, :FRAME], self._ready[:, None], out=self.frames)
        self._flowing |= self._ready
        np.minimum(self._least, self._count - FRAME, out=self._least)
        self._ticks += 1
        if self._ticks % LOOK == 0:
            self._cut_delay()
        return np.flatnonzero(self._flowing & ~self._ready).tolist()

    def _drop_read(self, line: int) -> None:
        count = self._count[line]
        row = self._waiting[line]
        row[:count] = row[FRAME : FRAME + count]

    def _cut_delay(self) -> None:
        """Drop a frame where one more than needed has waited all the time."""
        for line in np.flatnonzero(self.listening & (self._least >= FRAME)).tolist():
            self._count[line] -= FRAME
            row = self._waiting[line]
            count = self._count[line]
            row[FRAME:count] = row[2 * FRAME : count + FRAME]
        self._least[:] = ROOM
