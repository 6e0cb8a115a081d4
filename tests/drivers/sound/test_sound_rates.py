"""Other rates: what passes, what is kept out, how late it comes."""

from __future__ import annotations

import numpy as np
import pytest
from hotline.drivers.line import FRAME
from hotline.drivers.sound.rates import SPAN, Down, Up

FACTOR = 6


def sine(hz: float, rate: int, count: int) -> np.ndarray:
    return np.rint(20000 * np.sin(2 * np.pi * hz * np.arange(count) / rate)).astype(np.int16)


def amplitude(samples: np.ndarray, hz: float, rate: int) -> float:
    """Of one frequency, in the middle of the samples; 1 for `sine`."""
    middle = samples[len(samples) // 4 : -len(samples) // 4].astype(float)
    window = np.hanning(len(middle))
    spin = np.exp(-2j * np.pi * hz * np.arange(len(middle)) / rate)
    return float(2 * abs((middle * window) @ spin) / window.sum() / 20000)


@pytest.mark.parametrize("hz", [300, 1000, 1633, 3400])
def test_the_telephone_band_passes_both_ways(hz: float) -> None:
    there = Up(FACTOR).feed(sine(hz, 8000, 8000))
    assert amplitude(there, hz, 48000) == pytest.approx(1, rel=0.03)
    assert amplitude(there, 8000 - hz, 48000) < 10 ** (-50 / 20), "its image"
    back = Down(FACTOR).feed(there)
    assert amplitude(back, hz, 8000) == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("hz", [4600, 7000, 15000])
def test_what_is_above_does_not_come_down(hz: float) -> None:
    heard = Down(FACTOR).feed(sine(hz, 48000, 48000))
    assert np.abs(heard[200:-200]).max() < 20000 * 10 ** (-50 / 20)


@pytest.mark.parametrize("made", [Down, Up])
def test_frames_are_joined_without_a_seam(made: type[Down] | type[Up]) -> None:
    samples = np.random.default_rng(1).integers(-9000, 9000, 6000).astype(np.int16)
    whole = made(FACTOR).feed(samples)
    parts = made(FACTOR)
    joined = np.concatenate([parts.feed(part) for part in np.split(samples, 10)])
    assert np.abs(whole.astype(int) - joined).max() <= 1, "sums of another order are rounded otherwise"


def test_a_frame_is_a_frame_and_half_the_filter_late() -> None:
    click = np.zeros(2 * FRAME * FACTOR, np.int16)
    click[60 * FACTOR] = 30000
    down = Down(FACTOR).feed(click)
    assert len(down) == 2 * FRAME
    assert int(np.abs(down).argmax()) == 60 + SPAN // 2
    up = Up(FACTOR).feed(down)
    assert len(up) == 2 * FRAME * FACTOR
