"""dsp/near_miss.py: what is like a key is told as one, with what is wrong; what is not like one, and keys, are not."""

from __future__ import annotations

import numpy as np
import pytest
from hotline.dsp import dtmf, g711, generate
from hotline.dsp.generate import HIGH, LOW, mix, noise, silence
from hotline.dsp.levels import RATE


def refused(*parts, law=lambda samples: samples):
    """The middle value of each check that a key failed, but for being too short yet."""
    samples = law(np.concatenate([silence(200), *parts, silence(200)]))
    events = dtmf.Detector(1, explain=True).feed(samples[None])
    assert not [event for event in events if isinstance(event, dtmf.Onset)]
    values = {}
    for event in events:
        if event.check != "on":
            values.setdefault((event.digit, event.check), []).append(event.value)
    return {what: float(np.median(measured)) for what, measured in values.items()}


def companded(samples):
    return g711.alaw_decode(g711.alaw_encode(samples))


@pytest.mark.parametrize("off", [-4.5, -3.0, 3.0, 4.5])
@pytest.mark.parametrize("key", "1590D*")
def test_a_pair_between_the_keys_belongs_to_the_nearest(key, off):
    found = refused(generate.dtmf(key, 60, 100, -20, deviation_percent=off), law=companded)
    assert list(found) == [(key, "deviation")]
    assert found[key, "deviation"] == pytest.approx(abs(off), abs=0.25)


@pytest.mark.parametrize("off", [5.2, 7.0, 9.5])
@pytest.mark.parametrize(("key", "sign"), [("1", -1), ("D", 1)])
def test_beyond_the_grid_up_to_ten_per_cent(key, sign, off):
    found = refused(generate.dtmf(key, 80, 100, deviation_percent=sign * off))
    assert found[key, "deviation"] == pytest.approx(off, abs=0.25)


def test_one_tone_far_off_beside_a_good_one():
    signal = generate.tones([LOW[1], HIGH[1] * 1.045], [-12, -12], RATE // 10)
    assert refused(generate.to_int16(signal))["5", "deviation"] == pytest.approx(4.5, abs=0.25)


@pytest.mark.parametrize(("hertz", "keys", "check"), [(697, "123A", "high_missing"), (1477, "369#", "low_missing")])
def test_a_tone_alone(hertz, keys, check):
    found = refused(mix(generate.tone(hertz, 80), noise(80, -50, np.random.default_rng(1))))
    assert list(found) == [(keys, check)]
    assert found[keys, check] > 20


@pytest.mark.parametrize("hertz", [450, 1100, 1004, 2100, 1800])
def test_other_tones_are_not_like_keys(hertz):
    assert refused(generate.tone(hertz, 300)) == {}


def test_a_pair_in_noise_and_one_too_faint_are_not_clear():
    rng = np.random.default_rng(2)
    pair = generate.dtmf("1", 80, 100, -20, deviation_percent=-7)
    assert refused(mix(pair, noise(180, -14, rng))) == {}
    assert refused(generate.dtmf("1", 80, 100, -60, deviation_percent=-7)) == {}
