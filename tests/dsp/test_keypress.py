"""The measurement of one press, without the stream around it."""

import dataclasses

import numpy as np
import pytest
from hotline.dsp import generate, keypress, levels
from hotline.dsp.keypress import HISTORY, LIMITS, Press, Refusal

RNG = np.random.default_rng(11)


def held(digit="5", on_ms=50.0, **kind):
    """The last 100 ms of a line on which a key was pressed so long ago and is still down."""
    tone = generate.key(digit, on_ms, **kind)
    return np.concatenate([np.zeros(HISTORY - len(tone)), tone]) + RNG.standard_normal(HISTORY)


def check(samples, digit="5"):
    verdict = keypress.judge(samples, generate.KEYS.index(digit))
    return verdict.check if isinstance(verdict, Refusal) else None


@pytest.mark.parametrize("digit", generate.KEYS)
def test_start_level_and_frequency_are_measured(digit):
    press = keypress.judge(
        held(digit, 50, level_dbm0=-12, twist_db=-3, deviation_percent=(1.2, -0.7)), generate.KEYS.index(digit)
    )
    assert isinstance(press, Press)
    assert press.start == pytest.approx(-levels.ms(50), abs=levels.ms(1.5))
    assert levels.sine_dbm0([press.low, press.high]) == pytest.approx([-12, -15], abs=0.3)
    assert (press.low_percent, press.high_percent) == pytest.approx((1.2, -0.7), abs=0.15)


@pytest.mark.parametrize(
    ("limit", "samples"),
    [
        ("on", held(on_ms=25)),
        ("floor", held(level_dbm0=-48.0)),
        ("twist_high", held(twist_db=9.0)),
        ("twist_low", held(twist_db=-13.0)),
        ("deviation", held(deviation_percent=2.6)),
        ("purity", held() + generate.tones([1040.0], [-18.0], HISTORY)),
        ("voice", held() + generate.tones([230.0], [-14.0], HISTORY)),
    ],
)
def test_a_refusal_names_the_limit_it_failed(limit, samples):
    verdict = keypress.judge(samples, generate.KEYS.index("5"))
    assert isinstance(verdict, Refusal)
    assert verdict.check == limit


def test_every_check_can_be_loosened_by_its_limit():
    assert check(held(deviation_percent=2.6)) == "deviation"
    loose = dataclasses.replace(LIMITS, deviation=2.8)
    assert isinstance(keypress.judge(held(deviation_percent=2.6), 5, loose), Press)


def test_a_tone_that_swells_is_not_steady():
    swelling = held() * np.geomspace(1.0, 15.0, HISTORY)
    assert check(swelling) is None
    verdict = keypress.judge(swelling, 5, dataclasses.replace(LIMITS, steady=1.5))
    assert isinstance(verdict, Refusal)
    assert verdict.check == "steady"


def test_white_noise_may_be_strong_but_a_single_tone_may_not():
    disturbance = levels.rms(-10.0) * RNG.standard_normal(HISTORY)  # S/N 3 dB
    assert check(held(on_ms=55) + disturbance) is None
    assert check(held(on_ms=40) + generate.tones([1040.0], [-23.0], HISTORY)) == "purity"
    assert check(held(on_ms=40) + generate.tones([1040.0], [-27.0], HISTORY)) is None


def test_dial_tone_and_hum_may_be_stronger_than_the_key():
    assert check(held() + generate.tones([450.0], [0.0], HISTORY)) is None
    assert check(held() + generate.tones([50.0], [0.0], HISTORY)) is None


def test_edges_are_where_the_tone_began_and_ended():
    key = generate.key("5", 45)
    samples = np.concatenate([np.zeros(200), key, np.zeros(HISTORY - 200 - len(key))])
    amplitude = levels.amplitude(-10.0)
    began, ended = (keypress.edge(samples, 5, amplitude, amplitude, rising=rising) for rising in (True, False))
    assert HISTORY + began == pytest.approx(200, abs=levels.ms(1.5))
    assert HISTORY + ended == pytest.approx(200 + len(key), abs=levels.ms(1.5))
