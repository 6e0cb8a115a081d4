"""Who is calling, heard on lines that carry sound on hook: FSK between the first rings, DTMF before them.

A quiet line costs one look at its loudest sample. Only one that sounds has an ear: from its first loud frame until it
has been quiet for a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..drivers.line import FRAME
from ..dsp import callerid, dtmf
from ..dsp.levels import amplitude
from .call import TICKS_PER_SECOND

SOUND = amplitude(-43.0)  # peak; ETSI EN 300 659-1 has nothing weaker than -36 dBV arrive, some -34 dBm0
TOGETHER = 5  # frames the FSK receiver gets at a time: its work is in the call, and nobody answers within 100 ms
OVER = 1 * TICKS_PER_SECOND  # of quiet; the pauses between digits, and after FSK's carrier, are far shorter


@dataclass
class _Ear:
    fsk: callerid.Receiver = field(default_factory=callerid.Receiver)
    frames: list[NDArray[np.int16]] = field(default_factory=list)  # that the FSK receiver has not had yet
    keyed: callerid.Keyed = field(default_factory=callerid.Keyed)
    quiet: int = 0  # ticks


class OnHook:
    """Listens to the lines it is told to watch, while they are on hook."""

    def __init__(self) -> None:
        self._watched: list[int] = []
        self._frames = np.zeros((0, FRAME), np.int16)
        self._dtmf = dtmf.Detector(0)
        self._ears: dict[int, _Ear] = {}  # by place in _watched

    def watch(self, line: int) -> None:
        """From now on this line too."""
        self._watched = sorted({*self._watched, line})
        self._frames = np.zeros((len(self._watched), FRAME), np.int16)
        self._dtmf = dtmf.Detector(len(self._watched))
        self._ears.clear()

    def forget(self, line: int) -> None:
        """It has been answered: what was heard so far belongs to that call."""
        if line in self._watched:
            self._ears.pop(self._watched.index(line), None)

    def feed(self, received: NDArray[np.int16], off_hook: Callable[[int], bool]) -> list[tuple[int, callerid.CallerId]]:
        """A frame of every line of the switchboard, int16 (lines, 160); who calls, by line."""
        if not self._watched:
            return []
        np.take(received, self._watched, axis=0, out=self._frames)
        sounds = (self._frames.max(axis=1) > SOUND) | (self._frames.min(axis=1) < -SOUND)
        for place in np.flatnonzero(sounds).tolist():
            if not off_hook(self._watched[place]):
                self._listen(place)
        return self._hear() if self._ears else []

    def _listen(self, place: int) -> None:
        if place not in self._ears:
            self._ears[place] = _Ear()
            self._dtmf.reset(place)
        self._ears[place].quiet = 0

    def _hear(self) -> list[tuple[int, callerid.CallerId]]:
        deaf = np.ones(len(self._watched), np.bool_)
        deaf[[*self._ears]] = False
        self._frames[deaf] = 0
        found: list[tuple[int, callerid.CallerId]] = []
        for event in self._dtmf.feed(self._frames):
            ear = self._ears.get(event.line)
            if ear is None or not isinstance(event, dtmf.Digit):
                continue
            if caller := ear.keyed.key(event.digit, event.start, event.end):
                found.append((self._watched[event.line], caller))
        for place, ear in list(self._ears.items()):
            ear.frames.append(self._frames[place].copy())
            if len(ear.frames) == TOGETHER:
                told = ear.fsk.feed(np.concatenate(ear.frames))
                ear.frames.clear()
                found += [(self._watched[place], one) for one in told if isinstance(one, callerid.CallerId)]
            ear.quiet += 1
            if ear.quiet > OVER:
                del self._ears[place]
        return found
