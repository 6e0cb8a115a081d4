"""What the daemon sees of the desk: plain values in, plain values out, one exception.

Every method blocks (call it from a worker thread), may be called from any thread, and is one
transaction. Doing the same thing again changes nothing, so after a `RecordsError` the batch may be
tried again. Times are aware datetimes; `id_number` is the canonical 18 characters.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import ParamSpec, TypeVar

import django.db
from django.db import close_old_connections, connections, transaction

from . import pins, selectors, services
from .errors import RecordsError
from .pointing import drop_stale
from .selectors import Outlet, PromptOverride, TextNode

P = ParamSpec("P")
T = TypeVar("T")


def _ask(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call with a connection that works, or say so in our own words."""
    if not transaction.get_connection().in_atomic_block:
        drop_stale()
        close_old_connections()
    try:
        return function(*args, **kwargs)
    except django.db.Error as error:
        # Only the driver's class: its text may quote the row it choked on.
        raise RecordsError(f"热线数据库: {type(error).__name__}") from error


class Records:
    """Everything a call leaves behind, and what callers hear of the centre. Made by `desk.open_records`."""

    def __init__(self, machine: str = "") -> None:
        self.machine = machine

    def close(self) -> None:
        """Close this thread's connection; the last thing a worker thread does. The next call opens a new one."""
        connections.close_all()

    def write(self, batch: Sequence[Callable[[], T]]) -> list[T | RecordsError]:
        """Run several of the methods below (as functools.partial) in one transaction: one wait for the disk.

        Should one of them be refused, for whatever reason, each is tried by itself, so that a bad record
        takes no good one with it; its place in the result then holds the error. Raises `RecordsError` when
        the database cannot be reached, also half-way: the whole batch may be tried again.
        """
        if not batch:
            return []
        try:
            return _ask(_together, batch)
        except Exception as error:
            if _away(error):
                raise
        return [_alone(item) for item in batch]

    def call_started(self, call_id: uuid.UUID, line: str, caller_number: str | None, at: datetime) -> None:
        _ask(
            services.call_started,
            call_id=call_id,
            machine=self.machine,
            line=line,
            caller_number=caller_number or "",
            at=at,
        )

    def call_answered(self, call_id: uuid.UUID, at: datetime) -> None:
        _ask(services.call_answered, call_id=call_id, at=at)

    def step(self, call_id: uuid.UUID, seq: int, at: datetime, node: str, kind: str, detail: str = "") -> None:
        """`kind` is one of `models.Step.KINDS`; a PIN is kind "secret", of which only ****** is kept."""
        _ask(services.step_add, call_id=call_id, seq=seq, at=at, node=node, kind=kind, detail=detail)

    def call_ended(self, call_id: uuid.UUID, at: datetime, cause: str) -> None:
        """`cause`: `models.Call.CAUSES` has the words for those it knows. The first end of a call counts."""
        _ask(services.call_ended, call_id=call_id, at=at, cause=cause)

    def message_started(
        self,
        call_id: uuid.UUID,
        kind: str,
        id_number: str,
        caller_number: str | None,
        path: str,
        at: datetime,
        message_id: uuid.UUID | None = None,
    ) -> uuid.UUID:
        """Open an order before the first sample is recorded. `kind`: complaint or suggestion; `path`: relative
        to the recordings folder, forward slashes, the name the file will have when closed."""
        message = _ask(
            services.message_started,
            message_id=message_id or uuid.uuid4(),
            call_id=call_id,
            machine=self.machine,
            kind=kind,
            id_number=id_number,
            caller_number=caller_number or "",
            path=path,
            at=at,
        )
        return message.id

    def message_kept(self, message_id: uuid.UUID, seconds: float, at: datetime) -> None:
        _ask(services.message_kept, message_id=message_id, seconds=seconds)

    def message_dropped(self, message_id: uuid.UUID, at: datetime) -> None:
        _ask(services.message_dropped, message_id=message_id)

    def messages_repaired(self, files: Iterable[tuple[str, float]], at: datetime) -> int:
        """At start, before the first call: (path, seconds) of every recording that had to be mended."""
        return _ask(services.messages_repaired, machine=self.machine, files=dict(files), at=at)

    def open_recordings(self) -> list[str]:
        """At start: paths of the orders this machine had begun and not completed."""
        return _ask(selectors.open_recordings, self.machine)

    def vote_cast(self, call_id: uuid.UUID, id_number: str, option: int, at: datetime, line: str) -> int:
        """`option` 1..5. A second vote in the same call replaces the first: the last word counts."""
        return _ask(
            services.vote_cast,
            call_id=call_id,
            machine=self.machine,
            id_number=id_number,
            option=option,
            at=at,
            line=line,
        )

    def close_unfinished(self, at: datetime) -> int:
        """At start, before the first call: close what a crash of this machine left open; how many."""
        return _ask(services.close_unfinished, machine=self.machine, at=at)

    def check_pin(
        self, kind: str, login: str, pin: str, caller: str, at: datetime, limits: pins.Limits = pins.LIMITS
    ) -> pins.Verdict:
        """See `pins.check`: one scrypt, about 55 ms."""
        return _ask(pins.check, kind, login, pin, caller, at=at, limits=limits)

    def set_pin(self, kind: str, login: str, pin: str, by: str, at: datetime, known: Sequence[str] = ()) -> None:
        """See `pins.set`; raises `pins.WeakPin` for a PIN that is too easy to guess."""
        _ask(pins.set, kind, login, pin, by, at=at, known=known)

    def offer_prompts(self, catalogue: Mapping[str, str]) -> None:
        """Tell the pages which prompts there are and how they read as shipped."""
        _ask(services.prompts_offer, catalogue=catalogue)

    def operation(self) -> tuple[bool, str]:
        """Whether callers get the menu, and which dialog (empty: the settings') it is."""
        row = _ask(selectors.operation)
        return row.open, row.dialog

    def branches(self) -> list[Outlet]:
        return _ask(selectors.branches)

    def texts(self, kind: str, path: Sequence[str] = ()) -> TextNode | None:
        """`kind`: policy or procedure; `path`: keys pressed, ("1",) deposit, ("1", "2") second item below it."""
        return _ask(selectors.texts, kind, path)

    def prompt_overrides(self, since: datetime | None = None) -> list[PromptOverride]:
        return _ask(selectors.prompt_overrides, since)


def _together(batch: Sequence[Callable[[], T]]) -> list[T | RecordsError]:
    with transaction.atomic():
        return [item() for item in batch]


def _alone(item: Callable[[], T]) -> T | RecordsError:
    try:
        return _ask(_together, [item])[0]
    except Exception as error:
        if _away(error):
            raise
        # A value that is none, a key that is missing: the error's own text may quote the row.
        return error if isinstance(error, RecordsError) else RecordsError(f"热线数据库: {type(error).__name__}")


def _away(error: Exception) -> bool:
    """Whether the database cannot be reached, so that trying again may help."""
    return isinstance(error.__cause__ or error, django.db.OperationalError | django.db.InterfaceError)
