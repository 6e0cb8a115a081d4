"""The modem's text: lines, cut anywhere; and scripts of commands, with their time-outs."""

from __future__ import annotations

import pickle

import pytest
from hotline.drivers.modem import at, dle
from hotline.drivers.modem.at import CallerIdPart, Outcome, Result, RingText, Script, Step, Text
from hypothesis import given
from hypothesis import strategies as st

TEXT = (
    b"ATE0V1Q0S0=0\r\r\nOK\r\n"
    b"\r\nRING\r\n\r\nDATE = 1121\r\n\r\nTIME=0930\r\n\r\nNMBR = 13900000000\r\n\r\nNAME = \r\n\r\nMESG=030735\r\n"
    b"\x10R\x10/\x105\x10~\x07\x80noise\r\n"
    b"\r\nNO DIAL TONE\r\n\r\nERROR\r\n\r\nCONNECT\r\nsamples\n"
)
EVENTS = [
    Text("ATE0V1Q0S0=0"),
    Result.OK,
    RingText(),
    CallerIdPart("DATE", "1121"),
    CallerIdPart("TIME", "0930"),
    CallerIdPart("NMBR", "13900000000"),
    CallerIdPart("NAME", ""),
    CallerIdPart("MESG", "030735"),
    dle.Report.RING,
    dle.Report.KEY_DOWN,
    dle.Digit("5"),
    dle.Report.KEY_UP,
    Text("\x07\ufffdnoise"),
    Result.NO_DIAL_TONE,
    Result.ERROR,
    Result.CONNECT,
]


def decode(data, step):
    decoder, events = at.Decoder(), []
    for start in range(0, len(data), step):
        found, rest = decoder.receive(data[start : start + step])
        events += found
        if found and found[-1] is Result.CONNECT:
            return events, rest + data[start + step :]
    return events, b""


@pytest.mark.parametrize("step", range(1, len(TEXT) + 1, 3))
def test_cutting_changes_nothing(step):
    assert decode(TEXT, step) == (EVENTS, b"samples\n")


@given(st.binary(max_size=3000), st.integers(1, 50))
def test_rubbish_is_cut_as_one_likes(data, step):
    assert decode(data, step) == decode(data, len(data) or 1)


def test_a_line_without_end_takes_no_memory():
    decoder = at.Decoder()
    for _ in range(1000):
        decoder.receive(b"x" * 1000)
    events, _ = decoder.receive(b"\r\nOK\r\n")
    assert events == [Text("x" * at.LONGEST_LINE), Result.OK]


def test_a_question_answered_without_end_takes_no_memory():
    script = Script([Step("AT+VSM=?")])
    script.tick()
    for _ in range(100 * at.LONGEST_LINE):
        script.take(Text("x"))
    assert len(script.answers["AT+VSM=?"]) == at.LONGEST_LINE


@given(st.lists(st.binary(max_size=300), max_size=30))
def test_no_bytes_are_kept_but_one_line(pieces):
    decoder = at.Decoder()
    for piece in pieces:
        events, _ = decoder.receive(piece)
        assert all(len(event.text) <= at.LONGEST_LINE for event in events if isinstance(event, Text))
        assert len(pickle.dumps(decoder)) < 2 * at.LONGEST_LINE + 200


@given(st.lists(st.one_of(st.sampled_from([*Result, RingText(), Text("x")]), st.none()), max_size=200))
def test_a_script_ends_whatever_is_said(replies):
    """None is a tick; 60 s after the last word it has ended in any case."""
    script = Script([Step("AT+ONE", optional=True), Step("AT+TWO", pause=7), Step("AT+THREE")])
    for reply in [*replies, *[None] * 60 * at.SECOND]:
        if reply is None:
            script.tick()
        else:
            script.take(reply)
    assert script.outcome is not None


class Talk:
    """Ticks a script against a modem that answers as told, once for each command said."""

    def __init__(self, script, answers):
        self.said, self.ticks = [], 0
        answers = iter(answers)
        while script.outcome is None:
            sent = script.tick()
            self.ticks += 1
            if sent:
                self.said.append(sent.decode().strip())
                for event in next(answers):
                    script.take(event)


STEPS = [Step("ATZ", pause=50), Step("AT+GCI=26", optional=True), Step("AT+VCID=1")]


def test_commands_one_after_the_other():
    script = Script(STEPS)
    talk = Talk(script, [[Result.OK], [Result.ERROR], [Text("AT+VCID=1"), Text("1"), Result.OK]])
    assert talk.said == ["ATZ", "AT+GCI=26", "AT+VCID=1"]
    assert script.outcome is Outcome.DONE
    assert script.answers["AT+VCID=1"] == ["1"], "the echo is no answer"
    assert 50 <= talk.ticks <= 55, "a second's pause behind ATZ, a tick for each of the others"


def test_refused():
    script = Script(STEPS)
    assert Talk(script, [[Result.OK], [Result.OK], [Result.ERROR]]).said[-1] == "AT+VCID=1"
    assert script.outcome is Outcome.REFUSED


def test_a_lost_result_is_asked_for_once_more():
    """And the late result of the first is not taken for that of the next command."""
    script = Script([Step("AT+ONE"), Step("AT+TWO")])
    talk = Talk(script, [[], [Result.OK, Result.OK], [Result.ERROR]])
    assert talk.said == ["AT+ONE", "AT+ONE", "AT+TWO"]
    assert (script.outcome, script.command) == (Outcome.REFUSED, "AT+TWO")


def test_a_modem_that_says_nothing():
    script = Script(STEPS)
    talk = Talk(script, [[], []])
    assert (talk.said, script.outcome) == (["ATZ", "ATZ"], Outcome.SILENT)
    assert talk.ticks == pytest.approx(2 * STEPS[0].within, abs=3)


def test_rings_meanwhile_are_no_results():
    script = Script([Step("AT")])
    assert Talk(script, [[RingText(), CallerIdPart("NMBR", "1"), Result.OK]]).said == ["AT"]
    assert script.outcome is Outcome.DONE
