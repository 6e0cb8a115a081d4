"""Generated signals are measured with a plain discrete Fourier sum."""

import numpy as np
import pytest
from hotline.dsp import generate, levels


def peak_at(signal, frequency):
    """Peak amplitude of one frequency over the whole signal."""
    turn = np.exp(-2j * np.pi * frequency * np.arange(len(signal)) / levels.RATE)
    return 2 * abs(np.mean(signal * turn))


@pytest.mark.parametrize("digit", generate.KEYS)
def test_a_key_is_its_two_tones(digit):
    row, column = divmod(generate.KEYS.index(digit), 4)
    signal = generate.key(digit, 1000, -13.0)
    assert peak_at(signal, generate.LOW[row]) == pytest.approx(levels.amplitude(-13.0), rel=0.001)
    assert peak_at(signal, generate.HIGH[column]) == pytest.approx(levels.amplitude(-13.0), rel=0.001)


@pytest.mark.parametrize(("twist", "low", "high"), [(4.0, -17.0, -13.0), (-8.0, -13.0, -21.0)])
def test_twist_is_high_minus_low_and_the_stronger_has_the_level(twist, low, high):
    signal = generate.key("1", 1000, -13.0, twist)
    assert levels.sine_dbm0(peak_at(signal, 697)) == pytest.approx(low, abs=0.01)
    assert levels.sine_dbm0(peak_at(signal, 1209)) == pytest.approx(high, abs=0.01)


def test_each_tone_can_be_off_frequency():
    signal = generate.key("1", 1000, -13.0, deviation_percent=(1.0, -2.0))
    for frequency in (697 * 1.01, 1209 * 0.98):
        assert peak_at(signal, frequency) == pytest.approx(levels.amplitude(-13.0), rel=0.001)


def test_a_string_of_keys_has_its_timing():
    samples = generate.dtmf("12", 50, 30)
    assert len(samples) == 2 * levels.ms(80)
    assert not samples[levels.ms(50) : levels.ms(80)].any()
    assert generate.dtmf("").shape == (0,)


def test_a_key_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match="'E' is not a DTMF key"):
        generate.dtmf("1E")


def test_cadence_repeats_and_ends():
    busy = generate.cadence([450.0], [(0.35, 0.35)], 2.0, -10.0)
    assert len(busy) == 16000
    assert levels.power_dbm0(busy[:2800]) == pytest.approx(-10.0, abs=0.05)
    assert not busy[2800:5600].any()
    assert busy[5700:8400].any()
    assert levels.power_dbm0(generate.cadence([350.0, 440.0], [(1.0, 0.0)], 1.0, -13.0)) == pytest.approx(
        -13.0, abs=0.1
    )


def test_an_empty_cadence_is_refused():
    with pytest.raises(ValueError, match="cadence"):
        generate.cadence([450.0], [], 1.0)


def test_edges_can_be_soft():
    signal = generate.key("5", 50, -10.0, ramp_ms=5)
    assert np.max(np.abs(signal[:4])) < 0.02 * levels.amplitude(-10.0)


def test_noise_is_repeatable_and_a_mix_clips():
    first, again = (generate.noise(100, -20.0, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first, again)
    loud = generate.tone(1000, 10, 3.0)
    assert np.max(generate.mix(loud, loud, generate.silence(20))) == 32767
    assert len(generate.mix(loud, generate.silence(20))) == 160
