"""A voice modem in software that speaks the real bytes through a real port, for tests and for trying the service.

Its port is one end of a pty, its line one port of the software exchange (drivers/simulated/exchange.py), so telephones
call through it. firmware.py has one class for each kind of modem; their transcripts say how they differ. Everything
that happens happens in `tick`, 20 ms of line time; nothing waits and nothing is random. What goes wrong with modems is
a switch of faults.py.

It shares no code with the driver's parsers: a modem that used them would agree with their mistakes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

import numpy as np

from ...config.tones import TonePlan
from ..line import FRAME, CallerId, Frame, Ring
from ..simulated.exchange import Exchange
from .codecs import CODECS
from .faults import Faults
from .simulated_ear import Ear
from .simulated_port import Host

DLE = b"\x10"
BUFFER = 8192  # bytes a modem takes before it plays them: a second, and what is more is lost


class SimModem:
    """Common to all firmware; a subclass says what it is. `said` keeps the commands it was given, in order."""

    identity: ClassVar[dict[str, str]] = {}
    codecs: ClassVar[dict[int, tuple[str, str]]] = {}  # number: its line in +VSM=?, our name of it
    codec_arguments = 2  # of +VSM
    duplex = False
    duplex_ends = b"\x03"
    records_on: tuple[int, ...] = (1, 5)  # +VLS states in which the line's sound reaches a recording
    frames_keys = False  # simulated_ear.py
    lift_report = b""  # said of itself after lifting
    curly_tones = True
    reports_busy = True
    echo = 0.0  # of what is played comes back, as amplitude: there is no echo canceller

    def __init__(self, path: Path, plan: TonePlan, exchange: Exchange | None = None) -> None:
        self.exchange = exchange or Exchange()
        self.faults = Faults()
        self.host = Host(path)
        self.said: list[str] = []
        self.done_to_it: list[str] = []  # what a wedged modem was given to help it
        self.most_queued = 0  # samples that lay in it at most
        self.streams: list[str] = []
        self.dialled = ""  # all digits it has sent
        self._ear = Ear(plan, self.faults, self.frames_keys, self.reports_busy)
        self._out = bytearray()
        self._late = b""  # behind a cut DLE
        self._open = False
        self._high = True
        self.host.plug()
        self._reset()

    def _reset(self) -> None:
        """As after power-up."""
        self.voice = False
        self.stream = ""  # "VTR", "VTX", "VRX"
        self.vls = 0
        self._caller_id = self._china = False
        self._codec = ""
        self._command = bytearray()
        self._escaped = False
        self._play = bytearray()
        self._leaving = b""
        self._waits: list[tuple[int, bytes]] = []  # ticks until said
        self._was_dry = False
        self._echoed: Frame = np.zeros(FRAME, np.int16)
        if self.exchange.loop_closed:
            self.exchange.put_down()

    @property
    def is_ready(self) -> bool:
        """Whether a host has set it up and left it at rest."""
        return self._caller_id and not self.voice and self.exchange.free

    # What may be done to it from outside.

    def unplug(self) -> None:
        """Pull the USB plug: the line is released, too."""
        self.host.unplug()
        self._reset()
        self._out.clear()

    def plug(self) -> None:
        """Put it back; it starts anew."""
        self._reset()
        self.host.plug()

    def report(self, code: str) -> None:
        """Say DLE and this code, for whatever reason."""
        self._out += DLE + code.encode("ascii")

    def tick(self) -> None:
        """20 ms."""
        self.exchange.tick()
        switch = self.faults.power_switch
        if switch is not None and switch.exists():
            switch.unlink()
            self._cure("power")
            self.unplug()
            self.plug()
        self._host()
        self._exchange()
        self._sound()
        self._waits = [(ticks - 1, data) for ticks, data in self._waits]
        while self._waits and self._waits[0][0] <= 0:
            self._out += self._waits.pop(0)[1]
        self._deliver()

    # The host's side.

    def _host(self) -> None:
        data = self.host.read()
        if data is None:
            if self._open:
                self._cure("reopen")
                self._reset()  # DTR falls when a port is closed
            self._open = False
            self._out.clear()
            return
        self._open = True
        high = self.host.dtr
        if self._high and not high:
            self._cure("dtr")
            self._reset()
        self._high = high
        if self.faults.wedge:
            self._notice(data)
        else:
            self._take(data)
        self.most_queued = max(self.most_queued, len(self._play))

    def _notice(self, data: bytes) -> None:
        """A wedged modem takes nothing in, unless it is what helps it."""
        if b"\x10^" in data:
            self._cure("resync")
        if b"ATZ" in data:
            self._cure("reset")

    def _cure(self, what: str) -> None:
        if self.faults.wedge:
            self.done_to_it.append(what)
            if what == self.faults.wedge:
                self.faults.wedge = ""
                self._reset()

    def _take(self, data: bytes) -> None:
        while data:
            if self.stream in ("VTR", "VTX"):
                plain, escape, data = data.partition(DLE) if not self._escaped else (b"", b"", data)
                self._play += plain[: BUFFER - len(self._play)]
                if self._escaped:
                    self._escaped = False
                    self._take_code(data[0])
                    data = data[1:]
                elif escape:
                    self._escaped = True
                continue
            byte, data = data[0], data[1:]
            if self.stream:  # VRX: DLE ! ends it, all else is passed over
                if self._escaped and byte == ord("!"):
                    self._end()
                self._escaped = byte == DLE[0] and not self._escaped
            elif byte in b"\r\n":
                command = self._command.decode("latin-1").lstrip("\x00\x03\x10\x18^!")
                self._command.clear()
                if command:
                    self._obey(command)
            else:
                self._command.append(byte)

    def _take_code(self, byte: int) -> None:
        if byte == DLE[0]:
            self._play.append(byte)
        elif byte == 0x18:
            self._play.clear()
        elif bytes([byte]) == (self.duplex_ends if self.stream == "VTR" else b"\x03"):
            self._leaving = self._leaving or b"\x03"  # ends when what it has is played

    def _obey(self, text: str) -> None:
        """One command line."""
        self.said.append(text)
        if not text.upper().startswith("AT"):
            return
        parts = re.findall(r"\+[A-Z]+(?:=\?|\?|=[^;]*)?|S\d+=\d+|&?[A-Z]\d*", text[2:].upper().replace(";", ""))
        for part in parts:
            result = self._part(part)
            if result != "OK":
                self._result(result)
                return
        self._result("OK")

    def _part(self, part: str) -> str:
        """Do one command; its result."""
        name, _, value = part.partition("=")
        if f"AT{part}" in self.identity:
            self._say(self.identity[f"AT{part}"])
            return "OK"
        handler = getattr(self, f"_at_{name.strip('+').lower()}", None)
        if handler is not None:
            return str(handler(value))
        return "OK" if re.fullmatch(r"[EVQ]\d|S\d+|H\d?|Z\d?|\+V(IT|SD|NH|GT|LS)", name) else "ERROR"

    def _at_z(self, value: str) -> str:
        self._reset()
        return "OK"

    def _at_h(self, value: str) -> str:
        return self._at_vls("0")

    def _at_h0(self, value: str) -> str:
        return self._at_vls("0")

    def _at_fclass(self, value: str) -> str:
        if value == "?":
            self._say("0,1,1.0,2,8")
        elif value in ("0", "8"):
            self.voice = value == "8"
        else:
            return "ERROR"
        return "OK"

    def _at_gci(self, value: str) -> str:
        self._china = value == "26"
        return "OK"

    def _at_vcid(self, value: str) -> str:
        self._caller_id = value == "1"
        return "OK"

    def _at_vsm(self, value: str) -> str:
        if not self.voice:
            return "ERROR"
        if value == "?":
            for line, _ in self.codecs.values():
                self._say(line)
            return "OK"
        arguments = value.split(",")
        if len(arguments) != self.codec_arguments or int(arguments[0]) not in self.codecs:
            return "ERROR"
        self._codec = self.codecs[int(arguments[0])][1]
        return "OK"

    def _at_vls(self, value: str) -> str:
        if value == "0":
            self.vls = 0
            if self.exchange.loop_closed:
                self.exchange.put_down()
            return "OK"
        if not self.voice:
            return "ERROR"
        self.vls = int(value)
        if not self.exchange.loop_closed and not self.exchange.failed:
            self.exchange.lift()
            self._ear.reset()
            if self.lift_report:
                self._waits.append((5, DLE + self.lift_report))
        return "OK"

    def _at_vtr(self, value: str) -> str:
        return self._begin("VTR") if self.duplex and not value else "ERROR"

    def _at_vtx(self, value: str) -> str:
        return self._begin("VTX")

    def _at_vrx(self, value: str) -> str:
        return self._begin("VRX")

    def _at_vts(self, value: str) -> str:
        """Digits, each with its time; a result when they are out."""
        digits = re.findall(r"\{([0-9*#A-D]),\d+\}", value) if self.curly_tones else []
        for low, high in re.findall(r"\[(\d+),(\d+),\d+\]", value):
            rows, columns = ("697", "770", "852", "941"), ("1209", "1336", "1477", "1633")
            digits.append("123A456B789C*0#D"[4 * rows.index(low) + columns.index(high)])
        self.dialled += "".join(digits)
        if digits and self.exchange.loop_closed:
            self.exchange.dial("".join(digits))
        self._result("OK", 5 * max(1, len(digits)))
        return ""

    def _begin(self, stream: str) -> str:
        if not (self.voice and self.exchange.loop_closed and self._codec):
            return "ERROR"
        self.stream, self._leaving, self._escaped, self._was_dry = stream, b"", False, not self.faults.dry_at_start
        self._play.clear()
        self.streams.append(stream)
        return "CONNECT"

    def _end(self) -> None:
        """The stream is over; text from here. A stream that carried sound says so."""
        if self.stream != "VTX":
            self._out += DLE + b"\x03"
        self.stream, self._leaving = "", b""
        self._result("OK")

    def _result(self, result: str, after: int = 0) -> None:
        if not result:
            return
        if self.faults.lost_results:
            self.faults.lost_results -= 1
            return
        garbage, self.faults.garbage = self.faults.garbage, b""
        self._waits.append((after, garbage + f"\r\n{result}\r\n".encode("ascii")))

    def _say(self, text: str) -> None:
        self._waits.append((0, f"\r\n{text}\r\n".encode("ascii")))

    def _deliver(self) -> None:
        """Give the host what there is; with `cut_dle` what stands behind the last DLE comes a tick later."""
        data = self._late + bytes(self._out)
        self._out.clear()
        self._late = b""
        if self.faults.cut_dle and DLE in data[:-1]:
            at = data.rindex(DLE, 0, -1) + 1
            data, self._late = data[:at], data[at:]
        if data and not self.faults.wedge:
            self.host.write(data)

    # The line's side.

    def _exchange(self) -> None:
        for event in self.exchange.events:
            if isinstance(event, Ring):
                self._out += DLE + b"R" if self.voice else b"\r\nRING\r\n"
            elif isinstance(event, CallerId) and self._caller_id and self._china:
                number = event.number or "P"
                self._out += f"\r\nDATE = 1121\r\n\r\nTIME = 0930\r\n\r\nNMBR = {number}\r\n".encode("ascii")
        self.exchange.events.clear()

    def _sound(self) -> None:
        """Both directions of this tick."""
        if not self.exchange.loop_closed:
            return
        heard = self.exchange.sound()
        self._out += self._ear.hear(heard)
        stalled = bool(self.faults.deaf_to_stream or self.faults.wedge)
        if self.stream in ("VTR", "VRX") and not stalled:
            heard = heard if self.stream == "VTR" or self.vls in self.records_on else np.zeros_like(heard)
            mixed = np.clip(heard + self.echo * self._echoed, -32768, 32767).astype(np.int16)
            codes = CODECS[self._codec].encode(mixed).tobytes()
            self._out += codes.replace(DLE, DLE + DLE)
        if self.stream in ("VTR", "VTX") and not stalled:
            self._play_out()

    def _play_out(self) -> None:
        codes = bytes(self._play[:FRAME])
        del self._play[:FRAME]
        if len(codes) < FRAME and not self._leaving and not self._was_dry:
            self._out += DLE + b"u"
        self._was_dry = len(codes) < FRAME
        frame = np.zeros(FRAME, np.int16)
        frame[: len(codes)] = CODECS[self._codec].decode(np.frombuffer(codes, np.uint8))
        self._echoed = frame
        self.exchange.hear(frame)
        if self._leaving and not self._play:
            self._end()
