"""A voice card in software: a fake vendor library in a real worker process, and an exchange behind each of its lines.

The library (tests/drivers/card/fake_*.c) has no clock. `tick` gives it 20 ms, in step with the worker: before, the
worker has done everything it was told, and after, everything the library had is on its way to the service. Both are
known from pings, so nothing depends on how fast anybody is.
"""

from __future__ import annotations

import contextlib
import select
import shutil
import socket
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hotline.config.settings import Line as Section
from hotline.drivers.card.client import Card, State
from hotline.drivers.card.line import CardLine
from hotline.drivers.line import CallerId, Frame, HookState, Line, Ring
from hotline.drivers.simulated.exchange import Exchange
from hotline.drivers.simulated.telephone import SILENCE, KeypadTelephone
from hotline.dsp import dtmf, g711
from rig.line_contract import SECOND, Far

SOURCES = Path(__file__).parents[1] / "drivers" / "card"
STEP_IN = struct.Struct("BBBBc27s160s")
STEP_OUT = struct.Struct("BBBB160s")

TRUNKS = {"synway": 0, "donjin": 1}  # the type of an analog trunk, in the vendor's numbers
LIBRARIES = {"synway": "libshpa3api.so", "donjin": "libtc08a32.so"}
INIS = {"synway": "ShConfig.ini", "donjin": "TC08A-V.INI"}


def build(driver: str, folder: Path, *options: str) -> Path:
    """Compile a fake library; its path."""
    path = folder / LIBRARIES[driver]
    source = SOURCES / f"fake_{driver}.c"
    command = ["gcc", "-shared", "-fPIC", "-O1", "-pthread", *options, "-o", str(path), str(source), "-ldl"]
    subprocess.run(command, check=True)
    return path


class Socket:
    """What the cord of one line is plugged into."""

    def __init__(self) -> None:
        self.exchange = Exchange()
        self.tells_hangup = True  # the card sees the far end leave; else there is only the tone
        self.reversed = False
        self.plugged = True
        self.flashed = 0  # ms, of the last flash
        self._ringing = 0
        self._gone = 0
        self._receiver: dtmf.Detector | None = None  # the card's own, where the exchange sends keys on hook

    def sends_numbers_as_keys(self) -> None:
        """The exchange on this line tells the caller's number in DTMF before the first ring."""
        self.exchange = Exchange(caller_id="dtmf")
        self._receiver = dtmf.Detector(1)

    def before(self) -> bytes:
        """What comes down the line in this tick."""
        exchange = self.exchange
        exchange.tick()
        number = b""
        self._ringing = max(0, self._ringing - 1)
        for event in exchange.events:
            if isinstance(event, Ring):
                self._ringing = SECOND
            elif isinstance(event, CallerId):
                number = (event.number or "P").encode()
        exchange.events.clear()
        self._gone = self._gone + 1 if exchange.state.value == "cleared" and self.tells_hangup else 0
        sound = exchange.sound()
        keys = [event.digit for event in self._receive(sound) if isinstance(event, dtmf.Onset)]
        volts = 0 if not self.plugged else 8 if exchange.loop_closed else 48
        return STEP_IN.pack(
            self._ringing > 0 and not exchange.loop_closed,
            self._gone > SECOND,
            self.reversed,
            volts,
            "".join(keys[:1]).encode() or b"\0",
            number,
            g711.alaw_encode(sound).tobytes(),
        )

    def _receive(self, sound: Frame) -> Sequence[dtmf.Onset | dtmf.Digit]:
        return self._receiver.feed(sound[np.newaxis]) if self._receiver else ()

    def after(self, stepped: bytes) -> None:
        """What goes up the line."""
        off_hook, flashed, digit, _, sound = STEP_OUT.unpack(stepped)
        self.flashed = flashed * 10 or self.flashed
        self.hook(bool(off_hook))
        if digit and self.exchange.loop_closed:
            self.exchange.dial(chr(digit))
        self.exchange.hear(g711.alaw_decode(np.frombuffer(sound, np.uint8)))

    def hook(self, off: bool) -> None:
        """The card opens or closes the loop."""
        if off and not self.exchange.loop_closed:
            self.exchange.lift()
        elif not off and self.exchange.loop_closed:
            self.exchange.put_down()


class Board:
    """The card's lines, their worker, and the exchanges behind them; `tick` after every tick of the service."""

    def __init__(self, driver: str, library: Path, folder: Path, lines: int = 1) -> None:
        self.driver = driver
        self.folder = folder
        self.types = [TRUNKS[driver]] * lines
        self.lockstep = True
        self._was_busy = True
        folder.mkdir()
        shutil.copy(library, folder)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / "s"))
        self._listener.listen()
        self._library: socket.socket | None = None
        self.ini()
        (folder / "ShIndex.ini").touch()
        self.sockets = [Socket() for _ in range(lines)]
        self.lines: Sequence[CardLine] = ()

    def section(self, **more: object) -> Section:
        """The section of the settings for all lines of this card."""
        row = {"driver": self.driver, "count": len(self.sockets), "folder": str(self.folder)}
        return Section.model_validate(row | more)

    def use(self, lines: Sequence[Line]) -> Board:
        """These lines are on this card, in the order of its channels."""
        self.lines = [line for line in lines if isinstance(line, CardLine)]
        for line, each in zip(self.lines, self.sockets, strict=True):
            line.exchange = each.exchange  # type: ignore[attr-defined]  # what rehearsed callers call through
        return self

    @property
    def card(self) -> Card:
        """The service's side of the worker."""
        return self.lines[0].card

    def ini(self, **values: int) -> None:
        """Write what the fake library reads: `refuse`, `enable`, `refresh` are what its functions give back."""
        rows = [f"socket={self.folder / 's'}", *(f"type={kind}" for kind in self.types)]
        rows += [f"{key}={value}" for key, value in values.items()]
        (self.folder / INIS[self.driver]).write_text("\n".join(rows) + "\n")

    def tick(self) -> None:
        """20 ms of every line."""
        busy = any(line.state is HookState.OFF_HOOK for line in self.lines)
        if busy or self._was_busy:  # else the worker was told nothing
            self.settle()
        self._was_busy = busy
        self._accept()
        inputs = b"".join([each.before() for each in self.sockets])
        stepped = self._step(inputs)
        for number, each in enumerate(self.sockets):
            if stepped:
                each.after(stepped[number * STEP_OUT.size : (number + 1) * STEP_OUT.size])
            else:
                each.hook(False)
                each.exchange.hear(SILENCE)
        self.settle()

    def settle(self) -> None:
        """Until the worker has done all it was told, or is no more; one that was killed has died."""
        if not self.lockstep:
            return
        while self.card.state is State.STARTING:
            select.select([self.card], [], [], 0.05)
            self.card.receive()
        ping = self.card.ping() if self.card.state is State.READY else 0
        while self.card.state is State.READY and self.card.answered < ping:
            ready, _, _ = select.select([self.card], [], [], 20)
            assert ready, "the worker does not answer"
            self.card.receive()
        if self.card.state is State.DOWN and self.card._process is not None:
            self.card._process.wait(20)  # else it is not started again in the tick that it is due

    def order(self, command: bytes) -> None:
        """C: crash; W: hang from now on."""
        self._accept()
        assert self._library is not None
        self._library.sendall(command)
        if command == b"C":
            self._library.recv(1)

    def close(self) -> None:
        """Let go of everything."""
        for line in self.lines:
            line.close()
        for each in (self._library, self._listener):
            if each is not None:
                each.close()

    def _accept(self) -> None:
        """A library that has been started connects; the one before it is gone."""
        if select.select([self._listener], [], [], 0)[0]:
            if self._library is not None:
                self._library.close()
            self._library = self._listener.accept()[0]

    def _step(self, inputs: bytes) -> bytes:
        """The library's answer; none when it is gone."""
        if self._library is None:
            return b""
        answer = b""
        with contextlib.suppress(OSError):
            self._library.sendall(b"S" + inputs)
            while len(answer) < STEP_OUT.size * len(self.sockets):
                data = self._library.recv(65536)
                if not data:
                    break
                answer += data
        if len(answer) < STEP_OUT.size * len(self.sockets):
            self._library.close()
            self._library = None
            return b""
        return answer


class CardFar(Far):
    """The exchange's end of one line of a board."""

    def __init__(self, board: Board, number: int = 0) -> None:
        self.board = board
        self.socket = board.sockets[number]
        self.telephone = KeypadTelephone()

    def ring(self, number: str) -> None:
        self.telephone = KeypadTelephone()
        self.socket.exchange.call(self.telephone, number)

    def say(self, samples: Frame) -> None:
        self.telephone.say(samples)

    def heard(self) -> Frame:
        return self.telephone.heard

    def hang_up(self) -> None:
        self.socket.exchange.hang_up()

    def unplug(self) -> None:
        """The cord; a card that cannot tell, is itself lost."""
        self.socket.plugged = False
        if self.board.driver == "donjin":
            self.board.ini(refuse=-1)
            self.board.order(b"C")

    def plug(self) -> None:
        self.socket.plugged = True
        self.board.ini()

    def tick(self) -> None:
        self.board.tick()
