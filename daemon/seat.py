"""What the switchboard knows of each line, and which lines it reads and writes in one step."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from ..drivers.line import Frame, Group, Line
from .call import Call, Take
from .call_state import Move, State, after

REMEMBERED = 4  # events of a line, for whoever looks at it now


@dataclass
class Seat:
    """The switchboard's side of one line."""

    line: Line
    rings: int  # answer on this burst
    state: State = State.IDLE
    number: str | None = None
    told: int = 0  # tick at which the number came
    last_ring: int = 0
    call: Call | None = None
    take: Take | None = None
    alarm: str | None = None
    happened: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))  # tick and words

    def move(self, move: Move) -> None:
        """Change state as the table says; nothing else does."""
        self.state = after(self.state, move)


class Members(NamedTuple):
    """Lines that are read and written in one step, and their rows of all lines' frames."""

    group: Group
    first: int
    received: Frame
    sent: Frame


def groups(ports: Sequence[Line], received: Frame, sent: Frame) -> Iterator[Members]:
    """The lines of a group follow each other, as their section of the settings makes them."""
    first = 0
    for group, members in groupby(ports, key=lambda line: line.group):
        end = first + len(list(members))
        if group is not None:
            yield Members(group, first, received[first:end], sent[first:end])
        first = end
