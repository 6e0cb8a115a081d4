"""`exchange://NAME` for pyserial: a port whose control lines end in a test's hand.

A pty has no control lines, and pyserial's own loop:// joins RTS to CTS. What the driver does is what it does with a
real port; only the wires behind it are ours.
"""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

import serial


class Wires:
    """The cable between the port and the line interface."""

    def __init__(self) -> None:
        self.rts = False
        self.bell = False
        self.plugged = True
        self._looked = threading.Event()

    def look(self) -> None:
        """The driver asks for the bell."""
        self._looked.set()

    def settle(self) -> None:
        """Wait until the driver has set RTS and asked for the bell once more; not longer than a tick."""
        self._looked.clear()
        self._looked.wait(0.02)


WIRES: dict[str, Wires] = {}


class Serial(serial.SerialBase):
    """The port of one cable."""

    def open(self) -> None:
        self._wires = WIRES[urlsplit(self.portstr).netloc]
        self._check()
        self.is_open = True
        self._update_rts_state()

    def close(self) -> None:
        self.is_open = False

    def _reconfigure_port(self) -> None:
        pass

    def _update_dtr_state(self) -> None:
        self._check()

    def _update_rts_state(self) -> None:
        self._check()
        self._wires.rts = self._rts_state

    @property
    def ri(self) -> bool:
        self._check()
        self._wires.look()
        return self._wires.bell

    def _check(self) -> None:
        if not self._wires.plugged:
            raise serial.SerialException("[Errno 5] Input/output error")
