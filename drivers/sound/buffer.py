"""What evens out the steps of two clocks: a few frames that wait between one thread or process and another."""

from __future__ import annotations

from collections import deque

from ..line import RATE

FRAMES_A_SECOND = RATE // 160


GROWS_TO = 5  # frames, 100 ms
CALM = 30  # seconds without a gap after which less may do


class Buffer:
    """Frames in, frames out, a few of them waiting in between.

    Nothing comes out before `target` frames have come in, and again after it has run dry. Each time it does, one frame
    more waits from then on; after CALM seconds without that, one less, but never less than at first. What has waited
    without need for a whole second is lag: a frame of it is dropped. Above `most` the oldest go at once. `push` and
    `pull` may be called from two threads (deque's ends are atomic).
    """

    def __init__(self, target: int, most: int) -> None:
        self.gaps = 0  # times it ran dry
        self._frames: deque[bytes] = deque(maxlen=most)
        self._at_first = self._target = target
        self._running = False
        self._least = most  # frames that waited at least, in this second
        self._pulls = 0
        self._calm = 0  # seconds

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
            self._ran_dry()
            return None
        self._running = True
        self._least = min(self._least, len(self._frames))
        self._pulls += 1
        if self._pulls == FRAMES_A_SECOND:
            self._look_back()
        return frame

    def clear(self) -> None:
        """Forget what waits; that it waits no more is no gap."""
        self._frames.clear()
        self._running = False

    def _ran_dry(self) -> None:
        self.gaps += 1
        self._running = False
        self._target = min(self._target + 1, max(GROWS_TO, self._at_first))
        self._calm = 0

    def _look_back(self) -> None:
        """A second is over."""
        if self._least >= self._target and self._frames:
            self._frames.popleft()
        self._pulls, self._least = 0, self._frames.maxlen or 0
        self._calm += 1
        if self._calm == CALM:
            self._target = max(self._target - 1, self._at_first)
            self._calm = 0
