"""A line that Asterisk brings: one AudioSocket connection at a time, on a server the lines of one section share.

A connection is a call: it rings, with the number the dialplan has announced, every tick until it is answered, for the
caller hears nothing meanwhile and Asterisk gives up after two seconds of silence. So `rings` delays nobody. Putting
the line on hook gives the call back to the dialplan, which asks where to send it: `transfer` says so before. Nothing
can be called from here, Asterisk is always the one that connects: a line seized without a call is silent.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ...config.settings import Section
from ...dsp import generate
from ..line import (
    FRAME,
    RATE,
    Alarm,
    CallerId,
    Capabilities,
    Dialled,
    Event,
    FarHangup,
    Frame,
    HardwareDigit,
    HookState,
    Line,
    LineMisuse,
    Restored,
    Ring,
    RingStopped,
    check_frame,
    check_number,
)
from .address import Address
from .group import AudioSocketGroup
from .port import Port
from .server import SECOND, Server

log = logging.getLogger(__name__)

# The tick's path goes through these: looking a member up in its Enum costs more than the comparison.
RINGING, OFF_HOOK = HookState.RINGING, HookState.OFF_HOOK

DIGIT_MS, PAUSE_MS = 100, 1000  # what we dial ourselves: a digit and the pause after it, and what ',' is
UNANSWERED = 10 * SECOND  # ticks a connection may wait for an answer
TARGET = re.compile(r"[0-9A-Za-z_-]{1,40}")  # it becomes an extension of a dialplan, and part of none of its syntax


class Settings(Section):
    """经 Asterisk 接来的线路（AudioSocket）。"""

    host: str = Field("127.0.0.1", description="在哪个地址上等 Asterisk；不是本机回环地址时必须设 token。")
    port: int = Field(
        8090,
        ge=1,
        le=65520,
        description="等 Asterisk 的端口，与拨号方案里写的相同；[service] engines 的第二个进程用下一个端口，依此类推。",
    )
    token: str = Field(
        "",
        pattern=r"^([0-9A-Za-z_-]{8,64})?$",
        repr=False,
        description="口令，拨号方案登记来电时要给出；空：不要口令，只许本机。",
        json_schema_extra={"allowed": "8 到 64 个字母、数字、横线或下划线，或留空", "writeOnly": True},
    )
    digits: Literal["audio", "messages"] = Field(
        "audio", description="audio：在声音里听按键。messages：由 Asterisk 报告按键（RFC 4733 网关），不在声音里听。"
    )

    @model_validator(mode="after")
    def _token_outside(self) -> Self:
        if not self.token and not _loopback(self.host):
            raise ValueError(f'host = "{self.host}"：不是本机回环地址，须设 token')
        return self


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class AudioSocketLine(Line):
    """One of a server's lines."""

    settings_model = Settings
    countable = True
    divisible = True

    @classmethod
    def several(cls, names: Sequence[str], settings: Any, process: int) -> list[Line]:
        """Lines on one server. Each process has its own port: a call is announced to the process it goes to."""
        server = Server(Address(settings.host, settings.port + process), settings.token, len(names))
        lines = [cls(name, settings, server, port) for name, port in zip(names, server.ports, strict=True)]
        group = AudioSocketGroup(server, lines)
        for line in lines:
            line.group = group
        return [*lines]

    def __init__(self, name: str, settings: Settings, server: Server, port: Port) -> None:
        super().__init__(name)
        self.capabilities = Capabilities(
            reports_digits=settings.digits == "messages", reports_hangup=True, transfers=True
        )
        self.server = server
        self.port = port
        self._incoming = server.arrivals.frames[port.slot]
        self._saying = server.sending[port.slot]
        self._is_open = False
        self._seen = 0  # the server's tick in which we have read
        self._events: list[Event] = []
        self._warned = False
        self._rings = 0
        self._tones: Frame | None = None  # what is being dialled
        self._dialled = 0  # samples of it that are out

    @property
    def dialled(self) -> str | None:
        """What the caller of this call, or of the last one, has dialled, as the dialplan says."""
        return self.port.dialled

    def open(self) -> None:
        """Take calls; the first line of a server opens its socket."""
        self.server.open(self.port.slot)
        self._is_open = True
        self._seen = self.server.now

    def close(self) -> None:
        """End the call; the last line closes the socket."""
        if self._is_open:
            self.server.close(self.port.slot)
        self.state = HookState.ON_HOOK
        self._events = []
        self._tones = None
        self._is_open = False

    def off_hook(self) -> None:
        """Answer, or seize; not while the server is out of order."""
        self._check_open()
        if self.state is not HookState.OFF_HOOK and not self.port.failed:
            self.server.answer(self.port)
            self.state = HookState.OFF_HOOK

    def on_hook(self) -> None:
        """Hang up: the call goes back to the dialplan. A call that waits for an answer goes on waiting."""
        self._check_open()
        if self.state is HookState.OFF_HOOK:
            self.server.hang_up(self.port)
            self.state = HookState.ON_HOOK
            self._tones = None

    def flash(self) -> None:
        """There is no loop to break."""
        self._check_open()

    def dial(self, number: str) -> None:
        """Keys for whoever is connected; dropped on hook."""
        self._check_open()
        check_number(number)
        if self.state is HookState.OFF_HOOK:
            begun = self._tones[self._dialled :] if self._tones is not None else np.zeros(0, np.int16)
            self.port.stir()
            self._tones, self._dialled = np.concatenate((begun, *map(_tone, number), np.zeros(FRAME, np.int16))), 0

    def transfer(self, target: str) -> None:
        """When this call is hung up next, the dialplan is to go on at `target`: 1 to 40 of 0-9 A-Z a-z _ -."""
        self._check_open()
        if not TARGET.fullmatch(target):
            raise LineMisuse(f"cannot transfer to {target!r}: 1 to 40 of 0-9 A-Z a-z _ -")
        self.port.target = target

    def read(self, frame: Frame) -> None:
        """What came in this tick; the first line to read in a tick reads for all."""
        if not self._is_open:
            self._check_open()
        check_frame(frame)
        server = self.server
        if self._seen == server.now:
            server.tick()
        self._seen = server.now
        frame[...] = self._incoming
        if server.late and self.port.slot in server.late:
            self.late_frames += 1
        if self.port.slot in server.stirring:
            self.go_on()

    def write(self, frame: Frame) -> None:
        """Send it, or in its place what is being dialled."""
        if not self._is_open:
            self._check_open()
        check_frame(frame)
        if self.state is OFF_HOOK:
            self._saying[...] = frame
            self.dial_over()
            self.port.send()

    def go_on(self) -> bool:
        """What this tick changes besides its sound; whether there are events now."""
        self._follow(self.port.told())
        if self.state is RINGING:
            self._ring()
        elif self._tones is not None:
            self._dial_on()
        if self.state is RINGING or self._tones is not None:
            self.port.stir()
        return bool(self._events)

    def dial_over(self) -> None:
        """Put what is being dialled in place of what would be sent."""
        if self._tones is not None:
            self._saying[...] = self._tones[self._dialled : self._dialled + FRAME]

    def events(self) -> list[Event]:
        """What the server had to say."""
        if not self._is_open:
            self._check_open()
        events, self._events = self._events, []
        return events

    def _follow(self, happened: list[Event]) -> None:
        """Take over what the server says of our port."""
        for event in happened:
            match event:
                case CallerId():
                    self.state, self._rings = HookState.RINGING, 0
                    self._events.append(event)
                case FarHangup() if self.state is HookState.RINGING:
                    self._give_up()
                case Alarm():
                    self.state, self._tones = HookState.ON_HOOK, None
                    self._events.append(event)
                case FarHangup() | Restored():
                    self._events.append(event)
                case HardwareDigit() if self.capabilities.reports_digits:
                    self._events.append(event)
                case HardwareDigit() if not self._warned:
                    log.warning(
                        '%s: Asterisk reports keys by itself; if they have no effect, set digits = "messages"',
                        self.name,
                    )
                    self._warned = True

    def _ring(self) -> None:
        self._rings += 1
        if self._rings > UNANSWERED:
            self._give_up()
        else:
            self._events.append(Ring(self._rings))

    def _give_up(self) -> None:
        self.server.hang_up(self.port)
        self.state = HookState.ON_HOOK
        self._events.append(RingStopped())

    def _dial_on(self) -> None:
        assert self._tones is not None
        self._dialled += FRAME
        if len(self._tones) - self._dialled < FRAME:
            self._tones = None
            self._events.append(Dialled())

    def _check_open(self) -> None:
        if not self._is_open:
            raise LineMisuse(f"line {self.name} is not open")


def _tone(digit: str) -> Frame:
    if digit == ",":
        return np.zeros(PAUSE_MS * RATE // 1000, np.int16)
    return generate.dtmf(digit, DIGIT_MS, DIGIT_MS)
