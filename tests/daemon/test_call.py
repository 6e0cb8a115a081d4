"""The vocabulary of dialogs, word by word, with small programs on a real switchboard and a simulated line."""

import threading

import numpy as np
import pytest
from hotline.daemon.call import HungUp, ticks
from hotline.drivers.line import FRAME
from rig.board import Board, Clip, Speech


@pytest.fixture
def board():
    made = []

    def make(program, **options):
        made.append(Board(program, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


LONG = Speech(Clip(0, 160_000), text="很长的话")  # 20 s
SHORT = Speech(Clip(0, 2_000), text="短的话")


def test_a_prompt_is_heard_whole_and_its_end_is_told(board):
    results = []

    async def program(call):
        begun = call.now
        results.append((await call.play(SHORT), call.now - begun))
        await call.pause(50)

    house = board(program)
    house.answered()
    house.until(lambda: results)
    assert results == [(True, 12)]  # 2,000 samples are 12.5 frames: the first goes out at once, the 13th is the last
    house.ticks(3)
    sound = house.heard()
    start = np.flatnonzero(sound == 1)[-1]
    assert np.array_equal(sound[start : start + 2_000], house.pool.pool[:2_000])
    assert not sound[start + 2_000 :].any()
    assert ("L0", "系统", "短的话") in house.notes.told_


def test_a_key_silences_the_prompt_in_the_tick_it_is_recognised(board):
    results = []

    async def program(call):
        results.append((await call.play(LONG), call.now))
        results.append((await call.key(50), call.now))
        await call.pause(100)

    house = board(program)
    house.answered()
    house.ticks(100)
    house.phones[0].keys("5", on_ms=500)
    house.until(lambda: len(results) == 2)
    (heard_out, at), (digit, then) = results
    assert not heard_out
    assert (digit, then) == ("5", at)
    # The frame of this very tick is silence, while the key is still held.
    assert not house.heard(last=1).any()
    assert house.heard(last=2)[:FRAME].any()
    assert not house.phones[0].idle


def test_a_key_pressed_before_the_prompt_skips_it(board):
    results = []

    async def program(call):
        await call.pause(30)
        results.append(await call.key(1))
        results.append(await call.play(LONG))
        results.append(await call.key(50))
        await call.pause(10)

    house = board(program)
    house.answered()
    house.ticks(10)
    house.phones[0].keys("12", on_ms=60, off_ms=50)
    house.until(lambda: len(results) == 3, limit=60)
    assert results == ["1", False, "2"]


def test_only_the_keys_of_barge_in_stop_a_prompt(board):
    results = []

    async def program(call):
        results.append(await call.play(SHORT, barge_in="*"))
        results.append(await call.key(1))

    house = board(program)
    house.answered()
    house.phones[0].keys("7", on_ms=60, off_ms=40)
    house.until(lambda: len(results) == 2)
    assert results == [True, "7"]


@pytest.mark.parametrize("within", [1, 7, 250])
def test_no_key_is_known_at_the_tick_it_was_waited_for(board, within):
    results = []

    async def program(call):
        begun = call.now
        results.append((await call.key(within), call.now - begun))

    house = board(program)
    house.answered()
    house.until(lambda: results)
    assert results == [(None, within)]


def test_a_swallowed_hash_is_dropped_once(board):
    results = []

    async def program(call):
        call.swallow(150)
        results.append(await call.key(200))
        results.append(await call.key(200))

    house = board(program)
    house.answered()
    house.phones[0].keys("##1")
    house.until(lambda: len(results) == 2)
    assert results == ["#", "1"]


def test_a_hash_after_the_time_for_swallowing_counts(board):
    results = []

    async def program(call):
        call.swallow(10)
        await call.pause(11)
        results.append(await call.key(200))

    house = board(program)
    house.answered()
    house.ticks(12)
    house.phones[0].keys("#")
    house.until(lambda: results)
    assert results == ["#"]


def test_work_returns_and_raises_and_the_clock_stands_still(board):
    results = []

    def fail():
        raise OSError("disk")

    async def program(call):
        begun = call.now
        results.append(await call.work(lambda a, b: a + b, 2, 3))
        with pytest.raises(OSError, match="disk"):
            await call.work(fail)
        results.append(call.now - begun)

    house = board(program)
    house.answered()
    house.until(lambda: len(results) == 2)
    assert results[0] == 5
    assert results[1] <= 2


def test_work_runs_in_another_thread(board):
    results = []

    async def program(call):
        results.append(await call.work(threading.get_ident))

    house = board(program)
    house.answered()
    house.until(lambda: results)
    assert results[0] != threading.get_ident()


def test_keys_pressed_during_work_are_not_lost(board):
    results, gate = [], threading.Event()

    async def program(call):
        await call.work(gate.wait)
        results.append(await call.key(1))

    house = board(program)
    house.answered()
    house.phones[0].keys("9")
    for _ in range(10):
        house.board.tick()  # real time goes on while work is out
    gate.set()
    house.until(lambda: results)
    assert results == ["9"]


def test_the_far_end_leaving_ends_whatever_is_waited_for(board):
    results = []

    async def program(call):
        try:
            await call.play(LONG)
        except HungUp as gone:
            results.append(gone.cause)
            with pytest.raises(HungUp):
                await call.play(SHORT)
            with pytest.raises(HungUp):
                await call.key(5)
            results.append(await call.work(lambda: "closed"))
            raise

    house = board(program)
    house.answered()
    house.ticks(20)
    house.lines[0].exchange.hang_up()
    house.until(lambda: house.notes.over)
    assert results == ["caller", "closed"]
    assert house.notes.over == [("L0", "caller", None)]
    assert house.lines[0].state.value == "on-hook"


def test_a_result_that_comes_after_the_hang_up_is_dropped(board):
    gate, results = threading.Event(), []

    async def program(call):
        try:
            await call.work(gate.wait)
            results.append("went on")
        finally:
            results.append(await call.work(lambda: "closed"))

    house = board(program)
    house.answered()
    house.lines[0].exchange.hang_up()
    while house.board.seats[0].state.value != "clearing":
        house.board.tick()
    gate.set()
    house.until(lambda: house.notes.over)
    assert results == ["closed"]


def test_hanging_up_takes_the_line_down_in_this_tick(board):
    async def program(call):
        await call.pause(5)
        await call.hang_up("exit")

    house = board(program)
    house.answered()
    house.until(lambda: house.notes.over)
    assert house.notes.over == [("L0", "exit", None)]
    assert house.lines[0].state.value == "on-hook"


def test_a_program_that_ends_by_itself_hangs_up(board):
    async def program(call):
        await call.play(SHORT)

    house = board(program)
    house.answered()
    house.until(lambda: house.notes.over)
    assert house.notes.over == [("L0", "exit", None)]


def test_a_call_that_lasts_too_long_is_ended(board):
    async def program(call):
        call.limit(ticks(2))
        while True:
            await call.key(ticks(60))

    house = board(program)
    house.answered()
    assert house.until(lambda: house.notes.over) == ticks(2)
    assert house.notes.over == [("L0", "limit", None)]


class Take:
    """A recording in memory."""

    def __init__(self):
        self.frames, self.flushed, self.error = [], [], None

    def add(self, frame):
        self.frames.append(frame.copy())

    def flush(self):
        self.flushed.append(len(self.frames))


def spoken(seconds, level=4000):
    """Something a meter takes for voice."""
    chance = np.random.default_rng(1)
    return (chance.standard_normal(round(seconds * 8000)) * level).astype(np.int16)


def test_a_recording_has_every_frame_and_is_flushed_twice_a_second(board):
    take, results = Take(), []

    async def program(call):
        results.append(await call.record(take, longest=ticks(60), silence=ticks(5)))

    house = board(program)
    house.answered()
    words = spoken(3)
    house.phones[0].say(words)
    house.phones[0].keys("#")
    house.until(lambda: results)
    assert results == ["key"]
    sound = np.concatenate(take.frames)
    at = np.flatnonzero(sound == words[0])[0]
    assert np.array_equal(sound[at : at + len(words)], words)
    assert len(take.flushed) == len(take.frames) // 25
    assert max(np.diff([0, *take.flushed])) <= 26


def test_a_recording_ends_when_it_is_full(board):
    take, results = Take(), []

    async def program(call):
        await call.pause(1)
        results.append(await call.record(take, longest=ticks(2), silence=ticks(60)))

    house = board(program)
    house.answered()
    house.until(lambda: results)
    assert results == ["full"]
    assert len(take.frames) == ticks(2)


def test_a_recording_ends_when_nobody_speaks(board):
    take, results = Take(), []

    async def program(call):
        results.append(await call.record(take, longest=ticks(60), silence=ticks(3)))

    house = board(program)
    house.answered()
    house.phones[0].say(spoken(2))
    house.until(lambda: results)
    assert results == ["silence"]
    assert ticks(4.5) <= len(take.frames) <= ticks(6)


def test_a_recording_that_cannot_be_written_ends_at_once(board):
    take, results = Take(), []

    async def program(call):
        results.append(await call.record(take, longest=ticks(60), silence=ticks(60)))

    house = board(program)
    house.answered()
    house.ticks(10)
    take.error = OSError("full")
    house.until(lambda: results, limit=30)
    assert results == ["error"]
