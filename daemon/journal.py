"""Puts what happens in calls on record, and shows it to whoever watches.

The switchboard's thread only appends to a queue; one thread takes everything that is waiting and writes it in
one transaction. A database that does not answer holds up no call: the queue waits, and is written in
order once the database is back.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING
from uuid import UUID

from .call import TICKS_PER_SECOND, Call, StepKind, Who
from .work import give_way

if TYPE_CHECKING:
    from ..desk.records import Records

log = logging.getLogger(__name__)

Write = Callable[[], object]

RETRY = 1.0  # seconds between two tries while the database is away
LONGEST_BATCH = 500  # records in one transaction; SQLite holds its lock for about 20 ms then


@dataclass(frozen=True)
class Entry:
    """A line of a call's transcript; `at` is in seconds since the call was answered."""

    call: UUID
    line: str
    at: float
    who: Who
    text: str


Watcher = Callable[[Entry], None]


class Clock:
    """Ticks as time of day: `epoch` is when tick 0 was."""

    def __init__(self, epoch: datetime) -> None:
        self._epoch = epoch
        self.tick = 0

    def __call__(self) -> datetime:
        """The time of the current tick."""
        return self._epoch + timedelta(seconds=self.tick / TICKS_PER_SECOND)

    def skip(self, seconds: float) -> None:
        """Time passed in which no ticks were made."""
        self._epoch += timedelta(seconds=seconds)


class Journal:
    """The switchboard's observer: records for the desk, transcripts for the pages."""

    def __init__(self, records: Records, clock: Clock, on_ring: Callable[[], None] = lambda: None) -> None:
        self.alarms: dict[str, str] = {}
        self._records = records
        self._clock = clock
        self._on_ring = on_ring
        self._answered: dict[UUID, datetime] = {}
        self._watchers: dict[str | None, list[Watcher]] = defaultdict(list)
        self._queue: SimpleQueue[Write | threading.Event] = SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal")

    def open(self) -> None:
        """Begin to write."""
        self._thread.start()

    # What the switchboard tells.

    def rang(self, line: str) -> None:
        """A call is coming: the time to look whether prompts or the dialog have changed."""
        self._on_ring()

    def began(self, call: Call) -> None:
        """A call was answered."""
        at = self._answered[call.id] = self._clock()
        self._queue.put(partial(self._records.call_started, call.id, call.line, call.number or "", at))
        self._queue.put(partial(self._records.call_answered, call.id, at))
        self._show(call, "来电", f"{call.number or '未显示号码'}，已接听")

    def told(self, call: Call, who: Who, text: str) -> None:
        """A line of the transcript."""
        self._show(call, who, text)

    def stepped(self, call: Call, kind: StepKind, detail: str) -> None:
        """A step of the call."""
        self._queue.put(partial(self._records.step, call.id, call.steps, self._clock(), call.node, kind, detail))

    def ended(self, call: Call, error: Exception | None) -> None:
        """The call has cleared."""
        self._queue.put(partial(self._records.call_ended, call.id, self._clock(), call.cause or "fault"))
        self._show(call, "状态", "通话结束")
        del self._answered[call.id]

    def alarm(self, line: str, reason: str | None) -> None:
        """A line went out of service, or came back."""
        if reason is None:
            self.alarms.pop(line, None)
        else:
            self.alarms[line] = reason

    # What watchers and the service ask.

    def watch(self, line: str | None, watcher: Watcher) -> Callable[[], None]:
        """Show `watcher` the transcript of this line (None: of all) until the returned function is called."""
        self._watchers[line].append(watcher)
        return lambda: self._watchers[line].remove(watcher)

    def since(self, call: Call) -> float | None:
        """When this call was answered, in Unix time; None when it is over."""
        answered = self._answered.get(call.id)
        return answered.timestamp() if answered else None

    def flush(self) -> None:
        """Wait until everything told so far is on record."""
        written = threading.Event()
        self._queue.put(written)
        written.wait()

    def close(self) -> None:
        """Write what is left and end the thread. What cannot be written is said in the log, by number."""
        self._closing.set()
        self._queue.put(threading.Event())
        self._thread.join()

    # Inside.

    def _show(self, call: Call, who: Who, text: str) -> None:
        at = (self._clock() - self._answered[call.id]).total_seconds()
        entry = Entry(call.id, call.line, at, who, text)
        for watcher in [*self._watchers[call.line], *self._watchers[None]]:
            watcher(entry)

    def _run(self) -> None:
        give_way()
        while not (self._closing.is_set() and self._queue.empty()):
            batch = self._take()
            self._write([item for item in batch if not isinstance(item, threading.Event)])
            for item in batch:
                if isinstance(item, threading.Event):
                    item.set()
        self._records.close()

    def _take(self) -> list[Write | threading.Event]:
        batch = [self._queue.get()]
        while len(batch) < LONGEST_BATCH:
            try:
                batch.append(self._queue.get_nowait())
            except Empty:
                break
        return batch

    def _write(self, batch: list[Write]) -> None:
        from ..desk.errors import RecordsError

        told = False
        while batch:
            last = self._closing.is_set()  # looked at first: closing leaves one more try
            try:
                results = self._records.write(batch)
            except RecordsError as error:
                if last:
                    log.error("service stops with %d records unwritten: %s", len(batch) + self._drop(), error)
                    return
                if not told:
                    log.error("records cannot be written, will be tried again: %s", error)
                told = True
                self._closing.wait(RETRY)
            else:
                for result in results:
                    if isinstance(result, RecordsError):
                        log.error("a record was refused: %s", result)
                if told:
                    log.warning("records are written again")
                return

    def _drop(self) -> int:
        """Empty the queue; how many records were in it."""
        dropped = 0
        while True:
            try:
                item = self._queue.get_nowait()
            except Empty:
                return dropped
            if isinstance(item, threading.Event):
                item.set()
            else:
                dropped += 1
