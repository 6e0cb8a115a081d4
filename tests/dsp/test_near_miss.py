"""dsp/near_miss.py: what is like a key is told as one, with what is wrong; what is not like one, and keys, are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hotline import voice
from hotline.dsp import dtmf, g711, generate
from hotline.dsp.generate import HIGH, LOW, mix, noise, silence
from hotline.dsp.levels import RATE
from hotline.voice import audiofile


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


def told_of(signals):
    """What is told of each line, fed at once with 200 ms of silence behind: {(line, keys): last value}."""
    longest = max(map(len, signals)) + RATE // 5
    lines = np.stack([np.pad(signal, (0, longest - len(signal))) for signal in signals])
    return {(e.line, e.digit): (e.check, e.value) for e in dtmf.Detector(len(lines), explain=True).feed(lines)}


@pytest.mark.parametrize(("on_ms", "least"), [(22, 70), (25, 78)])
def test_keys_too_short_are_told_with_their_length_wherever_they_fall(on_ms, least):
    """Of 80 that begin everywhere between two looks."""
    signals = []
    for lead in range(20):
        keys = mix(generate.dtmf("159D", on_ms, 80), noise(4 * (on_ms + 80), -40, np.random.default_rng(lead)))
        signals.append(np.concatenate([silence(lead), keys]))
    told = told_of(signals)
    lasted = [value for check, value in told.values() if check == "on"]
    assert len(lasted) >= least
    assert np.median(lasted) == pytest.approx(on_ms, abs=1.5)


def test_of_noise_hardly_anything_is_told():
    """A minute as loud as a bad line has it: without asking what stands out, it was 262 times."""
    events = dtmf.Detector(1, explain=True).feed(noise(60_000, -30, np.random.default_rng(3))[None])
    assert len(events) < 10


def test_of_speech_is_told_how_much_else_sounds_and_little_more():
    """All prompts, some six minutes."""
    prompts = [audiofile.read_pcm(path) for path in sorted((Path(voice.__file__).parent / "prompts").glob("P*.wav"))]
    events = dtmf.Detector(1, explain=True).feed(np.concatenate(prompts)[None])
    assert len([event for event in events if event.check in dtmf.COMMON]) < 10
