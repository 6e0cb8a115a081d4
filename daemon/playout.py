"""What each line plays: positions in one pool of samples, kept in arrays over lines.

A prompt is a list of clips, a clip a range of the library's pool. As long as a line is inside a clip,
its next frame is one row of one index operation for all lines; only a line that reaches the end of
a clip in this tick costs Python.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Protocol

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from ..drivers.line import FRAME

Samples = npt.NDArray[np.int16]


class Span(Protocol):
    """A range of the pool; voice.library.Clip is one."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


class Source(Protocol):
    """Whoever owns the pool. It may grow between ticks; ranges already given out stay where they are."""

    pool: Samples


class Playout:
    """The next 20 ms for every line; a line that plays nothing gets silence."""

    def __init__(self, lines: int, source: Source) -> None:
        self._source = source
        self._pos = np.zeros(lines, np.int64)
        self._end = np.zeros(lines, np.int64)  # pos == end: this line plays nothing
        self._rest: list[deque[Span]] = [deque() for _ in range(lines)]

    def start(self, line: int, clips: Iterable[Span]) -> None:
        """Play `clips` one after the other without a gap, in place of whatever the line played."""
        self._rest[line] = deque(clip for clip in clips if clip.end > clip.start)
        self._pos[line] = self._end[line] = 0
        self._advance(line)

    def stop(self, line: int) -> None:
        """Fall silent from the next frame on."""
        self._rest[line].clear()
        self._pos[line] = self._end[line] = 0

    def playing(self, line: int) -> bool:
        """Whether anything is left to be played."""
        return bool(self._pos[line] < self._end[line])

    def fill(self, frames: Samples) -> list[int]:
        """Write the next frame of every line into `frames`, shape (lines, 160); return the lines that ended.

        A line that ends has its last samples in this frame, the rest of which is silence.
        """
        left = self._end - self._pos
        inside = np.flatnonzero(left > FRAME)
        frames.fill(0)
        if inside.size:
            frames[inside] = sliding_window_view(self._source.pool, FRAME)[self._pos[inside]]
            self._pos[inside] += FRAME
        return [
            line for line in np.flatnonzero((left > 0) & (left <= FRAME)).tolist() if self._last(line, frames[line])
        ]

    def _last(self, line: int, frame: Samples) -> bool:
        """Fill a frame across the end of a clip; True when nothing follows it."""
        filled = 0
        while filled < FRAME and self.playing(line):
            start = int(self._pos[line])
            count = min(FRAME - filled, int(self._end[line]) - start)
            frame[filled : filled + count] = self._source.pool[start : start + count]
            filled += count
            self._pos[line] += count
            if start + count == self._end[line]:
                self._advance(line)
        return not self.playing(line)

    def _advance(self, line: int) -> None:
        if self._rest[line]:
            clip = self._rest[line].popleft()
            self._pos[line], self._end[line] = clip.start, clip.end
