"""The tick, seats and lines: what each event does to a call, and that no line ever feels another."""

import numpy as np
import pytest
from hotline.daemon.call import ticks
from hotline.drivers.line import FRAME, Alarm, Capabilities, FarHangup, HardwareDigit, LineError
from hotline.drivers.simulated.line import SimulatedLine
from rig.board import Board, Clip, Speech

LONG = Speech(Clip(0, 160_000), text="很长的话")


async def listen(call):
    """Wait for keys until the caller leaves."""
    while True:
        await call.key(ticks(60))


@pytest.fixture
def board():
    made = []

    def make(program=listen, **options):
        made.append(Board(program, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.mark.parametrize("rings", [1, 2, 3])
def test_a_call_is_answered_on_the_burst_that_is_set(board, rings):
    house = board(rings=rings)
    house.ring()
    house.until(lambda: house.board.seats[0].call)
    assert house.board.now == (rings - 1) * 250 + 1  # a burst every 5 s
    assert house.notes.rings == ["L0"]


@pytest.mark.parametrize(("rings", "number"), [(1, None), (2, "13900000000")])
def test_the_number_is_known_from_the_second_burst_on(board, rings, number):
    house = board(rings=rings)
    assert house.answered().number == number


def test_the_first_sample_goes_out_in_the_tick_of_answering(board):
    async def program(call):
        await call.play(LONG)

    house = board(program)
    house.answered()
    assert house.heard(last=1)[0] == 1


def test_a_caller_who_gives_up_leaves_the_line_at_rest_without_a_call(board):
    house = board(rings=3)
    house.ring()
    house.ticks(100)
    house.lines[0].exchange.hang_up()
    house.until(lambda: house.board.seats[0].state.value == "idle")
    assert house.notes.calls == []
    house.answered()
    assert len(house.notes.calls) == 1


class Forgetful(SimulatedLine):
    """Hardware that never says that the ringing has stopped."""

    def events(self):
        return [event for event in super().events() if type(event).__name__ != "RingStopped"]


def test_ringing_that_stops_without_a_word_is_noticed(board):
    house = board(rings=3, made=Forgetful)
    house.ring()
    house.ticks(10)
    house.lines[0].exchange.hang_up()
    assert house.until(lambda: house.board.seats[0].state.value == "idle") < ticks(8)


def test_busy_tone_ends_the_call(board):
    house = board()
    house.answered()
    house.ticks(100)
    house.lines[0].exchange.hang_up()
    # 0.5 s until the tone, then two periods of it at most.
    assert house.until(lambda: house.notes.over) <= ticks(0.5 + 1.4)
    assert house.notes.over == [("L0", "caller", None)]
    assert ("L0", "状态", "听到忙音（450 Hz，-10 dBm0，1.1 秒），对方已挂机") in house.notes.told_


def test_nothing_of_a_call_is_heard_in_the_next(board):
    async def program(call):
        await call.play(LONG)

    house = board(program)
    house.answered()
    house.ticks(50)
    house.lines[0].exchange.hang_up()
    house.until(lambda: house.notes.over)
    house.answered()
    sound = house.heard()
    assert sound[-FRAME] == 1  # from the beginning, not from where the last caller left


def test_keys_of_a_call_do_not_reach_the_next(board):
    keys = []

    async def program(call):
        await call.pause(20)
        keys.append(await call.key(30))
        await call.hang_up("exit")

    house = board(program)
    house.answered()
    house.phones[0].keys("8")
    house.until(lambda: house.notes.over)
    house.lines[0].exchange.hang_up()
    house.answered()
    house.until(lambda: len(house.notes.over) == 2)
    assert keys == ["8", None]


def test_a_program_that_fails_ends_its_own_call_alone(board):
    async def program(call):
        if call.line == "L0":
            await call.pause(10)
            raise RuntimeError("bug")
        await listen(call)

    house = board(program, lines=2)
    house.ring(0)
    house.ring(1)
    house.until(lambda: house.notes.over)
    house.ticks(50)
    ((line, cause, error),) = house.notes.over
    assert (line, cause, str(error)) == ("L0", "fault", "bug")
    assert house.lines[0].state.value == "on-hook"
    assert house.board.seats[1].call is not None
    house.lines[0].exchange.hang_up()
    assert house.answered(0) is not None


@pytest.mark.parametrize("when", ["idle", "ringing", "talking"])
def test_a_fault_is_an_alarm_and_the_line_comes_back(board, when):
    house = board(rings=2)
    if when == "ringing":
        house.ring()
        house.ticks(10)
    elif when == "talking":
        house.answered()
        house.ticks(10)
    house.lines[0].exchange.fail("线路断开")
    house.ticks(3)
    assert house.board.seats[0].alarm == "线路断开"
    assert house.notes.alarms == [("L0", "线路断开")]
    assert [cause for _, cause, _ in house.notes.over] == (["fault"] if when == "talking" else [])
    house.lines[0].exchange.repair()
    house.ticks(3)
    assert house.notes.alarms[-1] == ("L0", None)
    assert house.answered().cause is None


def test_a_fault_while_the_call_clears(board):
    import threading

    gate = threading.Event()

    async def program(call):
        try:
            await listen(call)
        finally:
            await call.work(gate.wait)

    house = board(program)
    house.answered()
    house.lines[0].exchange.hang_up()
    while house.board.seats[0].state.value != "clearing":
        house.board.tick()
    house.lines[0].exchange.fail("线路断开")
    for _ in range(3):
        house.board.tick()
    assert house.board.seats[0].state.value == "dying"
    gate.set()
    house.ticks(2)
    assert house.board.seats[0].state.value == "dead"
    assert house.notes.over == [("L0", "caller", None)]
    house.lines[0].exchange.repair()
    assert house.answered() is not None


class Missing(SimulatedLine):
    """A device that is not there."""

    plugged_in = False

    def open(self):
        if self.name == "L0" and not self.plugged_in:
            raise LineError("/dev/nothing：没有这个设备，请检查接线")
        super().open()


def test_a_line_that_cannot_be_opened_leaves_the_others_working_and_is_tried_again(board):
    house = board(lines=2, made=Missing)
    missing = ("L0", "/dev/nothing：没有这个设备，请检查接线")
    assert house.answered(1).line == "L1"
    house.ticks(ticks(30))
    assert house.notes.alarms == [missing]
    house.lines[0].plugged_in = True
    house.ticks(ticks(10))
    assert house.notes.alarms == [missing, ("L0", None)]
    assert house.answered(0).line == "L0"


class Reporting(SimulatedLine):
    """Hardware that recognises keys and hang-ups itself."""

    capabilities = Capabilities(reports_digits=True, reports_hangup=True)

    def __init__(self, name):
        super().__init__(name)
        self.more = []

    def events(self):
        events, self.more = [*super().events(), *self.more], []
        return events


def test_digits_of_the_hardware_count_and_the_same_tones_in_the_sound_do_not(board):
    keys = []

    async def program(call):
        while True:
            keys.append(await call.key(ticks(60)))

    house = board(program, made=Reporting)
    house.answered()
    house.phones[0].keys("5")
    house.lines[0].more = [HardwareDigit("5")]
    house.ticks(30)
    assert keys == ["5"]


def test_a_hang_up_seen_by_the_hardware_ends_the_call_at_once(board):
    house = board(made=Reporting)
    house.answered()
    house.lines[0].more = [FarHangup("极性反转")]
    house.ticks()
    assert house.notes.over == [("L0", "caller", None)]
    assert ("L0", "状态", "极性反转") in house.notes.told_


def test_an_alarm_given_twice_is_one_outage(board):
    house = board(made=Reporting)
    house.lines[0].more = [Alarm("拔出"), Alarm("仍未插上")]
    house.ticks()
    assert house.board.seats[0].state.value == "dead"
    assert house.board.seats[0].alarm == "仍未插上"


def test_lines_do_not_feel_each_other(board):
    heard = {}

    async def program(call):
        at = int(call.line[1:]) * 10_000
        await call.play(Speech(Clip(at, at + 3_000)))
        heard[call.line] = await call.key(ticks(5))
        await call.hang_up("exit")

    house = board(program, lines=8)
    for line in range(8):
        house.ring(line)
        house.ticks(3)
    house.ticks(30)
    for line in range(8):
        house.phones[line].keys(str(line))
    house.until(lambda: len(house.notes.over) == 8)
    assert heard == {f"L{line}": str(line) for line in range(8)}
    for line in range(8):
        sound = house.heard(line)
        wanted = house.pool.pool[line * 10_000 : line * 10_000 + 3_000]
        start = np.flatnonzero(sound == wanted[0])
        assert any(np.array_equal(sound[at : at + 3_000], wanted) for at in start)


def test_closing_ends_calls_and_lets_lines_go(board):
    house = board(lines=3)
    for line in range(3):
        house.answered(line)
    house.board.close()
    assert [cause for _, cause, _ in house.notes.over] == ["shutdown"] * 3
    assert all(line.state.value == "on-hook" for line in house.lines)
    house.board.close()


def test_the_same_calls_end_the_same_way_twice(board):
    def run():
        house = board(lines=4)
        for line in range(4):
            house.ring(line)
            house.ticks(line)
            house.phones[line].keys("12*#0" * 3, on_ms=50, off_ms=45)
        house.ticks(400)
        return [phone.heard.copy() for phone in house.phones], house.notes.told_, house.notes.steps

    first, second = run(), run()
    assert all(np.array_equal(a, b) for a, b in zip(first[0], second[0], strict=True))
    assert first[1:] == second[1:]
