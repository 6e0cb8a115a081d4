"""What is tried, in which order, when a modem does not answer: the ladder.

Each rung is a list of moves with the ticks to wait after each; then the modem is asked "AT". If it answers it is set
up anew and the line goes on; if not, the next rung is tried. After the last one the line is out of service, and once
a minute the ladder is begun again. The order is by what it costs, and by what users of these modems report to help:
what has hung after weeks often comes back only after its power was cut.
"""

from __future__ import annotations

import logging
import subprocess
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum

from . import aside
from .at import SECOND, Event, Outcome, Script, Step
from .dle import Event as Report
from .ports import Port, probed_by_modem_manager
from .settings import Settings

log = logging.getLogger(__name__)

# A NUL first, so that an odd DLE already sent is spent (mgetty does that); then the ways out of playing, of duplex
# and of recording, and an end to any half command.
RESYNC = b"\x00\x10\x18\x00\x10\x03\x10^\x10!\r"

POWER_LASTS = 30  # seconds the settings' command may take
PATIENCE = 40 * SECOND  # with what is done aside; longer than the command's


class Move(Enum):
    """One thing done to the port."""

    OPEN = "open"
    SHUT = "shut"
    RESYNC = "resync"
    RESET = "reset"
    DTR_LOW = "dtr low"
    DTR_HIGH = "dtr high"
    POWER = "power"


@dataclass(frozen=True)
class Rung:
    """One attempt; `text` is what the log calls it."""

    text: str
    moves: tuple[tuple[Move, int], ...]


START = Rung("打开串口", ((Move.OPEN, 5), (Move.RESYNC, 10)))

LADDER = (
    Rung("退出语音状态", ((Move.RESYNC, 10),)),
    Rung("ATZ 复位", ((Move.RESET, SECOND),)),
    Rung("DTR 断开半秒", ((Move.DTR_LOW, SECOND // 2), (Move.DTR_HIGH, SECOND // 2))),
    Rung("重新打开串口", ((Move.SHUT, SECOND), (Move.OPEN, 5), (Move.RESYNC, 10))),
)
REOPEN = 3  # the rung to begin with when the device itself is gone
# A modem on USB is there again about two seconds after its power. Only where the settings say how.
POWER = Rung("给 USB 口断电再上电", ((Move.SHUT, 0), (Move.POWER, 5 * SECOND), (Move.OPEN, 5), (Move.RESYNC, 10)))


class Climb:
    """Climbs the ladder on one port. What may block is done aside; meanwhile nobody else may touch the port."""

    def __init__(self, name: str, port: Port, settings: Settings, runner: aside.Runner) -> None:
        self.runner = runner
        self.trouble = ""  # what the last rung met
        self._name = name
        self._port = port
        self._settings = settings
        self._rungs: deque[Rung] = deque()
        self._moves: deque[tuple[Move, int]] = deque()
        self._script: Script | None = None
        self._job: Future[None] | None = None
        self._timer = 0
        self._waited = 0  # ticks for what is being done aside

    @property
    def stuck(self) -> bool:
        """Whether the system does not come back from opening or closing the port; it may when the plug is pulled."""
        return self._waited > PATIENCE

    @property
    def has_port(self) -> bool:
        """Whether something is being done to the port."""
        return self._job is not None

    def plan(self, first: bool = False, power: bool = True) -> None:
        """Which rungs are to be climbed; with `first`, opening the port comes before them all."""
        start = [START] if first else []
        rungs = LADDER if first or (self._port.is_open and not self.has_port) else LADDER[REOPEN:]
        self._rungs = deque([*start, *rungs, *([POWER] if power and self._settings.power else [])])

    def next(self) -> bool:
        """Begin the next rung that can do something; False when none is left."""
        while self._rungs and self._rungs[0] in LADDER[:REOPEN] and not self._port.is_open:
            self._rungs.popleft()
        if not self._rungs:
            return False
        rung = self._rungs.popleft()
        log.info("%s: %s", self._name, rung.text)
        self._moves, self._script, self._timer = deque(rung.moves), None, 0
        return True

    def let_go(self) -> Future[None]:
        """Shut the port, behind whatever is being done to it. The system still sends what it has, and lowers DTR."""
        before, self._job = self._job, None
        self._rungs.clear()
        self._moves.clear()

        def shut() -> None:
            if before is not None:
                before.exception()  # waits; a port that could not be opened need not be shut
            self._port.shut(discard=False)

        return self.runner(shut)

    def lose(self) -> None:
        """The device is gone: its port is of no use any more."""
        self._job = self.runner(self._port.shut)

    def take(self, event: Event | Report) -> None:
        """Something the modem said."""
        if self._script is not None:
            self._script.take(event)

    def tick(self) -> tuple[bytes, bool | None]:
        """20 ms of climbing: what to send, and whether the modem is awake (None: not known yet)."""
        if self._job is not None:
            self._waited += 1
            if not self._job.done():
                return b"", None
            error, self._job, self._waited = self._job.exception(), None, 0
            if error is not None:
                self.trouble = str(error)
                return b"", False
        self._timer -= 1
        if self._timer > 0:
            return b"", None
        if self._moves:
            move, self._timer = self._moves.popleft()
            return self._do(move), None
        if self._script is None:
            # ERROR too is an answer.
            self._script = Script([Step("AT", within=SECOND, optional=True)], repeat=False)
        sent = self._script.tick()
        outcome = self._script.outcome
        return sent, None if outcome is None else outcome is Outcome.DONE

    def _do(self, move: Move) -> bytes:
        port = self._port
        match move:
            case Move.RESYNC:
                return RESYNC
            case Move.RESET:
                return b"ATZ\r"
            case Move.OPEN:
                self._job = self.runner(self._open)
            case Move.SHUT:
                self._job = self.runner(port.shut)
            case Move.DTR_LOW | Move.DTR_HIGH:
                self._job = self.runner(lambda: port.dtr(move is Move.DTR_HIGH))
            case Move.POWER:
                self._job = self.runner(self._cut_power)
        return b""

    def _open(self) -> None:
        """Aside: open, and warn of a program that would disturb us."""
        self._port.open()
        if probed_by_modem_manager(self._settings.port):
            log.warning(
                "%s: ModemManager 会向 %s 发命令，请停用它（systemctl mask --now ModemManager），"
                "或用 udev 规则给这个设备设 ID_MM_DEVICE_IGNORE=1",
                self._name,
                self._settings.port,
            )

    def _cut_power(self) -> None:
        """Aside: the settings' command, for example uhubctl."""
        try:
            subprocess.run(self._settings.power, timeout=POWER_LASTS, check=True, capture_output=True)
        except (OSError, subprocess.SubprocessError) as error:
            log.warning("%s: power 命令没有成功：%s", self._name, error)
