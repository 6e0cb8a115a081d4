"""A sound server of the tests' own, and the exchange's end of a line interface that hangs on it.

The interface's two wires are a sink and a source of PulseAudio that end in pipes. Such a source has no clock: sound
moves on when the test writes the next frame, so the whole way through server, ALSA, PortAudio and the driver's
process runs in the test's own time, some fifteen times faster than the clock's, and a busy machine loses nothing.
For the clock's time there is `loop`, a null sink whose monitor hears what is played into it.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import F_SETPIPE_SZ, fcntl
from pathlib import Path

import numpy as np
import psutil
import pytest
import serial
from hotline.drivers.line import FRAME, Ring
from hotline.drivers.simulated.exchange import Exchange
from hotline.drivers.simulated.telephone import SILENCE, KeypadTelephone
from hotline.drivers.sound.line import WAITING, Settings, SoundLine
from hotline.drivers.sound.rates import Down
from rig.ports.protocol_exchange import WIRES, Wires

serial.protocol_handler_packages.append("rig.ports")

TICK = 0.02  # seconds
SIZE = 2 * FRAME
BURST = 50  # ticks of the bell
FASTER = 6  # the pipe we hear through: at 48000 Hz the 4096 bytes that server and kernel each keep in it are 43 ms

SERVER = """\
load-module module-native-protocol-unix auth-anonymous=1 socket={folder}/native
load-module module-pipe-sink sink_name=to-exchange file={folder}/to rate=48000 channels=1 format=s16le
load-module module-pipe-source source_name=from-exchange file={folder}/from rate=8000 channels=1 format=s16le
load-module module-null-sink sink_name=loop rate={rate} channels=1 format=s16le
"""
DEVICES = {"line-in": "from-exchange", "line-out": "to-exchange", "loop-in": "loop.monitor", "loop-out": "loop"}


class SoundServer:
    """PulseAudio, with the devices above made known to ALSA."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pid = 0
        socket = f"unix:{folder}/native"
        self.environment = {
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_RUNTIME_PATH": str(folder),
            "PULSE_SERVER": socket,
            "ALSA_CONFIG_PATH": str(folder / "asound.conf"),
        }
        devices = (
            f'pcm.{name} {{ type pulse server "{socket}" device "{device}" hint {{ show on description "-" }} }}\n'
            for name, device in DEVICES.items()
        )
        (folder / "asound.conf").write_text("</usr/share/alsa/alsa.conf>\n" + "".join(devices))
        (folder / "server.pa").write_text(SERVER.format(folder=folder, rate=8000))

    def start(self) -> None:
        """Start it; quiet when it runs. It is nobody's child, for tests look at their own, so it ends by itself should
        the tests be killed."""
        if self._runs():
            return
        for left in ("to", "from", "pid"):  # of one that was killed
            (self.folder / left).unlink(missing_ok=True)
        options = ("--exit-idle-time=60", "--use-pid-file=yes", "--daemonize=yes", "--realtime=no")
        subprocess.run(
            ["pulseaudio", "-n", "-F", str(self.folder / "server.pa"), "--high-priority=no", *options],
            env=os.environ | self.environment,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        self._pid = int((self.folder / "pid").read_text())

    def freeze(self, *, frozen: bool) -> None:
        """Let it hang, as a server does that waits for a device; or go on."""
        os.kill(self._pid, signal.SIGSTOP if frozen else signal.SIGCONT)

    def stall(self, *, stalled: bool) -> None:
        """Let the device we are spoken to by stop, or go on. (Taking it away is of no use here: the server then moves
        its listeners to whatever other source it has.)"""
        words = ("suspend-source", "from-exchange", str(int(stalled)))
        subprocess.run(["pactl", *words], env=os.environ | self.environment, check=True, capture_output=True)

    def kill(self) -> None:
        """End it as a crash would; quiet when it does not run."""
        with suppress(ProcessLookupError):
            if self._pid:
                os.kill(self._pid, signal.SIGKILL)
        while self._runs():
            select.select([], [], [], 0.01)
        self._pid = 0

    def _runs(self) -> bool:
        return bool(self._pid) and psutil.pid_exists(self._pid) and psutil.Process(self._pid).status() != "zombie"


def running(folder: Path) -> Iterator[SoundServer]:
    """The body of a fixture: a server, started when first needed, that every client of this process finds."""
    server = SoundServer(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server
    server.kill()


class FedLine(SoundLine):
    """Opening waits for the device's first sound, which is the test's to give."""

    def __init__(self, name: str, settings: Settings, interface: Interface) -> None:
        super().__init__(name, settings)
        self.interface = interface
        interface.line = self

    def open(self) -> None:
        """With sound flowing meanwhile."""
        with self.interface.fed():
            super().open()


class Interface:
    """A line interface between the sound server and an exchange in software; LineContract's `Far`."""

    def __init__(self, server: SoundServer, name: str = "cable") -> None:
        self.server = server
        self.exchange = Exchange(caller_id="fsk")
        self.telephone = KeypadTelephone()
        self.wires = WIRES[name] = Wires()
        self.line: SoundLine
        self._bell = 0
        self._to = self._from = -1
        self.plug()

    def close(self) -> None:
        """Let the pipes go."""
        for pipe in (self._to, self._from):
            if pipe >= 0:
                os.close(pipe)
        self._to = self._from = -1

    @contextmanager
    def fed(self) -> Iterator[None]:
        """Silence both ways meanwhile, four times as fast as the clock."""
        over = threading.Event()

        def feed() -> None:
            while not over.wait(TICK / 4):
                self._speak(SILENCE)
                self._listen()

        thread = threading.Thread(target=feed)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    # The exchange's side, as the contract asks for it.

    def ring(self, number: str) -> None:
        self.telephone = KeypadTelephone()
        self.exchange.call(self.telephone, number)

    def say(self, samples: np.ndarray) -> None:
        self.telephone.say(samples)

    def heard(self) -> np.ndarray:
        return self.telephone.heard

    def hang_up(self) -> None:
        self.exchange.hang_up()

    def unplug(self) -> None:
        self.server.kill()

    def plug(self) -> None:
        self.server.start()
        self.close()
        self._from = os.open(self.server.folder / "from", os.O_RDWR | os.O_NONBLOCK)
        self._to = os.open(self.server.folder / "to", os.O_RDWR | os.O_NONBLOCK)
        fcntl(self._to, F_SETPIPE_SZ, 4096)
        self._rest = b""
        self._down = Down(FASTER)

    def tick(self) -> None:
        """20 ms at the exchange, then wait until the driver's device has delivered its next frame."""
        if self.line.settings.hook != "none":
            self.wires.settle()
        if self.wires.rts and not self.exchange.loop_closed:
            self.exchange.lift()
        elif not self.wires.rts and self.exchange.loop_closed:
            self.exchange.put_down()
        self.exchange.tick()
        if any(isinstance(event, Ring) for event in self.exchange.events):
            self._bell = BURST
        self.exchange.events.clear()
        self.wires.bell = self._bell > 0 and not self.exchange.loop_closed
        self._bell -= self._bell > 0
        self._speak(self.exchange.sound())
        self.exchange.hear(self._listen())
        self._wait()

    def _wait(self) -> None:
        """Until the device has delivered, or about as long as a tick takes when it does not."""
        device = self.line._device
        if not device.started or device.fault:
            select.select([], [], [], TICK)
        elif len(self.line._arrived._frames) <= WAITING:
            device.wait(2 * TICK)

    def _speak(self, frame: np.ndarray) -> None:
        with suppress(BlockingIOError):  # nobody reads: the server is down
            os.write(self._from, frame.tobytes())

    def _listen(self) -> np.ndarray:
        """What the interface has sent, once it is a whole frame; the server fills the pipe in its own steps."""
        while len(self._rest) < FASTER * SIZE and select.select([self._to], [], [], TICK)[0]:
            self._rest += os.read(self._to, FASTER * SIZE)
        if len(self._rest) < FASTER * SIZE:
            return SILENCE
        arrived, self._rest = self._rest[: FASTER * SIZE], self._rest[FASTER * SIZE :]
        return self._down.feed(np.frombuffer(arrived, np.int16))
