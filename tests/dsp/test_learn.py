"""dsp/learn.py: tones nobody knew before are learned from bad recordings, and the detector then finds them."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest
from hotline import voice
from hotline.config import tones
from hotline.dsp import g711, generate, learn
from hotline.dsp.generate import mix, noise, silence
from hotline.dsp.learn import NotLearned
from hotline.dsp.levels import RATE, rms
from hotline.voice import audiofile

CN = tones.load("cn")
BUSY = [(0.35, 0.35)]


@functools.cache
def prompts():
    files = sorted((Path(voice.__file__).parent / "prompts").rglob("*.wav"))
    return np.concatenate([audiofile.read_pcm(path) for path in files[:200]])


def spoken(seconds, rng):
    samples, count = prompts(), round(seconds * RATE)
    at = rng.integers(len(samples) - count)
    return samples[at : at + count]


def recording(rng):
    """A PBX's own tone as a centre would record it, and the tone: frequencies and (on, off) pairs."""
    frequencies = [rng.uniform(380, 620) for _ in range(rng.integers(1, 3))]
    while len(frequencies) == 2 and abs(frequencies[0] - frequencies[1]) < 42:
        frequencies[1] = rng.uniform(380, 620)
    pattern = [tuple(np.round(rng.uniform(0.1, 1.5, 2), 3)) for _ in range(rng.integers(1, 3))]
    period = sum(map(sum, pattern))
    level = rng.uniform(-30, -6)
    tone = generate.cadence(frequencies, pattern, max(rng.uniform(3.3, 5) * period, 3), level)
    tone = tone[round(rng.uniform(0, 0.9) * period * RATE) :] if rng.random() < 0.5 and period < 3 else tone
    before = spoken(rng.uniform(1, 6), rng) if rng.random() < 0.5 else silence(rng.uniform(0, 2000))
    signal = np.concatenate([before, tone]).astype(float)
    signal += rng.standard_normal(len(signal)) * rms(level - rng.uniform(10, 40))
    samples = generate.to_int16(signal)
    if rng.random() < 0.5:
        samples = g711.alaw_decode(g711.alaw_encode(samples))
    return samples, sorted(frequencies), [part for pair in pattern for part in pair]


def turned(cadence):
    return [cadence[at:] + cadence[:at] for at in range(0, len(cadence), 2)]


@pytest.mark.parametrize("seed", range(16))
def test_a_tone_nobody_knew(seed):
    samples, frequencies, cadence = recording(np.random.default_rng([7, seed]))
    learned = learn.learn(samples)
    assert learned.frequencies == pytest.approx(frequencies, abs=1)
    assert any(learned.cadence == pytest.approx(turn, abs=0.02) for turn in turned(cadence))
    tone = learn.entry(learned, "busy", "本局忙音", released=True)
    proof = learn.prove(tone, learned, samples)
    assert proof.elsewhere == 0
    assert proof.start < proof.declared <= len(samples) / RATE


@pytest.mark.parametrize("country", tones.shipped())
def test_every_tone_that_ships_is_learned_and_taken_for_itself_alone(country):
    plan = tones.load(country)
    for name, tone in plan.tones.items():
        if tone.sequence:
            continue
        seconds = max(3.6 * sum(tone.cadence), 4)
        played = generate.cadence(tone.frequencies, tone.pattern, seconds)
        learned = learn.learn(np.concatenate([silence(300), played]))
        assert learned.frequencies == pytest.approx(sorted(tone.frequencies), abs=0.5)
        assert learned.cadence == () if tone.continuous else len(learned.cadence) <= len(tone.cadence)
        entry = learn.entry(learned, tone.meaning, tone.text, released=tone.released)
        assert learn.collisions(entry, plan) == [name]


def test_what_is_told_of_it():
    samples = np.concatenate([silence(500), generate.cadence([440], [(0.2, 0.3)], 4, -15), silence(500)])
    learned = learn.learn(mix(samples, noise(5000, -35, np.random.default_rng(1))))
    assert learned.level_dbm0 == pytest.approx(-15, abs=0.2)
    assert learned.purity_db == pytest.approx(20, abs=2)
    assert learned.periods == pytest.approx(7.5)
    assert learned.start == pytest.approx(0.5, abs=0.01)
    assert learned.end == pytest.approx(4.2, abs=0.01)
    assert max(learned.spread_s) < 0.01
    assert learn.doubts(learned, []) == []


def test_what_makes_it_doubtful():
    few = learn.learn(np.concatenate([generate.cadence([440], [(0.5, 0.5)], 2.6), silence(600)]))
    assert learn.doubts(few, []) == ["few_periods"]
    rng = np.random.default_rng(5)
    uneven = [generate.cadence([440], [(0.5 + rng.uniform(-0.04, 0.04), 0.4)], 0.95) for _ in range(8)]
    assert "uneven" in learn.doubts(learn.learn(np.concatenate(uneven)), [])
    faint = mix(generate.cadence([440], [(0.5, 0.5)], 6, -42), noise(6000, -52, rng))
    assert set(learn.doubts(learn.learn(faint), [])) >= {"noisy", "quiet"}
    assert "elsewhere" in learn.doubts(few, [learn.Proof(0, 1, elsewhere=1)])


REFUSED = {
    "nothing": (silence(0), "short"),
    "half a second": (generate.tone(450, 500), "short"),
    "silence": (silence(5000), "quiet"),
    "noise": (noise(8000, -20, np.random.default_rng(2)), "no_tone"),
    "one period and a half": (generate.cadence([450], BUSY, 1.3), "few_periods"),
    "a key pressed again and again": (generate.dtmf("5" * 20, 100, 100), "keys"),
    "a key held": (generate.dtmf("5", 6000, 0), "keys"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case):
    samples, why = REFUSED[case]
    with pytest.raises(NotLearned) as refused:
        learn.learn(samples)
    assert refused.value.why == why


@pytest.mark.parametrize("seed", range(6))
def test_speech_teaches_nothing(seed):
    with pytest.raises(NotLearned) as refused:
        learn.learn(spoken(30, np.random.default_rng(seed)))
    assert refused.value.why in ("no_cadence", "no_tone")


def test_long_speech_before_a_slow_tone_does_not_matter():
    tone = generate.cadence([400.2, 582], [(1.3, 0.54)], 8, -19)
    learned = learn.learn(np.concatenate([spoken(25, np.random.default_rng(8)), tone]))
    assert learned.cadence == pytest.approx((1.3, 0.54), abs=0.01)
    assert learned.start == pytest.approx(25, abs=0.05)


def test_a_waltz_teaches_nothing():
    beat = [generate.tone(frequency, 280) for frequency in (440, 550, 550)]
    with pytest.raises(NotLearned):
        learn.learn(np.concatenate(beat * 8))


def test_several_recordings_make_one_tone():
    rng = np.random.default_rng(3)
    parts = [(0.4, 0.35), (0.22, 0.52)]
    shifted = [parts, parts[::-1], [(0.404, 0.348), (0.221, 0.524)]]
    found = [learn.learn(mix(generate.cadence([425], part, 6), noise(6000, -30, rng))) for part in shifted]
    tone = learn.combine(found)
    assert (tone.files, tone.frequencies) == (3, (pytest.approx(425, abs=0.5),))
    assert any(tone.cadence == pytest.approx(turn, abs=0.005) for turn in turned([0.4, 0.35, 0.22, 0.52]))
    assert tone.periods > max(one.periods for one in found)
    assert all(wide >= narrow for wide, narrow in zip(tone.spread_s, found[0].spread_s, strict=True))


def test_recordings_of_different_tones_do_not_make_one():
    one, other = (learn.learn(generate.cadence([f], BUSY, 4)) for f in (425, 480))
    with pytest.raises(NotLearned) as refused:
        learn.combine([one, one, other])
    assert (refused.value.why, refused.value.value) == ("unlike", 2)


def test_an_entry_that_would_be_taken_for_ring_back():
    learned = learn.learn(generate.cadence([448], [(1.02, 3.95)], 16))
    entry = learn.entry(learned, "busy", "本局忙音", released=True)
    assert learn.collisions(entry, CN) == ["ringback"]
    assert (
        learn.collisions(learn.entry(learn.learn(generate.cadence([620], BUSY, 5)), "busy", "x", released=True), CN)
        == []
    )


def test_a_continuous_tone_after_speech():
    rng = np.random.default_rng(4)
    samples = np.concatenate([spoken(4, rng), generate.tone(425, 5000, -20)])
    learned = learn.learn(samples)
    assert (learned.cadence, learned.frequencies) == ((), (pytest.approx(425, abs=0.5),))
    proof = learn.prove(learn.entry(learned, "busy", "x", released=True), learned, samples)
    assert proof.start == pytest.approx(4, abs=0.05)


def test_tolerances_of_the_entry_cover_what_was_seen():
    rng = np.random.default_rng(6)
    bursts = [generate.cadence([440], [(0.3 + rng.uniform(-0.02, 0.02), 0.3)], 0.62) for _ in range(10)]
    learned = learn.learn(np.concatenate(bursts))
    entry = learn.entry(learned, "busy", "x", released=True)
    for duration, spread in zip(entry.cadence, learned.spread_s, strict=True):
        assert duration * entry.tolerance_percent / 100 >= spread
