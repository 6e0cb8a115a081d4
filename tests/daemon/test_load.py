"""Callers who know what they should hear, on simulated lines in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hotline.config.settings import Settings
from hotline.daemon import demo, load
from hotline.daemon.caller import ScriptError
from hotline.daemon.load import Caller, Step, Tally
from hotline.daemon.service import Service
from hotline.drivers.audiosocket.protocol import HEADER, audio_message
from hotline.drivers.line import FRAME, Frame
from rig.house import House

SCRIPT = "1 !1 990101198503070017 135790 *"
TICK = 0.02


class Telephone:
    """A caller at the end of a simulated line; `damage` is what the line does to the frame of a tick."""

    def __init__(self, caller: Caller, damage: Callable[[int, bytes], bytes]) -> None:
        self.caller = caller
        self.damage = damage
        self.ticks = 0

    def speak(self) -> Frame | None:
        self.ticks += 1
        return np.frombuffer(self.caller.speak(self.ticks * TICK), "<i2", offset=HEADER).astype(np.int16)

    def hear(self, frame: Frame) -> None:
        now = self.ticks * TICK
        self.caller.hear(self.damage(self.ticks, audio_message(frame)), now, now - TICK)


@pytest.fixture(scope="module")
def steps(demo_state: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    settings = demo.prepare(demo_state).settings
    return load.rehearse(settings, SCRIPT, tmp_path_factory.mktemp("rehearsed"))


@pytest.fixture
def service(steps: list[Step], house: Callable[..., House]) -> Service:
    """Made after the rehearsal, so that the records it writes are its own."""
    return house(line={"rings": 1}).service


def call(service: Service, steps: list[Step], damage: Callable[[int, bytes], bytes] = lambda _, frame: frame) -> Tally:
    """One call on the first line, to its end."""
    caller = Caller(steps, tally := Tally())
    line = service.phones()[0]
    line.exchange.call(Telephone(caller, damage), None)
    while not caller.over:
        service.tick()
    line.exchange.hang_up()
    return tally


def test_the_rehearsal_knows_each_reply(steps: list[Step]) -> None:
    assert [step.keys for step in steps] == ["", "1", "1", "990101198503070017", "135790", "*"]
    assert [step.barge for step in steps] == [False, False, True, False, False, False]
    assert all(step.reply[0] != load.SILENCE != step.reply[-1] for step in steps)
    assert min(len(step.reply) for step in steps) > 50, "every reply is more than a second of speech"


def test_a_good_call_is_right_frame_by_frame(service: Service, steps: list[Step]) -> None:
    tally = call(service, steps)
    assert not tally.faults
    assert tally.calls == 1
    interrupted = len(steps[1].reply) - load.BARGE_IN_AFTER
    assert tally.frames == sum(len(step.reply) for step in steps) - interrupted
    assert len(tally.delays) == len(steps) - 1
    assert max(tally.delays) <= 0.1, "before the key is over"
    assert tally.gaps == 0


def test_one_wrong_sample_fails_the_call(service: Service, steps: list[Step]) -> None:
    def flip(at: int, frame: bytes) -> bytes:
        return frame if at != 200 else frame[:-1] + bytes([frame[-1] ^ 1])

    tally = call(service, steps, damage=flip)
    assert tally.calls == 0
    assert dict(tally.faults) == {"接通后听到的与排练的不同": 1}


def test_a_service_that_never_answers_fails_the_call() -> None:
    caller = Caller([Step("", False, (audio_message(b"x" * 320),))], tally := Tally())
    for tick in range(load.PATIENCE):
        caller.hear(load.SILENCE, tick * TICK, 0.0)
        assert not caller.over
    caller.hear(load.SILENCE, load.PATIENCE * TICK, 0.0)
    assert dict(tally.faults) == {"接通后没有应答": 1}
    caller.fail("掉线")
    assert tally.faults.total() == 1, "a call fails once"


def test_a_hole_in_a_reply_is_counted() -> None:
    frames = tuple(audio_message(bytes([n]) * 320) for n in (1, 2, 3, 4))
    caller = Caller([Step("", False, frames)], tally := Tally())
    for frame, at in zip(frames, (9.0, 9.05, 9.12, 9.14), strict=True):
        caller.hear(frame, at, at - 0.001)
    assert (tally.calls, tally.gaps) == (1, 1), "50 ms is borne, 70 are heard; what came before the reply is no gap"
    assert tally.unsure == 0


def test_a_caller_who_did_not_listen_does_not_know_whose_hole_it_is() -> None:
    frames = tuple(audio_message(bytes([n]) * 320) for n in (1, 2, 3))
    caller = Caller([Step("", False, frames)], tally := Tally())
    for frame, at, looked in zip(frames, (9.0, 9.2, 9.3), (8.99, 9.05, 9.299), strict=True):
        caller.hear(frame, at, looked)
    assert (tally.gaps, tally.unsure) == (2, 1)


@pytest.mark.parametrize(("late", "word"), [(0.0, "接通"), (0.02, "呼叫方自己按键时迟了")])
def test_a_call_that_failed_after_unsteady_keys_says_so(late: float, word: str) -> None:
    reply = (audio_message(b"x" * 320),)
    caller = Caller([Step("", False, reply), Step("1", False, reply)], tally := Tally())
    caller.hear(reply[0], 0.0, 0.0)
    for tick in range(5):
        caller.speak(tick * TICK + late * (tick > 2))
    caller.fail("没有应答")
    (text,) = tally.faults
    assert ("自己" in text) == (word != "接通")


@pytest.mark.parametrize("script", ["wait:3", "1 hangup", "say:x.wav"])
def test_only_keys_can_be_held_against_a_rehearsal(tmp_path: Path, script: str) -> None:
    with pytest.raises(ScriptError, match="不能用于压力测试"):
        load.rehearse(Settings(), script, tmp_path)


def test_frames_are_those_of_the_wire(steps: list[Step]) -> None:
    assert {len(frame) for step in steps for frame in step.reply} == {HEADER + 2 * FRAME}
