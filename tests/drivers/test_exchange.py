"""The exchange alone: who hears what, and when."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hotline.drivers import exchange as module
from hotline.drivers.exchange import TABLE, Engaged, Exchange, IllegalSignal, Signal, State, Station
from hotline.drivers.exchange_tones import Stage, Tones
from hotline.drivers.line import (
    FRAME,
    Alarm,
    CallerId,
    Dialled,
    Event,
    Frame,
    HookState,
    Restored,
    Ring,
    RingStopped,
)
from hotline.drivers.simulated import SimulatedLine
from hotline.drivers.telephone import SILENCE, KeypadTelephone, Silent, WavTelephone
from hotline.dsp import callerid, dtmf
from rig.line_contract import level_at, tone

SECOND = 50  # ticks


class Port:
    """Our port, minute by minute: what it read and what it was told, with the tick of each."""

    def __init__(self, exchange: Exchange | None = None) -> None:
        self.exchange = exchange or Exchange()
        self.now = 0
        self.log: list[tuple[int, Event]] = []

    def run(self, seconds: float, sending: Frame | None = SILENCE) -> Frame:
        """Let time pass; what was read comes back. `sending` None: we write nothing at all."""
        read = []
        for _ in range(round(seconds * SECOND)):
            self.exchange.tick()
            read.append(self.exchange.sound().copy())
            self.log += [(self.now, event) for event in self.exchange.events]
            self.exchange.events.clear()
            if sending is not None:
                self.exchange.hear(sending)
            self.now += 1
        return np.concatenate(read)

    def talking_to(self, telephone: KeypadTelephone | Silent | WavTelephone) -> Port:
        """Called by this telephone, and answered."""
        self.exchange.call(telephone)
        self.exchange.lift()
        return self


def bursts(samples: Frame, hz: float = 450) -> list[tuple[int, int]]:
    """Ticks (first, past last) in which a tone of -10 dBm0 is on."""
    on = [level_at(frame, hz) > 0.3 for frame in samples.reshape(-1, FRAME)]
    edges = np.flatnonzero(np.diff([False, *on, False]))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


# Being called.


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


# Hanging up.


def test_far_end_leaves_and_we_hear_nothing_but_busy_tone() -> None:
    port = Port().talking_to(WavTelephone(tone(700, 10), hang_up=True))
    read = port.run(61)
    assert port.log == [], "no event, whatever happens"
    assert level_at(read[: 10 * FRAME], 700) > 0.9
    assert not read[10 * FRAME : 35 * FRAME].any(), "the gap"
    on = bursts(read[35 * FRAME :])
    assert len(on) > 80
    assert {b - a for a, b in on[:-1]} <= {17, 18}, "0.35 s is 17 frames and a half"
    assert {b - a for (a, _), (b, _) in pairwise(on)} == {35}
    assert port.exchange.state is State.CLEARED


def test_other_exchanges_release_differently() -> None:
    release = (Stage(tone="congestion", seconds=2), Stage(tone="howler", seconds=1), Stage(tone="silence"))
    port = Port(Exchange(release=release)).talking_to(Silent())
    port.run(1)
    port.exchange.hang_up()
    read = port.run(5)
    assert bursts(read[: 2 * SECOND * FRAME])[0] == (0, 35)
    assert bursts(read, 950) == [(100, 150)]
    assert not read[150 * FRAME :].any()


def test_release_without_any_tone() -> None:
    port = Port(Exchange(release=())).talking_to(Silent())
    port.exchange.hang_up()
    assert not port.run(10).any()


def test_we_leave_and_the_far_end_hears_busy_tone() -> None:
    caller = KeypadTelephone()
    port = Port().talking_to(caller)
    port.run(1)
    port.exchange.put_down()
    port.run(5)
    on = bursts(caller.heard)
    assert on[0][0] == 1 * SECOND
    assert len(on) == 8
    port.exchange.hang_up(caller)
    port.run(1)
    assert port.exchange.free


def test_next_caller_need_not_wait_for_the_last_ones_receiver() -> None:
    forgetful, caller = KeypadTelephone(), KeypadTelephone()
    port = Port().talking_to(forgetful)
    port.exchange.put_down()
    port.run(1)
    port.exchange.call(caller)
    heard = len(forgetful.heard)
    port.run(1)
    assert len(forgetful.heard) == heard
    assert bursts(caller.heard)


def test_a_telephone_that_lost_its_place_hangs_up_nobody_else() -> None:
    forgetful = KeypadTelephone()
    port = Port().talking_to(forgetful)
    port.exchange.put_down()
    port.talking_to(Silent())
    port.exchange.hang_up(forgetful)
    assert port.exchange.state is State.TALKING


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


# Dialling.


def dialling(number: str, station: Station | None) -> Port:
    """Seized and dialled; all digits are out."""
    port = Port()
    if station is not None:
        port.exchange.stations["8001"] = station
    port.exchange.lift()
    assert bursts(port.run(1)) == [(0, 50)], "dial tone"
    port.exchange.dial(number)
    assert not port.run(len(number) * 0.2).any(), "dial tone ends with the first digit"
    assert port.log == [(port.now - 1, Dialled())]
    return port


def test_station_answers() -> None:
    colleague = KeypadTelephone()
    port = dialling("8001", Station("answer", lambda: colleague, after=6))
    colleague.say(tone(700, 50))
    read = port.run(10, sending=tone(1700, 1))
    assert bursts(read) == [(48, 98), (298, 348)], "about a second of routing, then ring-back"
    assert level_at(read[348 * FRAME : 398 * FRAME], 700) > 0.9
    assert level_at(colleague.heard, 1700) > 0.9


def test_station_leaves() -> None:
    port = dialling("8001", Station("answer", lambda: WavTelephone(tone(700, 5), hang_up=True)))
    port.run(10)
    assert port.exchange.state is State.CLEARED


def test_station_does_not_answer() -> None:
    port = dialling("8001", Station("no answer"))
    on = bursts(port.run(70))
    assert len([1 for a, b in on if b - a == 50]) == 12, "a minute of ring-back"
    assert on[-2][1] - on[-2][0] in (17, 18), "then busy tone"


@pytest.mark.parametrize(("number", "first"), [("8001", (48, 66)), ("8002", (48, 53))])
def test_station_refuses(number: str, first: tuple[int, int]) -> None:
    """Busy is 0.35/0.35; a number that does not exist 0.1/0.1."""
    port = dialling(number, Station("busy"))
    assert bursts(port.run(3))[0] == first


def test_number_in_two_parts() -> None:
    port = dialling("80", Station("busy"))
    port.exchange.dial(",01")
    port.run(2)
    assert port.exchange.state is State.DIALLING
    port.run(1)
    assert port.exchange.state is State.REFUSED


def test_nobody_dials() -> None:
    port = Port()
    port.exchange.lift()
    read = port.run(20)
    assert bursts(read)[0] == (0, 15 * SECOND)
    assert len(bursts(read)) > 5


def test_digits_in_a_call_are_only_sent() -> None:
    port = Port().talking_to(Silent())
    port.exchange.dial("12")
    port.run(1)
    assert port.log == [(19, Dialled())]
    assert port.exchange.state is State.TALKING


# Faults.


def test_fault_in_a_call() -> None:
    caller = KeypadTelephone()
    port = Port().talking_to(caller)
    port.run(1)
    port.exchange.fail("断线")
    port.exchange.fail("断线")
    assert not port.run(2).any()
    assert port.log == [(50, Alarm("断线"))]
    assert bursts(caller.heard)
    port.exchange.repair()
    port.exchange.repair()
    port.run(1)
    assert port.log[1:] == [(150, Restored())]
    assert port.exchange.free


# The table.


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("signal", Signal)
def test_only_the_table_changes_the_state(state: State, signal: Signal) -> None:
    exchange = Exchange()
    exchange.state = state
    if signal in TABLE[state]:
        exchange._happen(signal)
        assert exchange.state is TABLE[state][signal]
    else:
        with pytest.raises(IllegalSignal, match=signal.value):
            exchange._happen(signal)
        assert exchange.state is state


def test_every_state_is_reached_and_left() -> None:
    assert set(TABLE) == set(State)
    assert {after for row in TABLE.values() for after in row.values()} == set(State)
    assert all(Signal.FAIL in TABLE[state] for state in State if state is not State.FAULT)
    assert all(Signal.PUT_DOWN in TABLE[state] for state in set(State) - module.ON_HOOK)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_both_ends_do_nothing_breaks(seed: int) -> None:
    """Five minutes of everybody doing anything at any time."""
    chance = random.Random(seed)
    line = SimulatedLine("mad")
    line.open()
    line.exchange.stations["1"] = Station("answer", after=1)
    frame = np.zeros(FRAME, np.int16)

    def call() -> None:
        if line.exchange.free:
            line.exchange.call(WavTelephone(tone(700, chance.randrange(200)), hang_up=chance.random() < 0.5))

    deeds: list[Callable[[], object]] = [
        call,
        line.exchange.hang_up,
        lambda: line.exchange.fail("x"),
        line.exchange.repair,
        line.off_hook,
        line.on_hook,
        line.flash,
        lambda: line.dial("1"),
    ]
    seen: list[Event] = []
    for _ in range(15_000):
        while chance.random() < 0.02:
            chance.choice(deeds)()
        line.read(frame)
        seen += line.events()
        assert (line.state is HookState.OFF_HOOK) == line.exchange.loop_closed
        if chance.random() < 0.9:
            line.write(frame)
    faults = [event for event in seen if isinstance(event, Alarm | Restored)]
    assert all(isinstance(event, Alarm) == (number % 2 == 0) for number, event in enumerate(faults))
    counts = [event.count for event in seen if isinstance(event, Ring)]
    assert all(after in (1, before + 1) for before, after in pairwise(counts))
    assert {type(event) for event in seen} >= {Alarm, Restored, Ring, CallerId, Dialled}


def test_tones_of_another_exchange() -> None:
    tones = Tones.model_validate({"busy": {"hz": 425, "dbm0": -30, "cadence": [0.38, 0.32]}})
    port = Port(Exchange(tones, release=(Stage(tone="busy"),))).talking_to(Silent())
    port.exchange.hang_up()
    read = port.run(7)
    assert read[: 19 * FRAME].any()
    assert not read[19 * FRAME : 35 * FRAME].any()
    assert np.abs(read.astype(int)).max() == round(32767 * 10 ** ((-30 - 3.14) / 20))
