"""The simulated line: the contract, and what its exchange does beyond it."""

from __future__ import annotations

import pytest
from hotline.config import tones
from hotline.drivers.line import Alarm, CallerId, Frame, HookState, Line, Restored
from hotline.drivers.simulated.line import Settings, SimulatedLine
from hotline.drivers.simulated.telephone import KeypadTelephone
from hotline.dsp import dtmf, generate, progress
from rig.line_contract import SECOND, Bench, Far, LineContract, level_at, tone


class Caller(Far):
    """A telephone on the simulated exchange."""

    def __init__(self, line: SimulatedLine) -> None:
        self.exchange = line.exchange
        self.telephone = KeypadTelephone()
        self.answered = 0  # samples heard before

    def ring(self, number: str) -> None:
        self.telephone = KeypadTelephone()
        self.exchange.call(self.telephone, number)

    def say(self, samples: Frame) -> None:
        self.telephone.say(samples)

    def heard(self) -> Frame:
        return self.telephone.heard[self.answered :]

    def hang_up(self) -> None:
        self.exchange.hang_up()

    def unplug(self) -> None:
        self.exchange.fail("拔掉了")

    def plug(self) -> None:
        self.exchange.repair()

    def tick(self) -> None:
        if not self.exchange.loop_closed:
            self.answered = self.telephone.position


class TestSimulatedLine(LineContract):
    def make_pair(self) -> tuple[Line, Far]:
        line = SimulatedLine("test")
        return line, Caller(line)


class TestLineWithFsk(LineContract):
    """The number is sound on hook."""

    def make_pair(self) -> tuple[Line, Far]:
        line = SimulatedLine("test", Settings(caller_id="fsk"))
        return line, Caller(line)


class TestLineWithDtmf(LineContract):
    """And ahead of the first ring."""

    def make_pair(self) -> tuple[Line, Far]:
        line = SimulatedLine("test", Settings(caller_id="dtmf"))
        return line, Caller(line)


class TestImpairedLine(LineContract):
    """Noise and echo are no excuse."""

    def make_pair(self) -> tuple[Line, Far]:
        line = SimulatedLine(
            "test", Settings(noise_dbm0=-50, hybrid_echo_db=12, frequency_error_percent=0.2, gain_out_db=-3)
        )
        return line, Caller(line)

    def test_audio_flows_both_ways_at_once(self, bench: Bench) -> None:
        bench.answer()
        bench.far.say(tone(700, 50))
        bench.run(50, sending=tone(1700, 50))
        assert level_at(bench.since(), 1700) == pytest.approx(10 ** (-12 / 20), rel=0.2), "the echo"


@pytest.mark.parametrize(("how", "hears"), [("event", False), ("none", False), ("fsk", True), ("dtmf", True)])
def test_a_number_in_sound_is_heard_on_hook(how: str, hears: bool) -> None:
    line = SimulatedLine("test", Settings(caller_id=how))
    line.open()
    bench = Bench(line, Caller(line))
    bench.far.ring("13812345678")
    bench.run(4 * SECOND)
    assert line.state is HookState.RINGING
    assert line.capabilities.hears_on_hook == bool(bench.since().any()) == hears
    assert (CallerId("13812345678") in bench.events) == (how == "event")


def test_planned_fault_and_repair() -> None:
    line = SimulatedLine("test", Settings(fault_at=2, fault_lasts=3))
    line.open()
    bench = Bench(line, Caller(line))
    log = [(tick, event) for tick in range(10 * SECOND) for event in bench.run(1)]
    assert log == [(2 * SECOND, Alarm("模拟的线路断开了")), (5 * SECOND, Restored())]


def test_planned_fault_stays_until_somebody_repairs() -> None:
    line = SimulatedLine("test", Settings(fault_at=0))
    line.open()
    bench = Bench(line, Caller(line))
    assert bench.run(100 * SECOND) == [Alarm("模拟的线路断开了")]
    line.exchange.repair()
    assert bench.run(100 * SECOND) == [Restored()]


def test_lost_frames_are_counted() -> None:
    line = SimulatedLine("test", Settings(dropped_frames=0.2))
    line.open()
    bench = Bench(line, Caller(line))
    bench.answer()
    line.late_frames = 0
    bench.far.say(tone(1000, 200))
    bench.run(200)
    lost = [not frame.any() for frame in bench.received]
    assert 20 < sum(lost) == line.late_frames < 60


def test_closing_in_a_call_frees_the_exchange() -> None:
    line = SimulatedLine("test")
    line.open()
    bench = Bench(line, Caller(line))
    bench.answer()
    line.close()
    assert line.exchange.free


@pytest.mark.parametrize(
    "switches",
    [
        Settings(),
        Settings(noise_dbm0=-45, hybrid_echo_db=10, frequency_error_percent=1.8),
        Settings(gain_in_db=-15, frequency_error_percent=-1.8),
    ],
    ids=["perfect", "noise, echo, 1.8 % fast", "far away, 1.8 % slow"],
)
def test_our_own_ears_understand_this_exchange(switches: Settings) -> None:
    """Keys and the busy tone, as the service hears them: this exchange and the detectors were written apart."""
    line = SimulatedLine("test", switches)
    line.open()
    bench = Bench(line, Caller(line))
    bench.answer()
    bench.far.say(generate.dtmf("990101198503070017#*", 50, 50))
    bench.run(3 * SECOND, sending=tone(300, 3 * SECOND))
    bench.far.hang_up()
    bench.run(3 * SECOND)
    received = bench.since()[None, :]
    keys = [event.digit for event in dtmf.Detector(1).feed(received) if isinstance(event, dtmf.Onset)]
    assert "".join(keys) == "990101198503070017#*"
    ear = progress.Detector(1, tones.load("cn"))
    heard = [event for event in ear.feed(received) if isinstance(event, progress.Tone)]
    assert [event.name for event in heard] == ["busy"]
    assert 3 <= heard[0].declared / 8000 <= 5
