"""What evens out the steps of two clocks: a few frames that wait between one thread or process and another."""

from __future__ import annotations

from collections import deque

from ..line import RATE

FRAMES_A_SECOND = RATE // 160


class Buffer:
    """Frames in, frames out, `target` of them waiting on average.

    Nothing comes out before `target` frames have come in, and again after it has run dry. What has waited without need
    for a whole second is lag: a frame of it is dropped. Above `most` it is cut back at once. A frame is any object;
    `push` and `pull` may be called from two threads (deque's ends are atomic).
    """

    def __init__(self, target: int, most: int) -> None:
        self.gaps = 0  # times it ran dry
        self._frames: deque[bytes] = deque(maxlen=most)
        self._target = target
        self._running = False
        self._least = most  # frames that waited at least, in this second
        self._pulls = 0

    def push(self, frame: bytes) -> None:
        """Add a frame; the oldest goes when there is no room."""
        self._frames.append(frame)

    def pull(self) -> bytes | None:
        """The next frame, or None: not yet, or no more."""
        if not self._running and len(self._frames) < self._target:
            return None
        try:
            frame = self._frames.popleft()
        except IndexError:
            self.gaps += 1
            self._running = False
            return None
        self._running = True
        self._trim()
        return frame

    def clear(self) -> None:
        """Forget what waits; that it waits no more is no gap."""
        self._frames.clear()
        self._running = False

    def _trim(self) -> None:
        self._least = min(self._least, len(self._frames))
        self._pulls += 1
        if self._pulls == FRAMES_A_SECOND:
            if self._least > self._target and self._frames:
                self._frames.popleft()
            self._pulls, self._least = 0, self._frames.maxlen or 0
