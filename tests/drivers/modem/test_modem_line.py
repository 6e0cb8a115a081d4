"""Lines on simulated modems: the contract, in full and in half duplex."""

from __future__ import annotations

import pytest
from hotline.config import tones
from hotline.drivers.line import Frame, Line
from hotline.drivers.modem.aside import at_once
from hotline.drivers.modem.firmware import FIRMWARE
from hotline.drivers.modem.line import VoiceModemLine
from hotline.drivers.modem.settings import Settings
from hotline.drivers.telephone import KeypadTelephone
from rig.line_contract import Far, LineContract

PLAN = tones.load("cn")


class Caller(Far):
    """A telephone that calls through a simulated modem."""

    def __init__(self, firmware: str, path) -> None:
        self.modem = FIRMWARE[firmware](path, PLAN)
        self.telephone = KeypadTelephone()
        self._from = 0
        self._streams = 0

    def ring(self, number: str) -> None:
        self.telephone = KeypadTelephone()
        self._streams = len(self.modem.streams)
        self.modem.exchange.call(self.telephone, number)

    def say(self, samples: Frame) -> None:
        self.telephone.say(samples)

    def heard(self) -> Frame:
        return self.telephone.heard[self._from :]

    def hang_up(self) -> None:
        self.modem.exchange.hang_up()

    def unplug(self) -> None:
        self.modem.unplug()

    def plug(self) -> None:
        self.modem.plug()

    def tick(self) -> None:
        self.modem.tick()
        if len(self.modem.streams) == self._streams:
            self._from = self.telephone.position


class ModemContract(LineContract):
    connect = (
        160  # setting up, for the contract waits for nothing before it calls; a dozen commands; a second to settle
    )
    firmware = ""
    settings: dict[str, object] = {}

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.path = tmp_path / "modem"

    def make_pair(self) -> tuple[Line, Far]:
        far = Caller(self.firmware, self.path)
        return VoiceModemLine("test", Settings(port=str(self.path), **self.settings), at_once), far


class TestConexant(ModemContract):
    firmware = "conexant"


class TestConexantHalf(ModemContract):
    firmware = "conexant-half"
    settings = {"duplex": "half"}


class TestUsr5637(ModemContract):
    firmware = "usr5637"
    settings = {"duplex": "half"}


class TestGeneric(ModemContract):
    firmware = "generic"
    settings = {"duplex": "half"}
