"""daemon/on_hook.py and the switchboard's part in it: the number is heard as sound, and stays with its own call."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hotline.daemon.call import ticks
from hotline.daemon.on_hook import OnHook
from hotline.drivers.line import FRAME
from hotline.drivers.simulated.line import Settings, SimulatedLine
from hotline.dsp import callerid, dtmf, generate
from rig.board import Board

NUMBER = "13812345678"


async def listen(call):
    """Wait for keys until the caller leaves."""
    while True:
        await call.key(ticks(60))


def line(name, how):
    return SimulatedLine(name, Settings(caller_id=how))


@pytest.fixture
def board():
    made = []

    def make(how, **options):
        made.append(Board(listen, made=partial(line, how=how), **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def numbers(house, *callers):
    """The number each of these callers is known by, one after the other on the first line."""
    known = []
    for caller in callers:
        house.ring(number=caller)
        house.until(lambda: house.board.seats[0].call is not None)
        known.append(house.board.seats[0].call.number)
        house.lines[0].exchange.hang_up()
        house.board.seats[0].call.far_end_gone("caller", "挂机")
        house.until(lambda: house.board.seats[0].call is None)
    return known


@pytest.mark.parametrize("how", ["event", "fsk", "dtmf"])
def test_each_caller_has_his_own_number_or_none(board, how):
    assert numbers(board(how, rings=2), NUMBER, None, "09906512329") == [NUMBER, None, "09906512329"]


@pytest.mark.parametrize(("how", "number"), [("fsk", None), ("dtmf", NUMBER), ("none", None)])
def test_who_answers_at_the_first_burst_knows_only_what_comes_before_it(board, how, number):
    assert numbers(board(how, rings=1), NUMBER) == [number]


@pytest.mark.parametrize("how", ["event", "fsk", "dtmf"])
@pytest.mark.parametrize("rings", [0, 1])
def test_the_number_of_who_gave_up_is_not_the_next_callers(board, how, rings):
    """He leaves when his number has been told, before the first burst or after it; the next one withholds his."""
    house = board(how, rings=2)
    house.ring(number=NUMBER)
    if rings or how != "dtmf":
        house.until(lambda: house.notes.rings)
    house.until(lambda: house.board.seats[0].number == NUMBER)
    house.lines[0].exchange.hang_up()
    house.ticks(ticks(8))
    assert house.board.seats[0].state.value == "idle"
    assert numbers(house, None) == [None]


def test_lines_that_ring_at_once_are_not_mixed_up(board):
    house = board("fsk", rings=2, lines=5)
    for i in range(5):
        house.ring(i, f"1380000000{i}")
        house.ticks(7)
    house.until(lambda: all(seat.call for seat in house.board.seats))
    assert [seat.call.number for seat in house.board.seats] == [f"1380000000{i}" for i in range(5)]


def test_calls_on_other_lines_are_not_listened_to(board):
    """A caller who is connected may send whatever he likes."""
    house = board("dtmf", rings=1, lines=2)
    house.answered(0)
    house.phones[0].say(generate.dtmf("D999C", 70, 70))
    house.ring(1, NUMBER)
    house.until(lambda: house.board.seats[1].call is not None)
    house.ticks(50)
    assert [seat.number for seat in house.board.seats] == [None, None]
    assert house.board.seats[1].call.number == NUMBER


def heard(*sounds):
    """What is told of sounds on two watched lines among three; the third's is the first's, and not watched."""
    ears = OnHook()
    ears.watch(2)
    ears.watch(0)
    longest = max(len(sound) for sound in sounds) + 2 * 8000
    lines = np.zeros((3, longest // FRAME * FRAME), np.int16)
    for row, sound in zip((0, 2), sounds, strict=True):
        lines[row, : len(sound)] = sound
    lines[1] = lines[0]
    found = []
    for at in range(0, lines.shape[1], FRAME):
        found += ears.feed(lines[:, at : at + FRAME], lambda index: False)
    return [(index, caller.number) for index, caller in found]


def test_two_lines_two_ways():
    fsk = generate.to_int16(callerid.modulate(callerid.sdmf(NUMBER), -35.0))
    keys = generate.dtmf(callerid.to_digits("12329"), 70, 70, -35.0)
    assert heard(fsk, keys) == [(0, NUMBER), (2, "12329")]


def test_a_damaged_message_is_not_told():
    message = bytearray(callerid.sdmf(NUMBER))
    message[-3] ^= 1
    keys = generate.dtmf("D1381234", 70, 70)  # no end code
    assert heard(generate.to_int16(callerid.modulate(bytes(message))), keys) == []


def test_a_quiet_line_is_not_listened_to(monkeypatch):
    """Whatever a detector is fed costs time; nothing is fed to any."""
    monkeypatch.setattr(dtmf.Detector, "feed", lambda *_: pytest.fail("a quiet line was listened to"))
    noise = generate.noise(2000, -60, np.random.default_rng(1))
    assert heard(noise, noise) == []


def test_a_whole_call_has_the_number_on_record(house):
    from hotline.desk.models import Call

    home = house(line={"caller_id": "fsk"})
    told = home.call("wait:1", number=NUMBER)
    assert NUMBER in told.entries[0].text
    assert Call.objects.get().caller_number == NUMBER
