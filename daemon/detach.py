"""`hotline run --detach`: into the background, on machines without systemd.

The command that was typed waits until the service is ready: it ends with status 0 then, and with 1 if
the service ended before, whose reason is still written to the same terminal.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

# What the service keeps (recordings, records, logs) is nobody's but its user's and group's.
UMASK = 0o027


class DetachError(RuntimeError):
    """The process cannot go into the background; the text says why."""


@contextmanager
def detached(pidfile: Path | None) -> Iterator[Callable[[], None]]:
    """Run the block in a process of its own, which calls what it is given once it is ready.

    The calling process never enters the block: it ends with SystemExit. To be entered before any
    thread is started, for only the forking thread lives on. Raises DetachError.
    """
    if not hasattr(os, "fork"):
        raise DetachError("这个系统上没有后台运行：请用系统的服务管理器启动 hotline run")
    # python-daemon's module has the name of our own package: it is found because neither the
    # checkout nor this package's folder is ever on the installed command's search path.
    import daemon

    pid = _PidFile(pidfile.absolute()) if pidfile else None
    news, tell = os.pipe()
    if os.fork():
        os.close(tell)
        _wait(news)
    os.close(news)
    nothing = open(os.devnull, "r+")  # noqa: SIM115  # for as long as the process lives
    context = daemon.DaemonContext(
        detach_process=True,
        umask=UMASK,
        pidfile=pid,
        # Left to itself it opens these anew on numbers 0 and 1, closed when another program is started: the desk.
        stdin=nothing,
        stdout=nothing,
        stderr=sys.stderr,  # until it is ready; a terminal's sentences must not get lost
        files_preserve=[tell, *([pid.file] if pid else [])],
    )

    def ready() -> None:
        os.write(tell, str(os.getpid()).encode())
        os.close(tell)
        os.dup2(nothing.fileno(), sys.stderr.fileno())

    with context:
        yield ready


def _wait(news: int) -> None:
    """End this process: with 0 once the other one has told its number, with 1 if it ended before."""
    with open(news) as told:
        number = told.read()
    if number:
        print(f"已在后台运行，进程号 {number}。")
    raise SystemExit(0 if number else 1)


class _PidFile:
    """A file with the process number, locked as long as the process lives: one a crash left is no obstacle."""

    def __init__(self, path: Path) -> None:
        import fcntl

        self._path = path
        try:
            self.file: IO[str] = open(path, "a")  # noqa: SIM115  # stays open, and with it the lock, until the end
        except OSError as error:
            raise DetachError(f"{path}：写不了：{error.strerror}") from None
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DetachError(f"{path}：已有一个服务在运行，进程号 {path.read_text().strip()}") from None

    def __enter__(self) -> None:
        self.file.truncate(0)
        self.file.write(f"{os.getpid()}\n")
        self.file.flush()

    def __exit__(self, *_: object) -> None:
        self._path.unlink(missing_ok=True)
        self.file.close()
