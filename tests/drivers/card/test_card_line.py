"""What a card does beyond the contract: digits, flash, polarity, caller id, and a service that is late."""

from __future__ import annotations

import numpy as np
import pytest
from hotline.drivers import make
from hotline.drivers.line import FRAME, Alarm, CallerId, Dialled, FarHangup, HookState, Restored, Ring, RingStopped
from hotline.drivers.simulated.exchange import Station
from hotline.dsp import generate
from rig.card_board import CardFar
from rig.line_contract import SECOND, Bench, level_at, tone

CARDS = ["synway", "donjin"]


@pytest.fixture
def bench(board):
    def make_bench(driver):
        place = board(driver)
        (line,) = place.use(make("card", place.section())).lines
        line.open()
        return Bench(line, CardFar(place))

    return make_bench


@pytest.mark.parametrize("driver", CARDS)
def test_the_exchange_gets_the_digits_and_we_get_the_station(bench, driver):
    at = bench(driver)
    exchange = at.far.socket.exchange
    exchange.stations["80012#"] = Station("answer", after=0.5)
    at.line.off_hook()
    at.run(SECOND)
    at.line.dial("80012#")
    at.until(Dialled)
    at.run(2 * SECOND)
    assert exchange.state.value == "talking"


@pytest.mark.parametrize(("driver", "digit"), [("synway", 8), ("donjin", 12)])
def test_a_comma_is_a_second(bench, driver, digit):
    """As the promise has it, whatever the card makes of a comma; `digit`: ticks it takes for one."""
    at = bench(driver)
    at.line.off_hook()
    at.run(SECOND)
    at.line.dial("12,,3")
    before = len(at.received)
    at.until(Dialled)
    assert len(at.received) - before == pytest.approx(3 * digit + 2 * SECOND, abs=8)


@pytest.mark.parametrize("driver", CARDS)
def test_what_is_dialled_while_dialling_follows(bench, driver):
    at = bench(driver)
    at.far.socket.exchange.stations["123456"] = Station("busy")
    at.line.off_hook()
    at.run(5)
    at.line.dial("123")
    at.line.dial("456")
    assert [event for event in at.run(4 * SECOND) if isinstance(event, Dialled)] == [Dialled()]
    assert at.far.socket.exchange.state.value == "refused"


@pytest.mark.parametrize("driver", CARDS)
def test_sound_is_heard_again_after_dialling(bench, driver):
    at = bench(driver)
    at.far.socket.exchange.stations["12"] = Station("answer", lambda: at.far.telephone, after=0.1)
    at.line.off_hook()
    at.run(5)
    at.line.dial("12")
    at.until(Dialled)
    at.run(2 * SECOND)
    before = len(at.far.heard())
    at.run(2 * SECOND, sending=tone(1700, 2 * SECOND))
    assert level_at(at.far.heard()[before + 20 * FRAME :], 1700) > 0.95


def test_the_synway_card_times_a_flash_itself(bench):
    at = bench("synway")
    at.answer()
    at.line.flash()
    at.run(SECOND)
    assert at.far.socket.flashed == 500


def test_the_donjin_line_opens_the_loop_for_half_a_second(bench):
    at = bench("donjin")
    at.answer()
    at.line.flash()
    loop = []
    for _ in range(2 * SECOND):
        at.run(1)
        loop.append(at.far.socket.exchange.loop_closed)
    assert loop.count(False) == pytest.approx(SECOND / 2, abs=2)
    assert loop[-1]


def test_a_flash_ends_with_the_call(bench):
    at = bench("donjin")
    at.answer()
    at.line.flash()
    at.run(3)
    at.line.on_hook()
    at.run(SECOND)
    assert not at.far.socket.exchange.loop_closed


@pytest.mark.parametrize("driver", CARDS)
def test_a_reversed_line_is_reported_as_that(bench, driver):
    at = bench(driver)
    at.answer()
    at.run(3 * SECOND)
    at.far.socket.reversed = True
    seen = at.run(SECOND)
    assert seen == [FarHangup("语音卡报告线路极性反转", polarity=True)]


@pytest.mark.parametrize("driver", CARDS)
def test_a_reversal_on_hook_means_nothing(bench, driver):
    """Some exchanges reverse the line before they send the caller's number."""
    at = bench(driver)
    at.far.socket.reversed = True
    assert at.run(2 * SECOND) == []


@pytest.mark.parametrize("driver", CARDS)
def test_a_number_is_told_once_a_call_and_before_the_second_ring(bench, driver):
    at = bench(driver)
    for number in ("13900000001", "02012345678"):
        at.far.ring(number)
        seen = at.run(11 * SECOND)
        assert seen == [Ring(1), CallerId(number), Ring(2), Ring(3)]
        at.far.hang_up()
        assert isinstance(at.until(RingStopped), RingStopped)
        at.run(SECOND)


@pytest.mark.parametrize(("driver", "sent"), [("synway", "P"), ("donjin", "X2012345678")])
def test_a_number_that_is_withheld_or_garbled_is_none(bench, driver, sent):
    at = bench(driver)
    at.far.ring(sent)
    assert [event for event in at.run(6 * SECOND) if isinstance(event, CallerId)] == [CallerId(None)]


def test_a_number_sent_as_keys_is_told_before_the_first_ring(bench):
    at = bench("donjin")
    at.far.socket.sends_numbers_as_keys()
    for number, told in (("13900000001", "13900000001"), (None, None), ("02012345678", "02012345678")):
        at.far.ring(number)
        seen = at.run(11 * SECOND)
        assert seen == [CallerId(told), Ring(1), Ring(2)]
        at.far.hang_up()
        at.until(RingStopped)
        at.run(SECOND)


def test_keys_of_a_call_are_no_number_of_the_next(bench):
    """They have waited in the card, for our own ear hears them."""
    at = bench("donjin")
    at.far.socket.sends_numbers_as_keys()
    at.answer()
    for key in "D13900000001C":
        at.far.say(generate.dtmf(key, 70, 70))
    at.run(4 * SECOND)
    at.line.on_hook()
    assert not [event for event in at.run(2 * SECOND) if isinstance(event, CallerId)]


@pytest.mark.parametrize("driver", CARDS)
def test_what_was_sent_is_not_repeated_when_the_service_is_late(bench, driver):
    at = bench(driver)
    at.answer()
    at.run(SECOND, sending=tone(1700, SECOND))
    silent_from = len(at.far.heard()) + 25 * FRAME
    frame = np.zeros(FRAME, np.int16)
    for _ in range(4 * SECOND):  # it reads, and has nothing to say
        at.line.read(frame)
        at.far.tick()
    assert level_at(at.far.heard()[silent_from:], 1700) < 0.02
    before = len(at.far.heard())
    at.run(2 * SECOND, sending=tone(1700, 2 * SECOND))
    assert level_at(at.far.heard()[before + 25 * FRAME :], 1700) > 0.95, "and then it is heard as ever"


@pytest.mark.parametrize("driver", CARDS)
def test_every_missing_frame_is_counted(bench, driver):
    at = bench(driver)
    at.answer()
    at.run(SECOND)
    assert at.line.late_frames == 0
    frame = np.zeros(FRAME, np.int16)
    for _ in range(SECOND):  # the card gives nothing, for its clock stands still
        at.line.read(frame)
    assert 0.8 * SECOND < at.line.late_frames < SECOND
    assert not frame.any()


@pytest.mark.parametrize("driver", CARDS)
def test_a_service_that_was_away_hears_what_is_now_not_what_was(bench, driver):
    at = bench(driver)
    at.answer()
    at.far.say(np.concatenate([tone(700, 3 * SECOND), tone(1700, 3 * SECOND)]))
    for _ in range(3 * SECOND + 5):
        at.far.tick()
    at.run(25)
    assert level_at(at.since()[-10 * FRAME :], 1700) > 0.9


@pytest.mark.parametrize("driver", CARDS)
def test_sound_is_whole_on_every_line(bench, driver):
    """No block is lost, doubled or cut in half a minute, in either direction."""
    at = bench(driver)
    at.answer()
    at.run(SECOND)
    before, length = len(at.far.heard()), 30 * SECOND
    at.since()
    at.far.say(tone(700, length))
    at.run(length, sending=tone(1700, length))
    middle = slice(20 * FRAME, -40 * FRAME)
    for heard, hz in ((at.since(), 700), (at.far.heard()[before:], 1700)):
        again = heard[middle].astype(float)
        predicted = 2 * np.cos(2 * np.pi * hz / 8000) * again[1:-1] - again[:-2]  # the next sample of a sine
        assert abs(predicted - again[2:]).max() < 3000, "A-law's steps, and no jump"
    assert at.line.late_frames == 0


def test_a_cord_pulled_out_and_a_worker_killed_are_one_alarm(bench):
    at = bench("synway")
    at.run(2 * SECOND)
    at.far.unplug()
    assert "没有线路电压（0 V）：请检查电话线是否插好" in at.until(Alarm).reason
    at.far.board.order(b"C")
    assert at.run(6 * SECOND) == [], "the worker is back, the cord is not"
    at.far.plug()
    assert isinstance(at.until(Restored), Restored)
    at.answer()
    assert at.line.state is HookState.OFF_HOOK


@pytest.mark.parametrize(("driver", "inwards", "outwards"), [("synway", 60, 40), ("donjin", 140, 128)])
def test_how_late_sound_is(bench, driver, inwards, outwards):
    """Milliseconds from the line to us and from us to the line, as docs/hardware.md has them."""
    at = bench(driver)
    at.answer()
    at.run(2 * SECOND)
    at.since()
    before = len(at.far.heard())
    at.far.say(tone(700, 20))
    at.run(SECOND, sending=tone(1700, 20))
    delays = [np.argmax(abs(heard) > 500) / 8 for heard in (at.since(), at.far.heard()[before:])]
    assert delays == pytest.approx([inwards, outwards], abs=20)
