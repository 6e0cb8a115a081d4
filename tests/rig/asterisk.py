"""What Asterisk does with a call for an AudioSocket line, in virtual time: a dialplan that is resumed every tick.

    AGI(agi://…/arrive,${UUID},TOKEN)       announce the call; go on only if we are welcome
    AudioSocket(${UUID},…)                  the call itself
    AGI(agi://…/leave,${UUID},TOKEN)        where is it to go now?

The sockets are real, on loopback. There a packet waits in a queue of the processor it was sent on, nearly always for a
moment, on a busy machine for longer: tests that count ticks keep to one processor and send a byte of
their own after it.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import numpy as np
from hotline.drivers.audiosocket import agi
from hotline.drivers.audiosocket.caller import FRAME_BYTES, Caller
from hotline.drivers.line import FRAME

SILENCE = bytes(FRAME_BYTES)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def one_processor() -> Iterator[None]:
    """Within this, `arrived` can be relied on."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(allowed)[os.getpid() % len(allowed)]})
    with socket.create_server(("127.0.0.1", 0)) as server:
        _probe.append(socket.create_connection(server.getsockname()))
        _probe.append(server.accept()[0])
    yield
    while _probe:
        _probe.pop().close()
    os.sched_setaffinity(0, allowed)


_probe: list[socket.socket] = []


def arrived() -> None:
    """Return when all that was sent before has arrived; nothing is waited for outside `one_processor`."""
    if _probe:
        _probe[0].send(b"?")
        _probe[1].recv(1)


class Script:
    """One AGI(…) of a dialplan."""

    def __init__(self, address, request):
        self.variable = None  # name and value, once it is set
        self.over = False
        self._socket = socket.create_connection(address)
        self._socket.setblocking(False)
        self._socket.send(request)

    def step(self):
        try:
            data = self._socket.recv(1024)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.variable = agi.variable_set(data)
            self._socket.send(agi.ACKNOWLEDGEMENT)
        else:
            self.close()

    def close(self):
        self.over = True
        self._socket.close()


class Channel:
    """One caller of Asterisk and what its dialplan does with him."""

    def __init__(self, port, number=None, token="", announced=True, uuid=None):
        self.uuid: UUID = uuid or uuid4()
        self.verdict = None  # None: the dialplan did not ask
        self.target = None
        self.over = False
        self.caller: Caller | None = None
        self.heard: list[bytes] = []
        self._address = ("127.0.0.1", port)
        self._number, self._token, self._announced = number, token, announced
        self._saying: deque[bytes] = deque()
        self._script: Script | None = None
        self._plan = self._dialplan()
        self.tick()

    def say(self, samples):
        """Sound in whole frames, once the call is up; what is left over is filled with silence."""
        samples = np.concatenate((samples, np.zeros(-len(samples) % FRAME, np.int16)))
        self._saying.extend(frame.astype("<i2").tobytes() for frame in samples.reshape(-1, FRAME))

    @property
    def idle(self):
        return not self._saying

    def sound(self):
        """All that was heard."""
        return np.frombuffer(b"".join(self.heard), "<i2")

    def tick(self):
        next(self._plan, None)
        arrived()

    def hang_up(self):
        """The caller puts his receiver down, wherever the dialplan is."""
        for part in (self._script, self.caller):
            if isinstance(part, Script):
                part.close()
            elif part is not None:
                part.hang_up()
        self._plan.close()
        self.over = True
        arrived()

    def _dialplan(self):
        if self._announced:
            self.verdict = yield from self._ask("arrive")
            if self.verdict != "welcome":
                self.over = True
                return
        self.caller = Caller(*self._address, self.uuid)
        while self.caller.over is None:
            self.caller.send(self._saying.popleft() if self._saying else SILENCE)
            yield
            self.heard += self.caller.receive()
        if self._announced:
            self.target = yield from self._ask("leave")
        self.over = True

    def _ask(self, script):
        request = agi.request(script, (str(self.uuid), self._token), self._number, "12329")
        try:
            self._script = Script(self._address, request)
        except ConnectionRefusedError:
            return None  # AGISTATUS is FAILURE, and the dialplan goes on
        while not self._script.over:
            yield
            self._script.step()
        return self._script.variable[1] if self._script.variable else None
