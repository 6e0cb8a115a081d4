"""What sounds beside two tones, and the bound that spares looking for it."""

import numpy as np
from hotline.dsp import company, generate, levels
from hotline.dsp.company import RECENT


def pairs(count, rng):
    """Two tones each, near a key's, in noise: samples, how many of them count, and the tones' frequencies in Hz."""
    nominal = np.stack([rng.choice(generate.LOW, count), rng.choice(generate.HIGH, count)], axis=1)
    hertz = nominal * rng.uniform(0.978, 1.022, (count, 2))
    sizes = levels.amplitude(-20.0) * rng.uniform(0.1, 5, (count, 2))
    phase = 2 * np.pi * (hertz[..., None] * np.arange(RECENT) / levels.RATE + rng.random((count, 2, 1)))
    samples = (sizes[..., None] * np.cos(phase)).sum(axis=1)
    samples += rng.standard_normal(samples.shape) * 10 ** rng.uniform(0, 3, (count, 1))
    return samples.astype(np.float32), rng.integers(levels.ms(31), RECENT + 1, count), hertz.astype(np.float32)


def test_nothing_that_is_left_is_stronger_than_the_bound_that_spares_its_spectrum():
    samples, lengths, hertz = pairs(500, np.random.default_rng(7))
    left = np.abs(np.fft.rfft(company.residual(samples, lengths, hertz), 1024)).max(axis=1)
    assert (left <= company.most_left(samples, lengths, hertz)).all()


def test_the_bound_is_no_looser_than_noise_makes_it():
    """Clean keys are spared their spectra: 20 dB under the weaker tone is where the strictest limit is 15."""
    samples, lengths, hertz = pairs(500, np.random.default_rng(8))
    clean = samples * 0
    phase = 2 * np.pi * hertz[..., None] * np.arange(RECENT, dtype=np.float32) / levels.RATE
    clean += 1000 * np.cos(phase).sum(axis=1)
    assert company.most_left(clean, lengths, hertz).max() < 1000 * levels.ratio(-20)


def test_what_is_left_is_measured_where_it_is():
    hertz = np.array([[770.0, 1336.0]] * 4, np.float32)
    others = [1040.0, 230.0, 305.0, 2500.0]
    lines = [generate.tones([770.0, 1336.0, other], [-10.0, -10.0, -16.0], RECENT) for other in others]
    left = company.rest(company.residual(np.array(lines, np.float32), np.full(4, RECENT), hertz))
    size, spread = levels.amplitude(-16.0), levels.ratio(-20)
    assert (left.strongest > 0.8 * size).tolist() == [True, False, False, True]
    assert (left.voice > 0.8 * size).tolist() == [False, True, False, False]
    assert (left.under > 0.8 * size).tolist() == [False, False, True, False]
    assert (left.median < spread * size).all()
