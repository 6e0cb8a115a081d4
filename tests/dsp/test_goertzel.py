"""The bank is judged by the textbook's recursion."""

import numpy as np
import pytest
from hotline.dsp import generate, goertzel, levels

FREQUENCIES = (*generate.LOW, *generate.HIGH, 450.0, 1040.0)
WINDOW = goertzel.hann(240)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_bank_is_the_recursion_over_all_windows(dtype):
    windows = np.random.default_rng(3).standard_normal((7, 240)) * 4000
    bases = goertzel.basis(FREQUENCIES, WINDOW).astype(dtype)
    amplitudes = np.abs(goertzel.bank(bases, windows.astype(dtype)))
    slow = [[goertzel.recursion(window, frequency, WINDOW) for frequency in FREQUENCIES] for window in windows]
    assert amplitudes == pytest.approx(np.array(slow), rel=1e-3, abs=0.01)


def test_a_sine_gives_its_peak_and_the_phase_in_the_middle():
    middle = 119.5 / levels.RATE
    sine = generate.tones([770.0], [-10.0], 240, phases=[np.pi / 2 + 0.5 - 2 * np.pi * 770.0 * middle])
    (amplitude,) = goertzel.bank(goertzel.basis([770.0], WINDOW), sine[None])[0]
    assert abs(amplitude) == pytest.approx(levels.amplitude(-10.0), rel=0.001)
    assert np.angle(amplitude) == pytest.approx(0.5, abs=0.001)


def test_a_neighbour_of_the_grid_is_on_the_skirts():
    sine = generate.tones([697.0], [0.0], 240)
    near, far = np.abs(goertzel.bank(goertzel.basis([770.0, 1209.0], WINDOW), sine[None])[0])
    assert levels.decibels(near / levels.amplitude(0.0)) < -25
    assert levels.decibels(far / levels.amplitude(0.0)) < -60
