"""The port of a device in software: a pty, under a path that stays the same when the plug is pulled and put back."""

from __future__ import annotations

import errno
import fcntl
import os
import termios
import tty
from contextlib import suppress
from pathlib import Path


class Host:
    """The device's end of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._master = -1

    def plug(self) -> None:
        """The port appears."""
        if self._master >= 0:
            return
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(slave))
        os.close(slave)
        fcntl.fcntl(self._master, fcntl.F_SETFL, os.O_NONBLOCK)

    def unplug(self) -> None:
        """The port is gone; whoever holds it finds out."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1
            self.path.unlink(missing_ok=True)

    def read(self) -> bytes | None:
        """What the host sent; None while nobody has the port open."""
        if self._master < 0:
            return None
        try:
            return os.read(self._master, 65536)
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno == errno.EIO:
                return None
            raise

    def write(self, data: bytes) -> None:
        """To the host; what it does not take is lost, as in a modem's own buffer."""
        if self._master >= 0:
            with suppress(BlockingIOError):
                os.write(self._master, data)

    @property
    def dtr(self) -> bool:
        """Whether the host holds DTR up; speed 0 is how it lets go on a port without control lines."""
        return self._master < 0 or termios.tcgetattr(self._master)[5] != termios.B0
