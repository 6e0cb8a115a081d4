"""Sound that has come and was not read yet, for all lines of a server at once.

A network brings 20 ms now and then a moment late, then twice as much. Nothing is held back for that: a frame that is
not there is silence, counted, and what comes late is read late. Thus a line gathers just the delay its network needs;
what waited all of five seconds without need is cut by a frame.

Whole frames, as nearly all sound comes, cost no line anything of its own, whether some of it waits or not, and
whether one has come or several at once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..line import FRAME, Frame

ROOM = 10  # frames a line can have waiting: 200 ms; the oldest go when there is no room
LOOK = 250  # ticks over which the least delay is looked for

Lines = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


class Arrivals:
    """Waiting sound of `lines` lines.

    `received`: int16, shape (lines, 160), where the server puts what comes as a frame of its own.
    """

    def __init__(self, received: Frame) -> None:
        lines = len(received)
        self.frames: Frame = np.zeros((lines, FRAME), np.int16)  # of this tick
        self.listening: Flags = np.zeros(lines, np.bool_)
        self._received = received
        self._waiting: Frame = np.zeros((lines, ROOM, FRAME), np.int16)  # a ring for each line
        self._first: npt.NDArray[np.int64] = np.zeros(lines, np.int64)  # the oldest frame in it
        self._count: npt.NDArray[np.int64] = np.zeros(lines, np.int64)
        self._rest: dict[int, Frame] = {}  # less than a frame, of lines whose sound comes in other lengths
        self._flowing: Flags = np.zeros(lines, np.bool_)  # since the first frame of a call
        self._least: npt.NDArray[np.int64] = np.full(lines, ROOM, np.int64)
        self._ticks = 0

    def listen(self, line: int, listening: bool) -> None:
        """Begin or end to keep what comes for this line; nothing older is heard."""
        self.listening[line] = listening
        self._flowing[line] = False
        self._count[line] = 0
        self._least[line] = ROOM
        self._rest.pop(line, None)
        self.frames[line] = 0

    def add(self, line: int, samples: Frame) -> None:
        """Any number of samples for one line."""
        if not self.listening[line]:
            return
        if line in self._rest:
            samples = np.concatenate((self._rest.pop(line), samples))
        whole = len(samples) // FRAME * FRAME
        first, count = int(self._first[line]), int(self._count[line])
        for at in range(0, whole, FRAME):
            if count == ROOM:
                first, count = first + 1, count - 1
            self._waiting[line, (first + count) % ROOM] = samples[at : at + FRAME]
            count += 1
        self._first[line], self._count[line] = first % ROOM, count
        if whole < len(samples):
            self._rest[line] = samples[whole:]

    def add_frames(self, lines: Lines, frames: Frame) -> None:
        """As many whole frames for each of these lines: shape (lines, frames, 160)."""
        heard = self.listening[lines]
        for line in self._rest.keys() & set(lines.tolist()) if self._rest else ():
            of = lines == line
            self.add(line, frames[of].ravel())
            heard &= ~of
        for at in range(frames.shape[1]):
            self._push(lines[heard], frames[heard, at])

    def serve(self, whole: Flags) -> list[int]:
        """Set `frames` to what is next; `whole`: lines whose row of `received` is a new frame.

        Returns the lines that should have had sound and had none.
        """
        there = whole & self.listening
        for line in self._rest.keys() & set(np.flatnonzero(there).tolist()) if self._rest else ():
            self.add(line, self._received[line])
            there[line] = False
        behind = there & (self._count > 0)
        if behind.any():
            self._push(np.flatnonzero(behind), self._received[behind])
            there ^= behind
        np.copyto(self.frames, self._received)
        self.frames[~there] = 0
        waiting = np.flatnonzero(self._count)
        if len(waiting):
            self.frames[waiting] = self._waiting[waiting, self._first[waiting]]
            self._drop(waiting)
            there[waiting] = True
        self._flowing |= there
        np.minimum(self._least, self._count, out=self._least)
        self._ticks += 1
        if self._ticks % LOOK == 0:  # where one more than needed has waited all the time
            self._drop(np.flatnonzero(self._least))
            self._least[:] = ROOM
        late: list[int] = np.flatnonzero(self._flowing & ~there).tolist()
        return late

    def _push(self, lines: Lines, frames: Frame) -> None:
        self._drop(lines[self._count[lines] == ROOM])
        self._waiting[lines, (self._first[lines] + self._count[lines]) % ROOM] = frames
        self._count[lines] += 1

    def _drop(self, lines: Lines) -> None:
        """Forget these lines' oldest frames."""
        self._first[lines] = (self._first[lines] + 1) % ROOM
        self._count[lines] -= 1
