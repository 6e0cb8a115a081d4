"""The path found is the path there is, and the short way to the normal equations gives what the long way does."""

import numpy as np
import pytest
from hotline.dsp import echo_path
from hotline.dsp.echo_path import BLOCK, HISTORY, TAPS
from hotline.dsp.generate import to_int16

BLOCKS = 60


def sound(seed=1, blocks=BLOCKS + HISTORY):
    return to_int16(np.random.default_rng(seed).standard_normal(blocks * BLOCK) * 3000)


def returned(sent, path):
    return to_int16(np.convolve(sent, path)[: len(sent)])[HISTORY * BLOCK :]


def test_normal_equations_against_the_long_way():
    rng = np.random.default_rng(2)
    blocks = 5
    x, y = rng.standard_normal(TAPS + blocks * BLOCK), rng.standard_normal(blocks * BLOCK)
    weights = rng.uniform(0.1, 3.0, blocks)
    frames = echo_path.spectra_of(x)
    matrix, vector = echo_path.normal_equations(x, y, weights, frames)
    rows = np.lib.stride_tricks.sliding_window_view(x, TAPS)[1:, ::-1]
    weighted = rows * np.repeat(weights, BLOCK)[:, None]
    np.testing.assert_allclose(matrix, weighted.T @ rows, atol=1e-9)
    np.testing.assert_allclose(vector, weighted.T @ y, atol=1e-9)


@pytest.mark.parametrize("delay", [0, 1, 79, 80, 200, 333, 640, 900])
def test_a_path_at_any_delay(delay):
    sent = sound()
    taps = np.array([0.5, -0.3, 0.2, 0.1, -0.05])
    path = echo_path.learn(sent, returned(sent, np.concatenate([np.zeros(delay), taps])))
    found = np.concatenate([np.zeros(path.delay), path.taps])
    np.testing.assert_allclose(found[delay : delay + 5], taps, atol=2e-3)
    found[delay : delay + 5] = 0
    assert np.sum(found**2) < 1e-4


def test_a_long_path():
    sent = sound()
    taps = np.random.default_rng(3).standard_normal(160) * np.exp(-np.arange(160) / 50) / 10
    path = echo_path.learn(sent, returned(sent, taps))
    assert np.sum((path.taps[:160] - taps) ** 2) < 1e-3 * np.sum(taps**2)


def test_what_was_known_is_refined():
    sent = sound()
    received = returned(sent, np.array([0.0, 0.4]))
    first = echo_path.learn(sent[: 12 * BLOCK + HISTORY * BLOCK], received[: 12 * BLOCK])
    path = echo_path.learn(sent, received, first)
    assert path.taps[1] == pytest.approx(0.4, abs=1e-3)


def test_no_echo_is_no_path():
    path = echo_path.learn(sound(), to_int16(np.random.default_rng(5).standard_normal(BLOCKS * BLOCK) * 10))
    assert np.sum(path.taps**2) < 1e-4


def test_silence_both_ways():
    path = echo_path.learn(np.zeros((HISTORY + 6) * BLOCK, np.int16), np.zeros(6 * BLOCK, np.int16))
    assert not path.taps.any()


def test_full_scale():
    sent = np.where(sound() > 0, 32767, -32768).astype(np.int16)
    path = echo_path.learn(sent, returned(sent, np.array([-0.9])))
    assert path.taps[0] == pytest.approx(-0.9, abs=5e-3)
