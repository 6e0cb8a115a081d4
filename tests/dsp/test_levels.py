"""dBm0 is settled by two facts: a full sine is +3.14, and power is what counts."""

import numpy as np
import pytest
from hotline.dsp import generate, levels


def test_a_sine_that_fills_16_bits_is_the_overload_point():
    assert levels.amplitude(3.14) == pytest.approx(32767)
    assert levels.power_dbm0(generate.tone(1000, 1000, 3.14)) == pytest.approx(3.14, abs=0.001)


@pytest.mark.parametrize("dbm0", [3.0, 0.0, -10.0, -42.0])
def test_sine_and_noise_of_one_level_have_one_power(dbm0):
    sine = generate.tone(1000, 1000, dbm0)
    noise = np.random.default_rng(1).standard_normal(800_000) * levels.rms(dbm0)
    assert levels.power_dbm0(sine) == pytest.approx(dbm0, abs=0.05)
    assert levels.power_dbm0(noise) == pytest.approx(dbm0, abs=0.05)
    assert levels.sine_dbm0(levels.amplitude(dbm0)) == pytest.approx(dbm0)


def test_levels_are_taken_line_by_line_and_silence_is_finite():
    lines = np.stack([generate.tone(1000, 100, -10), generate.silence(100)])
    assert levels.power_dbm0(lines) == pytest.approx([-10.0, levels.SILENCE_DBM0], abs=0.01)
    assert levels.power_dbm0(np.zeros((2, 0), np.int16)).tolist() == [levels.SILENCE_DBM0] * 2


def test_decibels_and_ratio_are_inverse():
    assert levels.ratio(20.0) == pytest.approx(10.0)
    assert levels.decibels(levels.ratio(-6.0)) == pytest.approx(-6.0)
    assert levels.decibels(0.0) == levels.SILENCE_DBM0


def test_milliseconds_round_to_the_nearest_sample():
    assert [levels.ms(20), levels.ms(0.05), levels.ms(0.07)] == [160, 0, 1]
