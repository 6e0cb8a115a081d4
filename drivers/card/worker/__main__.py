"""A card's worker: one process, one thread, between a vendor's library and the service's socket.

    python -m worker {synway|donjin} PORT        with the token in HOTLINE_CARD_TOKEN

It knows no time. It wakes when the service says something - at least fifty times a second while there is a call - and
else every 10 ms, and then looks at what the library has. When the service has gone, the lines are hung up.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from . import wire
from .donjin import Donjin
from .library import StartError
from .synway import Synway
from .wire import Kind, Message

CARDS: dict[str, Any] = {"synway": Synway, "donjin": Donjin}
PATIENCE = 0.01  # seconds between two looks at the library when the service says nothing


class Worker:
    """The loop; `run` returns when the service wants no more, or is there no more."""

    def __init__(self, name: str, connection: socket.socket) -> None:
        self._name = name
        self._socket = connection
        self._decoder = wire.Decoder()
        self._card: Any = None
        self._channels = 0
        self._running = True

    def run(self) -> None:
        """Serve."""
        try:
            while self._running:
                ready, _, _ = select.select([self._socket], [], [], PATIENCE)
                data = self._socket.recv(65536) if ready else b""
                if ready and not data:
                    return
                # What is asked for is done first and answered last. So what the library still has of a call that has
                # just been hung up goes out before the answer, and is dropped; and a pong means that everything
                # before it is done, and that everything the library had is on its way.
                answers = b"".join([self._obey(message) for message in self._decoder.receive(data)])
                brought = self._card.pump() if self._card is not None else b""
                if brought or answers:
                    self._socket.sendall(brought + answers)
        finally:
            if self._card is not None:
                self._card.stop()

    def _obey(self, message: Message) -> bytes:
        kind, channel = message.kind, message.channel
        if kind is Kind.START and self._card is None:
            return self._start(json.loads(message.body.decode()))
        if kind is Kind.QUIT:
            self._running = False
        elif kind is Kind.PING:
            return wire.pack_number(Kind.PONG, wire.CARD, message.number)
        elif kind is Kind.LOOK and self._card is not None:
            return b"".join([self._card.look(number) for number in range(self._channels)])
        elif channel < self._channels:
            return self._tell(kind, channel, message)
        return b""

    def _start(self, options: dict[str, Any]) -> bytes:
        card = CARDS[self._name](Path(options.pop("folder")), **options)
        try:
            types = card.start()
        except StartError as error:
            self._running = False
            return wire.pack_text(Kind.FAILED, wire.CARD, str(error))
        self._card, self._channels = card, len(types)
        return wire.pack(Kind.READY, wire.CARD, types)

    def _tell(self, kind: Kind, channel: int, message: Message) -> bytes:
        card = self._card
        if kind is Kind.PLAY:
            card.play(channel, message.body)
        elif kind is Kind.OFF_HOOK:
            card.off_hook(channel)
            return wire.pack_number(kind, channel, message.number)
        elif kind is Kind.ON_HOOK:
            card.on_hook(channel)
            return wire.pack_number(kind, channel, message.number)
        elif kind is Kind.DIAL:
            card.dial(channel, message.body)
        elif kind is Kind.FLASH:
            card.flash(channel, message.body == b"\1")
        elif kind is Kind.FORGET:
            card.forget(channel)
        return b""


def main() -> None:
    """Connect to the service that started us, and serve it."""
    name, port = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the service, which tells us when it is done
    faulthandler.enable()  # a library that crashes leaves a word about where, on stderr
    with socket.create_connection(("127.0.0.1", int(port))) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(wire.pack(Kind.HELLO, wire.CARD, os.environ["HOTLINE_CARD_TOKEN"].encode()))
        with contextlib.suppress(OSError):  # the service has gone in the midst of something
            Worker(name, connection).run()


if __name__ == "__main__":
    main()
