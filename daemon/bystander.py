"""A caller at an exchange in software who knows of the service only what he hears, in real or virtual time.

The service is behind a port of its own (a simulated modem), perhaps in another process; so he rings, waits until
somebody answers, and then follows his script by ear as remote.py has it.
"""

from __future__ import annotations

import numpy as np

from ..drivers.line import Frame
from ..drivers.simulated.exchange import Exchange, State
from ..drivers.simulated.telephone import SILENCE
from .caller import Word
from .remote import Entry, RemoteCaller


class Port:
    """The exchange's side of his telephone: frames both ways, until one side hangs up."""

    def __init__(self, exchange: Exchange) -> None:
        self.over: str | None = None
        self._exchange = exchange
        self._arrived: list[bytes] = []
        self._next: Frame = SILENCE

    @property
    def answered(self) -> bool:
        """Whether somebody is at the other end."""
        return self._exchange.state is State.TALKING

    # For the exchange.

    def speak(self) -> Frame | None:
        """What he says in this tick."""
        frame, self._next = self._next, SILENCE
        return frame

    def hear(self, frame: Frame) -> None:
        """What he hears; ring-back is no prompt."""
        if self.answered:
            self._arrived.append(frame.astype("<i2").tobytes())

    # For the caller.

    def receive(self) -> list[bytes]:
        """All that has arrived."""
        if self.over is None and not self.answered:
            self.over = "far"
            self._exchange.hang_up(self)
        arrived, self._arrived = self._arrived, []
        return arrived

    def send(self, frame: bytes) -> None:
        """Say this in the next tick."""
        self._next = np.frombuffer(frame, "<i2").astype(np.int16)

    def hang_up(self) -> None:
        """Put the receiver down."""
        if self.over is None:
            self.over = "near"
        self._exchange.hang_up(self)


class Bystander:
    """One call from first ring to its end; `step` once after every tick of the exchange."""

    def __init__(self, exchange: Exchange, script: list[Word], number: str | None) -> None:
        """Raises Engaged."""
        self.answered = False
        self._port = Port(exchange)
        self._caller = RemoteCaller(script, self._port)
        self._exchange = exchange
        exchange.call(self._port, number)

    @property
    def over(self) -> str | None:
        """How the call ended; None while it lasts."""
        return self._port.over

    @property
    def entries(self) -> list[Entry]:
        """What was heard and done so far, in seconds since the answer."""
        return self._caller.entries

    def step(self) -> None:
        """Let him act on what this tick brought."""
        if self.answered or self._port.answered:
            self.answered = True
            if self.over is None:
                self._caller.step()
        elif self._exchange.free:
            self._port.over = "unanswered"
            self._exchange.hang_up(self._port)
