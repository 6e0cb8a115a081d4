"""Telling systemd how the service is, as sd_notify(3) does; without systemd every call is quiet.

In own lines because the `sdnotify` package encodes as Latin-1 and swallows the error: a Chinese
STATUS would take READY=1 down with it.
"""

from __future__ import annotations

import logging
import os
import socket

log = logging.getLogger(__name__)


def send(state: str) -> None:
    """Send assignments, one a line: "READY=1\\nSTATUS=接听中". Never blocks, never raises."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket: the kernel wants a zero byte there
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.setblocking(False)
            connection.sendto(state.encode(), address)
    except OSError as error:
        log.warning("systemd was not told %r: %s", state, error)
