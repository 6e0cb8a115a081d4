"""The exchange rings: who hears what, how the number is told, and callers who give up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hotline.drivers.line import FRAME, CallerId, Frame, Ring, RingStopped
from hotline.drivers.simulated.exchange import Engaged, Exchange, State
from hotline.drivers.simulated.telephone import SILENCE, KeypadTelephone, Silent
from hotline.dsp import callerid, dtmf
from rig.exchange_port import SECOND, Port, bursts
from rig.line_contract import tone


def test_ringing_one_second_in_five() -> None:
    port = Port()
    port.exchange.call(Silent(), "0990-6512329")
    port.run(11)
    assert port.log == [
        (0, Ring(1)),
        (2 * SECOND, CallerId("0990-6512329")),
        (5 * SECOND, Ring(2)),
        (10 * SECOND, Ring(3)),
    ]


def test_withheld_number() -> None:
    port = Port()
    port.exchange.call(Silent())
    port.run(3)
    assert (2 * SECOND, CallerId(None)) in port.log


def test_line_without_caller_id() -> None:
    port = Port(Exchange(caller_id="none"))
    port.exchange.call(Silent(), "1")
    port.run(11)
    assert not [event for _, event in port.log if isinstance(event, CallerId)]


@pytest.mark.parametrize(("number", "told"), [("0990-6512329", "09906512329"), (None, None)])
def test_number_in_fsk_between_the_first_two_bursts(number: str | None, told: str | None) -> None:
    port = Port(Exchange(caller_id="fsk"))
    port.exchange.call(Silent(), number)
    read = port.run(11)
    assert [event for _, event in port.log] == [Ring(1), Ring(2), Ring(3)]
    (caller,) = callerid.decode(read)
    assert isinstance(caller, callerid.CallerId)
    assert caller.number == told
    sound = np.flatnonzero(read) / 8000
    assert 1.5 <= sound[0] < sound[-1] <= 3.5


@pytest.mark.parametrize(("number", "told"), [("0990-6512329", "D09906512329C"), (None, "B10C")])
def test_number_in_dtmf_ahead_of_the_first_burst(number: str | None, told: str) -> None:
    port = Port(Exchange(caller_id="dtmf"))
    port.exchange.call(Silent(), number)
    read = port.run(9)
    (first, ring), (second, _) = port.log
    assert ring == Ring(1)
    assert second - first == 5 * SECOND
    keys = [event.digit for event in dtmf.Detector(1).feed(read[None]) if isinstance(event, dtmf.Onset)]
    assert "".join(keys) == told
    assert 0.5 < first / SECOND - np.flatnonzero(read)[-1] / 8000 < 0.6


def test_caller_who_gives_up_before_the_first_burst_never_rang() -> None:
    port = Port(Exchange(caller_id="dtmf"))
    caller = KeypadTelephone()
    port.exchange.call(caller, "12345")
    port.run(0.5)
    port.exchange.hang_up(caller)
    assert not port.run(10).any()
    assert port.log == []
    assert port.exchange.state is State.IDLE


def test_caller_hears_ring_back() -> None:
    port, caller = Port(), KeypadTelephone()
    port.exchange.call(caller)
    assert not port.run(11).any(), "and we hear nothing of it"
    assert bursts(caller.heard) == [(0, 50), (250, 300), (500, 549)]


def test_sound_goes_both_ways_from_the_tick_we_answer() -> None:
    port, caller = Port(), KeypadTelephone()
    port.exchange.call(caller)
    port.run(0.5)
    caller.say(tone(700, 10))
    port.exchange.lift()
    read = port.run(0.2, sending=tone(1700, 1))
    assert (read == tone(700, 10)).all()
    assert (caller.heard[-10 * FRAME :] == np.tile(tone(1700, 1), 10)).all()


def test_we_answer_after_reading_and_write_in_the_same_tick() -> None:
    """The switchboard lifts when it reads the ring event: the first frame of its prompt must not be lost."""
    port, caller = Port(), KeypadTelephone()
    port.exchange.call(caller)
    port.exchange.tick()
    port.exchange.sound()
    port.exchange.lift()
    port.exchange.hear(tone(1700, 1))
    assert (caller.heard == tone(1700, 1)).all()


def test_what_we_do_not_send_is_silence() -> None:
    caller = KeypadTelephone()
    port = Port().talking_to(caller)
    port.run(1, sending=None)
    port.run(0.02)
    assert len(caller.heard) == 50 * FRAME + FRAME
    assert not caller.heard.any()


def test_telephone_is_asked_once_a_tick_in_order() -> None:
    asked: list[str] = []

    class Witness(Silent):
        def speak(self) -> Frame | None:
            asked.append("speak")
            return SILENCE

        def hear(self, frame: Frame) -> None:
            asked.append("hear")

    port = Port()
    port.exchange.call(Witness())
    port.run(7)
    port.exchange.lift()
    port.run(1)
    port.run(1, sending=None)
    port.exchange.put_down()
    port.run(1)
    port.exchange.tick()  # what nobody wrote to is heard as the next tick begins
    ringing, talking, clearing = 350, 100, 50
    assert asked == ["hear"] * ringing + ["speak", "hear"] * talking + ["hear"] * clearing


# Giving up.


def test_caller_gives_up_and_we_notice_by_the_ring_that_does_not_come() -> None:
    port, caller = Port(), KeypadTelephone()
    port.exchange.call(caller)
    port.run(7)
    port.exchange.hang_up(caller)
    port.run(10)
    assert port.log[-1] == (11 * SECOND, RingStopped()), "6 s after the burst at 5 s"
    assert port.exchange.state is State.IDLE


def test_answering_a_caller_who_has_just_left_gives_dial_tone() -> None:
    port, caller = Port(), KeypadTelephone()
    port.exchange.call(caller)
    port.run(1)
    port.exchange.hang_up()
    port.run(1)
    port.exchange.lift()
    assert len(bursts(port.run(1))) == 1


def test_new_caller_before_we_noticed_continues_the_count() -> None:
    port = Port()
    port.exchange.call(Silent(), "111")
    port.run(1)
    port.exchange.hang_up()
    port.run(1)
    port.exchange.call(Silent(), "222")
    port.run(6)
    assert port.log == [(0, Ring(1)), (100, Ring(2)), (200, CallerId("222")), (350, Ring(3))]


def test_count_begins_anew_after_an_answered_call() -> None:
    port = Port()
    port.exchange.call(Silent())
    port.run(6)
    port.exchange.lift()
    port.exchange.put_down()
    port.log.clear()
    port.exchange.call(Silent())
    port.run(1)
    assert port.log == [(300, Ring(1))]


def test_exchange_tires_of_ringing() -> None:
    port, caller = Port(), KeypadTelephone()
    port.exchange.call(caller)
    port.run(70)
    assert port.log[-1][1] == RingStopped()
    assert len(bursts(caller.heard[61 * SECOND * FRAME :])) > 8, "busy tone"


@pytest.mark.parametrize("prepare", [Exchange.lift, lambda e: e.call(Silent()), lambda e: e.fail("x")])
def test_engaged(prepare: Callable[[Exchange], None]) -> None:
    exchange = Exchange()
    prepare(exchange)
    assert not exchange.free
    with pytest.raises(Engaged):
        exchange.call(Silent())
