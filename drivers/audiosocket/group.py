"""The lines of one server in one step: what each line does in `read` and `write`, without a call for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..line import Frame, Group, check_frames
from .server import Server

if TYPE_CHECKING:
    from .line import AudioSocketLine


class AudioSocketGroup(Group):
    """All lines of a server, in its order."""

    def __init__(self, server: Server, lines: Sequence[AudioSocketLine]) -> None:
        self._server = server
        self._lines = lines

    def read(self, frames: Frame) -> list[int]:
        """What came in this tick; only lines that something happens to cost more than their system call."""
        check_frames(frames, len(self._lines))
        self._server.tick()
        np.copyto(frames, self._server.arrivals.frames)
        for place in self._server.late:
            self._lines[place].late_frames += 1
        return [place for place in sorted(self._server.stirring) if self._lines[place].go_on()]

    def write(self, frames: Frame) -> None:
        """Send these, or in their place what is being dialled."""
        check_frames(frames, len(self._lines))
        np.copyto(self._server.sending, frames)
        for place in self._server.stirring:
            self._lines[place].dial_over()
        self._server.speak()
