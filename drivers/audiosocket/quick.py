"""Sending and receiving on a non-blocking socket without letting go of the interpreter, and without making objects.

socket.send and socket.recv_into let other threads run around every system call. Where a thread has work (records,
fund database) it takes the interpreter each time, and the tick gets it back a switch interval later: two hundred lines
wait two hundred times. These calls never block, so there is nothing to let go for, and ctypes.PyDLL does not. Their
arguments are converted once, and what went wrong is a number: where nothing has come on five hundred lines, five
hundred exceptions would cost a tick more than the system calls.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import sys
from collections.abc import Callable
from functools import cache, partial
from typing import cast

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]  # one row of bytes, contiguous; it outlives what is made of it
Call = Callable[[], int]
FAILED = -1  # what a Call gives where `why` has the reason
LATER = frozenset({errno.EAGAIN, errno.EWOULDBLOCK})  # reasons that are none: nothing has come, or there is no room


def sender(connection: socket.socket, message: Bytes) -> Call:
    """Sends this message, whatever stands in it at the time: how many of its bytes went, or FAILED. To be dropped when
    the connection is closed."""
    if sys.platform == "win32":
        return _caught(partial(connection.send, message.data))
    return _call("send", connection, message)


def receiver(connection: socket.socket, room: Bytes) -> Call:
    """Receives into this room: how many bytes came, 0 at the end, or FAILED. As `sender`."""
    if sys.platform == "win32":
        return _caught(partial(connection.recv_into, room.data))
    return _call("recv", connection, room)


def why() -> int:
    """The errno of the last Call that gave FAILED."""
    return ctypes.get_errno()


def _call(name: str, connection: socket.socket, row: Bytes) -> Call:
    where = ctypes.c_int(connection.fileno()), ctypes.c_void_p(row.ctypes.data)
    return partial(_function(name), *where, _size(row.nbytes), FLAGS)


# What all connections share is one object, for five hundred of each do not fit into the processor's cache.
FLAGS = ctypes.c_int(0)
_size = cache(ctypes.c_size_t)


@cache
def _function(name: str) -> Callable[..., int]:
    # ssize_t send(int sockfd, const void *buf, size_t len, int flags);
    # ssize_t recv(int sockfd, void *buf, size_t len, int flags);
    function = getattr(ctypes.PyDLL(None, use_errno=True), name)
    function.restype = ctypes.c_ssize_t
    return cast("Callable[..., int]", function)


def _caught(function: Call) -> Call:
    def call() -> int:
        try:
            return function()
        except OSError as error:
            ctypes.set_errno(error.errno or 0)
            return FAILED

    return call
