"""The other side of AudioSocket: what Asterisk does, for callers from outside, one or hundreds in one process.

A `Caller` is a connection that is never waited for: `send` a frame every 20 ms, `receive` what has come, both from
whatever loop keeps the time; a crowd sends messages made before (`say`) and hears one frame at a time (`hear`).
`announce` and `ask_target` are what a dialplan does before and after; these wait.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from uuid import UUID, uuid4

from ..line import FRAME
from . import agi
from .book import ARRIVE, LEAVE
from .protocol import FRAME_HEADER, HEADER, MESSAGE, Audio, Broken, Decoder, HangUp, audio_message, uuid_message

FRAME_BYTES = 2 * FRAME
PATIENCE = 2.0  # seconds the service may take to be reached and to answer an AGI request


class CallError(OSError):
    """The service cannot be reached or does not answer; the text says where and what to do."""


class Caller:
    """One call. `over` says how it ended, None while it lasts."""

    def __init__(self, host: str, port: int, uuid: UUID | None = None) -> None:
        """Connect and begin; this alone waits, for as long as the network takes. Raises CallError."""
        self.uuid = uuid or uuid4()
        self.over: str | None = None
        self.unsent = 0  # frames the service had no room for
        self._decoder = Decoder()
        self._decoder.receive(uuid_message(self.uuid))  # the service sends none
        self._sound = b""  # of messages of other lengths
        self._in_pieces = False  # what comes next goes on with what has come
        self._room = bytearray(MESSAGE)
        self._socket = _connect(host, port)
        self._socket.setblocking(False)
        self.say(uuid_message(self.uuid))

    def fileno(self) -> int:
        """For a selector."""
        return self._socket.fileno()

    def send(self, frame: bytes) -> None:
        """20 ms of sound: 320 bytes, int16, little-endian."""
        self.say(audio_message(frame))

    def say(self, message: bytes) -> None:
        """The same, the message made before."""
        if self.over is None:
            try:
                sent = self._socket.send(message)
            except BlockingIOError:
                self.unsent += 1
            except OSError as error:
                self._end(error.strerror or "the connection broke")
            else:
                if sent != len(message):
                    self._end("the service does not read")  # as Asterisk does on a short write

    def receive(self) -> list[bytes]:
        """All whole frames that have come, 320 bytes each, oldest first."""
        frames = []
        while (message := self.hear()) is not None:
            frames.append(bytes(message[HEADER:]))
        return frames

    def hear(self) -> bytearray | None:
        """The oldest frame that has come, as the message it makes, 323 bytes; None: no whole one has. It stands where
        the next will, so that hearing one makes no object."""
        while self.over is None and len(self._sound) < FRAME_BYTES:
            try:
                count = self._socket.recv_into(self._room)
            except BlockingIOError:
                return None
            except OSError as error:
                self._end(error.strerror or "the connection broke")
                return None
            if count == MESSAGE and not self._in_pieces and self._room.startswith(FRAME_HEADER):
                return self._room
            self._take(count)
        if len(self._sound) < FRAME_BYTES:
            return None
        self._room[:] = FRAME_HEADER + self._sound[:FRAME_BYTES]
        self._sound = self._sound[FRAME_BYTES:]
        self._in_pieces = self._decoder.pending or bool(self._sound)
        return self._room

    def _take(self, count: int) -> None:
        """So many bytes of what is not a frame of its own; none is the end."""
        if count == 0:
            self._end("closed")
        for event in self._decoder.receive(bytes(self._room[:count])):
            match event:
                case Audio(samples):
                    self._sound += samples
                case HangUp(reason) | Broken(reason):
                    self._end(reason)
                    break
        self._in_pieces = self._decoder.pending or bool(self._sound)

    def hang_up(self) -> None:
        """Close, as Asterisk does when its caller has gone; also twice."""
        if self.over is None:
            self._end("hung up")

    def _end(self, how: str) -> None:
        self.over = how
        self._socket.close()


def announce(host: str, port: int, uuid: UUID, caller: str | None, dialled: str | None = None, token: str = "") -> str:
    """Tell the service who will call with this UUID: "welcome", "busy" or "refused". Raises CallError."""
    return _ask(host, port, agi.request(ARRIVE, (str(uuid), token), caller, dialled))


def ask_target(host: str, port: int, uuid: UUID, token: str = "") -> str:
    """Where the service wants a call that is over to go; "": nowhere. Raises CallError."""
    return _ask(host, port, agi.request(LEAVE, (str(uuid), token)))


def _ask(host: str, port: int, request: bytes) -> str:
    with _connect(host, port) as connection:
        try:
            connection.sendall(request)
            answer = b""
            while not answer.endswith(b"\n"):
                data = connection.recv(1024)
                if not data:
                    break
                answer += data
            variable = agi.variable_set(answer)
            with suppress(OSError):
                connection.sendall(agi.ACKNOWLEDGEMENT)
        except OSError as error:
            raise CallError(f"{host}:{port} 没有回答（{error.strerror or '超时'}）") from None
    if variable is None:
        raise CallError(f"{host}:{port} 的回答看不懂：那里不是本服务的 AudioSocket 端口")
    return variable[1]


def _connect(host: str, port: int) -> socket.socket:
    try:
        connection = socket.create_connection((host, port), PATIENCE)
    except OSError as error:
        reason = error.strerror or "超时"
        raise CallError(
            f"连不上 {host}:{port}（{reason}）：请看服务是否在运行，[lines.…] 的 host、port 是否相同"
        ) from None
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection
