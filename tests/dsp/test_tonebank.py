"""dsp/tonebank.py: judged by the textbook's recursion, and by signals whose purity is known."""

from __future__ import annotations

import numpy as np
import pytest
from hotline.dsp import generate, goertzel
from hotline.dsp.generate import mix, noise
from hotline.dsp.levels import RATE, sine_dbm0
from hotline.dsp.tonebank import HOP, LONG_WINDOW, WINDOW, Bank, Sound, strongest_other

DIAL = Sound((450.0,), 25.0, -40.0)
PAIR = Sound((440.0, 480.0), 10.0, -40.0)


def hops(samples, *sounds, step=10_000):
    """Power, frequency, pure and heard of all hops of one line whose windows are full."""
    bank = Bank(1, sounds, everywhere=True)
    pieces = [bank.feed(samples[None, at : at + step]) for at in range(0, len(samples), step)]
    return [np.concatenate(parts)[bank.parts :, ..., 0] for parts in zip(*pieces, strict=True)]


@pytest.mark.parametrize("off", [-25, -10, 0, 13, 25])
def test_level_and_frequency_anywhere_within_the_tolerance(off):
    power, frequency, pure, heard = hops(generate.tone(450 + off, 500, -20), DIAL)
    assert sine_dbm0(np.sqrt(power)) == pytest.approx(-20, abs=0.1)
    assert sine_dbm0(np.sqrt(heard)) == pytest.approx(-20, abs=0.1)
    assert frequency == pytest.approx(450 + off, abs=0.2)
    assert pure.all()


def test_power_is_that_of_the_recursion():
    """The two bins of a hop, each by Goertzel's loop over the same window."""
    samples = mix(generate.tone(461, 300, -15), noise(300, -30, np.random.default_rng(1)))
    bank = Bank(1, [DIAL])
    power = bank.feed(samples[None]).power[:, 0, 0]
    window = goertzel.hann(WINDOW)
    for hop in (5, 11, 20):
        piece = samples[(hop + 1) * HOP - WINDOW : (hop + 1) * HOP]
        bins = [goertzel.recursion(piece, 450 + side, window) ** 2 for side in (-12.5, 12.5)]
        whole = [goertzel.recursion(generate.tone(461, 30, 0), 450 + side, window) ** 2 for side in (-12.5, 12.5)]
        gain = float(10 ** ((0 - 3.14) / 10)) * 32767**2 / sum(whole)
        assert power[hop] == pytest.approx(sum(bins) * gain, rel=0.02)


@pytest.mark.parametrize(("snr", "part"), [(6, 1.0), (-6, 0.0)])
def test_purity_against_white_noise(snr, part):
    samples = mix(generate.tone(450, 4000, -20), noise(4000, -20 - snr, np.random.default_rng(2)))
    assert hops(samples, DIAL)[2].mean() == pytest.approx(part, abs=0.02)


def test_what_is_below_200_hz_is_not_heard():
    tone = generate.tones([450], [-35], RATE)
    hum = generate.tones([50, 100, 150], [-15, -25, -20], RATE) + 5000
    _, _, pure, heard = hops(generate.to_int16(tone + hum), DIAL)
    assert pure.all()
    assert sine_dbm0(np.sqrt(heard)) == pytest.approx(-35, abs=1)


def test_close_sines_are_told_apart():
    both = generate.cadence((440, 480), [(1, 0)], 1, -20)
    assert Bank(1, [PAIR]).lead == LONG_WINDOW // 2
    assert hops(both, PAIR)[2].mean() > 0.95
    for alone in (440, 480):
        assert not hops(generate.tone(alone, 1000, -20), PAIR)[2].any()


@pytest.mark.parametrize("step", [1, 37, 80, 160, 1000])
def test_cutting_changes_nothing(step):
    samples = mix(generate.tone(440, 300), noise(300, -30, np.random.default_rng(3)))
    for whole, cut in zip(hops(samples, DIAL, PAIR), hops(samples, DIAL, PAIR, step=step), strict=True):
        assert cut == pytest.approx(whole, rel=1e-3, abs=1.0)


def test_reset_forgets_one_line():
    bank = Bank(2, [DIAL])
    frames = np.stack([generate.tone(450, 100)] * 2)
    bank.feed(frames)
    bank.reset(0)
    quiet = bank.feed(np.zeros_like(frames[:, :HOP]))
    assert quiet.power[0, 0, 0] == 0
    assert quiet.power[0, 0, 1] > 0


def test_the_strongest_other():
    key = generate.dtmf("0", 50, 0, -10, twist_db=-8)
    assert strongest_other(key, [941]) == pytest.approx(-8, abs=1.5)
    clipped = generate.to_int16(np.clip(generate.tones([450], [0], LONG_WINDOW), -9000, 9000))
    assert strongest_other(clipped, [450]) < -25
