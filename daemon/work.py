"""Blocking work in threads, and its results brought back to the switchboard's thread.

In real time the switchboard picks up what has finished at each tick. In virtual time the clock stands
still while work is out, so that a result never depends on how fast the machine is: `settle` waits.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Literal

log = logging.getLogger(__name__)

Done = Callable[[Any, BaseException | None], None]

# Work of different kinds does not wait for each other: a fund database that hangs keeps a thread for each
# caller who asked it until the deadline, and neither a vote nor the next half second of a recording may wait that long.
Lane = Literal["records", "fund", "recording"]
RECORDS = 16  # each thread keeps a connection to our own database
NICE = 10  # of all threads but the one that ticks: its share of a core they all want is then nine tenths
RECORDING = 4  # a disk does not get faster by being asked more at once


class Work:
    """A few pools of threads whose results come back through `collect` or `settle`, in the order they finish."""

    def __init__(self, lines: int) -> None:
        """`lines`: how many callers may ask the fund database at once. A thread is started when it is first needed."""
        self.threads: dict[Lane, int] = {"records": RECORDS, "fund": lines, "recording": RECORDING}  # at most
        self._pools = {lane: ThreadPoolExecutor(count, lane, give_way) for lane, count in self.threads.items()}
        self._finished: SimpleQueue[tuple[Future[Any], Done]] = SimpleQueue()
        self.out = 0  # given to a thread and not yet brought back

    def submit(self, done: Done, fn: Callable[..., Any], *args: Any, lane: Lane = "records") -> None:
        """Run `fn(*args)` in a thread of that lane; `done(result, error)` is called later, by whoever collects."""
        self.out += 1
        future = self._pools[lane].submit(fn, *args)
        future.add_done_callback(lambda f: self._finished.put((f, done)))

    def collect(self) -> None:
        """Bring back what has finished; never waits."""
        while self.out:
            try:
                self._bring(*self._finished.get_nowait())
            except Empty:
                return

    def settle(self) -> None:
        """Wait until nothing is out any more, what the results themselves start included."""
        while self.out:
            self._bring(*self._finished.get())

    def close(self) -> None:
        """Wait for what is running, drop nothing that was submitted."""
        self.settle()
        for pool in self._pools.values():
            pool.shutdown()

    def _bring(self, future: Future[Any], done: Done) -> None:
        self.out -= 1
        error = future.exception()
        done(None if error else future.result(), error)


def give_way() -> None:
    """Let this thread yield to the one that ticks where both want the same core; Linux knows priorities of threads."""
    if sys.platform == "linux":
        with suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, max(NICE, os.getpriority(os.PRIO_PROCESS, thread)))


def logged(what: str) -> Done:
    """For work nobody waits for: an error is logged, a result is dropped."""

    def done(_result: Any, error: BaseException | None) -> None:
        if error:
            log.error("%s failed: %s", what, error, exc_info=error)

    return done
