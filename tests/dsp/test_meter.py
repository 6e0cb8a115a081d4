"""dsp/meter.py: running figures against signals whose figures are known."""

from __future__ import annotations

import numpy as np
import pytest
from hotline.dsp import generate
from hotline.dsp.generate import mix, noise, silence
from hotline.dsp.levels import RATE, SILENCE_DBM0, amplitude, ms
from hotline.dsp.meter import Meter, voiced


def metered(samples, step=160):
    meter = Meter(1)
    for at in range(0, len(samples), step):
        meter.feed(samples[None, at : at + step])
    return meter


def talk(seconds, level=-15.0):
    """Syllables of 200 ms with pauses of 60 ms."""
    tones = generate.tones([200, 400, 600, 1100], [level - 6] * 4, round(seconds * RATE), ramp_ms=10)
    return generate.to_int16(tones * np.resize(np.repeat([1.0, 0.02], [ms(200), ms(60)]), len(tones)))


def test_silence():
    meter = metered(silence(1000))
    assert meter.level[0] == meter.talker[0] == meter.hum[0] == pytest.approx(SILENCE_DBM0)
    assert not meter.voice[0]
    assert meter.quiet[0] == RATE


@pytest.mark.parametrize("level", [0, -20, -40])
def test_level_of_a_tone(level):
    assert metered(generate.tone(1000, 1000, level)).level[0] == pytest.approx(level, abs=0.1)


def test_noise_floor_of_a_steady_noise():
    meter = metered(noise(12_000, -35, np.random.default_rng(1)))
    assert meter.noise[0] == pytest.approx(-35.5, abs=1)
    assert not meter.voice[0]
    assert meter.quiet[0] > 3 * RATE


def test_talker_and_noise_of_speech_over_noise():
    samples = np.concatenate([silence(2000), talk(5), silence(1500)])
    meter = metered(mix(samples, noise(len(samples) * 1000 / RATE, -50, np.random.default_rng(2))))
    assert meter.talker[0] == pytest.approx(-15, abs=2)
    assert meter.noise[0] == pytest.approx(-50, abs=2)
    assert meter.quiet[0] == pytest.approx(1.5 * RATE, abs=ms(80))


def test_voice_is_seen_within_a_tenth_of_a_second_and_quiet_counts_from_its_end():
    meter = Meter(1)
    samples = np.concatenate([silence(1000), talk(1), silence(1000)])
    first = None
    for at in range(0, len(samples), 160):
        meter.feed(samples[None, at : at + 160])
        if meter.voice[0] and first is None:
            first = at
    assert first is not None
    assert ms(1000) <= first <= ms(1100)
    assert meter.quiet[0] == pytest.approx(RATE, abs=ms(80))


def test_a_click_is_no_voice():
    samples = silence(2000)
    samples[RATE : RATE + 200] = 20_000
    assert metered(samples).quiet[0] == 2 * RATE


def test_dc_and_hum_are_figures_of_their_own():
    hum = generate.tones([50], [-20], 5 * RATE)
    meter = metered(mix(hum + 1500, noise(5000, -60, np.random.default_rng(3))))
    assert meter.dc[0] == pytest.approx(1500, rel=0.02)
    assert meter.hum[0] == pytest.approx(-20, abs=0.2)
    assert meter.level[0] == pytest.approx(-60, abs=2)
    assert meter.quiet[0] == 5 * RATE


def test_clipping_is_counted():
    loud = np.clip(generate.tones([400], [3.0], RATE) * 2, -32124, 32124)
    assert metered(generate.to_int16(loud)).clipped[0] > RATE / 2
    assert metered(generate.tone(400, 1000, 2.5)).clipped[0] == 0


@pytest.mark.parametrize("step", [1, 50, 160, 400, 9999])
def test_cutting_changes_nothing(step):
    samples = np.concatenate([talk(0.5), silence(130)])
    whole, cut = metered(samples, len(samples)), metered(samples, step)
    for name in ("level", "noise", "talker", "dc", "hum", "clipped", "voice", "quiet"):
        assert getattr(cut, name) == pytest.approx(getattr(whole, name), rel=1e-4), name


def test_lines_are_apart_and_one_is_reset():
    meter = Meter(3)
    rows = np.stack([talk(1), silence(1000), talk(1, -30)])
    meter.feed(rows)
    assert meter.talker[0] - meter.talker[2] == pytest.approx(15, abs=0.5)
    meter.reset(0)
    assert meter.talker[0] == SILENCE_DBM0
    assert meter.quiet[0] == 0
    assert meter.talker[2] > -40
    assert meter.quiet[1] == RATE


@pytest.mark.parametrize("floor", [-70, -45])
def test_where_a_recording_has_voice(floor):
    samples = np.concatenate([silence(1000), talk(2), silence(3000)])
    samples = mix(samples, noise(6000, floor, np.random.default_rng(5)))
    start, end = voiced(samples)
    assert start == pytest.approx(ms(1000), abs=ms(40))
    assert end == pytest.approx(ms(3000), abs=ms(80))


@pytest.mark.parametrize(
    "samples", [silence(0), silence(10), silence(2000), noise(2000, -30, np.random.default_rng(6))]
)
def test_a_recording_without_voice(samples):
    assert voiced(samples) is None


def test_full_scale_does_not_overflow():
    samples = np.full(RATE, -32768, np.int16)
    samples[::2] = 32767
    assert metered(samples).level[0] == pytest.approx(3.14 + 3.01, abs=0.1)
    assert amplitude(3.14) == pytest.approx(32767)
