"""Simulated modems as the far end of a line, and whole services in virtual time on them."""

from __future__ import annotations

from hotline.config import tones
from hotline.config.settings import Line
from hotline.daemon.rehearsal import Rehearsal, run
from hotline.daemon.service import Service
from hotline.drivers.modem.aside import at_once
from hotline.drivers.modem.firmware import FIRMWARE
from hotline.drivers.modem.life import State
from hotline.drivers.modem.line import VoiceModemLine
from hotline.drivers.modem.settings import Settings
from hotline.drivers.simulated.telephone import KeypadTelephone
from rig.house import NUMBER, House
from rig.line_contract import Bench, Far

PLAN = tones.load("cn")
CONNECT = 160  # ticks: setting up, for which the contract does not wait; a dozen commands; a second to settle


class Caller(Far):
    """A telephone that calls through a simulated modem."""

    def __init__(self, firmware, path):
        self.modem = FIRMWARE[firmware](path, PLAN)
        self.telephone = KeypadTelephone()
        self._from = 0
        self._streams = 0

    def ring(self, number):
        self.telephone = KeypadTelephone()
        self._streams = len(self.modem.streams)
        self.modem.exchange.call(self.telephone, number)

    def say(self, samples):
        self.telephone.say(samples)

    def heard(self):
        return self.telephone.heard[self._from :]

    def hang_up(self):
        self.modem.exchange.hang_up()

    def unplug(self):
        self.modem.unplug()

    def plug(self):
        self.modem.plug()

    def tick(self):
        self.modem.tick()
        if len(self.modem.streams) == self._streams:
            self._from = self.telephone.position


def line_on(port, runner=at_once, **settings):
    """A line on this port, not yet open."""
    return VoiceModemLine("test", Settings(port=str(port), **settings), runner)


def bench(tmp_path, firmware, **settings):
    """A line on such a modem, at rest."""
    port = tmp_path / "modem"
    far = Caller(firmware, port)
    line = line_on(port, **settings)
    line.open()
    made = Bench(line, far, CONNECT)
    made.run(100)
    return made


class ModemHouse(House):
    """One line on a modem of each firmware named, and so many simulated lines behind them."""

    def __init__(self, original, state, firmware=("conexant",), simulated=0, **keys):
        self.firmware, self.simulated, self.keys = firmware, simulated, keys
        super().__init__(original, state)

    def start(self):
        ports = [self.state / f"port{i}" for i in range(len(self.firmware))]
        rows = {
            f"M{i}": Line(driver="voicemodem", rings=2, port=str(port), **self.keys) for i, port in enumerate(ports)
        } | {f"S{i}": Line(driver="simulated", rings=2) for i in range(self.simulated)}
        self.settings = self.settings.model_copy(update={"lines": rows})
        self.service = Service(self.settings, virtual=True, epoch=self.epoch)
        self.modems = [FIRMWARE[name](port, PLAN) for name, port in zip(self.firmware, ports, strict=True)]
        for seat, modem in zip(self.service.board.seats, self.modems, strict=False):
            seat.line.modem.climb.runner = at_once
            seat.line.exchange = modem.exchange
        self.service.open()
        self.board, self.journal = self.service.board, self.service.journal  # what `run` looks at
        while any(line.modem.state is not State.RESTING for line in self.lines):
            self.tick()

    def stop(self):
        super().stop()
        for modem in self.modems:
            modem.unplug()

    @property
    def lines(self):
        return [seat.line for seat in self.service.board.seats[: len(self.modems)]]

    def tick(self, count=1):
        for _ in range(count):
            self.service.tick()
            for modem in self.modems:
                modem.tick()

    def begin(self, script, line=0, number=NUMBER, **keying):
        """A call that has begun to ring; the test ticks, and steps it."""
        return Rehearsal(self.service, self.service.board.seats[line].line, script, number, **keying)

    def call(self, script, line=0, number=NUMBER, speech=None, **keying):
        """One call to its end; what was said and heard."""
        rehearsal = Rehearsal(self.service, self.service.board.seats[line].line, script, number, speech, **keying)
        run(self, [rehearsal])
        return rehearsal.told
