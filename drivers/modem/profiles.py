"""What differs between modems, as data. Source of each row: the makers' manuals (Conexant 102752C, USR5637 OEM) and
code that people run (mgetty's libvoice, callattendant, pstnxsip); nothing here was tried on hardware by us.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from ...dsp.generate import HIGH, KEYS, LOW
from . import dle
from .at import SECOND, Step


class Mode(Enum):
    """The streams a modem knows, and the command that begins each."""

    DUPLEX = "AT+VTR"
    PLAY = "AT+VTX"
    RECORD = "AT+VRX"


@dataclass(frozen=True)
class Profile:
    """One family of modems."""

    title: str
    known_by: re.Pattern[str]  # searched in the answers to ATI0, ATI3 and +FMI
    codecs: tuple[str, ...]  # in the order we prefer them
    choose_codec: tuple[str, ...]  # tried in turn, each may be refused; {} is the codec's number
    voice: tuple[str, ...]  # said after +FCLASS=8; each may be refused
    tone: str  # +VTS's argument for one digit: {digit}, or {low} and {high} Hz; times in 10 ms
    duplex: bool = True  # worth a try
    listen: str = "AT+VLS=1"  # what puts the line off hook
    leave: dict[Mode, bytes] = field(
        default_factory=lambda: {
            Mode.DUPLEX: dle.LEAVE_DUPLEX,
            Mode.PLAY: dle.FINISH,
            Mode.RECORD: dle.STOP_RECORDING,
        }
    )


PROFILES = {
    # Gains: 128 is nominal, and most parts refuse +VGR. Silence detection does nothing useful, the inactivity timer
    # would end a stream, +VNH=1 keeps the line when the modem thinks the far end has gone; it is lost with every
    # change of +FCLASS, so it is said in each call.
    "conexant": Profile(
        title="Conexant CX93001/CX93010",
        known_by=re.compile(r"CX930|CONEXANT", re.IGNORECASE),
        codecs=("mu-law", "a-law", "unsigned", "signed"),
        choose_codec=("AT+VSM={},8000,0,0",),
        voice=("AT+VSD=0,0", "AT+VIT=0", "AT+VNH=1", "AT+VGT=128"),
        tone="{{{digit},10}}",
    ),
    # 128 is what everybody uses, so it comes first. The line's sound reaches a recording only with +VLS=5.
    # The short form +VTS=9 is ignored by some firmware.
    "usr5637": Profile(
        title="USRobotics USR5637",
        known_by=re.compile(r"^5601$|USR|U\.?S\.? ?ROBOTICS", re.IGNORECASE | re.MULTILINE),
        codecs=("unsigned", "mu-law", "a-law"),
        choose_codec=("AT+VSM={},8000",),
        voice=("AT+VSD=128,0", "AT+VIT=0", "AT+VNH=0", "AT+VGT=128", "AT+VGR=128"),
        tone="[{low},{high},10]",
        listen="AT+VLS=5",
        leave={Mode.DUPLEX: dle.FINISH, Mode.PLAY: dle.FINISH, Mode.RECORD: dle.STOP_RECORDING},
    ),
    # As mgetty drives whatever it does not know: two arguments to +VSM, then four.
    "generic": Profile(
        title="V.253",
        known_by=re.compile(r"(?!)"),
        codecs=("mu-law", "a-law", "unsigned", "signed"),
        choose_codec=("AT+VSM={},8000", "AT+VSM={},8000,0,0"),
        voice=("AT+VSD=128,0", "AT+VIT=0", "AT+VNH=0", "AT+VGT=128", "AT+VGR=128"),
        tone="{{{digit},10}}",
        leave={Mode.DUPLEX: dle.FINISH, Mode.PLAY: dle.FINISH, Mode.RECORD: dle.STOP_RECORDING},
    ),
}


def identify(answers: Iterable[str]) -> str:
    """The profile of a modem that said this of itself; "generic" for one we do not know."""
    text = "\n".join(answers)
    return next((name for name, profile in PROFILES.items() if profile.known_by.search(text)), "generic")


CLASSES, IDENTITY = "AT+FCLASS=?", ("ATI0", "ATI3", "AT+FMI?")


def setting_up(country: str) -> list[Step]:
    """From any state to rest. The country is volatile on parts without flash memory, so it is said every time; the
    manual wants a second's pause after ATZ. At rest the modem is in +FCLASS=0, where rings come as text."""
    return [
        Step("ATZ", pause=SECOND),
        Step("ATE0V1Q0S0=0"),
        *(Step(question, optional=True) for question in IDENTITY),
        Step(CLASSES, optional=True),
        Step("AT+FCLASS=8"),
        Step("AT+VSM=?", optional=True),
        Step("AT+FCLASS=0"),
        Step(f"AT+GCI={country}", optional=True),
        Step("AT+VCID=1", optional=True),
    ]


def lifting(profile: Profile, codec: int) -> list[Step]:
    """Off hook, and ready for a stream. `codec` is the modem's own number for it."""
    return [
        Step("AT+FCLASS=8"),
        *(Step(command.format(codec), optional=len(profile.choose_codec) > 1) for command in profile.choose_codec),
        *(Step(command, optional=True) for command in profile.voice),
        Step(profile.listen, within=3 * SECOND),
    ]


# +VLS=0 does not end voice mode, ATH does on some; what is refused was not needed.
DROPPING = (
    Step("AT+VLS=0", within=3 * SECOND, optional=True),
    Step("ATH", within=3 * SECOND, optional=True),
    Step("AT+FCLASS=0", optional=True),
)

FLASH = Step("AT+VTS=!", optional=True)


def tones(profile: Profile, number: str) -> list[Step]:
    """One command a digit: between two of them the line is silent for the time a command takes, which keeps two equal
    digits apart. ',' is a second's pause.

    +VTS on every modem, never ATD: the line is off hook, often in a call (an extension, a code after a flash). There
    ATD would wait for a dial tone, then for an answer by its own rules (+VRA, +VRN), and any byte sent meanwhile breaks
    it off (V.250, 5.6.1). Each profile has the form of +VTS its manual gives; programs resort to ATDT where they send
    bare digits, which some firmware ignores. Whether there is a dial tone, our own ear says."""
    steps: list[Step] = []
    for digit in number:
        if digit == ",":
            last = steps.pop() if steps else Step("AT")
            steps.append(Step(last.command, last.within, last.optional, last.pause + SECOND))
            continue
        row, column = divmod(KEYS.index(digit), 4)
        argument = profile.tone.format(digit=digit, low=round(LOW[row]), high=round(HIGH[column]))
        steps.append(Step(f"AT+VTS={argument}", within=3 * SECOND, optional=True))
    return steps
