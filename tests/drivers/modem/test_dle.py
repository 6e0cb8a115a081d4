"""DLE-shielded streams, cut anywhere; and one key of many reports."""

from __future__ import annotations

import pickle

import pytest
from hotline.drivers.modem import dle
from hotline.drivers.modem.dle import Audio, Digit, Hint, Report
from hypothesis import given
from hypothesis import strategies as st

STREAM = (
    b"ab\x10\x10c"  # a sample that is a DLE
    b"\x10/\x105\x105\x10~"  # a key held
    b"\x10\x1ad"  # two samples that are DLEs
    b"\x10u\x10b\x10d\x10l\x10h"
    b"\x10Xlong\x10\x10packet.e"  # a packet, skipped
    b"\x10\x07f"  # no report we know
    b"\x10\x03\r\nOK\r\n"
)
EVENTS = [
    Audio(b"ab\x10c"),
    Report.KEY_DOWN,
    Digit("5"),
    Digit("5"),
    Report.KEY_UP,
    Audio(b"\x10\x10d"),
    Report.UNDERRUN,
    Report.BUSY,
    Report.DIAL_TONE,
    Report.LOOP_BREAK,
    Hint("h"),
    Audio(b"ef"),
    Report.STREAM_END,
]


def merged(events):
    """Neighbouring pieces of audio as one."""
    whole = []
    for event in events:
        if isinstance(event, Audio) and whole and isinstance(whole[-1], Audio):
            whole[-1] = Audio(whole[-1].data + event.data)
        else:
            whole.append(event)
    return whole


def decode(stream, step):
    """All events, and what was left behind the end."""
    decoder, events = dle.Decoder(), []
    for at in range(0, len(stream), step):
        found, rest = decoder.receive(stream[at : at + step])
        events += found
        if events and events[-1] is Report.STREAM_END:
            return merged(events), rest + stream[at + step :]
    return merged(events), b""


@pytest.mark.parametrize("step", range(1, len(STREAM) + 1))
def test_cutting_changes_nothing(step):
    assert decode(STREAM, step) == (EVENTS, b"\r\nOK\r\n")


def test_a_packet_without_end_is_given_up():
    events, _ = decode(b"\x10X" + bytes(dle.LONGEST_PACKET) + b"abc", 7)
    assert events == [Audio(b"abc")]


@given(st.binary(max_size=2000), st.integers(1, 50))
def test_rubbish_is_cut_as_one_likes(data, step):
    assert decode(data, step) == decode(data, len(data) or 1)


@given(st.lists(st.one_of(st.binary(max_size=200), st.sampled_from([b"\x10", b"\x10X", b"\x10\x1a"])), max_size=20))
def test_never_more_sound_than_bytes_and_nothing_kept(pieces):
    decoder = dle.Decoder()
    for piece in pieces:
        events, rest = decoder.receive(piece)
        # A DLE SUB cut in two is two samples for the second byte.
        assert sum(len(event.data) for event in events if isinstance(event, Audio)) + len(rest) <= len(piece) + 1
        assert len(pickle.dumps(decoder)) < 200


@given(st.binary(max_size=2000))
def test_samples_come_back_as_they_were(samples):
    assert decode(dle.shield(samples), 13)[0] == ([Audio(samples)] if samples else [])


def keys(*reports):
    """What is pressed; each report with its tick."""
    taker = dle.Keys()
    return "".join(taker.take(event, now) or "" for now, event in reports)


def test_a_held_key_counts_once():
    held = [(tick, Digit("5")) for tick in range(1, 40, 4)]
    assert keys((0, Report.KEY_DOWN), *held, (40, Report.KEY_UP)) == "5"
    assert keys(*held) == "5", "and where its beginning and end are not marked"


def test_a_key_pressed_twice_counts_twice():
    press = [Report.KEY_DOWN, Digit("5"), Report.KEY_UP]
    assert keys(*[(tick, event) for tick in (0, 5) for event in press]) == "55"
    assert keys((0, Digit("5")), (5, Digit("5")), (9, Digit("5"))) == "55", "100 ms apart; less is a bounce"


def test_a_lost_key_up_silences_nothing():
    assert keys((0, Report.KEY_DOWN), (0, Digit("1")), (50, Report.KEY_DOWN), (50, Digit("1"))) == "11"


def test_different_keys_need_no_pause():
    assert keys((0, Digit("1")), (1, Digit("2"))) == "12"
