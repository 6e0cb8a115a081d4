"""An AudioSocket line over real TCP on loopback, in virtual time: the contract, and what the protocol adds to it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest
from hotline.drivers.audiosocket.line import AudioSocketLine, Settings
from hotline.drivers.line import Event, Frame, Line, check_frame
from rig.asterisk import Channel, free_port
from rig.line_contract import Far, LineContract


class Asterisk(Far):
    """One caller at a time; unplugged, the listening socket is gone and another program has its port."""

    def __init__(self, line: AudioSocketLine) -> None:
        self.line = line
        self.port = line.server.address.port
        self.channel: Channel | None = None
        self._intruder: socket.socket | None = None

    def ring(self, number: str) -> None:
        self.channel = Channel(self.port, number)

    def say(self, samples: Frame) -> None:
        assert self.channel is not None
        self.channel.say(samples)

    def heard(self) -> Frame:
        assert self.channel is not None
        return self.channel.sound()

    def hang_up(self) -> None:
        if self.channel is not None:
            self.channel.hang_up()

    def unplug(self) -> None:
        listener = self.line.server._listener
        assert listener is not None
        with socket.socket(fileno=os.dup(listener.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)
        self._intruder = socket.create_server(("127.0.0.1", self.port))

    def plug(self) -> None:
        assert self._intruder is not None
        self._intruder.close()

    def tick(self) -> None:
        if self.channel is not None:
            self.channel.tick()


def make_line(kind: type[AudioSocketLine], **settings: object) -> AudioSocketLine:
    own = Settings.model_validate({"port": free_port()} | settings)
    (line,) = kind.several(["test"], own, False)
    assert isinstance(line, AudioSocketLine)
    return line


class ByGroup(AudioSocketLine):
    """One line that is read and written as the switchboard does it."""

    def read(self, frame: Frame) -> None:
        check_frame(frame)
        self.events()  # not when it is closed
        assert self.group is not None
        self.news = self.group.read(frame[None])

    def events(self) -> list[Event]:
        events = super().events()
        assert not events or self.news == [0]
        return events

    def write(self, frame: Frame) -> None:
        check_frame(frame)
        super().events()
        assert self.group is not None
        self.group.write(frame[None])


class TestAudioSocketLine(LineContract):
    kind = AudioSocketLine

    @pytest.fixture(autouse=True)
    def _let_go(self) -> Iterator[None]:
        self.far: list[Asterisk] = []
        yield
        for far in self.far:
            far.hang_up()
            if far._intruder is not None:
                far.plug()

    def make_pair(self) -> tuple[Line, Far]:
        line = make_line(self.kind)
        self.far.append(Asterisk(line))
        return line, self.far[-1]


class TestAudioSocketGroup(TestAudioSocketLine):
    kind = ByGroup
