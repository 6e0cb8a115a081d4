"""A local exchange in software: what one analog port meets at the far end of its pair.

It stands between two parties. *We* are the near end: our port lifts, puts down and dials. The
*telephone* is the far end: whoever calls us, or the station we dialled (telephone.py). The rules:

- A telephone that calls us hears ring-back while our port is rung, 1 s in every 5. Its number follows
  the first burst, as an event or in FSK, or is sent in DTMF ahead of it. Lifting connects the two.
- A caller who gives up while it rings is noticed by us only when the next burst fails to come. Whoever
  lifts before that gets dial tone.
- The exchange never tells us that the far end has left. We hear a gap, then the release tones, for as
  long as we stay off hook. A far end that we have left hears busy tone until it puts its receiver down.
- Lifting without being rung gives dial tone; dialled digits are looked up among the stations. Nobody
  dialling, or nobody answering, ends in the release tones.
- A broken pair is a fault: nothing is rung or heard until it is repaired.

Time is ticks of 20 ms. `tick` is the only clock; no thread, nothing random.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from ..line import FRAME, RATE, Alarm, CallerId, Dialled, Event, Frame, LineError, Restored, Ring, RingStopped
from .telephone import SILENCE, Silent, Telephone
from .tones import Player, ShowsNumber, Stage, Tones, announcement

TICKS = RATE // FRAME  # ticks in a second

RING_PERIOD = 5 * TICKS  # China: 1 s of 25 Hz in every 5 s
CALLER_ID_AFTER = 2 * TICKS  # 1 s after the first burst has ended: within the 0.5-1.5 s the FSK takes
FSK_AFTER = 3 * TICKS // 2  # where it is the FSK itself, half a second after it
DTMF_AHEAD = TICKS // 2  # from the last digit of a number to the first burst
RING_MISSED = 6 * TICKS  # no burst for so long: the caller is gone. One period and a second to be sure
DIGIT = TICKS // 5  # a dialled digit: 100 ms on, 100 ms off
PAUSE = TICKS  # ',' in a dialled number
ROUTING = 1 * TICKS  # from the last digit to the first ring-back or busy tone


class State(Enum):
    """Where the exchange stands with our port."""

    IDLE = "idle"
    RINGING = "ringing"
    ABANDONED = "abandoned"  # the caller has given up; we cannot know it yet
    TALKING = "talking"
    CLEARED = "cleared"  # the far end has left, we are still off hook
    DIAL_TONE = "dial tone"
    DIALLING = "dialling"
    RINGBACK = "ring-back"  # the station we dialled is being rung
    REFUSED = "refused"  # the station is busy or does not exist
    FAULT = "fault"


class Signal(Enum):
    """What can happen to a call."""

    CALL = "call"  # a telephone calls us
    LEAVE = "leave"  # the telephone puts its receiver down
    LIFT = "lift"  # we go off hook
    PUT_DOWN = "put down"  # we go on hook
    DIAL = "dial"  # we dial
    FREE = "free"  # the dialled station is rung
    REFUSE = "refuse"  # it cannot be
    ANSWER = "answer"  # it answers
    TIME_OUT = "time-out"
    FAIL = "fail"
    REPAIR = "repair"


TABLE: dict[State, dict[Signal, State]] = {
    State.IDLE: {Signal.CALL: State.RINGING, Signal.LIFT: State.DIAL_TONE, Signal.FAIL: State.FAULT},
    State.RINGING: {
        Signal.LIFT: State.TALKING,
        Signal.LEAVE: State.ABANDONED,
        Signal.TIME_OUT: State.ABANDONED,
        Signal.FAIL: State.FAULT,
    },
    State.ABANDONED: {
        Signal.CALL: State.RINGING,
        Signal.LIFT: State.DIAL_TONE,
        Signal.TIME_OUT: State.IDLE,
        Signal.FAIL: State.FAULT,
    },
    State.TALKING: {Signal.LEAVE: State.CLEARED, Signal.PUT_DOWN: State.IDLE, Signal.FAIL: State.FAULT},
    State.CLEARED: {Signal.PUT_DOWN: State.IDLE, Signal.FAIL: State.FAULT},
    State.DIAL_TONE: {
        Signal.DIAL: State.DIALLING,
        Signal.TIME_OUT: State.CLEARED,
        Signal.PUT_DOWN: State.IDLE,
        Signal.FAIL: State.FAULT,
    },
    State.DIALLING: {
        Signal.DIAL: State.DIALLING,
        Signal.FREE: State.RINGBACK,
        Signal.REFUSE: State.REFUSED,
        Signal.PUT_DOWN: State.IDLE,
        Signal.FAIL: State.FAULT,
    },
    State.RINGBACK: {
        Signal.ANSWER: State.TALKING,
        Signal.TIME_OUT: State.CLEARED,
        Signal.PUT_DOWN: State.IDLE,
        Signal.FAIL: State.FAULT,
    },
    State.REFUSED: {Signal.PUT_DOWN: State.IDLE, Signal.FAIL: State.FAULT},
    State.FAULT: {Signal.REPAIR: State.IDLE},
}

# How long a state lasts at most. An abandoned call's end is counted from its last burst instead.
LIMITS = {State.RINGING: 60 * TICKS, State.DIAL_TONE: 15 * TICKS, State.RINGBACK: 60 * TICKS}

ON_HOOK = frozenset({State.IDLE, State.RINGING, State.ABANDONED, State.FAULT})
RUNG = frozenset({State.RINGING, State.ABANDONED})

STANDARD = Tones()
RELEASE: tuple[Stage, ...] = (Stage(tone="silence", seconds=0.5), Stage(tone="busy"))


class IllegalSignal(AssertionError):
    """The table has no such pair of state and signal; the state is left alone."""


class Engaged(LineError):
    """The port cannot be called now: it is in use, or its pair is broken."""


@dataclass(frozen=True)
class Station:
    """What happens to whoever dials a number; `telephone` makes the party that answers after `after` seconds."""

    behaviour: Literal["answer", "no answer", "busy", "unobtainable"]
    telephone: Callable[[], Telephone] = Silent
    after: float = 4.0


NOBODY = Station("unobtainable")


class Exchange:
    """The exchange's side of one port.

    The near end (line.py) calls `tick` once a tick, then `sound` for the frame we are to read, then
    `hear` with the frame we write. From there a telephone's `hear` is called once a tick, and before it,
    while it is connected to us, its `speak`.
    """

    def __init__(
        self,
        tones: Tones = STANDARD,
        release: tuple[Stage, ...] = RELEASE,
        caller_id: ShowsNumber = "event",
    ) -> None:
        self.state = State.IDLE
        self.events: list[Event] = []  # for the near end, which takes them away
        self.stations: dict[str, Station] = {}
        self._release = release
        self._shows_number = caller_id
        self._near = Player(tones)
        self._far = Player(tones)
        self._telephone: Telephone | None = None
        self._answered = True  # the telephone's `hear` has been called in this tick
        self._number: str | None = None
        self._announced = SILENCE[:0]  # the number in sound
        self._announced_at = 0  # tick of the state RINGING
        self._ticks = 0  # in this state
        self._since_burst = 0
        self._rings = 0
        self._dialling = 0  # ticks until the digits given to `dial` are out
        self._dialled = ""
        self._station = NOBODY

    # The far end's side.

    @property
    def free(self) -> bool:
        """Whether `call` would be put through."""
        return Signal.CALL in TABLE[self.state]

    def call(self, telephone: Telephone, caller_id: str | None = None) -> None:
        """`telephone` dials our number; `caller_id` None withholds its own. Raises Engaged."""
        if not self.free:
            raise Engaged(f"the port cannot be called: {self.state.value}")
        self._telephone, self._answered = telephone, True
        self._number = caller_id
        self._happen(Signal.CALL)
        self._since_burst = 0
        self._announced, self._announced_at = announcement(self._shows_number, caller_id), FSK_AFTER
        if self._shows_number == "dtmf":  # the first burst is at 0
            self._ticks = self._announced_at = -(len(self._announced) // FRAME) - DTMF_AHEAD

    def hang_up(self, telephone: Telephone | None = None) -> None:
        """The telephone puts its receiver down; quiet when there is none, or when another one has its place by now."""
        if telephone is not None and telephone is not self._telephone:
            return
        self._telephone = None
        if Signal.LEAVE in TABLE[self.state]:
            self._happen(Signal.LEAVE)

    def fail(self, reason: str) -> None:
        """The pair breaks; quiet when it is broken already."""
        if self.state is not State.FAULT:
            self._happen(Signal.FAIL)
            self.events.append(Alarm(reason))

    def repair(self) -> None:
        """The pair is whole again; quiet when it was."""
        if self.state is State.FAULT:
            self._happen(Signal.REPAIR)
            self.events.append(Restored())

    # The near end's side.

    @property
    def loop_closed(self) -> bool:
        """Whether our port is off hook."""
        return self.state not in ON_HOOK

    @property
    def failed(self) -> bool:
        """Whether the pair is broken."""
        return self.state is State.FAULT

    def lift(self) -> None:
        """We go off hook."""
        self._happen(Signal.LIFT)

    def put_down(self) -> None:
        """We go on hook; digits not yet sent are forgotten."""
        self._happen(Signal.PUT_DOWN)

    def dial(self, number: str) -> None:
        """Digits from our port; collected while the exchange waits for them, else only sent."""
        self._dialling += sum(PAUSE if digit == "," else DIGIT for digit in number)
        if Signal.DIAL in TABLE[self.state]:
            self._dialled += number.replace(",", "")
            self._happen(Signal.DIAL)

    def tick(self) -> None:
        """20 ms pass."""
        telephone = self._telephone
        if telephone is not None:
            if not self._answered:
                telephone.hear(SILENCE if self.state is State.TALKING else self._far.next())
            self._answered = False
        if self._dialling:
            self._dialling -= 1
            if not self._dialling:
                self.events.append(Dialled())
        if self.state is not State.TALKING:
            self._wait()
        self._ticks += 1

    def sound(self) -> Frame:
        """The next frame towards us. It belongs to whoever made it: copy it, change nothing."""
        if self.state is State.TALKING and self._telephone is not None:
            spoken = self._telephone.speak()
            if spoken is not None:
                return spoken
            self.hang_up()
        if self.state is State.RINGING:
            at = (self._ticks - 1 - self._announced_at) * FRAME  # of the tick that has just passed
            if 0 <= at < len(self._announced):
                return self._announced[at : at + FRAME]
        return self._near.next()

    def hear(self, frame: Frame) -> None:
        """What we send in this tick; heard by the telephone if we are connected, else by nobody."""
        if self.state is State.TALKING and self._telephone is not None:
            self._telephone.hear(frame)
            self._answered = True

    # Inside.

    def _happen(self, signal: Signal) -> None:
        """Follow the table: the only place where the state changes."""
        try:
            self.state = TABLE[self.state][signal]
        except KeyError:
            raise IllegalSignal(f"{signal.value} while {self.state.value}") from None
        self._ticks = 0
        if self.state not in RUNG:
            self._rings = 0
        if self.state in ON_HOOK:
            self._dialling, self._dialled = 0, ""
        self._near.start(*self._near_tones())
        self._far.start(Stage(tone="ringback" if self.state is State.RINGING else "busy"))

    def _near_tones(self) -> tuple[Stage, ...]:
        match self.state:
            case State.CLEARED:
                return self._release
            case State.DIAL_TONE:
                return (Stage(tone="dial"),)
            case State.RINGBACK:
                return (Stage(tone="ringback"),)
            case State.REFUSED:
                return (Stage(tone="busy" if self._station.behaviour == "busy" else "unobtainable"),)
        return (Stage(tone="silence"),)

    def _wait(self) -> None:
        """What happens by itself in the states that wait for something."""
        match self.state:
            case State.RINGING:
                self._ring()
            case State.ABANDONED:
                if self._since_burst >= RING_MISSED:
                    if self._rings:
                        self.events.append(RingStopped())
                    self._happen(Signal.TIME_OUT)
                self._since_burst += 1
            case State.DIALLING if self._dialling:
                self._ticks = 0
            case State.DIALLING if self._ticks >= ROUTING:
                self._route()
            case State.RINGBACK if self._station.behaviour == "answer":
                if self._ticks >= self._station.after * TICKS:
                    self._telephone, self._answered = self._station.telephone(), False
                    self._happen(Signal.ANSWER)
        if self._ticks >= LIMITS.get(self.state, self._ticks + 1):
            self._happen(Signal.TIME_OUT)

    def _ring(self) -> None:
        if self._ticks < 0:
            return
        if self._ticks % RING_PERIOD == 0:
            self._rings += 1
            self._since_burst = 0
            self.events.append(Ring(self._rings))
        if self._ticks == CALLER_ID_AFTER and self._shows_number == "event":
            self.events.append(CallerId(self._number))
        self._since_burst += 1

    def _route(self) -> None:
        self._station = self.stations.get(self._dialled, NOBODY)
        self._dialled = ""
        rung = self._station.behaviour in ("answer", "no answer")
        self._happen(Signal.FREE if rung else Signal.REFUSE)
