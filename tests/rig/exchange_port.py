"""Our port of the software exchange, with everything that was read and told, and when."""

from __future__ import annotations

import numpy as np
from hotline.drivers.line import FRAME, Event, Frame
from hotline.drivers.simulated.exchange import Exchange
from hotline.drivers.simulated.telephone import SILENCE, KeypadTelephone, Silent, WavTelephone
from rig.line_contract import level_at

SECOND = 50  # ticks


class Port:
    """Our port, minute by minute: what it read and what it was told, with the tick of each."""

    def __init__(self, exchange: Exchange | None = None) -> None:
        self.exchange = exchange or Exchange()
        self.now = 0
        self.log: list[tuple[int, Event]] = []

    def run(self, seconds: float, sending: Frame | None = SILENCE) -> Frame:
        """Let time pass; what was read comes back. `sending` None: we write nothing at all."""
        read = []
        for _ in range(round(seconds * SECOND)):
            self.exchange.tick()
            read.append(self.exchange.sound().copy())
            self.log += [(self.now, event) for event in self.exchange.events]
            self.exchange.events.clear()
            if sending is not None:
                self.exchange.hear(sending)
            self.now += 1
        return np.concatenate(read)

    def talking_to(self, telephone: KeypadTelephone | Silent | WavTelephone) -> Port:
        """Called by this telephone, and answered."""
        self.exchange.call(telephone)
        self.exchange.lift()
        return self


def bursts(samples: Frame, hz: float = 450) -> list[tuple[int, int]]:
    """Ticks (first, past last) in which a tone of -10 dBm0 is on."""
    on = [level_at(frame, hz) > 0.3 for frame in samples.reshape(-1, FRAME)]
    edges = np.flatnonzero(np.diff([False, *on, False]))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
