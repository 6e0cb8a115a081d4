"""Where Asterisk finds us."""

from __future__ import annotations

import errno
import socket
from typing import NamedTuple

from ..line import LineError


class Address(NamedTuple):
    """Where we listen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def listen(self, backlog: int) -> socket.socket:
        """A socket that takes connections, as many of them waiting, and is never waited for. Raises LineError."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            listener = socket.create_server(self, family=family, backlog=backlog)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                advice = "已被别的程序占用。同一地址的线路请写在一段里，用 count；否则请换一个 port"
            elif isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                advice = "不是本机的地址，请改 host"
            else:
                advice = f"打不开（{error.strerror}），请换一个 port 或检查权限"
            raise LineError(f"{self} {advice}") from None
        listener.setblocking(False)
        return listener
