"""Far ends: what they say, when, and what they keep of what they hear."""

from __future__ import annotations

import numpy as np
import pytest
from hotline.drivers.line import FRAME, Frame
from hotline.drivers.simulated.telephone import (
    SILENCE,
    KeypadTelephone,
    LiveTelephone,
    Silent,
    Tape,
    Telephone,
    WavTelephone,
)
from hotline.dsp import generate


def ramp(samples: int, first: int = 1) -> Frame:
    """Samples that tell where they came from."""
    return np.arange(first, first + samples).astype(np.int16)


def talk(telephone: Telephone, ticks: int) -> Frame:
    """What it says in so many ticks, hearing silence."""
    said = []
    for _ in range(ticks):
        frame = telephone.speak()
        assert frame is not None
        said.append(frame.copy())
        telephone.hear(SILENCE)
    return np.concatenate(said)


def test_silent() -> None:
    assert not talk(Silent(), 10).any()


@pytest.mark.parametrize("length", [0, 1, FRAME, FRAME + 1, 1000])
def test_wav_plays_everything_once(length: int) -> None:
    said = talk(WavTelephone(ramp(length)), 10)
    assert (said[:length] == ramp(length)).all()
    assert not said[length:].any()


def test_wav_hangs_up_at_its_end() -> None:
    telephone = WavTelephone(ramp(2 * FRAME), hang_up=True)
    talk(telephone, 2)
    assert telephone.speak() is None


@pytest.mark.parametrize("step", [1, 7, FRAME, 100_000])
def test_tape_keeps_all_in_order(step: int) -> None:
    tape = Tape()
    samples = np.arange(300_000).astype(np.int16)
    for at in range(0, len(samples) if step > 7 else 2000 * step, step):
        tape.add(samples[at : at + step])
    assert (tape.samples == samples[: tape.length]).all()


class TestKeypad:
    def test_keys_are_tones_and_pauses(self) -> None:
        telephone = KeypadTelephone()
        telephone.keys("12#", on_ms=50, off_ms=30)
        expected = generate.dtmf("12#", 50, 30, -9.0)
        said = talk(telephone, 15)
        assert (said[: len(expected)] == expected).all()
        assert not said[len(expected) :].any()

    def test_says_when_it_said_what(self) -> None:
        telephone = KeypadTelephone()
        telephone.wait(0.1)
        telephone.keys("5", on_ms=50, off_ms=33)
        telephone.say(ramp(500), "早上好")
        said = talk(telephone, 20)
        key, words = telephone.said
        assert (key.label, key.start, key.end) == ("5", 800, 1200)
        assert (words.label, words.start, words.end) == ("早上好", 1200 + 264, 1200 + 264 + 500)
        assert (said[words.start : words.end] == ramp(500)).all()

    def test_idle_once_all_is_out(self) -> None:
        telephone = KeypadTelephone()
        assert telephone.idle
        telephone.say(ramp(FRAME + 1))
        talk(telephone, 1)
        assert not telephone.idle
        talk(telephone, 1)
        assert telephone.idle

    def test_nothing_to_say_is_said_at_once(self) -> None:
        telephone = KeypadTelephone()
        telephone.say(ramp(0))
        telephone.wait(0)
        assert not talk(telephone, 1).any()
        assert telephone.idle

    def test_hears_on_the_same_axis(self) -> None:
        telephone = KeypadTelephone()
        for number in range(3):
            telephone.speak()
            telephone.hear(ramp(FRAME, FRAME * number))
        assert (telephone.heard == ramp(3 * FRAME, 0)).all()
        assert telephone.position == 3 * FRAME

    def test_one_of_a_crowd_keeps_nothing(self) -> None:
        telephone = KeypadTelephone(record=False)
        telephone.keys("1")
        talk(telephone, 10)
        assert not len(telephone.heard)
        assert not telephone.said


class TestLive:
    def test_begins_with_the_target_and_loses_nothing(self) -> None:
        telephone = LiveTelephone(target_ms=60)
        said = []
        for first in range(50):
            telephone.push(ramp(FRAME, 1 + first * FRAME))
            said.append(talk(telephone, 1))
        spoken = np.concatenate(said)
        begin = int(np.flatnonzero(spoken)[0])
        assert begin == 2 * FRAME
        assert (spoken[begin:] == ramp(len(spoken) - begin)).all()
        assert (telephone.underruns, telephone.overruns) == (0, 0)

    def test_bursts_and_jitter_below_the_target_are_smoothed(self) -> None:
        telephone = LiveTelephone(target_ms=60)
        said = []
        for burst in range(20):
            telephone.push(ramp(2 * FRAME, 1 + burst * 2 * FRAME))
            said.append(talk(telephone, 2))
        spoken = np.concatenate(said)
        begin = int(np.flatnonzero(spoken)[0])
        assert (spoken[begin:] == ramp(len(spoken) - begin)).all()

    def test_a_short_sound_is_not_held_back(self) -> None:
        telephone = LiveTelephone(target_ms=60)
        telephone.push(ramp(100))
        spoken = talk(telephone, 5)
        assert (spoken[spoken != 0] == ramp(100)).all()
        assert spoken.any()

    def test_a_whole_key_in_one_push_stays_whole(self) -> None:
        telephone = LiveTelephone()
        key = generate.dtmf("5", 100, 80)
        telephone.push(key)
        telephone.push(key)
        spoken = talk(telephone, 20)
        assert (spoken[: 2 * len(key)] == np.concatenate((key, key))).all()

    def test_running_dry_is_counted_and_fills_up_again(self) -> None:
        telephone = LiveTelephone(target_ms=60)
        telephone.push(ramp(3 * FRAME))
        talk(telephone, 3)
        assert telephone.underruns == 0
        assert not talk(telephone, 3).any()
        assert telephone.underruns == 1
        telephone.push(ramp(FRAME))
        assert not talk(telephone, 2).any()
        telephone.push(ramp(2 * FRAME))
        assert talk(telephone, 1).any()

    def test_too_much_is_cut_back_to_the_target(self) -> None:
        telephone = LiveTelephone(target_ms=60, most_ms=500)
        telephone.push(ramp(4000))
        assert telephone.overruns == 0
        telephone.push(ramp(160, 4001))
        assert telephone.overruns == 4160 - 480
        assert (talk(telephone, 3) == ramp(480, 4161 - 480)).all()

    def test_lag_goes_away(self) -> None:
        telephone = LiveTelephone(target_ms=60)
        telephone.push(np.zeros(10 * FRAME, np.int16))
        for _ in range(10 * 50):
            telephone.push(np.zeros(FRAME, np.int16))
            talk(telephone, 1)
        assert telephone.overruns == 7 * FRAME, "of 11 waiting frames 4 are left: the target, and one that is due"

    def test_heard_is_pulled_once(self) -> None:
        telephone = LiveTelephone()
        telephone.hear(ramp(FRAME))
        telephone.hear(ramp(FRAME, 161))
        assert (telephone.pull() == ramp(2 * FRAME)).all()
        assert not len(telephone.pull())

    def test_nobody_pulling_costs_no_memory(self) -> None:
        telephone = LiveTelephone()
        for number in range(60):
            telephone.hear(np.full(FRAME, number, np.int16))
        heard = telephone.pull()
        assert len(heard) == 8000
        assert heard[0] == 10
        assert telephone.unpulled == 10 * FRAME
