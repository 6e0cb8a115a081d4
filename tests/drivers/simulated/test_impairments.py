"""Each switch of a bad pair does what it says, and the same again with the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hotline.drivers.line import FRAME, Frame
from hotline.drivers.simulated.impairments import Impairments, Pair, Resampler
from hotline.drivers.simulated.telephone import SILENCE, WavTelephone
from hotline.dsp import generate
from hotline.dsp.levels import power_dbm0
from rig.line_contract import tone


def arriving(pair: Pair, far: Frame, near: Frame = SILENCE) -> Frame:
    """What we read while the far end says `far` and we say `near`, tick by tick."""
    telephone = WavTelephone(far)
    read = []
    for at in range(0, max(len(far), len(near)), FRAME):
        frame = np.full(FRAME, 12345, np.int16)
        pair.inwards(telephone.speak, frame)
        read.append(frame)
        own = near[at : at + FRAME]
        pair.outwards(own if len(own) == FRAME else SILENCE)
    return np.concatenate(read)


def test_a_perfect_pair_is_none_at_all() -> None:
    assert not Impairments().damaged
    assert not Impairments(seed=5, hybrid_echo_ms=9).damaged
    for key in ("noise_dbm0", "gain_in_db", "gain_out_db", "hybrid_echo_db", "frequency_error_percent"):
        assert Impairments.model_validate({key: -1 if key != "hybrid_echo_db" else 10}).damaged, key
    assert Impairments(dropped_frames=0.1).damaged


@pytest.mark.parametrize("dbm0", [-60, -40, -20])
def test_noise(dbm0: float) -> None:
    read = arriving(Pair(Impairments(noise_dbm0=dbm0), "a"), np.zeros(40_000, np.int16))
    assert power_dbm0(read) == pytest.approx(dbm0, abs=0.3)


def test_gains() -> None:
    pair = Pair(Impairments(gain_in_db=-6, gain_out_db=4), "a")
    said = tone(700, 50)
    assert power_dbm0(arriving(pair, said)) == pytest.approx(power_dbm0(said) - 6, abs=0.05)
    assert power_dbm0(pair.outwards(said[:FRAME])) == pytest.approx(power_dbm0(said[:FRAME]) + 4, abs=0.05)


def test_too_much_gain_is_clipped() -> None:
    read = arriving(Pair(Impairments(gain_in_db=20), "a"), tone(700, 5))
    assert read.max() == 32767
    assert read.min() == -32768


@pytest.mark.parametrize("milliseconds", [0, 4, 20, 63.5, 200])
def test_echo_comes_back_weaker_and_later(milliseconds: float) -> None:
    near = generate.noise(1000, -15, np.random.default_rng(1))
    pair = Pair(Impairments(hybrid_echo_db=12, hybrid_echo_ms=milliseconds), "a")
    read = arriving(pair, np.zeros(8000, np.int16), near)
    delay = FRAME + round(8 * milliseconds)  # what we write in a tick cannot come back before the next
    assert not read[:delay].any()
    assert np.abs(read[delay:] - near[: 8000 - delay] * 10 ** (-12 / 20)).max() <= 0.51


def test_echo_ends_when_we_stop_writing() -> None:
    pair = Pair(Impairments(hybrid_echo_db=0, hybrid_echo_ms=0), "a")
    pair.outwards(tone(700, 1))
    read = [np.zeros(FRAME, np.int16) for _ in range(5)]
    for frame in read:
        pair.inwards(lambda: SILENCE, frame)
    assert [bool(frame.any()) for frame in read] == [True, False, False, False, False]


def test_echo_of_the_last_call_is_gone() -> None:
    pair = Pair(Impairments(hybrid_echo_db=0, hybrid_echo_ms=100), "a")
    pair.outwards(tone(700, 1))
    pair.clear()
    assert not arriving(pair, np.zeros(8000, np.int16)).any()


@pytest.mark.parametrize("percent", [-3.5, -1.8, 0.1, 1.8, 3.5])
@pytest.mark.parametrize("hz", [697, 1633, 3000])
def test_frequency_error(percent: float, hz: float) -> None:
    pair = Pair(Impairments(frequency_error_percent=percent), "a")
    read = arriving(pair, tone(hz, 120))[FRAME : 100 * FRAME].astype(float)
    moved = hz * (1 + percent / 100)
    axis = 2 * np.pi * moved / 8000 * np.arange(len(read))
    basis = np.stack((np.cos(axis), np.sin(axis)), axis=1)
    fitted = basis @ np.linalg.lstsq(basis, read, rcond=None)[0]
    rest = 10 * np.log10(np.sum((read - fitted) ** 2) / np.sum(fitted**2))
    assert rest < (-50 if hz < 2000 else -40), f"{rest:.1f} dB of other things"
    assert power_dbm0(read) == pytest.approx(power_dbm0(tone(hz, 100)), abs=0.1)


def test_resampler_takes_as_much_as_it_gives() -> None:
    frames = 0

    def source() -> Frame:
        nonlocal frames
        frames += 1
        return SILENCE

    resampler = Resampler(1.018)
    for _ in range(10_000):
        resampler.next(source)
    assert frames == pytest.approx(10_180, abs=1)


def test_dropped_frames_are_silence_and_the_talker_goes_on() -> None:
    pair = Pair(Impairments(dropped_frames=0.1), "a")
    said = tone(1000, 1000)
    read = arriving(pair, said).reshape(-1, FRAME)
    lost = ~read.any(axis=1)
    assert 60 < lost.sum() < 140
    assert (read[~lost] == said.reshape(-1, FRAME)[~lost]).all()


def test_same_seed_same_damage() -> None:
    switches = Impairments(noise_dbm0=-40, dropped_frames=0.1, seed=3)
    said = tone(700, 100)
    first = arriving(Pair(switches, "a"), said)
    assert (arriving(Pair(switches, "a"), said) == first).all()
    assert (arriving(Pair(switches, "b"), said) != first).any(), "each line has its own"
    assert (arriving(Pair(switches.model_copy(update={"seed": 4}), "a"), said) != first).any()
