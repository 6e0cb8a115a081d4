"""The parser: what Asterisk sends, however it is cut, and whatever else may come down a socket."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest
from hotline.drivers.audiosocket import protocol
from hotline.drivers.audiosocket.protocol import (
    HEADER,
    LONGEST,
    Audio,
    Broken,
    Decoder,
    Digit,
    Event,
    HangUp,
    Identified,
    audio_message,
    digit_message,
    uuid_message,
)
from hypothesis import given
from hypothesis import strategies as st

CALL = UUID("40325ec2-5efd-4bd3-805f-53576e581d13")
SOUND = np.arange(160, dtype=np.int16)

# A call as Asterisk 22 sends it: 20 ms twice, a key, 10 ms, and an end in words, which it never sends itself.
STREAM = (
    uuid_message(CALL)
    + audio_message(SOUND)
    + audio_message(-SOUND)
    + digit_message("#")
    + audio_message(SOUND[:80])
    + protocol.HANG_UP_MESSAGE
)
EVENTS = [
    Identified(CALL),
    Audio(SOUND.tobytes()),
    Audio((-SOUND).tobytes()),
    Digit("#"),
    Audio(SOUND[:80].tobytes()),
    HangUp("Asterisk 说通话结束"),
]


def feed(decoder: Decoder, stream: bytes, step: int) -> list[Event]:
    return [event for at in range(0, len(stream), step) for event in decoder.receive(stream[at : at + step])]


def test_messages_as_they_travel() -> None:
    assert uuid_message(CALL)[:5] == b"\x01\x00\x10\x40\x32"
    assert audio_message(SOUND)[:7] == b"\x10\x01\x40\x00\x00\x01\x00"
    assert digit_message("5") == b"\x03\x00\x015"
    assert protocol.HANG_UP_MESSAGE == b"\x00\x00\x00"


@pytest.mark.parametrize("step", [1, 2, 3, 7, 160, 323, len(STREAM)])
def test_slicing_does_not_change_the_events(step: int) -> None:
    decoder = Decoder()
    assert feed(decoder, STREAM, step) == EVENTS
    assert not decoder.pending


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (audio_message(SOUND), "不是 UUID"),
        (b"\x01\x00\x0f" + bytes(15), "不是 UUID"),
        (b"\x00\x00\x00", "不是 UUID"),
        (uuid_message(CALL) + uuid_message(CALL), "0x01"),
        (uuid_message(CALL) + b"\x10\x00\x03abc", "0x10"),
        (uuid_message(CALL) + b"\x03\x00\x01x", "0x03"),
        (uuid_message(CALL) + b"\x03\x00\x02" + b"12", "0x03"),
        (uuid_message(CALL) + b"\x12\x02\x80" + bytes(640), "c(slin)"),
        (uuid_message(CALL) + b"\x10\xff\xff", f"最多收 {LONGEST}"),
        (uuid_message(CALL) + b"\x77\x00\x00", "0x77"),
    ],
)
def test_what_is_no_audiosocket_is_told_once(stream: bytes, words: str) -> None:
    decoder = Decoder()
    (broken,) = [event for event in feed(decoder, stream, 5) if isinstance(event, Broken)]
    assert words in broken.reason
    assert decoder.receive(STREAM) == []


def test_an_error_is_an_end() -> None:
    decoder = Decoder()
    assert decoder.receive(uuid_message(CALL) + b"\xff\x00\x01\x02")[1:] == [HangUp("Asterisk 报告错误 0x02")]


def test_an_empty_audio_message_is_no_sound() -> None:
    assert Decoder().receive(uuid_message(CALL) + b"\x10\x00\x00")[1:] == [Audio(b"")]


def test_plain_frames_are_told_by_their_headers() -> None:
    headers = [audio_message(SOUND)[:HEADER], digit_message("1")[:HEADER], audio_message(SOUND[:80])[:HEADER], bytes(3)]
    assert protocol.plain(np.array([list(header) for header in headers], np.uint8)).tolist() == [1, 0, 0, 0]


MESSAGES = st.one_of(
    st.integers(0, 300).map(lambda n: audio_message(bytes(2 * n))),
    st.sampled_from("0123456789*#ABCD").map(digit_message),
    st.binary(max_size=20),
    st.just(protocol.HANG_UP_MESSAGE),
)


@given(st.lists(MESSAGES), st.lists(st.integers(1, 400), min_size=1), st.booleans())
def test_any_stream_in_any_pieces(messages: list[bytes], cuts: list[int], identified: bool) -> None:
    """The same events as in one piece; memory stays within one message; nothing is said after Broken."""
    stream = (uuid_message(CALL) if identified else b"") + b"".join(messages)
    expected = Decoder().receive(stream)
    decoder, found, at = Decoder(), [], 0
    while at < len(stream):
        size = cuts[at % len(cuts)]
        found += decoder.receive(stream[at : at + size])
        at += size
        assert len(decoder._rest) < HEADER + LONGEST
    assert found == expected
    assert not any(isinstance(event, Broken) for event in found[:-1])
