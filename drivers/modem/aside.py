"""Work that may block, done aside: opening a port of a modem that hangs can take seconds, a tick has 20 ms.

A runner takes a function and gives a future; the line looks at it once a tick.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

Work = Callable[[], None]
Runner = Callable[[Work], "Future[None]"]


def at_once(work: Work) -> Future[None]:
    """Do it now: for virtual time, where nothing blocks."""
    future: Future[None] = Future()
    try:
        work()
        future.set_result(None)
    except Exception as error:
        future.set_exception(error)
    return future


def in_thread(work: Work) -> Future[None]:
    """Do it in a thread of its own, which ends with the process even if the kernel never comes back."""
    future: Future[None] = Future()

    def run() -> None:
        try:
            work()
            future.set_result(None)
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=run, name="modem", daemon=True).start()
    return future
