"""Sending and receiving on a non-blocking socket without letting go of the interpreter.

socket.send and socket.recv_into let other threads run around every system call. Where a thread has work (records,
fund database) it takes the interpreter each time, and the tick gets it back a switch interval later: two hundred lines
wait two hundred times. These calls never block, so there is nothing to let go for, and ctypes.PyDLL does not.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]  # one row of bytes, contiguous; it outlives what is made of it
Call = Callable[[], int]


def sender(connection: socket.socket, message: Bytes) -> Call:
    """Sends this message, whatever stands in it at the time: how many of its bytes went. Raises OSError. To be dropped
    when the connection is closed."""
    if sys.platform == "win32":
        return lambda: connection.send(message.data)
    return _call("send", connection, message)


def receiver(connection: socket.socket, room: Bytes) -> Call:
    """Receives into this room: how many bytes came, 0 at the end. Raises OSError, as `sender`."""
    if sys.platform == "win32":
        return lambda: connection.recv_into(room.data)
    return _call("recv", connection, room)


def _call(name: str, connection: socket.socket, row: Bytes) -> Call:
    # ssize_t send(int sockfd, const void *buf, size_t len, int flags);
    # ssize_t recv(int sockfd, void *buf, size_t len, int flags);
    function = getattr(ctypes.PyDLL(None, use_errno=True), name)
    function.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    function.restype = ctypes.c_ssize_t
    number, address, size = connection.fileno(), row.ctypes.data, row.nbytes

    def call() -> int:
        count: int = function(number, address, size, 0)
        if count < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
        return count

    return call
