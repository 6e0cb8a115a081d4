"""The measurement of one press, without the stream around it."""

import dataclasses

import numpy as np
import pytest
from hotline.dsp import generate, keypress, levels
from hotline.dsp.keypress import HISTORY, LIMITS, Press, Refusal
from rig import slow_keypress
from rig.presses import presses

RNG = np.random.default_rng(11)


def held(digit="5", on_ms=50.0, **kind):
    """The last 80 ms of a line on which a key was pressed so long ago and is still down."""
    tone = generate.key(digit, on_ms, **kind)
    return np.concatenate([np.zeros(HISTORY - len(tone)), tone]) + RNG.standard_normal(HISTORY)


def judge(samples, digit="5", limits=LIMITS):
    return keypress.judge(samples[None].astype(np.float32), np.array([generate.KEYS.index(digit)]), limits).one(0)


def check(samples, digit="5"):
    verdict = judge(samples, digit)
    return verdict.check if isinstance(verdict, Refusal) else None


@pytest.mark.parametrize("digit", generate.KEYS)
def test_start_level_and_frequency_are_measured(digit):
    press = judge(held(digit, 50, level_dbm0=-12, twist_db=-3, deviation_percent=(1.2, -0.7)), digit)
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
        ("apart", held(deviation_percent=(-2.12, 2.12))),
        ("apart", held(deviation_percent=(2.17, -2.17))),
        ("purity", held() + generate.tones([1040.0], [-18.0], HISTORY)),
        ("voice", held() + generate.tones([230.0], [-14.0], HISTORY)),
        ("under", held(on_ms=80) + generate.tones([305.0], [-4.0], HISTORY)),
    ],
)
def test_a_refusal_names_the_limit_it_failed(limit, samples):
    verdict = judge(samples)
    assert isinstance(verdict, Refusal)
    assert verdict.check == limit


def test_every_check_can_be_loosened_by_its_limit():
    assert check(held(deviation_percent=2.6)) == "deviation"
    loose = dataclasses.replace(LIMITS, deviation=2.8)
    assert isinstance(judge(held(deviation_percent=2.6), limits=loose), Press)


def test_a_tone_that_swells_is_not_steady():
    swelling = held() * np.geomspace(1.0, 9.0, HISTORY)
    assert check(swelling) is None
    verdict = judge(swelling, limits=dataclasses.replace(LIMITS, steady=1.5))
    assert isinstance(verdict, Refusal)
    assert verdict.check == "steady"


def test_noise_may_make_a_tone_waver_that_otherwise_must_not():
    assert check(held(on_ms=80) * np.geomspace(1 / 3, 3, HISTORY)) == "steady"
    rng, strict = np.random.default_rng(1), dataclasses.replace(LIMITS, noise_steady=LIMITS.steady)
    keys = np.array([held(on_ms=60) + levels.rms(-8.0) * rng.standard_normal(HISTORY) for _ in range(400)], np.float32)
    steady = keypress.CHECKS.index("steady")
    fives = np.full(len(keys), generate.KEYS.index("5"))
    assert np.count_nonzero(keypress.judge(keys, fives, strict).check == steady) > 15
    assert np.count_nonzero(keypress.judge(keys, fives).check == steady) < 6


def test_white_noise_may_be_strong_but_a_single_tone_may_not():
    disturbance = levels.rms(-10.0) * RNG.standard_normal(HISTORY)  # S/N 3 dB
    assert check(held(on_ms=55) + disturbance) is None
    assert check(held(on_ms=40) + generate.tones([1040.0], [-23.0], HISTORY)) == "purity"
    assert check(held(on_ms=40) + generate.tones([1040.0], [-27.0], HISTORY)) is None


@pytest.mark.parametrize(("digit", "low"), [("2", 682.4), ("6", 753.9), ("C", 834.2)])
def test_an_octave_is_no_key_though_neither_tone_is_far_off(digit, low):
    assert check(generate.tones([low, 2 * low], [-10.0, -12.0], HISTORY), digit) == "apart"
    assert check(held(digit, deviation_percent=(-2.0, 2.0)), digit) is None


@pytest.mark.parametrize(("pitch", "harmonics"), [(237.0, (4, 5)), (307.0, (3, 4))])
def test_two_harmonics_of_a_steady_voice_have_to_be_purer_than_a_key_whose_ratio_is_right(pitch, harmonics):
    """With the next harmonic 14 dB below, as strong as what is left of an echo may be."""
    others = generate.tones([pitch * (harmonics[1] + 1)], [-24.0], HISTORY)
    voice = generate.tones([pitch * harmonic for harmonic in harmonics], [-10.0, -10.0], HISTORY)
    assert check(voice + others, "*") == "purity"
    assert check(voice + others * levels.ratio(-6.0), "*") is None
    assert check(held("*", 80, deviation_percent=1.8) + others, "*") is None


@pytest.mark.parametrize(("off", "verdict"), [((0.61, -0.63), None), ((1.8, 0.2), "purity"), ((1.2, 1.2), None)])
def test_beside_company_a_machines_tones_have_to_keep_their_ratio(off, verdict):
    """A tone 12 dB below the weaker, as strong as what is left of an echo may be. Off by so much are the tones of a
    generator that divides a quartz; by as much as the second G5 and F sharp 6, played together, from the key 6."""
    company = generate.tones([1040.0], [-22.0], HISTORY)
    assert check(held("6", 80, deviation_percent=off) + company, "6") == verdict
    assert check(held("6", 80, deviation_percent=off), "6") is None


MEASURED = levels.ms(25)  # between the middles of the first and the last window of a key that are measured
LEFT = np.arange(HISTORY)[::-1] / MEASURED


@pytest.mark.parametrize(("db", "verdict"), [(1.1, None), (1.9, "purity")])
def test_beside_company_a_machines_tones_have_to_stay_as_loud(db, verdict):
    dying = held(on_ms=80) * 10 ** (db / 20 * LEFT)
    assert check(dying + generate.tones([1040.0], [-22.0], HISTORY)) == verdict
    assert check(dying) is None


@pytest.mark.parametrize(("hertz", "verdict"), [(2.0, None), (4.0, "purity")])
def test_beside_company_a_machines_tones_have_to_stand_still(hertz, verdict):
    frequency = 770.0 + hertz * (LEFT - 0.5)
    gliding = levels.amplitude(-10.0) * np.sin(2 * np.pi * np.cumsum(frequency) / levels.RATE)
    gliding += generate.tones([1336.0], [-10.0], HISTORY)
    assert check(gliding + generate.tones([1040.0], [-22.0], HISTORY)) == verdict
    assert check(gliding) is None


@pytest.mark.parametrize("pitch", [303.0, 306.0, 308.0])
def test_two_overtones_of_a_struck_bar_are_no_key_unless_they_sound_alone(pitch):
    overtones = generate.tones([2.756 * pitch, 5.404 * pitch], [-14.0, -20.0], HISTORY)
    assert check(overtones, "C") is None
    assert check(overtones + generate.tones([pitch], [-10.0], HISTORY), "C") == "under"


def test_what_sounds_where_a_bar_would_may_be_a_little_stronger_than_a_key():
    key = held(on_ms=80, level_dbm0=-14.0)
    assert check(key + generate.tones([305.0], [-9.6], HISTORY)) is None
    assert check(key + generate.tones([305.0], [-8.4], HISTORY)) == "under"


@pytest.mark.parametrize("on_ms", [40.0, 50.0, 80.0])
@pytest.mark.parametrize("low", [326.7, 333.3, 346.5])
def test_a_dial_tone_just_above_is_not_taken_for_a_bar(low, on_ms):
    assert check(held(on_ms=on_ms) + generate.tones([low, 440.0], [2.0, 2.0], HISTORY)) is None


def test_dial_tone_and_hum_may_be_stronger_than_the_key():
    assert check(held() + generate.tones([450.0], [0.0], HISTORY)) is None
    assert check(held() + generate.tones([50.0], [0.0], HISTORY)) is None


def test_edges_are_where_the_tone_began_and_ended():
    key = generate.key("5", 45)
    samples = np.concatenate([np.zeros(140), key, np.zeros(HISTORY - 140 - len(key))])
    sizes = np.full((2, 2), levels.amplitude(-10.0))
    both = np.stack([samples] * 2).astype(np.float32)
    began, ended = keypress.edges(both, np.array([5, 5]), sizes, np.array([True, False]))
    assert HISTORY + began == pytest.approx(140, abs=levels.ms(1.5))
    assert HISTORY + ended == pytest.approx(140 + len(key), abs=levels.ms(1.5))


def test_many_are_judged_at_once_as_the_textbook_judges_each():
    """But for what single precision loses, up to 0.01 ms of a length, by another order on another processor."""
    samples, digits = presses(1500, np.random.default_rng(3))
    seen = set()
    verdicts = keypress.judge(samples, digits)
    for row, (line, digit) in enumerate(zip(samples.astype(float), digits, strict=True)):
        found, expected = verdicts.one(row), slow_keypress.judge(line, int(digit))
        assert type(found) is type(expected)
        if isinstance(found, Refusal):
            seen.add(found.check)
            assert found.check == expected.check
            assert (found.value, found.limit) == pytest.approx((expected.value, expected.limit), rel=1e-4, abs=1e-2)
        else:
            assert tuple(found) == pytest.approx(tuple(expected), rel=1e-4, abs=1e-3)
    measured = {"on", "deviation", "apart", "twist_high", "steady", "drift", "floor", "twist_low"}
    assert seen == measured | {"voice", "under", "purity"}


def test_edges_are_found_at_once_as_the_textbook_finds_each():
    samples, digits = presses(300, np.random.default_rng(5))
    sizes = levels.amplitude(-20.0) * np.ones((2, len(digits)))
    rising = np.arange(len(digits)) % 2 == 1
    found = keypress.edges(samples, digits, sizes, rising)
    rows = zip(samples.astype(float), digits, sizes.T, rising, strict=True)
    assert found == pytest.approx([slow_keypress.edge(x, int(digit), *two, rising=up) for x, digit, two, up in rows])


def test_who_is_judged_beside_it_does_not_change_a_verdict():
    samples, digits = presses(40, np.random.default_rng(6))
    together = keypress.judge(samples, digits)
    for row in range(len(digits)):
        assert keypress.judge(samples[[row]], digits[[row]]).one(0) == together.one(row)
