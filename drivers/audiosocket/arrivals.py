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
    """Waiting sound of `lines` lines.

    `received`: int16, shape (lines, 160), where the server puts what comes as a frame of its own. As long as nothing
    waits on a line, which is nearly always, its frame goes straight from there to `frames`.
    """

    def __init__(self, received: Frame) -> None:
        lines = len(received)
        self.frames: Frame = np.zeros((lines, FRAME), np.int16)  # of this tick
        self.listening: npt.NDArray[np.bool_] = np.zeros(lines, np.bool_)
        self._received = received
        self._straight: npt.NDArray[np.bool_] = np.zeros(lines, np.bool_)
        self._waiting: Frame = np.zeros((lines, ROOM), np.int16)
        self._count: npt.NDArray[np.int64] = np.zeros(lines, np.int64)
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
        count = int(self._count[line])
        kept = min(count, ROOM - len(samples))
        row = self._waiting[line]
        row[:kept] = row[count - kept : count]
        row[kept : kept + len(samples)] = samples
        self._count[line] = kept + len(samples)

    def serve(self, whole: npt.NDArray[np.bool_]) -> list[int]:
        """Set `frames` to what is next; `whole`: lines whose row of `received` is a new frame.

        Returns the lines that should have had sound and had none.
        """
        np.logical_and(whole, self.listening, out=self._straight)
        behind = self._straight & (self._count > 0)
        for line in np.flatnonzero(behind).tolist():
            self.add(line, self._received[line])
        self._straight ^= behind
        np.copyto(self.frames, self._received)
        self.frames[~self._straight] = 0
        for line in np.flatnonzero(self._count >= FRAME).tolist():
            self.frames[line] = self._waiting[line, :FRAME]
            self._drop(line, 0)
            self._straight[line] = True
        self._flowing |= self._straight
        np.minimum(self._least, self._count, out=self._least)
        self._ticks += 1
        if self._ticks % LOOK == 0:
            self._cut_delay()
        late: list[int] = np.flatnonzero(self._flowing & ~self._straight).tolist()
        return late

    def _drop(self, line: int, at: int) -> None:
        """Take a frame out of what waits."""
        count = int(self._count[line])
        row = self._waiting[line]
        row[at : count - FRAME] = row[at + FRAME : count]
        self._count[line] = count - FRAME

    def _cut_delay(self) -> None:
        """Drop a frame where one more than needed has waited all the time."""
        for line in np.flatnonzero(self._least >= FRAME).tolist():
            self._drop(line, 0)
        self._least[:] = ROOM
