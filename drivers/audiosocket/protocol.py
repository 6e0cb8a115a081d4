"""AudioSocket as Asterisk speaks it: bytes in, events out. No socket, no clock.

A message is a type (1 byte), the length of its payload (2 bytes, big-endian), and the payload. What Asterisk sends
(res_audiosocket.c of Asterisk 18 to 22): the call's UUID first and once, then audio as the channel brings it, usually
20 ms in a message, and digits where the channel reports them. It takes audio and hang-up, and drops whoever sends
anything else, an empty message included; header and payload must reach it in one piece, or 5 ms later it gives up.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt

from ..line import FRAME, Frame

HANG_UP, UUID_, DIGIT, AUDIO, ERROR = 0x00, 0x01, 0x03, 0x10, 0xFF
OTHER_RATES = range(0x11, 0x19)  # 12 to 192 kHz

HEADER = 3
MESSAGE = HEADER + 2 * FRAME  # the common message: 20 ms of audio
FRAME_HEADER = bytes((AUDIO,)) + (2 * FRAME).to_bytes(2, "big")
LONGEST = 16000  # bytes of payload we take: a second of audio. Asterisk's longest packets are a fifth of that
HANG_UP_MESSAGE = bytes((HANG_UP, 0, 0))


@dataclass(frozen=True)
class Identified:
    """The first message: which call this is."""

    uuid: UUID


@dataclass(frozen=True)
class Audio:
    """So many samples as they travel: int16, little-endian, 8000 Hz."""

    samples: bytes


@dataclass(frozen=True)
class Digit:
    """A key the channel reports; it comes when the key is released."""

    digit: str


@dataclass(frozen=True)
class HangUp:
    """The other side has ended the call in words; Asterisk itself just closes the connection."""

    reason: str


@dataclass(frozen=True)
class Broken:
    """This is no AudioSocket as we speak it: nothing after it is understood. The text says what was seen."""

    reason: str


Event = Identified | Audio | Digit | HangUp | Broken


class Decoder:
    """Cuts a stream into events, however its bytes are cut. It holds one unfinished message at most."""

    def __init__(self) -> None:
        self.pending = False  # whether the stream stands inside a message
        self._rest = b""
        self._identified = False
        self._broken = False

    def receive(self, data: bytes) -> list[Event]:
        """What these bytes complete. After Broken there is nothing more."""
        events: list[Event] = []
        stream, at = self._rest + data if self._rest else data, 0
        while not self._broken and len(stream) - at >= HEADER:
            length = int.from_bytes(stream[at + 1 : at + HEADER], "big")
            if length > LONGEST:
                events.append(Broken(f"消息有 {length} 字节，最多收 {LONGEST}"))
            elif len(stream) - at < HEADER + length:
                break
            else:
                events.append(self._message(stream[at], stream[at + HEADER : at + HEADER + length]))
            self._broken = isinstance(events[-1], Broken)
            at += HEADER + length
        self._rest = b"" if self._broken else stream[at:]
        self.pending = bool(self._rest)
        return events

    def _message(self, kind: int, payload: bytes) -> Event:
        if kind == UUID_ and not self._identified and len(payload) == 16:
            self._identified = True
            return Identified(UUID(bytes=payload))
        if not self._identified:
            return Broken(f"第一条消息不是 UUID，是 0x{kind:02x}，{len(payload)} 字节")
        if kind == AUDIO and len(payload) % 2 == 0:
            return Audio(payload)
        if kind == DIGIT and len(payload) == 1 and payload in b"0123456789*#ABCD":
            return Digit(payload.decode("ascii"))
        if kind == HANG_UP:
            return HangUp("Asterisk 说通话结束")
        if kind == ERROR:
            return HangUp(f"Asterisk 报告错误 0x{payload[:8].hex()}")
        if kind in OTHER_RATES:
            return Broken(f"声音是 0x{kind:02x}，不是 8000 Hz：拨号方案里须写 c(slin)")
        return Broken(f"看不懂的消息 0x{kind:02x}，{len(payload)} 字节")


def plain(headers: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which of them, the first three bytes of messages of 323 along the last axis, announce 20 ms of audio."""
    same: npt.NDArray[np.bool_] = (headers == np.frombuffer(FRAME_HEADER, np.uint8)).all(axis=-1)
    return same


def audio_message(frame: Frame | bytes) -> bytes:
    """One message with these samples: int16, 8000 Hz, up to LONGEST bytes and at least one."""
    samples = frame if isinstance(frame, bytes) else frame.astype("<i2").tobytes()
    return bytes((AUDIO,)) + len(samples).to_bytes(2, "big") + samples


def uuid_message(uuid: UUID) -> bytes:
    """The message a call begins with."""
    return bytes((UUID_, 0, 16)) + uuid.bytes


def digit_message(digit: str) -> bytes:
    """A key, as Asterisk reports it."""
    return bytes((DIGIT, 0, 1)) + digit.encode("ascii")
