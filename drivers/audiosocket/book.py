"""What the dialplan has told us of calls that are to come, and what it may ask of calls that were.

AudioSocket carries a UUID and nothing else about the call. So the dialplan announces the UUID first, with the
caller's number and what was dialled, and learns whether there is a line free; when AudioSocket has returned, it asks
where the call is to go. Entries are few and short-lived: a stranger cannot fill the memory.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from uuid import UUID

from .agi import Request

ARRIVE, LEAVE = "arrive", "leave"  # scripts of agi://HOST:PORT/…
VERDICT, TARGET = "HOTLINE_VERDICT", "HOTLINE_TARGET"  # dialplan variables they set

ANNOUNCED = 250  # ticks an announced call may take to come: 5 s, Asterisk's connection takes 2 at most
ENDED = 500  # ticks the dialplan may take to ask where a call is to go: 10 s


@dataclass(frozen=True)
class Visitor:
    """Who comes with a UUID."""

    caller: str | None = None
    dialled: str | None = None


STRANGER = Visitor()


class Book:
    """Announced calls and their outcomes, by UUID; time is ticks."""

    def __init__(self, token: str, lines: int) -> None:
        self._token = token
        self._most = 2 * lines + 16
        self._announced: dict[UUID, tuple[int, Visitor]] = {}
        self._targets: dict[UUID, tuple[int, str]] = {}

    def answer(self, request: Request, now: int, free: int) -> tuple[str, str]:
        """Name and value of the variable the dialplan gets; `free` lines can take a call."""
        uuid = _uuid(request.arguments[0]) if request.arguments else None
        token = request.arguments[1] if len(request.arguments) > 1 else ""
        allowed = uuid is not None and hmac.compare_digest(token.encode(), self._token.encode())
        if request.script == LEAVE:
            return TARGET, self._targets.pop(uuid, (0, ""))[1] if uuid is not None and allowed else ""
        if request.script != ARRIVE or uuid is None or not allowed:
            return VERDICT, "refused"
        if len(self._announced) >= min(free, self._most):
            return VERDICT, "busy"
        self._announced[uuid] = now + ANNOUNCED, Visitor(request.caller, request.dialled)
        return VERDICT, "welcome"

    def arrived(self, uuid: UUID) -> Visitor | None:
        """Who this is; None: somebody nobody announced, where a token is asked for."""
        known = self._announced.pop(uuid, None)
        if known is not None:
            return known[1]
        return None if self._token else STRANGER

    def left(self, uuid: UUID, target: str, now: int) -> None:
        """This call is to go to `target`."""
        if len(self._targets) >= self._most:
            del self._targets[next(iter(self._targets))]
        self._targets[uuid] = now + ENDED, target

    def forget(self, now: int) -> None:
        """Drop what nobody came for; called once a second."""
        self._announced = {uuid: entry for uuid, entry in self._announced.items() if entry[0] > now}
        self._targets = {uuid: entry for uuid, entry in self._targets.items() if entry[0] > now}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
