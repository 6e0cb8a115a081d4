"""The service's side of a worker: start it, talk with it, notice when it is gone, start it again.

    DOWN      no worker; another is started when it is time
    STARTING  the process runs: it has to connect, show its token, and take hold of the card
    READY     lines can be used

A card is shared by its lines. Each takes its own messages from its own inbox, in its own `read`; whichever is the first
of the open ones moves the card on, once a tick. Nothing waits, but the very first `open` and the last `close`: they
happen while no call is up. Counting is in ticks, so a service that stands still gives up on nobody; only the start of a
process takes the time it takes.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from enum import Enum
from pathlib import Path
from typing import Any

from ..line import LineError
from .worker import wire
from .worker.wire import CARD, Kind, Message

log = logging.getLogger(__name__)

SECOND = 50  # ticks
STARTUP = 30.0  # seconds a library may need for its cards; downloading firmware to several takes a while
SILENT = 5 * SECOND  # without an answer: the library hangs, and the worker in it
AGAIN = tuple(
    seconds * SECOND for seconds in (1, 2, 5, 10, 30, 60)
)  # until the next start, one failure after the other
STEADY = 60 * SECOND  # of service: the failures before are forgotten
UNSENT = 1 << 17  # bytes: more than the worker leaves unread when it is alive
WORKER = Path(__file__).parent  # the folder that has the worker's package


class State(Enum):
    """See the module's text."""

    DOWN = "down"
    STARTING = "starting"
    READY = "ready"


class Card:
    """One worker process and what it holds."""

    def __init__(self, driver: str, folder: Path, python: str, options: dict[str, Any]) -> None:
        self.state = State.DOWN
        self.types = b""  # of the channels, as wire has them
        self.answered = 0  # the last ping that came back
        self._driver = driver
        self._folder = folder.absolute()
        self._python = python or sys.executable
        self._options = {"folder": str(self._folder)} | options
        self._inboxes: dict[int, deque[Message]] = {}
        self._reason = ""  # why the card is not ready
        self._process: subprocess.Popen[bytes] | None = None
        self._listener: socket.socket | None = None
        self._connection: socket.socket | None = None
        self._token = b""
        self._greeted = False
        self._decoder = wire.Decoder()
        self._unsent = b""
        self._now = self._since = self._failures = self._asked = 0
        self._started = 0.0

    # What lines call.

    def open(self, channel: int) -> deque[Message]:
        """Take a channel; its inbox. Raises LineError with the technician's sentence while the card is not ready.

        The first time it waits for the worker; later it only looks how the worker is getting on, and starts another
        if there is none.
        """
        first = not self._reason
        if self.state is State.DOWN and not self._inboxes:
            self._start()
        self.receive()
        while first and self.state is State.STARTING:
            select.select([self], [], [], 0.05)  # not longer: a worker that ends before it connects shows nowhere here
            self.receive()
        if self.state is not State.READY:
            raise LineError(self._reason or "语音卡正在启动")
        self._inboxes[channel] = deque()
        return self._inboxes[channel]

    def close(self, channel: int) -> None:
        """Give a channel back; with the last one the worker ends."""
        self._inboxes.pop(channel, None)
        if not self._inboxes:
            self._quit()

    def tick(self, channel: int) -> None:
        """Called by every open line once a tick, before it looks into its inbox."""
        if channel == next(iter(self._inboxes)):
            self._now += 1
            self._turn()

    def send(self, data: bytes) -> None:
        """Tell the worker; what it does not take now goes later."""
        if self._connection is None:
            return
        self._unsent += data
        try:
            self._unsent = self._unsent[self._connection.send(self._unsent) :]
        except BlockingIOError:
            pass  # it is slow, or hangs: the pulse will show
        except OSError:
            self._unsent = b""  # it is gone: `receive` sees that too, and says so

    def ping(self) -> int:
        """Ask the worker to answer once it has done all it was told so far; the number that `answered` will show."""
        self._asked += 1
        self.send(wire.pack_number(Kind.PING, CARD, self._asked))
        return self._asked

    def fileno(self) -> int:
        """What to wait on for something to `receive`; -1 while there is no worker."""
        source = self._connection or self._listener
        return -1 if source is None else source.fileno()

    def receive(self) -> None:
        """Take what has come from the worker. Does not wait."""
        if self.state is State.STARTING:
            self._look_at_start()
        while self._connection is not None:
            try:
                data = self._connection.recv(1 << 16)
                messages = self._decoder.receive(data)
            except BlockingIOError:
                return
            except wire.WireError as error:
                self._part(f"语音卡进程说的话听不懂，已将它结束（{error}）")
                return
            except OSError:
                data, messages = b"", []
            if not data:
                self._part(self._epitaph())
                return
            for message in messages:
                if self._connection is not None:
                    self._take(message)

    # A turn: once a tick.

    def _turn(self) -> None:
        self.receive()
        age = self._now - self._since
        if self.state is State.DOWN and age >= AGAIN[min(self._failures, len(AGAIN)) - 1]:
            self._start()
        elif self.state is State.DOWN and self._process is not None:
            self._process.poll()  # so that no dead process is kept until the next start
        elif self.state is State.READY:
            if age == STEADY:
                self._failures = 0
            if age % SECOND == 0:
                self._feel_pulse()

    def _feel_pulse(self) -> None:
        behind = self._asked - self.answered  # pings, one a second
        if behind * SECOND >= SILENT or len(self._unsent) > UNSENT:
            self._lost("语音卡的程序库没有反应，已将它的进程结束")
        else:
            self.send(wire.pack(Kind.LOOK))
            self.ping()

    # Messages.

    def _take(self, message: Message) -> None:
        if not self._greeted:
            self._greet(message)
        elif message.kind is Kind.READY and self.state is State.STARTING:
            self._ready(message.body)
        elif message.kind is Kind.FAILED and self.state is State.STARTING:
            self._lost(message.text)
        elif message.kind is Kind.PONG:
            self.answered = message.number
        elif message.channel in self._inboxes:
            self._inboxes[message.channel].append(message)

    def _greet(self, message: Message) -> None:
        """Somebody has connected; only the worker knows the token."""
        if message.kind is Kind.HELLO and hmac.compare_digest(message.body, self._token):
            self._greeted = True
            self.send(wire.pack_text(Kind.START, CARD, json.dumps(self._options)))
        else:
            self._hang_up()

    def _ready(self, types: bytes) -> None:
        self.state, self._since = State.READY, self._now
        self.types, self._reason = types, ""
        self._close_listener()
        self._tell_all(Kind.READY, types)
        self.send(wire.pack(Kind.LOOK))

    def _tell_all(self, kind: Kind, body: bytes) -> None:
        for channel, inbox in self._inboxes.items():
            inbox.append(Message(kind, channel, body))

    # The process.

    def _start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return  # the last one has been killed, and is not dead yet
        if not self._folder.is_dir():
            self._lost(f"folder = {self._folder}：没有这个文件夹")
            return
        self._token = secrets.token_hex(16).encode()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"} | {
            "PYTHONPATH": str(WORKER),
            "PYTHONSAFEPATH": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOTLINE_CARD_TOKEN": self._token.decode(),
        }
        command = [self._python, "-m", "worker", self._driver, str(self._listener.getsockname()[1])]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                env=surroundings,
                cwd=self._folder,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # on Windows a console would open
            )
        except OSError as error:
            self._lost(f"python = {self._python}：启动不了（{error.strerror}），须是一个 Python 解释器的路径")
            return
        self.state, self._since, self._started = State.STARTING, self._now, time.monotonic()

    def _look_at_start(self) -> None:
        assert self._listener is not None
        assert self._process is not None
        if time.monotonic() - self._started > STARTUP:
            self._lost(f"语音卡启动了 {STARTUP:.0f} 秒还没有好，已将它的进程结束")
        elif self._connection is None:
            try:
                self._accept(self._listener.accept()[0])
            except BlockingIOError:
                if self._process.poll() is not None:
                    self._lost(self._epitaph())

    def _accept(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection
        self._decoder, self._unsent, self._greeted = wire.Decoder(), b"", False
        self._asked = self.answered = 0

    def _epitaph(self) -> str:
        """What the process died of, as far as it is known at this moment."""
        code = None if self._process is None else self._process.poll()
        if code is not None and code < 0:
            return f"语音卡进程意外结束（{signal.Signals(-code).name}），自动重新启动"
        return "语音卡进程意外结束" + ("" if code is None else f"（代码 {code & 0xFFFFFFFF:#x}）") + "，自动重新启动"

    def _lost(self, reason: str) -> None:
        """There is no worker any more, or there shall be none."""
        if reason != self._reason:  # a card that stays away is tried again and again
            log.error("%s: %s", self._driver, reason)
        self.state, self._since = State.DOWN, self._now
        self._failures += 1
        self._reason = reason
        self._hang_up()
        self._close_listener()
        if self._process is not None:
            self._process.kill()
        self._tell_all(Kind.FAILED, reason.encode())

    def _part(self, reason: str) -> None:
        """The connection is of no more use; one that never showed the token was a stranger's."""
        if self._greeted:
            self._lost(reason)
        else:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _close_listener(self) -> None:
        if self._listener is not None:
            self._listener.close()
        self._listener = None

    def _quit(self) -> None:
        """Let the worker hang up its lines and let the card go; it has two seconds for that."""
        self.send(wire.pack(Kind.QUIT))
        if self._process is not None:
            try:
                self._process.wait(2.0 if self.state is State.READY else 0.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._hang_up()
        self._close_listener()
        self.state, self._process, self._reason = State.DOWN, None, ""
