"""The life of a seat: what the switchboard knows about one line, as a table.

A *seat* is the switchboard's side of a line. A ring is answered after so many bursts; the call then
talks until one side hangs up; it clears until its program has closed what it opened; only then can the
seat take the next call. A device that fails takes the seat out of service from wherever it is, and a
call that was up still gets its time to clear.

A pair the table lacks raises and leaves the state alone: it is a bug, not a fault of the line.
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """Where a seat stands."""

    IDLE = "idle"
    RINGING = "ringing"
    TALKING = "talking"
    CLEARING = "clearing"
    DEAD = "dead"  # out of service, no call
    DYING = "dying"  # out of service, the call that was up is clearing


class Move(Enum):
    """What can happen to a seat."""

    RING = "ring"
    RING_STOPPED = "ring stopped"
    ANSWER = "answer"
    HANG_UP = "hang up"  # either side
    CLEARED = "cleared"  # the call's program has ended
    FAIL = "fail"
    RESTORE = "restore"


TRANSITIONS: dict[State, dict[Move, State]] = {
    State.IDLE: {Move.RING: State.RINGING, Move.FAIL: State.DEAD},
    State.RINGING: {
        Move.RING: State.RINGING,
        Move.RING_STOPPED: State.IDLE,
        Move.ANSWER: State.TALKING,
        Move.FAIL: State.DEAD,
    },
    State.TALKING: {Move.HANG_UP: State.CLEARING, Move.FAIL: State.DYING},
    # A ring while the last call clears is the next caller: he is answered on a later burst.
    State.CLEARING: {
        Move.CLEARED: State.IDLE,
        Move.RING: State.CLEARING,
        Move.RING_STOPPED: State.CLEARING,
        Move.FAIL: State.DYING,
    },
    State.DEAD: {Move.RESTORE: State.IDLE, Move.FAIL: State.DEAD},
    State.DYING: {Move.CLEARED: State.DEAD, Move.RESTORE: State.CLEARING, Move.FAIL: State.DYING},
}


def after(state: State, move: Move) -> State:
    """The state `move` leads to. Raises ValueError for a pair the table lacks."""
    try:
        return TRANSITIONS[state][move]
    except KeyError:
        raise ValueError(f"a line that is {state.value} cannot {move.value}") from None
