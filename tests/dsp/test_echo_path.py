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


@pytest.mark.parametrize("blocks", [6, 20, BLOCKS])
@pytest.mark.parametrize("strength", [10, 3000])
def test_no_echo_is_no_path(blocks, strength):
    received = to_int16(np.random.default_rng(5).standard_normal(blocks * BLOCK) * strength)
    assert echo_path.learn(sound(blocks=blocks + HISTORY), received) is echo_path.NOTHING


def test_keys_on_a_line_without_echo_are_no_path():
    """What is as loud as an echo, but not always there when we speak, is somebody else."""
    received = np.zeros(BLOCKS * BLOCK, np.int16)
    received[20 * BLOCK : 30 * BLOCK] = sound(seed=6, blocks=10)
    assert echo_path.learn(sound(), received) is echo_path.NOTHING


@pytest.mark.parametrize(("loss_db", "found"), [(38.0, True), (42.0, False)])
def test_the_faintest_echo(loss_db, found):
    sent = np.where(sound() > 0, 20000, -20000).astype(np.int16)
    path = echo_path.learn(sent, returned(sent, np.array([10 ** (-loss_db / 20)])))
    assert (path is not echo_path.NOTHING) == found


def test_a_key_does_not_move_a_path_that_is_known():
    sent, taps = sound(), np.array([0.0, 0.4, -0.2])
    known = echo_path.learn(sent, returned(sent, taps))
    received = returned(sent, taps)
    received[10 * BLOCK : 22 * BLOCK] += to_int16(3000 * np.sin(np.arange(12 * BLOCK) * 0.7))
    path = echo_path.learn(sent, received, known)
    assert path.delay == known.delay
    np.testing.assert_allclose(path.taps, known.taps, atol=3e-3)


def test_silence_is_no_path():
    silence = np.zeros(6 * BLOCK, np.int16)
    assert echo_path.learn(np.zeros((HISTORY + 6) * BLOCK, np.int16), silence) is echo_path.NOTHING
    assert echo_path.learn(sound(blocks=HISTORY + 6), silence) is echo_path.NOTHING


def test_full_scale():
    sent = np.where(sound() > 0, 32767, -32768).astype(np.int16)
    path = echo_path.learn(sent, returned(sent, np.array([-0.9])))
    assert path.taps[0] == pytest.approx(-0.9, abs=5e-3)
