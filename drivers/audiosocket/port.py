"""One line's side of the server: its connection, and what there is to tell the line.

Sending is on the tick's path: one system call, no object made. A peer that does not read is never waited for: frames
its buffer has no room for are dropped, and after a second of that so is the peer.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from uuid import UUID

import numpy as np

from ..line import CallerId, Event, Frame
from . import quick
from .book import Visitor
from .protocol import FRAME_HEADER, HANG_UP_MESSAGE, HEADER, MESSAGE, Decoder

UNREAD = 50  # frames in a row the peer has no room for until it is dropped: a second

# The message being sent, whoever's it is: the kernel has taken its copy before the next one is made. One byte of room
# before it, so that its samples lie on an even address.
_room = np.zeros(1 + MESSAGE, np.uint8)
_room[1 : 1 + HEADER] = np.frombuffer(FRAME_HEADER, np.uint8)
_samples = _room[1 + HEADER :].view("<i2")
_message = _room[1:]


class Port:
    """The connection of one line, or none."""

    def __init__(self, slot: int, deaf: list[Port]) -> None:
        """`deaf` is where the server looks for ports whose peer does not read."""
        self.slot = slot
        self._deaf = deaf
        self.events: list[Event] = []  # for the line, which takes them away
        self.socket: socket.socket | None = None
        self.uuid: UUID | None = None
        self.dialled: str | None = None
        self.target = ""  # where the dialplan is to send the call when we have hung up
        self.failed = False  # the server is out of order
        self.unread = 0
        self.decoder = Decoder()
        self._send: quick.Call = _no_one
        self.cut = b""  # the end of a message of which the beginning is out

    def connect(self, connection: socket.socket, uuid: UUID, visitor: Visitor, decoder: Decoder) -> None:
        """A call has come for this line."""
        self.socket, self.uuid, self.dialled, self.decoder = connection, uuid, visitor.dialled, decoder
        self.events.append(CallerId(visitor.caller))
        self.target, self.unread, self.cut = "", 0, b""
        self._send = quick.sender(connection, _message)

    def disconnect(self) -> socket.socket | None:
        """Let go of the connection, which the caller has to close."""
        connection, self.socket, self._send = self.socket, None, _no_one
        return connection

    def send(self, frame: Frame) -> None:
        """Put 20 ms on their way; nothing happens without a connection."""
        if self.cut:
            self._finish()
        if self.cut:
            return
        _samples[...] = frame
        try:
            if (sent := self._send()) != MESSAGE:
                self.cut = _message[sent:].tobytes()
            self.unread = 0
        except OSError as error:
            self._lost(error)

    def _finish(self) -> None:
        """Send the end of a cut message."""
        if self.socket is None:
            return
        try:
            self.cut = self.cut[self.socket.send(self.cut) :]
        except OSError as error:
            self._lost(error)
        else:
            self.unread = 0

    def _lost(self, error: OSError) -> None:
        """A frame was not sent. Where the connection broke, reading will tell why."""
        if isinstance(error, BlockingIOError):
            self.unread += 1
            if self.unread == UNREAD:
                self._deaf.append(self)


def say_goodbye(connection: socket.socket, cut: bytes = b"") -> None:
    """Tell the peer that the call is over, in words, and send no more; `cut` is the end of a message begun."""
    with suppress(OSError):
        connection.send(cut + HANG_UP_MESSAGE)
        connection.shutdown(socket.SHUT_WR)


def _no_one() -> int:
    return MESSAGE
