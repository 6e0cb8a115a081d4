"""A crowd of callers over AudioSocket, in real time: for `hotline load`.

One process, one selector. A caller's frames go out every 20 ms, a quarter of the crowd every 5 ms, for callers are
not in step; what comes is read as soon as it is there, so that its time is right.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
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
CALLS_A_SECOND = 20  # begin: a crowd that rings in one instant is none a telephone network can make
LAST_CALLS = 180.0  # seconds after the end in which calls still up are finished

Address = tuple[str, int]


@dataclass(frozen=True)
class Up:
    """A call in progress."""

    connection: Connection
    caller: Caller


@dataclass
class Place:
    """One line's worth of calling."""

    address: Address
    begins: float  # when its next call does
    call: Up | None = None


class Crowd:
    """So many callers at once; times are seconds on any one clock."""

    def __init__(self, addresses: Sequence[Address], steps: Sequence[Step], lines: int, token: str = "") -> None:
        self.tally = Tally()
        self.most = 0  # calls that were up at once
        self._steps = steps
        self._token = token
        self._places = [Place(address, n / CALLS_A_SECOND) for n, address in zip(range(lines), cycle(addresses))]
        self._selector = DefaultSelector()

    @property
    def up(self) -> int:
        """Calls in progress."""
        return sum(place.call is not None for place in self._places)

    def close(self, now: float) -> None:
        """End all calls; those still up have failed."""
        for place in self._places:
            self._end(place, now, "没有按时结束")
        self._selector.close()

    def speak(self, quarter: int, now: float, new_calls: bool) -> None:
        """The next 20 ms of every fourth caller, from this one on, and their new calls if any are to begin. Raises
        CallError when not even the first call can be made."""
        for place in self._places[quarter::QUARTERS]:
            if place.call is None:
                if new_calls and place.begins <= now:
                    self._try_to_begin(place, now)
            elif place.call.caller.over:
                self._end(place, now, "")
            else:
                place.call.connection.send(place.call.caller.speak(now))
        self.most = max(self.most, self.up)

    def listen(self, timeout: float, clock: Callable[[], float]) -> None:
        """Hear what comes first within the timeout."""
        for key, _ in self._selector.select(timeout):
            call: Up = key.data.call
            now = clock()
            for frame in call.connection.receive():
                call.caller.hear(frame, now)
            if call.connection.over is not None:  # at once: its number in the selector may be another's soon
                self._end(key.data, now, "掉线")

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

    def _end(self, place: Place, now: float, why: str) -> None:
        """Put the receiver down; a call that is not over by now has failed."""
        if place.call is not None:
            place.call.caller.fail(why)
            self._selector.unregister(place.call.connection)
            place.call.connection.hang_up()
            place.call = None
            place.begins = now + 1


def run(crowd: Crowd, seconds: float) -> Iterator[float]:
    """Call for so long, then finish what is up; gives the seconds gone by now and then. Raises CallError when nobody
    listens there."""
    begin = time.monotonic()

    def clock() -> float:
        return time.monotonic() - begin

    due = now = 0.0
    try:
        while now < seconds or (crowd.up and now < seconds + LAST_CALLS):
            for quarter in range(QUARTERS):
                crowd.speak(quarter, now, now < seconds)
                due += TICK / QUARTERS
                while (now := clock()) < due:
                    crowd.listen(due - now, clock)
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
