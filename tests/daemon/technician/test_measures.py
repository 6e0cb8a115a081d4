"""Figures held against signals whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hotline.daemon.technician import measures
from hotline.daemon.technician.measures import dial_tone, echo, probe, quiet, tonal
from hotline.dsp import generate
from hotline.dsp.levels import RATE, ms

RNG = np.random.default_rng(12329)
SECOND = 1000.0  # ms


def hum(level: float) -> np.ndarray:
    return generate.tone(50, SECOND, level)


@pytest.mark.parametrize("level", [-65, -55, -45, -35])
@pytest.mark.parametrize("hum_level", [-60, -40, -25])
def test_noise_and_hum_are_told_apart(level: float, hum_level: float) -> None:
    found = quiet(generate.mix(generate.noise(SECOND, level, RNG), hum(hum_level)) + np.int16(100))
    assert found.noise_dbm0 == pytest.approx(level, abs=0.7)
    assert found.hum_dbm0 == pytest.approx(hum_level, abs=1.0 if hum_level > level else 3.0)
    assert found.dc == pytest.approx(100, abs=20)


def test_hum_has_harmonics() -> None:
    found = quiet(generate.mix(hum(-40), generate.tone(150, SECOND, -40)))
    assert found.hum_dbm0 == pytest.approx(-37, abs=0.3)
    assert found.noise_dbm0 < -70


def test_digital_silence() -> None:
    found = quiet(generate.silence(SECOND))
    assert (found.noise_dbm0, found.hum_dbm0, found.dc) == (-120, -120, 0)


@pytest.mark.parametrize("frequencies", [(450.0,), (425.0,), (350.0, 440.0)])
@pytest.mark.parametrize("level", [-30.0, -10.0, -3.0])
def test_dial_tone(frequencies: tuple[float, ...], level: float) -> None:
    tone = generate.cadence(frequencies, [(1.0, 0.0)], 4.0, level)
    found = dial_tone(generate.mix(tone, generate.noise(4 * SECOND, level - 25, RNG)))
    assert found is not None
    assert found.frequencies == pytest.approx(frequencies, abs=1.0)
    assert found.cadence == ()
    assert found.level_dbm0 == pytest.approx(level, abs=0.5)


def test_noise_and_silence_are_no_dial_tone() -> None:
    assert dial_tone(generate.silence(4 * SECOND)) is None
    assert dial_tone(generate.noise(4 * SECOND, -20, RNG)) is None


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (generate.tone(450, 400, -10), True),
        (generate.tone(450, 400, -40), True),
        (generate.mix(generate.tone(450, 400, -20), generate.noise(400, -30, RNG)), True),
        (generate.tone(450, 400, -55), False),
        (generate.tone(50, 400, -20), False),
        (generate.noise(400, -20, RNG), False),
        (generate.silence(400), False),
    ],
)
def test_a_signal_tone_is_no_silence(samples: np.ndarray, expected: bool) -> None:
    assert tonal(samples) == expected


def returned(loss: float, delay_ms: float, noise: float | None, ring_ms: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """The probe, and what a hybrid makes of it; one that rings spreads the same power over some milliseconds."""
    sent = np.concatenate([probe(), generate.silence(1000 * measures.LONGEST_ECHO / RATE)])
    taps = np.exp(-np.arange(ms(8)) / ms(ring_ms)) if ring_ms else np.ones(1)
    taps *= 10 ** (-loss / 20) / np.sqrt(np.sum(taps**2))
    back = np.convolve(np.concatenate([np.zeros(ms(delay_ms)), sent]), taps)[: len(sent)]
    if noise is not None:
        back += generate.noise(1000 * len(sent) / RATE, noise, RNG)
    return sent, generate.to_int16(back)


@pytest.mark.parametrize("loss", [3.0, 10.0, 20.0, 30.0])
@pytest.mark.parametrize("delay_ms", [0, 24, 130, 550])
@pytest.mark.parametrize("ring_ms", [0.0, 2.0])
def test_echo(loss: float, delay_ms: float, ring_ms: float) -> None:
    found = echo(*returned(loss, delay_ms, -55, ring_ms))
    assert found is not None
    assert found.loss_db == pytest.approx(loss, abs=0.5)
    assert found.delay_ms == pytest.approx(delay_ms, abs=0.5)


def test_an_echo_in_noise_as_strong_as_itself() -> None:
    found = echo(*returned(20, 40, -33))
    assert found is not None
    assert found.loss_db == pytest.approx(20, abs=1.0)


def test_what_noise_hides_is_no_echo() -> None:
    assert echo(*returned(50, 40, -35)) is None
    sent, _ = returned(0, 0, None)
    assert echo(sent, generate.noise(1000 * len(sent) / RATE, -30, RNG)) is None
    assert echo(sent, np.zeros_like(sent)) is None
