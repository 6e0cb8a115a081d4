"""What may be a key: the bank on all lines, the gates, and the samples kept for the judge."""

import numpy as np
import pytest
from hotline.dsp import generate, goertzel, pairs
from hotline.dsp.keypress import HISTORY, LIMITS, WINDOW
from hotline.dsp.pairs import BEFORE, STEP, Gates, Pairs


def looks(bank, signal, lengths):
    """Every look at the signal (lines, n), fed in pieces of these lengths or less."""
    at, lengths = 0, iter(lengths)
    while at < signal.shape[1]:
        count = bank.room(next(lengths))
        look = bank.feed(signal[:, at : at + count])
        at += count
        if look is not None:
            yield look


@pytest.mark.parametrize("lines", [1, 3, 300])
def test_powers_are_those_of_the_textbook_however_the_signal_is_cut(lines):
    rng = np.random.default_rng(lines)
    signal = rng.integers(-20000, 20000, (lines, 20 * STEP)).astype(np.int16)
    whole = np.concatenate([np.zeros((lines, WINDOW), np.int16), signal], axis=1)
    window, at = goertzel.hann(WINDOW), [0, lines // 2, lines - 1]
    for look in looks(Pairs(lines), signal, iter(lambda: int(rng.integers(0, 1000)), None)):
        for hop, end in enumerate(look.ends):
            line, tone = at[hop % 3], int(rng.integers(8))
            expected = goertzel.recursion(whole[line, end : end + WINDOW], pairs.TONES[tone], window)
            assert np.sqrt(look.powers[tone, BEFORE + hop, line]) == pytest.approx(expected, rel=1e-3, abs=1.0)


@pytest.mark.parametrize("lines", [1, 200])
def test_the_judge_gets_the_samples_up_to_any_window_and_a_little_before(lines):
    """Long enough that the ring is gone round several times."""
    bank, rng = Pairs(lines), np.random.default_rng(7)
    signal = rng.integers(-9, 9, (lines, 12000 if lines > 1 else 2 * pairs.BLOCK + 9000)).astype(np.int16)
    whole = np.concatenate([np.zeros((lines, HISTORY + STEP), np.int16), signal], axis=1)
    for look in looks(bank, signal, iter(lambda: int(rng.integers(1, 50_000)), None)):
        for end in (look.ends[0], look.ends[0] - pairs.LOOK_BACK, look.ends[-1]):
            line = int(rng.integers(lines))
            (recent,) = bank.recent(np.array([line]), np.array([end]))
            assert np.array_equal(recent, whole[line, end + STEP : end + STEP + HISTORY])
            (shorter,) = bank.recent(np.array([line]), np.array([end]), WINDOW)
            assert np.array_equal(shorter, recent[-WINDOW:])


def candidates(signal):
    bank = Pairs(1)
    found = [bank.candidates(look, Gates.of(LIMITS)) for look in looks(bank, signal[None], iter(lambda: STEP, None))]
    return [int(digit) for one in found for digit in one.digits]


@pytest.mark.parametrize("digit", range(16))
def test_a_key_is_a_candidate_while_it_sounds(digit):
    signal = np.concatenate([generate.silence(25), generate.dtmf(generate.KEYS[digit], 100, 60)])
    found = candidates(signal)
    assert set(found) == {digit}
    assert 5 <= len(found) <= 7


@pytest.mark.parametrize(
    "signal",
    [
        generate.tone(697, 200),
        generate.tone(1336, 200),
        generate.to_int16(generate.tones([770.0, 852.0, 1336.0], [-10.0, -10.0, -10.0], 1600)),
        generate.to_int16(generate.tones([770.0, 1336.0, 1110.0], [-10.0, -10.0, -8.0], 1600)),
        generate.dtmf("5", 100, 60, -54.0),
        generate.noise(200, -10.0, np.random.default_rng(1)),
    ],
    ids=["row alone", "column alone", "two rows", "one between", "too faint", "noise"],
)
def test_other_sounds_are_none(signal):
    assert candidates(signal) == []


def test_all_gates_at_once_are_each_of_them_in_turn():
    """On windows weak and loud, in each of which one tone of either group is likely to stand out."""
    rng, gates, lines, hops = np.random.default_rng(3), Gates.of(LIMITS), 40, 300
    powers = 10 ** rng.uniform(-9, -0.3, (16, hops, lines))
    strong = rng.integers(0, 4, (2, hops, lines)) + np.array([0, 4])[:, None, None]
    np.put_along_axis(powers, strong, 10 ** rng.uniform(-2.2, 0, strong.shape), axis=0)
    powers = (powers * 10 ** rng.uniform(3, 6, lines)).astype(np.float32)
    look = Pairs(lines).feed(np.zeros((lines, STEP), np.int16))
    look.powers = np.concatenate([np.zeros((16, BEFORE, lines), np.float32), powers], axis=1)
    found = Pairs(lines).candidates(look, gates)
    expected = []
    for hop, line in np.ndindex(hops, lines):
        tones, references = powers[:8, hop, line].astype(float), powers[8:, hop, line].astype(float)
        row, column = int(tones[:4].argmax()), int(tones[4:].argmax())
        low, high = tones[row], tones[4 + column]
        if (
            min(low / tones[:4].sum(), high / tones[4:].sum()) >= gates.share
            and min(low, high) >= max(gates.floor, references[:5].max() / gates.outside)
            and high >= references[5:].max() / gates.between
            and gates.twist_low <= high / low <= gates.twist_high
        ):
            expected.append((hop * lines + line, 4 * row + column))
    assert 200 < len(expected) < 2000  # of 12000
    assert [tuple(one) for one in np.transpose(found).tolist()] == expected


def test_a_reset_line_has_carried_nothing():
    bank = Pairs(2)
    list(looks(bank, np.stack([generate.dtmf("5", 80, 0)] * 2), iter(lambda: STEP, None)))
    bank.reset(0)
    recent = bank.recent(np.array([0, 1]), np.full(2, bank.position))
    assert not recent[0].any()
    assert recent[1].any()
    look = bank.feed(np.zeros((2, STEP), np.int16))
    assert not look.powers[:, :, 0].any()
    assert look.powers[:8, :BEFORE, 1].all()
