"""What is tried, in which order, when a modem does not answer: the ladder.

Each rung is a list of moves with the ticks to wait after each; then the modem is asked "AT". If it answers it is set
up anew and the line goes on; if not, the next rung is tried. After the last one the line is out of service, and once
a minute the ladder is begun again. The order is by what it costs, and by what users of these modems report to help:
what has hung after weeks often comes back only after its power was cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .at import SECOND

# A NUL first, so that an odd DLE already sent is spent (mgetty does that); then the ways out of playing, of duplex
# and of recording, and an end to any half command.
RESYNC = b"\x00\x10\x18\x00\x10\x03\x10^\x10!\r"


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
    """One attempt; `text` is what the log and the alarm call it. `power`: only where the settings give a command."""

    text: str
    moves: tuple[tuple[Move, int], ...]
    power: bool = False


START = Rung("打开串口", ((Move.OPEN, 5), (Move.RESYNC, 10)))

LADDER = (
    Rung("退出语音状态", ((Move.RESYNC, 10),)),
    Rung("ATZ 复位", ((Move.RESET, SECOND),)),
    Rung("DTR 断开半秒", ((Move.DTR_LOW, SECOND // 2), (Move.DTR_HIGH, SECOND // 2))),
    Rung("重新打开串口", ((Move.SHUT, SECOND), (Move.OPEN, 5), (Move.RESYNC, 10))),
    # A modem on USB is there again about two seconds after its power.
    Rung("给 USB 口断电再上电", ((Move.SHUT, 0), (Move.POWER, 5 * SECOND), (Move.OPEN, 5), (Move.RESYNC, 10)), True),
)
REOPEN = 3  # the rung to begin with when the device itself is gone


def ladder(first: Rung | None, port_is_open: bool, power: bool) -> list[Rung]:
    """The rungs to be climbed, lowest first."""
    rungs = LADDER if port_is_open else LADDER[REOPEN:]
    return ([first] if first else []) + [rung for rung in rungs if power or not rung.power]
