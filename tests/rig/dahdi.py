"""The far ends of the DAHDI channels in the virtual machine (tests/dahdi): an exchange, and a telephone.

Channel n+4 is the far end of channel n. The kernel's own clock paces everything: a tick ends when the far end has
received its next block, and so has ours.
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
import time
from collections import deque
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from hotline.drivers.dahdi import abi
from hotline.drivers.dahdi.port import Event, Hook, Port
from hotline.drivers.line import FRAME
from hotline.drivers.simulated.telephone import KeypadTelephone

NEAR, FAR = b"1:0", b"1:1"  # the two spans, as tests/dahdi/system.conf names them
CHANNELS = {
    NEAR: {1: abi.SIG_FXSKS, 2: abi.SIG_FXSKS, 3: abi.SIG_FXSLS, 4: abi.SIG_FXSKS},
    FAR: {5: abi.SIG_FXOKS, 6: abi.SIG_FXOKS, 7: abi.SIG_FXOLS, 8: abi.SIG_FXOKS},
}
SPAN_SIZE, CHANNEL_SIZE = 72, 76  # struct dahdi_dynamic_span, struct dahdi_chanconfig
CREATE, DESTROY = abi.request(3, 80, SPAN_SIZE), abi.request(1, 81, SPAN_SIZE)
CONFIGURE = abi.request(1, 19, CHANNEL_SIZE)
SETCADENCE = abi.request(1, 42, 64)
CADENCE = struct.pack("16i", 1000, 4000, *14 * [0])  # ms: rings in China
DEBOUNCE = 110  # ticks: for 2 s after our port was opened or hung up the kernel sees no ring
BETWEEN_RINGS = 75  # ticks after a burst's begin: half a second after its end, caller id is sent


@contextmanager
def control():
    """The device through which spans are made."""
    descriptor = os.open("/dev/dahdi/ctl", os.O_RDWR)
    try:
        yield lambda request, argument: fcntl.ioctl(descriptor, request, argument)
    finally:
        os.close(descriptor)


def _span(address):
    return struct.pack("20s40s3i", b"loc", address, 4, 0, 0)


def pull(address):
    """The far end is gone: its line is unplugged."""
    with control() as order:
        order(DESTROY, _span(address))


def insert(address):
    """It is back, and configured."""
    with control() as order:
        order(CREATE, _span(address))
    for channel, signalling in CHANNELS[address].items():
        configure(channel, signalling)


def configure(channel, signalling):
    """As dahdi_cfg does."""
    with control() as order:
        order(CONFIGURE, struct.pack("i40s4i16s", channel, b"", signalling, 0, 0, 0, b""))


def remove_card():
    """Our own card is gone while its channels are open; what `put_card_back` needs."""
    card = next(path for path in Path("/sys/bus/dahdi_devices/devices").iterdir() if (path / "span-1").exists())
    (card / "unassign_span").write_text("1")
    return card


def put_card_back(card):
    """It has its channels again, and dahdi_cfg has been run."""
    (card / "assign_span").write_text("1:1:1")
    for channel, signalling in CHANNELS[NEAR].items():
        configure(channel, signalling)


class Party:
    """Somebody at the far end, whose telephone speaks and hears while we are connected."""

    def __init__(self, channel):
        self.channel = channel
        self.card = next(card for card, channels in CHANNELS.items() if channel in channels)
        self.ticks = 0
        self.telephone = KeypadTelephone()
        self.connected = False
        self.plugged = True
        self._frame = np.zeros(FRAME, np.int16)
        self._open()

    def _open(self):
        self.port = Port(self.channel)
        self._quiet_since = self.ticks
        self._waiting = select.poll()
        self._waiting.register(self.port._fd, select.POLLIN)

    def close(self):
        """Let the channel go, and put back what was pulled."""
        if not self.plugged:
            self.plug()
        self.port.close()

    def say(self, samples):
        self.telephone.say(samples)

    def heard(self):
        return self.telephone.heard

    def hang_up(self):
        self.connected = False
        self._quiet_since = self.ticks
        self.port.hook(Hook.ON)

    def unplug(self):
        self.port.close()
        self.connected = False
        self.plugged = False
        pull(self.card)

    def plug(self):
        insert(self.card)
        self.plugged = True
        self._open()

    def tick(self):
        """Wait for the next block, then live for 20 ms."""
        self.ticks += 1
        if not self.plugged:
            time.sleep(0.02)
            return
        if not self._waiting.poll(100):
            raise AssertionError(f"channel {self.channel} receives nothing")
        got = self.port.read(self._frame)
        self._frame[got:] = 0
        while self.port.happened:
            self._follow(self.port.happened.pop(0))
        if self.connected:
            self.telephone.hear(self._frame)
            self.port.write(self.telephone.speak())

    def _connect(self):
        self.port.flush()
        self.telephone = KeypadTelephone()
        self.connected = True


class Exchange(Party):
    """Rings our exchange line, and answers when we seize it."""

    def __init__(self, channel):
        self._ring = False
        self._caller_id = deque()
        self._rung_at = None
        super().__init__(channel)

    def _open(self):
        super()._open()
        self.port._call(SETCADENCE, CADENCE)

    def ring(self, number, caller_id=None):
        """From when our port can see it on; `caller_id`: samples sent between the first two rings."""
        self._ring = True
        if caller_id is not None:
            padded = np.concatenate([caller_id, np.zeros(-len(caller_id) % FRAME, np.int16)])
            self._caller_id.extend(padded.reshape(-1, FRAME))

    def hang_up(self):
        self._ring, self._rung_at = False, None
        self._caller_id.clear()
        super().hang_up()

    def tick(self):
        super().tick()
        if self.plugged and self._ring and self._rung_at is None and self.ticks - self._quiet_since > DEBOUNCE:
            self.port.hook(Hook.RING)
            self._rung_at = self.ticks
        if self._caller_id and self._rung_at is not None and self.ticks - self._rung_at >= BETWEEN_RINGS:
            self.port.write(self._caller_id.popleft())

    def _follow(self, event):
        if event is Event.RING_OFF_HOOK:
            self._ring, self._rung_at = False, None
            self._caller_id.clear()
            self.port.hook(Hook.OFF)
            self._connect()
        elif event is Event.ON_HOOK and self.connected:
            Party.hang_up(self)


class Telephone(Party):
    """A telephone at our own port for telephones: its receiver is lifted and put down, and it is answered when rung."""

    def ring(self, number):
        """Lift the receiver, which is how it calls."""
        self.port.hook(Hook.OFF)
        self._connect()

    def _follow(self, event):
        if event is Event.RING_BEGIN:
            self.ring("")
