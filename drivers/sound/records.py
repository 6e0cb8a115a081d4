"""What the service and the process that holds the sound device say to each other: records of one size, both ways.

A record is a kind (one byte) and 320 bytes: one frame of sound, int16 little-endian, or a text in UTF-8 filled up
with zeros. Less than a pipe's atomic write, so that none is ever seen in half by more than the reader's buffer.
"""

from __future__ import annotations

from enum import Enum

from ..line import FRAME

SIZE = 1 + 2 * FRAME


class Kind(Enum):
    """What a record is about."""

    AUDIO = b"A"  # a frame from the line, or for it
    CLEAR = b"C"  # to the device: forget what has not been played yet
    LATE = b"L"  # from the device: sound was lost, or came too late to be played
    READY = b"R"  # from the device: both directions run; the text says on what and how fast
    FAULT = b"F"  # from the device, its last word: the text says what is wrong and what to do


def record(kind: Kind, payload: bytes = b"") -> bytes:
    """One record; a text too long is cut between two characters."""
    if len(payload) > SIZE - 1:
        payload = payload[: SIZE - 1].decode("utf-8", "ignore").encode()
    return kind.value + payload.ljust(SIZE - 1, b"\0")


def text(payload: bytes) -> str:
    """The text of a record."""
    return payload.rstrip(b"\0").decode("utf-8", "replace")


class Decoder:
    """Bytes, however they are cut, into records."""

    def __init__(self) -> None:
        self._rest = b""

    def receive(self, data: bytes) -> list[tuple[Kind, bytes]]:
        """The records that are complete. Raises ValueError for bytes that are none."""
        data = self._rest + data
        whole = len(data) // SIZE * SIZE
        self._rest = data[whole:]
        return [(Kind(data[at : at + 1]), data[at + 1 : at + SIZE]) for at in range(0, whole, SIZE)]
