"""dsp/steady.py: the sines of a tone are found among speech, hum and harmonics."""

from __future__ import annotations

import numpy as np
import pytest
from hotline.dsp import generate, steady
from hotline.dsp.bursts import Burst
from hotline.dsp.generate import mix, noise, silence, to_int16, tones


def first(samples):
    return next(steady.candidates(samples), None)


@pytest.mark.parametrize("frequencies", [(450,), (400, 442), (350, 440), (480, 620), (400, 450, 520)])
def test_sines_together(frequencies):
    played = generate.cadence(frequencies, [(0.3, 0.4)], 4, -20)
    assert first(mix(played, noise(4000, -30, np.random.default_rng(1)))) == pytest.approx(frequencies, abs=2)


def test_a_harmonic_is_no_sine_of_its_own():
    assert first(to_int16(tones([425, 850, 1275], [-10, -16, -19], 16000))) == (pytest.approx(425, abs=1),)


def test_a_steadier_whistle_comes_first_and_the_tone_after_it():
    tone = generate.cadence([450], [(0.35, 0.35)], 6, -15)
    found = list(steady.candidates(mix(tone, generate.tone(350, 6000, -30))))
    assert any(one == (pytest.approx(450, abs=2),) for one in found)


@pytest.mark.parametrize(
    "samples", [silence(0), silence(50), silence(3000), noise(3000, -20, np.random.default_rng(2))], ids=len
)
def test_nothing_steady(samples):
    assert first(samples) is None


def test_frequencies_are_measured_to_a_tenth():
    samples = mix(generate.tone(433.3, 1000, -20), noise(1000, -40, np.random.default_rng(3)))
    frequencies, purity = steady.refined(samples, [435.0], [Burst(0, 0, 4000, 0, 0), Burst(0, 4000, 8000, 0, 0)])
    assert frequencies == (pytest.approx(433.3, abs=0.15),)
    assert purity == pytest.approx(20, abs=1.5)
