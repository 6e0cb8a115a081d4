"""A modem's life as a table: where it stands, what can happen, where that leads.

At rest it is in data mode, where rings are text. A call lifts it, lets the line settle, and then moves between READY
(off hook, listening to commands) and STREAMING (all bytes are sound): a modem takes no command while a stream is up,
so dialling, a flash, hanging up and, in half duplex, turning round all lead through LEAVING. Whatever does not answer
in time leads to WAKING, where the ladder is climbed (recovery.py), and from there to rest.

A pair the table lacks raises and leaves the state alone: it is a bug, not a fault of the modem.
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """Where a modem stands."""

    CLOSED = "closed"
    WAKING = "waking"  # the ladder is being climbed, its first rung included
    SETTING_UP = "setting up"
    RESTING = "resting"
    CHECKING = "checking"  # asked whether it is still there
    LIFTING = "lifting"
    SETTLING = "settling"  # off hook; the exchange connects, the modem's relay comes to rest
    READY = "ready"  # off hook, no stream
    ENTERING = "entering"  # a stream was asked for
    STREAMING = "streaming"
    LEAVING = "leaving"  # the stream's end was asked for
    SENDING = "sending"  # digits, a flash
    DROPPING = "dropping"
    OUT = "out of service"


class Signal(Enum):
    """What can happen to it."""

    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"
    SILENT = "silent"  # no answer in time
    LOST = "lost"  # the device is gone
    EXHAUSTED = "exhausted"  # no rung is left
    RETRY = "retry"
    CHECK = "check"
    REFRESH = "refresh"
    LIFT = "lift"
    STREAM = "stream"
    LEAVE = "leave"
    ENDED = "ended"  # the modem ended the stream by itself
    SEND = "send"
    DROP = "drop"


_FAILS = {Signal.SILENT: State.WAKING, Signal.LOST: State.WAKING}

TABLE: dict[State, dict[Signal, State]] = {
    State.CLOSED: {Signal.OPEN: State.WAKING},
    State.WAKING: _FAILS | {Signal.DONE: State.SETTING_UP, Signal.EXHAUSTED: State.OUT},
    State.SETTING_UP: _FAILS | {Signal.DONE: State.RESTING, Signal.EXHAUSTED: State.OUT},
    State.RESTING: _FAILS
    | {Signal.LIFT: State.LIFTING, Signal.CHECK: State.CHECKING, Signal.REFRESH: State.SETTING_UP},
    State.CHECKING: _FAILS | {Signal.DONE: State.RESTING},
    State.LIFTING: _FAILS | {Signal.DONE: State.SETTLING},
    State.SETTLING: _FAILS | {Signal.DONE: State.READY},
    State.READY: _FAILS | {Signal.STREAM: State.ENTERING, Signal.SEND: State.SENDING, Signal.DROP: State.DROPPING},
    State.ENTERING: _FAILS | {Signal.DONE: State.STREAMING, Signal.REFUSED: State.READY},
    State.STREAMING: _FAILS | {Signal.LEAVE: State.LEAVING, Signal.ENDED: State.LEAVING, Signal.DONE: State.READY},
    State.LEAVING: _FAILS | {Signal.DONE: State.READY},
    State.SENDING: _FAILS | {Signal.DONE: State.READY},
    State.DROPPING: _FAILS | {Signal.DONE: State.RESTING},
    State.OUT: {Signal.RETRY: State.WAKING, Signal.LOST: State.WAKING},
}

# A modem in one of these has the line; trouble there is the end of a call.
LIFTED = frozenset(
    {State.LIFTING, State.SETTLING, State.READY, State.ENTERING, State.STREAMING, State.LEAVING, State.SENDING}
)
# Ones that are nothing but commands, one after the other.
SCRIPTED = frozenset({State.SETTING_UP, State.CHECKING, State.LIFTING, State.SENDING, State.DROPPING})


def after(state: State, signal: Signal) -> State:
    """The state `signal` leads to. Raises ValueError for a pair the table lacks."""
    try:
        return TABLE[state][signal]
    except KeyError:
        raise ValueError(f"{signal.value} while {state.value}") from None
