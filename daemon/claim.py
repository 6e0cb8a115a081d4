"""One service a state folder: a second one would close the first one's calls as if it had crashed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO


class StateTaken(Exception):
    """Another service works on this folder; the text says what to do."""


def claim(state: Path, engine: int = 0) -> BinaryIO:
    """Hold the folder, as one engine of a service, until the returned file is closed or the process is gone. Raises
    StateTaken."""
    file = (state / (f"hotline-{engine + 1}.lock" if engine else "hotline.lock")).open("a+b")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise StateTaken(
            f"{state}：另一个 hotline 正在使用这个状态文件夹，请先停掉它，或在 [service] state 写另一个文件夹"
        ) from None
    return file
