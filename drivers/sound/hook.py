"""Off hook, on hook and ringing: by the control lines of a serial port, or guessed from the sound.

Asking a port for its control lines is a request over USB with many adapters, and may take as long as it likes when the
adapter is gone. So a thread asks, and the tick looks at what it found last.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import Any, Literal

import serial

from ...dsp.levels import power_dbm0
from ..line import RATE, Event, Frame, Ring, RingStopped

TICKS = RATE // 160  # a second

RingLine = Literal["RI", "CTS", "DSR", "CD"]

# Ringing is 16 to 25 Hz: a detector without a capacitor shows it as pulses of 20 ms and more. An odd period, so that
# none hides between two looks.
LOOK = 0.007  # seconds
REOPEN = 1.0  # seconds between two tries to open a port that is gone
OPENING = 2.0  # seconds the first try may take


@dataclass(frozen=True)
class Cadence:
    """When something that comes and goes is a call. All in ticks."""

    begin: int  # so much of it is a burst
    bridged: int  # a pause up to this long does not end it
    again: int | None  # a burst that goes on counts once more each time
    lost: int  # after such a pause the caller has given up
    rest: int  # after our own hanging up nothing counts before it has been quiet for so long


# China rings 1 s in 5, others 2 s in 6: one period and a second is what `lost` waits. Two or three cycles of 25 Hz are
# a burst: lifting and hanging up make shorter ones.
BELL = Cadence(begin=6, bridged=8, again=None, lost=6 * TICKS, rest=10)
# Without a bell a call is sound that appears. It goes on counting, so that a line set to answer at the second ring
# does so a second later. A busy tone (pauses to 0.7 s) after our hanging up is no new call.
SOUND = Cadence(begin=15, bridged=2 * TICKS, again=TICKS, lost=3 * TICKS, rest=3 * TICKS)


class Ringing:
    """Bursts into `Ring` and `RingStopped`; a tick a call of `feed`."""

    def __init__(self, cadence: Cadence) -> None:
        self._cadence = cadence
        self._resting = False
        self.answered()

    def answered(self) -> None:
        """Forget the call that rings."""
        self._count = 0
        self._on = 0  # ticks of this burst
        self._off = 0  # ticks since it was last heard

    def hung_up(self) -> None:
        """Count nothing before it has been quiet for a while."""
        self.answered()
        self._resting = True

    def feed(self, active: bool) -> Event | None:
        """What this tick adds."""
        cadence = self._cadence
        self._off = 0 if active else self._off + 1
        if self._resting:
            self._resting = self._off < cadence.rest
            return None
        if active:
            self._on += 1
        elif self._off > cadence.bridged:
            self._on = 0
        if self._count and self._off >= cadence.lost:
            self._count = 0
            return RingStopped()
        if active and self._counts():
            self._count += 1
            return Ring(self._count)
        return None

    def _counts(self) -> bool:
        more = self._on - self._cadence.begin
        return more == 0 or (self._cadence.again is not None and more > 0 and more % self._cadence.again == 0)


class SerialHook:
    """RTS closes the loop, RI (or another line) shows the bell. `fault`: why the port cannot be used, else empty."""

    cadence = BELL

    def __init__(self, port: str, ring: RingLine) -> None:
        self.fault = ""
        self._name = port
        self._ring = ring.lower()
        self._off_hook = False
        self._rang = threading.Event()
        self._changed = threading.Event()  # also: the thread is to look at once
        self._looked = threading.Event()  # the port has been opened, or refused
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"hook {port}", daemon=True)

    def open(self) -> None:
        """Begin; `fault` is known afterwards."""
        self._thread.start()
        if not self._looked.wait(OPENING):
            self.fault = f"串口 {self._name} 没有反应：请拔下重新插上"

    def close(self) -> None:
        """On hook, and let the port go; the thread of a port that hangs is left to itself."""
        self._closing = True
        self.set(False)
        if self._thread.is_alive():
            self._thread.join(OPENING)

    def set(self, off_hook: bool) -> None:
        """Close the loop, or open it, a moment later."""
        self._off_hook = off_hook
        self._changed.set()

    def active(self, frame: Frame) -> bool:
        """Whether the bell has been seen since the last look."""
        if self._rang.is_set():
            self._rang.clear()
            return True
        return False

    def _run(self) -> None:
        while not self._closing:
            try:
                with _opened(self._name) as port:
                    self.fault = ""
                    self._looked.set()
                    self._serve(port)
            except (OSError, ValueError) as error:  # SerialException is an OSError
                self.fault = f"串口 {self._name} 不能用（{error}）：请看转接器是否插好，有没有别的程序占用"
                self._looked.set()
                self._changed.wait(REOPEN)
                self._changed.clear()

    def _serve(self, port: Any) -> None:
        while not self._closing:
            port.rts = self._off_hook
            if getattr(port, self._ring):
                self._rang.set()
            self._changed.wait(LOOK)
            self._changed.clear()
        port.rts = False


@contextlib.contextmanager
def _opened(name: str) -> Any:
    """The port, opened on hook: pyserial would raise RTS."""
    port = serial.serial_for_url(name, do_not_open=True)
    port.rts = False
    port.open()
    try:
        yield port
    finally:
        with contextlib.suppress(OSError):
            port.close()


class SoundHook:
    """No hook at all: the interface lifts and hangs up by itself, and a call is known by its sound."""

    cadence = SOUND
    fault = ""

    def __init__(self, threshold_dbm0: float) -> None:
        self._threshold = threshold_dbm0

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""

    def set(self, off_hook: bool) -> None:
        """Nobody to tell."""

    def active(self, frame: Frame) -> bool:
        """Whether there is sound in this tick."""
        return bool(power_dbm0(frame) > self._threshold)
