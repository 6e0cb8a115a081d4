"""AGI as a dialplan speaks it, and as nobody should."""

from __future__ import annotations

import pickle

import pytest
from hotline.drivers.audiosocket import agi
from hotline.drivers.audiosocket.agi import MOST, Acknowledged, Broken, Decoder, Request
from hypothesis import given
from hypothesis import strategies as st

# What Asterisk 13 and later send; the order is theirs.
ENVIRONMENT = b"""agi_network: yes
agi_network_script: arrive
agi_request: agi://127.0.0.1:8090/arrive
agi_channel: PJSIP/gateway-00000004
agi_language: en
agi_type: PJSIP
agi_uniqueid: 1573228604.14
agi_version: 20.5.0
agi_callerid: +8613900000000
agi_calleridname: unknown
agi_callingpres: 0
agi_dnid: unknown
agi_rdnis: unknown
agi_context: hotline
agi_extension: 12329
agi_priority: 4
agi_enhanced: 0.0
agi_accountcode:
agi_threadid: 140045105510144
agi_arg_1: 40325ec2-5efd-4bd3-805f-53576e581d13
agi_arg_2: secret-token

"""
REQUEST = Request("arrive", ("40325ec2-5efd-4bd3-805f-53576e581d13", "secret-token"), "8613900000000", "12329")


@pytest.mark.parametrize("step", [1, 10, 100, len(ENVIRONMENT)])
def test_a_request_however_it_is_cut(step: int) -> None:
    decoder = Decoder()
    pieces = [ENVIRONMENT[at : at + step] for at in range(0, len(ENVIRONMENT), step)]
    assert [event for piece in pieces for event in decoder.receive(piece)] == [REQUEST]
    assert decoder.receive(b"HANGUP\n") == []
    assert decoder.receive(agi.ACKNOWLEDGEMENT) == [Acknowledged()]


@pytest.mark.parametrize("number", ["unknown", "anonymous", "", "asterisk", "1" * 21])
def test_what_is_no_number(number: str) -> None:
    (request,) = Decoder().receive(ENVIRONMENT.replace(b"+8613900000000", number.encode()))
    assert isinstance(request, Request)
    assert request.caller is None


def test_what_was_dialled_is_not_where_the_dialplan_stands() -> None:
    elsewhere = ENVIRONMENT.replace(b"agi_dnid: unknown", b"agi_dnid: 96512329")
    (request,) = Decoder().receive(elsewhere.replace(b"agi_extension: 12329", b"agi_extension: 1"))
    assert isinstance(request, Request)
    assert request.dialled == "96512329"


def test_what_is_no_agi() -> None:
    assert isinstance(Decoder().receive(b"agreed\n")[0], Broken)
    assert isinstance(Decoder().receive(b"agi_" * MOST)[0], Broken)


def test_both_sides_understand_each_other() -> None:
    (request,) = Decoder().receive(agi.request("leave", ("a", "b"), "139", "12329"))
    assert request == Request("leave", ("a", "b"), "139", "12329")
    assert agi.variable_set(agi.set_variable("HOTLINE_TARGET", "agents")) == ("HOTLINE_TARGET", "agents")
    assert agi.variable_set(b"HANGUP\n") is None


LINES = st.one_of(
    st.sampled_from([*ENVIRONMENT.splitlines(keepends=True), b"\n", b"200 result=1\r\n", b"HANGUP\n"]),
    st.binary(max_size=40),
)


@given(st.lists(LINES, max_size=40), st.integers(1, 60))
def test_cutting_changes_nothing(lines: list[bytes], step: int) -> None:
    """Up to what is no AGI, after which nothing is given in."""
    stream = b"".join(lines)[:MOST]
    decoder, cut = Decoder(), []
    for at in range(0, len(stream), step):
        cut += decoder.receive(stream[at : at + step])
        assert len(pickle.dumps(decoder)) < 4 * MOST
        if cut and isinstance(cut[-1], Broken):
            break
    assert cut == Decoder().receive(stream)


@given(st.lists(st.binary(max_size=200)))
def test_any_bytes(pieces: list[bytes]) -> None:
    """No error, and no more memory than a request may take."""
    decoder = Decoder()
    for piece in pieces:
        if any(isinstance(event, Broken) for event in decoder.receive(piece)):
            break
        assert len(decoder._rest) <= MOST
