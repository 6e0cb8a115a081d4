"""Clear keys: which are, from both sides of each bound, and what is measured of them."""

from dataclasses import replace

import numpy as np
import pytest
from hotline.dsp import generate, keypress, levels
from hotline.dsp.clear import LENGTH, Bounds, clear_keys
from hotline.dsp.keypress import LIMITS, ON, PASSED
from rig.presses import presses

BOUNDS = Bounds.of(LIMITS)
EIGHT = np.array(generate.LOW + generate.HIGH)


def ask(digit, hertz, dbm0, beside=0.0, growth_db=0.0):
    """Of one digit and two tones with these frequencies and levels."""
    signal = generate.tones(hertz, dbm0, LENGTH) * 10 ** (np.linspace(0, growth_db, LENGTH) / 20) + beside
    passes, sizes, percent = clear_keys(signal[None].astype(np.float32), np.array([digit]), BOUNDS)
    return bool(passes[0]), levels.sine_dbm0(sizes[:, 0]), percent[:, 0]


@pytest.mark.parametrize("digit", range(16))
def test_levels_and_frequencies_are_measured(digit):
    rng, nominal = np.random.default_rng(digit), EIGHT[generate.TONES_OF[:, digit]]
    for _ in range(20):
        off = rng.uniform(-0.8, 0.8, 2)
        dbm0 = rng.uniform(-30, 0) + rng.uniform(-1.5, 1.5, 2)
        passes, found, percent = ask(digit, nominal * (1 + off / 100), dbm0)
        assert passes
        assert found == pytest.approx(dbm0, abs=0.1)
        assert percent == pytest.approx(off, abs=0.05)


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ({"dbm0": [-13.0, -5.6]}, {"dbm0": [-13.0, -5.4]}),
        ({"dbm0": [-5.0, -16.4]}, {"dbm0": [-5.0, -16.6]}),
        ({"dbm0": [-45.9, -45.9]}, {"dbm0": [-46.1, -46.1]}),
        ({"growth_db": 1.7}, {"growth_db": 1.9}),
        ({"growth_db": -1.7}, {"growth_db": -1.9}),
        ({"hertz": [697 * 1.0199, 1209]}, {"hertz": [697 * 1.0201, 1209]}),
        ({"hertz": [697 * 0.9801, 1209]}, {"hertz": [697 * 0.9799, 1209]}),
        ({"beside": generate.tones([2500.0], [-25.5], LENGTH)}, {"beside": generate.tones([2500.0], [-24.5], LENGTH)}),
    ],
    ids=["high", "low", "floor", "louder", "weaker", "sharp", "flat", "company"],
)
def test_each_bound_from_both_sides(inside, outside):
    plain = {"digit": 0, "hertz": [697.0, 1209.0], "dbm0": [-10.0, -10.0]}
    assert ask(**{**plain, **inside})[0]
    assert not ask(**{**plain, **outside})[0]


def test_what_is_clear_is_a_key_to_the_judge_too():
    """Unless it is too short, which is not asked here. (Of one just begun in noise it may see the tones waver.)"""
    samples, digits = presses(6000, np.random.default_rng(11))
    passes, sizes, percent = clear_keys(samples[:, -LENGTH:], digits, BOUNDS)
    verdicts = keypress.judge(samples, digits)
    passes &= verdicts.check != ON
    accepted = passes & (verdicts.check == PASSED)
    assert 150 < accepted.sum() >= passes.sum() - 1
    press = verdicts.presses[:, accepted]
    assert 20 * np.log10(sizes[:, accepted] / press[1:3]) == pytest.approx(0, abs=0.5)
    assert percent[:, accepted] == pytest.approx(press[5:7], abs=0.5)


def test_who_is_asked_beside_it_does_not_change_an_answer():
    samples, digits = presses(200, np.random.default_rng(12))
    together = clear_keys(samples[:, -LENGTH:], digits, BOUNDS)
    for row in range(len(digits)):
        passes, sizes, percent = clear_keys(samples[[row], -LENGTH:], digits[[row]], BOUNDS)
        assert passes[0] == together[0][row]
        if passes[0]:
            assert sizes[:, 0] == pytest.approx(together[1][:, row], rel=1e-4)
            assert percent[:, 0] == pytest.approx(together[2][:, row], abs=1e-3)


def test_nothing_is_clear_that_has_to_last_longer_than_is_looked_at():
    key = generate.tones([697.0, 1209.0], [-10.0, -10.0], LENGTH)[None].astype(np.float32)
    for on, passes in ((36.0, True), (36.2, False)):
        assert clear_keys(key, np.array([0]), Bounds.of(replace(LIMITS, on=on)))[0] == passes
