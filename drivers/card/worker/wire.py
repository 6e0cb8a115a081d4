"""The bytes between the service and a card's worker, for both ends. No socket here.

A message is a head of four bytes, big-endian - kind, channel, length of the body in two - and the body. Messages that
concern the whole card have channel 255. Audio is A-law, as the cards have it, in pieces of any length up to LONGEST.

The hook is set by messages with a serial number, and the worker sends each back once it is done. What it sent about a
channel before that belongs to what was on the line before, and the service drops it: so no audio of one call is heard
in the next, and no ringing after the answer.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

HEAD = struct.Struct("!BBH")
NUMBER = struct.Struct("!I")
LONGEST = 4096  # bytes of a body: half a second of audio, or a long sentence
CARD = 255


class Kind(IntEnum):
    """What a message is about; the comment says what its body is."""

    # From the service.
    START = 1  # the options as a JSON object
    OFF_HOOK = 2  # serial number; sent back when done
    ON_HOOK = 3  # serial number; sent back when done
    PLAY = 4  # A-law
    DIAL = 5  # digits in ASCII
    FLASH = 6  # 1: the loop is to be broken for a moment; 0: the moment is over
    FORGET = 7  # the caller has given up: what is known of him is void
    LOOK = 8  # a second has passed: look at what is not reported by itself
    PING = 9  # number; the worker's whole clock and pulse
    QUIT = 10
    # From the worker.
    HELLO = 32  # the token the service gave it
    READY = 33  # the types of the card's channels, a byte each: TRUNK ...
    FAILED = 34  # a sentence for the technician, UTF-8
    AUDIO = 35  # A-law
    RING = 36  # a burst of ringing
    CALLER_ID = 37  # as the card has it, ASCII
    DIALLED = 38
    FAR_HANGUP = 39  # why, UTF-8
    REVERSED = 40  # the polarity of the line
    FAULT = 41  # a sentence for the technician, UTF-8
    MENDED = 42  # no fault, or no more
    PONG = 43  # the number of the PING
    KEYED = 44  # a key the card has heard on hook, ASCII


TRUNK, STATION, RECORDER, OTHER = range(4)

# The least and the most a body may have; whatever is not here is empty.
SIZES = {
    Kind.START: (2, LONGEST),
    Kind.OFF_HOOK: (4, 4),
    Kind.ON_HOOK: (4, 4),
    Kind.PLAY: (1, LONGEST),
    Kind.DIAL: (1, 64),
    Kind.FLASH: (1, 1),
    Kind.PING: (4, 4),
    Kind.HELLO: (1, 64),
    Kind.READY: (1, 254),
    Kind.FAILED: (1, LONGEST),
    Kind.AUDIO: (1, LONGEST),
    Kind.CALLER_ID: (0, 64),
    Kind.FAR_HANGUP: (1, LONGEST),
    Kind.FAULT: (1, LONGEST),
    Kind.PONG: (4, 4),
    Kind.KEYED: (1, 1),
}


class WireError(ValueError):
    """The other end sends what is no message; nothing that follows can be trusted."""


class Message(NamedTuple):
    """One message as it came."""

    kind: Kind
    channel: int
    body: bytes

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 shows as question marks."""
        return self.body.decode("utf-8", "replace")

    @property
    def number(self) -> int:
        """The body of a message that is a number."""
        value: int = NUMBER.unpack(self.body)[0]
        return value


def pack(kind: Kind, channel: int = CARD, body: bytes = b"") -> bytes:
    """The bytes of one message. Raises WireError when the body is not of the kind's size."""
    _check(kind, len(body))
    return HEAD.pack(kind, channel, len(body)) + body


def pack_number(kind: Kind, channel: int, number: int) -> bytes:
    """The bytes of a message whose body is a number."""
    return pack(kind, channel, NUMBER.pack(number))


def pack_text(kind: Kind, channel: int, text: str) -> bytes:
    """The bytes of a message whose body is text, cut off where it would be too long."""
    return pack(kind, channel, text.encode()[: SIZES[kind][1]])


class Decoder:
    """Bytes in, messages out, however the bytes are cut."""

    def __init__(self) -> None:
        self._held = b""

    def receive(self, data: bytes) -> list[Message]:
        """The messages that are complete now. Raises WireError; the decoder is of no use from then on."""
        held = self._held + data
        messages, at = [], 0
        while len(held) - at >= HEAD.size:
            number, channel, length = HEAD.unpack_from(held, at)
            kind = _kind(number)
            _check(kind, length)
            end = at + HEAD.size + length
            if end > len(held):
                break
            messages.append(Message(kind, channel, held[at + HEAD.size : end]))
            at = end
        self._held = held[at:]
        return messages


def _kind(number: int) -> Kind:
    try:
        return Kind(number)
    except ValueError:
        raise WireError(f"no message has the number {number}") from None


def _check(kind: Kind, length: int) -> None:
    least, most = SIZES.get(kind, (0, 0))
    if not least <= length <= most:
        raise WireError(f"{kind.name} cannot have {length} bytes: {least} to {most}")
