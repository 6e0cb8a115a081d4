"""Whole calls over voice cards, and what becomes of them when a card fails: everything is real but the card itself."""

from __future__ import annotations

import numpy as np
import psutil
import pytest
from hotline.config.settings import Line as Section
from hotline.daemon.call_state import State
from hotline.daemon.rehearsal import Rehearsal
from hotline.drivers.line import RATE, HookState
from hotline.drivers.simulated.telephone import KeypadTelephone
from rig.house import NUMBER, PIN

ID = "990101198503070017"
BALANCE = "一万两千三百四十五元六角七分"
SECOND = 50  # ticks
CARDS = ["synway", "donjin"]

# Where a card can fail: what the caller has keyed by then.
SITUATIONS = {
    "ringing": "",
    "entering the ID": f"11{ID[:6]}",
    "read-out": f"11{ID}",
    "recording": f"611{ID}",
}
FEW = ("ringing", "recording")


class Hall:
    """A service with a card, and what ticks them both."""

    def __init__(self, house, board, others=(), pin="off", rings=1):
        self.board = board
        rows = {"card": board.section(rings=rings)} | {f"sim{n}": row for n, row in enumerate(others)}
        self.home = house(rows, **{"identity.pin": pin})
        self.service = self.home.service
        board.use([seat.line for seat in self.service.board.seats][: len(board.sockets)])

    def tick(self, count=1):
        for _ in range(count):
            self.service.tick()
            self.board.tick()

    def until(self, condition, seconds=60):
        for _ in range(seconds * SECOND):
            if condition():
                return
            self.tick()
        raise AssertionError("it never happened")

    def call(self, script, line=0):
        """One call to its end; what was said and heard."""
        caller = Rehearsal(self.service, self.service.board.seats[line].line, script, NUMBER)
        while not caller.over:
            self.tick()
            caller.step()
        self.at_rest()
        return caller.told

    def at_rest(self):
        self.until(self.home.at_rest)
        self.service.journal.flush()

    def worker(self):
        """The process that holds the card."""
        (process,) = psutil.Process().children()
        return process

    def fail(self, how):
        match how:
            case "killed":
                self.worker().kill()
            case "crashed":
                self.board.order(b"C")
            case "hung":
                self.board.order(b"W")
                self.board.lockstep = False
            case "unplugged":
                self.board.sockets[0].plugged = False

    def repair(self, how):
        self.board.lockstep = True
        self.board.sockets[0].plugged = True


@pytest.fixture
def hall(house, board):
    return lambda driver, *others, lines=1, pin="off", rings=1: Hall(house, board(driver, lines), others, pin, rings)


@pytest.mark.parametrize("driver", CARDS)
def test_a_whole_call(hall, driver):
    """Ring, caller id, menu, ID, balance, `*`; the far end leaves, and busy tone is all there is to say so."""
    from hotline.desk.models import Call, Step

    place = hall(driver, pin="required", rings=2)
    place.board.sockets[0].tells_hangup = False
    told = place.call(f"!1 !1 {ID}# {PIN} * hangup")
    assert BALANCE in told.spoken
    assert told.heard.any()
    (call,) = Call.objects.all()
    assert (call.caller_number, call.cause) == (NUMBER, "caller")
    reasons = [step.detail for step in Step.objects.filter(call=call) if "挂机" in step.detail]
    assert any("忙音" in reason for reason in reasons), reasons
    assert place.service.board.seats[0].line.late_frames == 0


def test_a_number_sent_as_keys_is_on_record(hall):
    from hotline.desk.models import Call

    place = hall("donjin")
    place.board.sockets[0].sends_numbers_as_keys()
    place.board.use(place.board.lines)
    place.call("wait:2 hangup")
    assert Call.objects.get().caller_number == NUMBER


def test_the_cards_own_word_for_hanging_up_is_on_record(hall):
    from hotline.desk.models import Call, Step

    place = hall("synway")
    place.call("wait:2 hangup")
    assert Call.objects.get().cause == "caller"
    assert Step.objects.filter(detail__contains="语音卡报告：对方已挂机").exists()


def test_four_calls_on_one_card(hall):
    place = hall("synway", lines=4)
    lines = [seat.line for seat in place.service.board.seats]
    callers = [
        Rehearsal(place.service, line, f"!1 !1 {ID}# wait:2 hangup", f"1390000000{n}") for n, line in enumerate(lines)
    ]
    while not all(caller.over for caller in callers):
        place.tick()
        for caller in callers:
            caller.step()
    assert all(BALANCE in caller.told.spoken for caller in callers)
    assert len(psutil.Process().children()) == 1
    assert [line.late_frames for line in lines] == [0] * 4


@pytest.mark.parametrize(
    ("driver", "how", "situations"),
    [
        ("synway", "killed", SITUATIONS),
        ("synway", "unplugged", FEW),
        ("donjin", "crashed", FEW),
    ],
)
def test_a_card_fails_in_each_state_of_a_call(hall, driver, how, situations):
    """The call ends, its record says why, the line is back by itself, and the next call is like any other."""
    from hotline.desk.models import Call, Step

    place = hall(driver, rings=2)
    seat = place.service.board.seats[0]
    for name in situations:
        Call.objects.all().delete()
        telephone = KeypadTelephone()
        place.board.sockets[0].exchange.call(telephone, NUMBER)
        place.until(lambda: seat.state is State.RINGING)
        if name != "ringing":
            place.until(lambda: seat.state is State.TALKING)
            telephone.keys(SITUATIONS[name], on_ms=60, off_ms=60)
            place.until(lambda telephone=telephone: telephone.idle)
            place.tick(SECOND)
            place.until(lambda name=name: seat.take is not None or name != "recording")
            assert seat.state is State.TALKING, name
        place.fail(how)
        place.until(lambda: seat.alarm is not None, 10)
        assert seat.line.state is HookState.ON_HOOK
        place.repair(how)
        place.board.sockets[0].exchange.hang_up()
        place.until(lambda: seat.alarm is None)
        place.at_rest()
        for call in Call.objects.exclude(answered_at=None):
            assert call.cause == "fault", name
            said = "没有线路电压" if how == "unplugged" else "语音卡进程意外结束"
            assert Step.objects.filter(call=call, detail__contains=said).exists(), name
        assert Call.objects.exclude(answered_at=None).count() == (name != "ringing")
        place.until(lambda: place.board.sockets[0].exchange.free)
    assert BALANCE in place.call(f"!1 !1 {ID}# wait:1 hangup").spoken


@pytest.mark.parametrize("how", ["killed", "hung"])
def test_other_lines_hear_nothing_of_it(hall, how):
    """A call on another line goes on, sample by sample, while a card fails and comes back."""
    place = hall("synway", Section(driver="simulated", rings=1), lines=2)
    card, _, other = place.service.board.seats
    script = f"!1 !1 {ID}# wait:6 hangup"
    reference = place.call(script, line=2)
    place.board.sockets[0].exchange.call(KeypadTelephone(), NUMBER)
    place.until(lambda: card.state is State.TALKING)
    caller = Rehearsal(place.service, other.line, script, NUMBER)
    for due in (lambda: other.state is State.TALKING, lambda: caller.over):
        while not due():
            place.tick()
            caller.step()
        if not caller.over:
            place.fail(how)
    assert card.alarm is None or how == "hung", "it was back before the other call was over"
    assert caller.told.spoken == reference.spoken
    assert np.array_equal(caller.told.heard[caller.told.answered :], reference.heard[reference.answered :])
    assert other.line.late_frames == 0


def test_a_library_that_hangs_is_ended_after_five_seconds(hall):
    place = hall("synway")
    seat = place.service.board.seats[0]
    first = place.worker()
    place.fail("hung")
    place.tick(4 * SECOND)
    assert seat.alarm is None
    place.until(lambda: seat.alarm is not None, 4)
    assert "没有反应" in seat.alarm
    place.repair("hung")
    place.until(lambda: seat.alarm is None)
    assert place.worker().pid != first.pid
    assert BALANCE in place.call(f"!1 !1 {ID}# hangup").spoken


def test_a_card_that_stays_away_is_tried_less_and_less_often(hall, caplog):
    """1, 2, 5, 10, 30 seconds after each other, and then once a minute."""
    place = hall("synway", lines=2)
    seats = place.service.board.seats
    place.board.ini(refuse=-3)
    place.fail("killed")
    place.tick(30 * SECOND)
    assert [seat.alarm is not None for seat in seats] == [True, True]
    assert not psutil.Process().children()
    assert caplog.text.count("board serial number does not match") == 1
    place.board.ini()
    place.tick(15 * SECOND)
    assert [seat.alarm is not None for seat in seats] == [True, True]
    place.tick(5 * SECOND)
    assert [seat.alarm is not None for seat in seats] == [False, False]


@pytest.mark.parametrize("driver", CARDS)
def test_a_prompt_arrives_whole(hall, driver):
    """What the caller hears over a card is what he hears over a simulated line, A-law and the card's delay apart."""
    place = hall(driver, Section(driver="simulated", rings=1))
    over_card, over_line = place.call("wait:9 hangup"), place.call("wait:9 hangup", line=1)
    shift = later_by(over_card, over_line)
    card, line = over_card.heard[over_card.answered + shift :], over_line.heard[over_line.answered :]
    length = min(len(card), len(line), 7 * RATE)
    assert abs(card[:length].astype(int) - line[:length]).max() < 1100, "A-law's coarsest step and nothing else"


def later_by(over_card, over_line):
    """By how many samples the card is later, from where the first prompt begins."""
    begins = [
        next(i for i, s in enumerate(told.heard[told.answered :]) if abs(s) > 300) for told in (over_card, over_line)
    ]
    return begins[0] - begins[1]


@pytest.mark.parametrize("driver", CARDS)
def test_a_card_that_was_not_there_at_the_start_is_taken_when_it_is(board, house, driver):
    """The service starts without it, says why, and looks again every ten seconds; no restart is needed."""
    made = board(driver)
    made.ini(refuse=-3)
    place = Hall(house, made)
    assert "一致" in place.service.board.seats[0].alarm
    place.tick(11 * SECOND)
    assert place.service.board.seats[0].alarm is not None
    made.ini()
    place.tick(21 * SECOND)
    assert place.service.board.seats[0].alarm is None
    assert place.call("wait:1 hangup").spoken
