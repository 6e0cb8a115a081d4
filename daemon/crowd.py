"""A crowd of callers over AudioSocket, in real time: for `hotline load`.

One process, one selector. A caller's frames go out every 20 ms, a quarter of the crowd every 5 ms, for callers are
not in step. Every millisecond is looked what has come, so a time is right to a millisecond: to be woken for each
frame would cost more than the frame.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from selectors import EVENT_READ, DefaultSelector
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen
from uuid import uuid4

from ..drivers.audiosocket.caller import Caller as Connection
from ..drivers.audiosocket.caller import CallError, announce
from .load import Caller, Step, Tally

TICK = 0.02  # seconds
QUARTERS = 4
LOOK = 0.001  # seconds between two looks
CALLS_A_SECOND = 20  # begin: a crowd that rings in one instant is none a telephone network can make
LAST_CALLS = 180.0  # seconds after the end in which calls still up are finished

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Up:
    """A call in progress."""

    connection: Connection
    caller: Caller


@dataclass(slots=True)
class Place:
    """One line's worth of calling."""

    address: Address
    begins: float  # when its next call does
    call: Up | None = None


class Crowd:
    """So many callers at once; times are seconds on any one clock."""

    def __init__(self, addresses: Sequence[Address], steps: Sequence[Step], lines: int, token: str = "") -> None:
        self.tally = Tally()
        self.up = 0  # calls in progress
        self.most = 0  # and how many there were at once
        self.share = 0.0  # of a core, that calling has taken
        self._steps = steps
        self._token = token
        self._places = [Place(address, n / CALLS_A_SECOND) for n, address in zip(range(lines), cycle(addresses))]
        self._quarters = [self._places[quarter::QUARTERS] for quarter in range(QUARTERS)]
        self._selector = DefaultSelector()
        self._looked = 0.0

    def close(self, now: float) -> None:
        """End all calls; those still up have failed."""
        for place in self._places:
            self._end(place, now, "没有按时结束")
        self._selector.close()

    def speak(self, quarter: int, now: float, new_calls: bool) -> None:
        """The next 20 ms of every fourth caller, from this one on, and their new calls if any are to begin. Raises
        CallError when not even the first call can be made."""
        for place in self._quarters[quarter]:
            call = place.call
            if call is None:
                if new_calls and place.begins <= now:
                    self._try_to_begin(place, now)
            elif call.caller.over:
                self._end(place, now, "")
            else:
                call.connection.say(call.caller.speak(now))

    def listen(self, now: float) -> None:
        """Hear what has come by now: of each caller the oldest frame, more if he has more the next time."""
        for key, _ in self._selector.select(0):
            call: Up = key.data.call
            frame = call.connection.hear()
            if frame is not None:
                call.caller.hear(frame, now, self._looked)
            elif call.connection.over is not None:  # at once: its number in the selector may be another's soon
                self._end(key.data, now, "掉线")
        self._looked = now

    def _try_to_begin(self, place: Place, now: float) -> None:
        try:
            self._begin(place)
        except CallError as error:
            if not self.most:
                raise
            self.tally.faults[str(error)] += 1
            place.begins = now + 1

    def _begin(self, place: Place) -> None:
        uuid = uuid4()
        if self._token and (verdict := announce(*place.address, uuid, None, token=self._token)) != "welcome":
            raise CallError(f"服务不接这个电话：{verdict}")
        place.call = Up(Connection(*place.address, uuid), Caller(self._steps, self.tally))
        self._selector.register(place.call.connection, EVENT_READ, place)
        self.up += 1
        self.most = max(self.most, self.up)

    def _end(self, place: Place, now: float, why: str) -> None:
        """Put the receiver down; a call that is not over by now has failed."""
        if place.call is not None:
            place.call.caller.fail(why)
            self._selector.unregister(place.call.connection)
            place.call.connection.hang_up()
            place.call = None
            place.begins = now + 1
            self.up -= 1


def run(crowd: Crowd, seconds: float) -> Iterator[float]:
    """Call for so long, then finish what is up; gives the seconds gone by now and then. Raises CallError when nobody
    listens there."""
    begin, spent = time.monotonic(), time.process_time()

    def clock() -> float:
        return time.monotonic() - begin

    due = now = 0.0
    try:
        while now < seconds or (crowd.up and now < seconds + LAST_CALLS):
            for quarter in range(QUARTERS):
                crowd.tally.lateness[int(1000 * (now - due))] += 1
                crowd.speak(quarter, now, now < seconds)
                due += TICK / QUARTERS
                crowd.listen(clock())
                while (left := due - clock()) > 0:
                    time.sleep(min(left, LOOK))
                    crowd.listen(clock())
                now = clock()
            crowd.share = (time.process_time() - spent) / now
            yield now
    finally:
        crowd.close(now)


def engines(host: str, port: int) -> list[dict[str, Any]]:
    """What the service's processes say of themselves (pulse.Figures); empty where its pages cannot be reached."""
    try:
        with urlopen(f"http://{host}:{port}/api/engines", timeout=5) as answer:
            told: list[dict[str, Any]] = json.load(answer)
            return told
    except (URLError, TimeoutError):
        return []
