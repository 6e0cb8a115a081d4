"""What the service and a card's worker say to each other, however it is cut, and whatever else arrives."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from hotline.drivers.card import worker
from hotline.drivers.card.worker import wire
from hotline.drivers.card.worker.wire import SIZES, Decoder, Kind, Message, WireError, pack
from hypothesis import given, settings
from hypothesis import strategies as st

KINDS = st.sampled_from(Kind)


@st.composite
def messages(draw):
    kind = draw(KINDS)
    least, most = SIZES.get(kind, (0, 0))
    return Message(kind, draw(st.integers(0, 255)), draw(st.binary(min_size=least, max_size=min(most, 300))))


def fed(data, step):
    decoder = Decoder()
    return [message for at in range(0, len(data), step) for message in decoder.receive(data[at : at + step])]


@given(st.lists(messages(), max_size=20), st.integers(1, 700))
def test_cutting_changes_nothing(sent, step):
    assert fed(b"".join(pack(*message) for message in sent), step) == sent


@given(st.binary(max_size=2000), st.integers(1, 100))
def test_rubbish_is_refused_or_is_made_of_messages(data, step):
    try:
        got = fed(data, step)
    except WireError:
        return
    rest = data[sum(wire.HEAD.size + len(message.body) for message in got) :]
    assert b"".join(pack(*message) for message in got) + rest == data
    assert len(rest) < wire.HEAD.size + wire.LONGEST


@settings(max_examples=50)
@given(st.lists(messages(), min_size=1, max_size=5), st.data())
def test_one_wrong_byte_never_goes_unnoticed_in_a_head(sent, data):
    """A head that is no message stops everything: nothing after it can be trusted."""
    stream = bytearray(b"".join(pack(*message) for message in sent))
    stream[0] = data.draw(st.integers(0, 255).filter(lambda number: number not in set(Kind)))
    with pytest.raises(WireError, match="no message has the number"):
        fed(bytes(stream), 7)


def test_what_waits_is_bounded():
    decoder = Decoder()
    head = wire.HEAD.pack(Kind.PLAY, 0, wire.LONGEST)
    assert decoder.receive(head + bytes(wire.LONGEST - 1)) == []
    with pytest.raises(WireError, match=r"PLAY cannot have 4097 bytes: 1 to 4096"):
        Decoder().receive(wire.HEAD.pack(Kind.PLAY, 0, wire.LONGEST + 1))


def test_sentences_are_cut_not_refused():
    message = fed(wire.pack_text(Kind.FAILED, wire.CARD, "卡" * 5000), 1000)[0]
    assert len(message.body) == wire.LONGEST
    assert message.text.startswith("卡" * 1000)


SOURCES = sorted(Path(worker.__path__[0]).glob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_the_worker_is_plain_python_for_old_interpreters(path):
    """A 32-bit Windows of that age has Python 3.8 at best, and nothing beside it."""
    tree = ast.parse(path.read_text("utf-8"), feature_version=(3, 8))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert {name.name for name in node.names} <= sys.stdlib_module_names
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 1 or (node.module or "").split(".")[0] in sys.stdlib_module_names | {"__future__"}
