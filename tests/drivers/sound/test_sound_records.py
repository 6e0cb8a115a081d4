"""Records: however the bytes are cut, the same records."""

from __future__ import annotations

import pickle

import pytest
from hotline.drivers.sound.records import SIZE, Decoder, Kind, record, text
from hypothesis import given
from hypothesis import strategies as st

SENT = [(Kind.READY, "线路 48000 Hz".encode()), (Kind.AUDIO, bytes(range(256)) + bytes(64)), (Kind.LATE, b"")]
STREAM = b"".join(record(kind, payload) for kind, payload in SENT)


@pytest.mark.parametrize("step", [1, 2, 7, 160, SIZE, len(STREAM)])
def test_slicing_changes_nothing(step: int) -> None:
    decoder = Decoder()
    got = [one for at in range(0, len(STREAM), step) for one in decoder.receive(STREAM[at : at + step])]
    assert [kind for kind, _ in got] == [kind for kind, _ in SENT]
    assert got[1] == SENT[1]
    assert text(got[0][1]) == "线路 48000 Hz"


def test_a_long_text_is_cut_between_characters() -> None:
    (kind, payload), *_ = Decoder().receive(record(Kind.FAULT, ("声" * 200).encode()))
    assert (kind, text(payload)) == (Kind.FAULT, "声" * 106)


@given(st.lists(st.binary(max_size=2 * SIZE).map(lambda data: b"A" + data), max_size=9), st.integers(1, 3 * SIZE))
def test_rubbish_is_cut_as_one_likes_and_one_record_kept(parts: list[bytes], step: int) -> None:
    stream = b"".join(part.ljust(-len(part) // SIZE * -SIZE, b"\0")[:SIZE] for part in parts) + b"A" * (step % SIZE)
    decoder, got = Decoder(), []
    for at in range(0, len(stream), step):
        got += decoder.receive(stream[at : at + step])
        assert len(pickle.dumps(decoder)) < SIZE + 200
    assert got == Decoder().receive(stream)


@given(st.binary(max_size=3 * SIZE))
def test_rubbish_is_refused_or_read_never_worse(data: bytes) -> None:
    try:
        records = Decoder().receive(data)
    except ValueError:
        return
    assert len(records) == len(data) // SIZE
