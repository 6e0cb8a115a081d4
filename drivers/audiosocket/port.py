"""One line's side of the server: its connection, and what there is to tell the line.

Sending is on the tick's path: one system call, no object made. A peer that does not read is never waited for: frames
its buffer has no room for are dropped, and after a second of that so is the peer.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from uuid import UUID

from ..line import CallerId, Event
from . import quick
from .book import Visitor
from .protocol import HANG_UP_MESSAGE, MESSAGE, Decoder

UNREAD = 50  # frames in a row the peer has no room for until it is dropped: a second


class Port:
    """The connection of one line, or none."""

    def __init__(
        self, slot: int, room: quick.Bytes, message: quick.Bytes, deaf: list[Port], stirring: set[int]
    ) -> None:
        """`room` is where the server wants what comes, `message` where it puts what goes, `deaf` where it looks for
        ports whose peer does not read, `stirring` the lines that have more to do in a tick than to pass sound on."""
        self.slot = slot
        self._room, self._message = room, message
        self._deaf, self._stirring = deaf, stirring
        self._events: list[Event] = []
        self.socket: socket.socket | None = None
        self.uuid: UUID | None = None
        self.dialled: str | None = None
        self.target = ""  # where the dialplan is to send the call when we have hung up
        self.failed = False  # the server is out of order
        self.unread = 0
        self.decoder = Decoder()
        self.receive: quick.Call = _no_one
        self._send: quick.Call = _no_one
        self.cut = b""  # the end of a message of which the beginning is out

    def connect(self, connection: socket.socket, uuid: UUID, visitor: Visitor, decoder: Decoder) -> None:
        """A call has come for this line."""
        self.socket, self.uuid, self.dialled, self.decoder = connection, uuid, visitor.dialled, decoder
        self.tell(CallerId(visitor.caller))
        self.target, self.unread, self.cut = "", 0, b""
        self.receive = quick.receiver(connection, self._room)
        self._send = quick.sender(connection, self._message)

    def disconnect(self) -> socket.socket | None:
        """Let go of the connection, which the caller has to close."""
        connection, self.socket = self.socket, None
        self.receive = self._send = _no_one
        return connection

    def stir(self) -> None:
        """The line wants to be asked in the next tick."""
        self._stirring.add(self.slot)

    def tell(self, event: Event) -> None:
        """This has happened to the line."""
        self._events.append(event)
        self.stir()

    def told(self) -> list[Event]:
        """What has happened, once; the line is asked again when it says so, or more happens."""
        self._stirring.discard(self.slot)
        events, self._events = self._events, []
        return events

    def send(self) -> None:
        """Put the message on its way; nothing happens without a connection."""
        if self.cut:
            self._finish()
            if self.cut:
                return
        sent = self._send()
        if sent == MESSAGE:
            self.unread = 0
        elif sent == quick.FAILED:
            self._lost(quick.why())
        else:
            self.cut = self._message[sent:].tobytes()
            self.unread = 0

    def _finish(self) -> None:
        """Send the end of a cut message."""
        if self.socket is None:
            return
        try:
            self.cut = self.cut[self.socket.send(self.cut) :]
        except OSError as error:
            self._lost(error.errno)
        else:
            self.unread = 0

    def _lost(self, error: int | None) -> None:
        """A frame was not sent. Where the connection broke, reading will tell why."""
        if error in quick.LATER:
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
