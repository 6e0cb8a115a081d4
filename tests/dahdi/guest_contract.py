"""In the virtual machine: every promise of drivers/line.py, kept by lines on real DAHDI channels."""

from __future__ import annotations

import pytest
from hotline.drivers.dahdi.line import DahdiLine, Settings
from rig import dahdi
from rig.line_contract import LineContract


class DahdiContract(LineContract):
    """Line `channel` and its far end, which `far` makes."""

    channel: int
    far_channel: int
    far: type[dahdi.Party]

    @pytest.fixture(autouse=True)
    def far_end(self):
        self._party = None
        yield
        self._release()

    def _release(self):
        if self._party is not None:
            self._party.close()
            self._party = None

    def make_pair(self):
        self._release()
        self._party = self.far(self.far_channel)
        return DahdiLine("test", Settings(channel=self.channel)), self._party


class TestKewlStart(DahdiContract):
    channel, far_channel, far = 1, 5, dahdi.Exchange


class TestStation(DahdiContract):
    """A telephone plugged into our own port."""

    channel, far_channel, far = 6, 2, dahdi.Telephone
