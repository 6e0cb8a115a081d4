"""The simulated line: the contract, and what its exchange does beyond it."""

from __future__ import annotations

import pytest
from drivers.contract import Bench, Far, LineContract, level_at, tone
from hotline.config import settings as config
from hotline.drivers import make
from hotline.drivers.line import Frame, Line
from hotline.drivers.simulated import Settings, SimulatedLine
from hotline.drivers.telephone import KeypadTelephone


class Caller(Far):
    """A telephone on the simulated exchange."""

    def __init__(self, line: SimulatedLine) -> None:
        self.exchange = line.exchange
        self.telephone = KeypadTelephone()

    def ring(self, number: str) -> None:
        self.telephone = KeypadTelephone()
        self.exchange.call(self.telephone, number)

    def say(self, samples: Frame) -> None:
        self.telephone.say(samples)

    def heard(self) -> Frame:
        return self.telephone.heard

    def hang_up(self) -> None:
        self.telephone.hang_up()
        self.exchange.hang_up()

    def unplug(self) -> None:
        self.exchange.fail("拔掉了")

    def plug(self) -> None:
        self.exchange.repair()

    def tick(self) -> None:
        pass


def make_bench(**keys: object) -> Bench:
    line = make("test", config.Line.model_validate({"driver": "simulated", **keys}))
    assert isinstance(line, SimulatedLine)
    line.open()
    return Bench(line, Caller(line))


class TestSimulatedLine(LineContract):
    def make_pair(self) -> tuple[Line, Far]:
        line = SimulatedLine("test")
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
