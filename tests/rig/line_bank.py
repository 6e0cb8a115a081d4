"""Some AudioSocket lines on one server, answered as they ring, and those who call them."""

from __future__ import annotations

import socket

import numpy as np
from hotline.config.settings import Line as LineSettings
from hotline.drivers import make
from hotline.drivers.audiosocket.line import AudioSocketLine
from hotline.drivers.audiosocket.protocol import HANG_UP_MESSAGE
from hotline.drivers.line import FRAME, Event, HookState
from rig.asterisk import Channel, arrived, free_port


class Bank:
    """Lines and callers; `run` is their time."""

    def __init__(self, count: int = 2, answers: bool = True, **settings: object) -> None:
        self.port = free_port()
        row = {"driver": "audiosocket", "count": count, "port": self.port} | settings
        self.lines = [line for line in make("a", LineSettings.model_validate(row)) if isinstance(line, AudioSocketLine)]
        self.server = self.lines[0].server
        self.answers = answers
        self.events: list[list[Event]] = [[] for _ in self.lines]
        self.channels: list[Channel] = []
        self.sockets: list[socket.socket] = []
        self.heard: list[list[np.ndarray]] = [[] for _ in self.lines]
        self.sending = np.zeros(FRAME, np.int16)
        for line in self.lines:
            line.open()

    def call(self, number: str | None = None, **keys: object) -> Channel:
        self.channels.append(Channel(self.port, number, **keys))
        return self.channels[-1]

    def connect(self, *data: bytes) -> socket.socket:
        """A peer that is no Asterisk."""
        peer = socket.create_connection(("127.0.0.1", self.port))
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sockets.append(peer)
        for piece in data:
            peer.send(piece)
        return peer

    def run(self, ticks: int) -> None:
        for _ in range(ticks):
            arrived()
            for line, events, heard in zip(self.lines, self.events, self.heard, strict=True):
                frame = np.full(FRAME, 12345, np.int16)
                line.read(frame)
                heard.append(frame)
                events += line.events()
                if self.answers and line.state is HookState.RINGING:
                    line.off_hook()
            for line in self.lines:
                line.write(self.sending)
            arrived()
            for channel in self.channels:
                channel.tick()

    def states(self) -> list[str]:
        return [line.state.value for line in self.lines]

    def of(self, kind: type[Event], line: int = 0) -> list[Event]:
        return [event for event in self.events[line] if isinstance(event, kind)]

    def close(self) -> None:
        for line in self.lines:
            line.close()
        for channel in self.channels:
            channel.hang_up()
        for peer in self.sockets:
            peer.close()


def ended(peer: socket.socket) -> bool:
    """Whether the service has let go of this peer."""
    peer.setblocking(False)
    try:
        while data := peer.recv(65536):
            if data.endswith(HANG_UP_MESSAGE):
                return True
    except BlockingIOError:
        return False
    except ConnectionError:
        pass
    return True
