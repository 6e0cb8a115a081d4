"""Audio shielded by DLE (0x10), as V.253 modems send and take it.

In a byte stream of samples a DLE says that the next byte is no sample but a report (from the modem) or a
command (to it); a sample that is 0x10 itself travels as DLE DLE, two of them as DLE SUB. Bytes may be cut
anywhere, also behind a DLE. A report we do not know is dropped, never taken for sound.

Codes: Conexant "AT Commands for CX930xx" (102752C) table 5-2, USR5637 manual, mgetty's libvoice.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

DLE = 0x10
SUB = 0x1A  # after DLE: two samples of 0x10
ETX = 0x03

FINISH = b"\x10\x03"  # ends playing once everything is out
DISCARD = b"\x10\x18"  # DLE CAN: drops what is not out yet
STOP_RECORDING = b"\x10!"
LEAVE_DUPLEX = b"\x10^"  # Conexant; others leave duplex as they leave playing

LONGEST_PACKET = 256  # bytes of a DLE X ... packet before its end is taken for lost


@dataclass(frozen=True)
class Audio:
    """Samples, as the modem codes them."""

    data: bytes


@dataclass(frozen=True)
class Digit:
    """A key, reported; one press may be reported many times (`Keys`)."""

    digit: str


class Report(Enum):
    """All other reports that mean something to us."""

    KEY_DOWN = "/"  # between these two the key's reports belong to one press
    KEY_UP = "~"
    RING = "R"
    BUSY = "b"
    DIAL_TONE = "d"
    LOOP_BREAK = "l"
    STREAM_END = chr(ETX)
    UNDERRUN = "u"
    OVERRUN = "o"


@dataclass(frozen=True)
class Hint:
    """A report nothing is decided by: makers differ in what they mean (h, H), or it is never right (s, q)."""

    code: str


Event = Audio | Digit | Report | Hint

EVENTS: dict[int, Event] = {ord(digit): Digit(digit) for digit in "0123456789*#ABCD"}
EVENTS |= {ord(report.value): report for report in Report}
# h, H: the telephone beside us, or the line current; s, q: silence; t: handset; c, e, a, f, J: fax, data and
# special tones; r: ring-back; p, P: line voltage; @: USR's CAS; !: a recording was broken off.
EVENTS |= {ord(code): Hint(code) for code in "hHsqtceafJrpP@!"}


def shield(samples: bytes) -> bytes:
    """Samples as they are sent to the modem."""
    return samples.replace(b"\x10", b"\x10\x10")


class Decoder:
    """What the modem sends while a stream is up."""

    def __init__(self) -> None:
        self._escaped = False  # the last byte was a DLE
        self._packet = 0  # bytes of a long packet left to skip at most

    def receive(self, data: bytes) -> tuple[list[Event], bytes]:
        """The events in `data`, and what follows the end of the stream: text again, not ours."""
        events: list[Event] = []
        audio = bytearray()
        at = 0
        while at < len(data):
            if self._packet:
                at = self._skip(data, at)
            elif self._escaped:
                self._escaped = False
                code = data[at]
                at += 1
                if code in (DLE, SUB):
                    audio += b"\x10" if code == DLE else b"\x10\x10"
                    continue
                _flush(audio, events)
                if code == ord("X"):
                    self._packet = LONGEST_PACKET
                elif code in EVENTS:
                    events.append(EVENTS[code])
                    if code == ETX:
                        return events, data[at:]
            else:
                end = data.find(b"\x10", at)
                self._escaped = end >= 0
                end = len(data) if end < 0 else end
                audio += data[at:end]
                at = end + 1
        _flush(audio, events)
        return events, b""

    def _skip(self, data: bytes, at: int) -> int:
        """Pass over a long packet: DLE X, anything, full stop."""
        end = data.find(b".", at, at + self._packet)
        if end >= 0:
            self._packet = 0
            return end + 1
        skipped = min(self._packet, len(data) - at)
        self._packet -= skipped
        return at + skipped


def _flush(audio: bytearray, events: list[Event]) -> None:
    if audio:
        events.append(Audio(bytes(audio)))
        audio.clear()


BOUNCE = 5  # ticks, 100 ms: modems repeat a held key's report every 70 ms


class Keys:
    """One key of all the reports of one press.

    Between KEY_DOWN and KEY_UP the first digit counts. Modems that do not mark press and release report a press
    once, or again and again: there the same digit counts anew when it was not reported for `BOUNCE` ticks.
    """

    def __init__(self) -> None:
        self._framed = False
        self._counted = False
        self._last: tuple[str, int] | None = None

    def take(self, event: Event, now: int) -> str | None:
        """The key that has been pressed, if this report is the first of it; `now` in ticks."""
        match event:
            case Report.KEY_DOWN:
                self._framed, self._counted = True, False
            case Report.KEY_UP:
                self._framed = False
                self._last = None
            case Digit(digit):
                last, self._last = self._last, (digit, now)
                if self._framed:
                    first, self._counted = not self._counted, True
                    return digit if first else None
                if last is None or last[0] != digit or now - last[1] >= BOUNCE:
                    return digit
        return None
