"""Our prompts come back through a hybrid while a caller keys: the echo goes, the keys stay, line by line."""

from pathlib import Path

import numpy as np
import pytest
from hotline import voice
from hotline.dsp import dtmf, echo, g711, generate
from hotline.dsp.levels import RATE, ms, power_dbm0, rms
from hotline.voice import audiofile

PROMPTS = [audiofile.read_pcm(path) for path in sorted((Path(voice.__file__).parent / "prompts").glob("P*.wav"))]
SPEECH = np.concatenate(PROMPTS)
TICK = 160
LAWS = {
    "linear": lambda samples: samples,
    "alaw": lambda samples: g711.alaw_decode(g711.alaw_encode(samples)),
    "mulaw": lambda samples: g711.mulaw_decode(g711.mulaw_encode(samples)),
}


def spoken(rng, lines, seconds):
    """Each line some stretch of our prompts, as a menu that has been playing for a while: (lines, n) int16."""
    count = round(seconds * 50) * TICK
    begins = rng.integers(0, len(SPEECH) - count, lines)
    return SPEECH[begins[:, None] + np.arange(count)]


def hybrid(rng, loss_db, delay_ms=None):
    """A path of 2 to 8 ms behind a delay of up to 40 ms."""
    delay = ms(rng.uniform(0, 40) if delay_ms is None else delay_ms)
    length = ms(rng.uniform(2, 8))
    taps = rng.standard_normal(length) * np.exp(-3 * np.arange(length) / length)
    return np.concatenate([np.zeros(delay), taps / np.sqrt(np.sum(taps**2)) * 10 ** (-loss_db / 20)])


def echoed(sent, paths):
    return np.stack([np.convolve(one, path)[: len(one)] for one, path in zip(sent.astype(float), paths, strict=True)])


def noise(rng, shape, level_dbm0):
    return rng.standard_normal(shape) * rms(level_dbm0)


def cleaned(received, sent, canceller=None):
    canceller = canceller or echo.Canceller(len(sent))
    frames = [canceller.feed(received[:, k : k + TICK], sent[:, k : k + TICK]) for k in range(0, sent.shape[1], TICK)]
    return np.concatenate(frames, axis=1)


def enhancement(echo_alone, left):
    """ERLE in dB of each line over stretches in which there is an echo: (lines,)."""
    return power_dbm0(echo_alone) - power_dbm0(left)


def keyed(rng, digits, lead_ms, level_dbm0=-14.0, timing=None):
    """A string as people key it, twist and phases at random; float samples."""
    count = len(digits)
    on = np.clip(rng.lognormal(np.log(120), 0.4, count), 48, 500) if timing is None else np.full(count, timing)
    off = np.clip(rng.lognormal(np.log(160), 0.6, count), 45, 1500) if timing is None else np.full(count, timing)
    twist = rng.uniform(-4, 2)
    parts = [np.zeros(ms(lead_ms))]
    for k, digit in enumerate(digits):
        phases = tuple(rng.uniform(0, 6.28, 2))
        parts += [generate.key(digit, on[k], level_dbm0, twist, phases=phases), np.zeros(ms(off[k]))]
    return np.concatenate(parts)


def active_rms(samples):
    powers = np.mean(samples[: len(samples) // TICK * TICK].reshape(-1, TICK) ** 2, axis=1)
    return np.sqrt(powers[powers > powers.max() / 100].mean())


def barge_in(seed, lines, digits, keys_over_echo_db, lead_ms, timing=None, delay_ms=None):
    """Keys over an echo that is as many dB weaker than they are: received, sent, digits of each line."""
    rng = np.random.default_rng([seed, round(lead_ms), round(keys_over_echo_db + 100)])
    strings = ["".join(rng.permutation(list(digits))) for _ in range(lines)]
    near = [keyed(rng, string, lead_ms + rng.uniform(40, 90), timing=timing) for string in strings]
    sent = spoken(rng, lines, max(map(len, near)) / RATE + 0.2)
    back = echoed(sent, [hybrid(rng, 0.0, delay_ms) for _ in range(lines)])
    received = noise(rng, sent.shape, -60)
    for line, samples in enumerate(near):
        key_rms = np.sqrt(np.mean(samples[np.abs(samples) > 0] ** 2))
        received[line] += back[line] * key_rms / active_rms(back[line]) * 10 ** (-keys_over_echo_db / 20)
        received[line, : len(samples)] += samples
    return LAWS["alaw"](generate.to_int16(received)), sent, strings


def heard(samples):
    detector = dtmf.Detector(len(samples))
    strings = [""] * len(samples)
    for event in detector.feed(samples) + detector.feed(np.zeros((len(samples), RATE // 5), np.int16)):
        if isinstance(event, dtmf.Digit):
            strings[event.line] += event.digit
    return strings


def right(got, wanted):
    """Length of the longest common subsequence."""
    row = [0] * (len(wanted) + 1)
    for one in got:
        above, row = row, [0]
        for k, other in enumerate(wanted):
            row.append(above[k] + 1 if one == other else max(above[k + 1], row[k]))
    return row[-1]


def score(got, wanted):
    """Digits right and digits extra, in per cent of those keyed."""
    total = sum(map(len, wanted))
    found = sum(right(one, other) for one, other in zip(got, wanted, strict=True))
    return 100 * found / total, 100 * (sum(map(len, got)) - found) / total


@pytest.mark.parametrize("law", LAWS)
def test_converges_within_the_first_second(law):
    rng = np.random.default_rng(1)
    sent = spoken(rng, 8, 3.0)
    back = echoed(sent, [hybrid(rng, loss) for loss in np.linspace(0, 12, 8)])
    received = LAWS[law](generate.to_int16(back + noise(rng, sent.shape, -65)))
    left = cleaned(received, sent)
    assert np.median(enhancement(back[:, RATE // 2 : RATE], left[:, RATE // 2 : RATE])) > 20
    assert enhancement(back[:, RATE : 3 * RATE], left[:, RATE : 3 * RATE]).min() > 20


@pytest.mark.parametrize("level", [-50, -40, -30])
def test_nothing_is_added_to_line_noise(level):
    rng = np.random.default_rng(2)
    sent = spoken(rng, 6, 4.0)
    back = echoed(sent, [hybrid(rng, 6) for _ in range(6)])
    received = generate.to_int16(back + noise(rng, sent.shape, level))
    left = cleaned(received, sent)
    assert power_dbm0(left[:, RATE:]).max() < level + 2.0


@pytest.mark.parametrize("delay_ms", [0, 5, 20, 40, 60, 100, 110, 135, 200, 245])
def test_delays_of_no_tick_to_twelve(delay_ms):
    rng = np.random.default_rng(3)
    sent = spoken(rng, 4, 2.5)
    back = echoed(sent, [hybrid(rng, 6, delay_ms) for _ in range(4)])
    left = cleaned(generate.to_int16(back), sent)
    assert enhancement(back[:, RATE:], left[:, RATE:]).min() > 20


@pytest.mark.parametrize("delay_ms", [10, 60, 110, 135, 200])
def test_convergence_and_keys_at_any_distance(delay_ms):
    """A hybrid at the line card, two gateways, a modem, a sound card, all of them one behind another."""
    rng = np.random.default_rng(13)
    sent = spoken(rng, 8, 2.0)
    back = echoed(sent, [hybrid(rng, 6, delay_ms) for _ in range(8)])
    received = LAWS["alaw"](generate.to_int16(back + noise(rng, sent.shape, -60)))
    left = cleaned(received, sent)
    assert np.median(enhancement(back[:, RATE // 2 : RATE], left[:, RATE // 2 : RATE])) > 30
    assert enhancement(back[:, RATE:], left[:, RATE:]).min() > 30
    received, sent, strings = barge_in(1, 9, "1234567890*#", 0, 1000, delay_ms=delay_ms)
    assert score(heard(cleaned(received, sent)), strings) == (100.0, 0.0)


def test_an_echo_from_too_far_away_is_left_as_it_is():
    rng = np.random.default_rng(14)
    sent = spoken(rng, 4, 2.0)
    received = generate.to_int16(echoed(sent, [hybrid(rng, 10, 275) for _ in range(4)]) + noise(rng, sent.shape, -60))
    assert abs(power_dbm0(cleaned(received, sent)) - power_dbm0(received)).max() < 0.5


def test_whole_ticks_late():
    """Frame pairing: the echo of the frame given with a received one may begin in its first sample, and not before."""
    rng = np.random.default_rng(4)
    sent = spoken(rng, 6, 2.5)
    back = np.stack([np.concatenate([np.zeros(k * TICK), 0.5 * row])[: len(row)] for k, row in enumerate(sent)])
    left = cleaned(generate.to_int16(back), sent)
    assert enhancement(back[:, RATE:], left[:, RATE:]).min() > 25


def test_figures():
    rng = np.random.default_rng(5)
    sent = spoken(rng, 4, 3.0)
    sent[3] = 0
    losses = [3.0, 10.0, 20.0, 0.0]
    received = generate.to_int16(echoed(sent, [hybrid(rng, loss) for loss in losses]) + noise(rng, sent.shape, -70))
    canceller = echo.Canceller(4)
    assert np.isnan(canceller.loss).all()
    cleaned(received, sent, canceller)
    assert canceller.loss[:3] == pytest.approx(losses[:3], abs=1.0)
    assert canceller.enhancement[:3].min() > 15
    assert np.isnan(canceller.loss[3])
    assert np.isnan(canceller.enhancement[3])


@pytest.mark.parametrize(("keys_over_echo_db", "least"), [(10, 99.0), (0, 99.0)])
@pytest.mark.parametrize("seed", [1, 2])
def test_keys_over_a_prompt_that_has_played_for_a_second(keys_over_echo_db, least, seed):
    received, sent, strings = barge_in(seed, 9, "1234567890*#", keys_over_echo_db, 1000)
    found, extra = score(heard(cleaned(received, sent)), strings)
    assert found >= least
    assert extra == 0


@pytest.mark.parametrize(("keys_over_echo_db", "least"), [(10, 98.0), (0, 97.0)])
def test_keys_from_the_first_moment_of_a_prompt(keys_over_echo_db, least):
    received, sent, strings = barge_in(4, 9, "1234567890*#", keys_over_echo_db, 0)
    found, extra = score(heard(cleaned(received, sent)), strings)
    assert found >= least
    assert extra == 0


def test_fast_keys_from_the_first_moment_of_a_prompt():
    received, sent, strings = barge_in(7, 40, "12345678", 0, 0, timing=60)
    found, extra = score(heard(cleaned(received, sent)), strings)
    assert found >= 97.0
    assert extra == 0


def test_the_caller_is_not_damaged():
    """A key over the prompt has the level it has alone, within 0.5 dB, and the path found is not disturbed by it."""
    received, sent, strings = barge_in(4, 8, "159D" * 3, 0, 1200, timing=80)
    left = cleaned(received, sent)
    detector = dtmf.Detector(len(left))
    presses = [event for event in detector.feed(left) if isinstance(event, dtmf.Digit)]
    assert len(presses) >= 0.98 * sum(map(len, strings))
    assert np.percentile(np.abs([press.level_dbm0 + 14 for press in presses]), 99) <= 0.5


def test_echo_alone_is_no_key():
    rng = np.random.default_rng(6)
    prompts = PROMPTS[:12]
    sent = np.zeros((12, -(-max(map(len, prompts)) // TICK) * TICK), np.int16)[:, : 12 * RATE]
    for row, prompt in zip(sent, prompts, strict=True):
        row[: len(prompt)] = prompt[: len(row)]
    back = echoed(sent, [hybrid(rng, loss) for loss in np.linspace(0, 20, 12)])
    received = LAWS["mulaw"](generate.to_int16(back + noise(rng, sent.shape, -55)))
    assert heard(cleaned(received, sent)) == [""] * 12


def test_an_overdriven_path():
    rng = np.random.default_rng(7)
    sent = spoken(rng, 4, 3.0)
    back = echoed(sent, [hybrid(rng, 0) for _ in range(4)])
    clipped = np.clip(back, -6000, 6000)
    left = cleaned(LAWS["alaw"](generate.to_int16(clipped)), sent)
    assert enhancement(clipped[:, RATE:], left[:, RATE:]).min() > 8


@pytest.mark.parametrize("change", [0.4, -1.0, 2.0])
def test_a_path_that_changes_is_found_again(change):
    rng = np.random.default_rng(8)
    sent = spoken(rng, 4, 7.0)
    back = echoed(sent, [hybrid(rng, 10) for _ in range(4)])
    back[:, 3 * RATE :] *= change
    left = cleaned(generate.to_int16(back + noise(rng, sent.shape, -65)), sent)
    assert enhancement(back, left).min() > 3  # never much worse than without
    assert enhancement(back[:, 6 * RATE :], left[:, 6 * RATE :]).min() > 18


def test_lines_do_not_depend_on_each_other():
    received, sent, _ = barge_in(5, 5, "1234567890", 5, 300)
    together = cleaned(received, sent)
    for line in range(5):
        alone = cleaned(received[line : line + 1], sent[line : line + 1])
        np.testing.assert_array_equal(together[line], alone[0])


@pytest.mark.parametrize("level", [-90, -55])
def test_a_caller_who_talks_over_the_prompt_is_not_taken_for_its_echo(level):
    """On lines without echo: what he says is left as it is, and so is what he says after the prompt."""
    rng = np.random.default_rng(12)
    sent, voice = spoken(rng, 6, 5.0), spoken(rng, 6, 5.0).astype(float)
    sent[:, 3 * RATE :] = 0
    voice[:, : RATE + RATE // 2] = 0
    received = LAWS["alaw"](generate.to_int16(voice + noise(rng, sent.shape, level)))
    taken = received - cleaned(received, sent).astype(float)
    assert (power_dbm0(received) - power_dbm0(taken)).min() > 40


def test_a_line_that_plays_nothing_is_passed_on():
    rng = np.random.default_rng(9)
    sent = spoken(rng, 2, 1.0)
    sent[1] = 0
    received = generate.to_int16(noise(rng, sent.shape, -15))
    before = received.copy()
    left = cleaned(received, sent)
    np.testing.assert_array_equal(left[1], received[1])
    np.testing.assert_array_equal(received, before)


def test_pauses_between_prompts():
    """What is kept of a line is what it played and got back, pauses left out; a long one must not tear it apart."""
    rng = np.random.default_rng(10)
    sent = spoken(rng, 3, 6.0)
    sent[:, RATE // 2 : RATE] = 0
    sent[:, RATE + RATE // 4 : 3 * RATE] = 0
    back = echoed(sent, [hybrid(rng, 3) for _ in range(3)])
    left = cleaned(generate.to_int16(back), sent)
    assert enhancement(back[:, 4 * RATE :], left[:, 4 * RATE :]).min() > 25


def test_what_one_prompt_taught_serves_the_next_from_its_first_sample():
    rng = np.random.default_rng(15)
    sent = np.concatenate([spoken(rng, 12, 1.0), np.zeros((12, 3 * RATE), np.int16), spoken(rng, 12, 0.5)], axis=1)
    back = echoed(sent, [hybrid(rng, 0) for _ in range(12)])
    left = cleaned(LAWS["alaw"](generate.to_int16(back + noise(rng, sent.shape, -60))), sent)
    first, after = (slice(begin, begin + RATE // 10) for begin in (0, 4 * RATE))
    assert np.median(enhancement(back[:, first], left[:, first])) < 10
    assert np.median(enhancement(back[:, after], left[:, after])) > 30


def test_reset_forgets():
    received, sent, _ = barge_in(6, 2, "123456", 0, 500)
    canceller = echo.Canceller(2)
    first = cleaned(received, sent, canceller)
    canceller.reset(1)
    assert np.isnan(canceller.loss[1])
    second = cleaned(received, sent, canceller)
    np.testing.assert_array_equal(second[1], first[1])
    assert power_dbm0(second[:1, : RATE // 4]) < power_dbm0(first[:1, : RATE // 4])  # line 0 knew its path


def test_lessons_are_rationed():
    rng = np.random.default_rng(11)
    sent = spoken(rng, 4, 3.0)
    back = echoed(sent, [hybrid(rng, 6) for _ in range(4)])
    left = cleaned(generate.to_int16(back), sent, echo.Canceller(4, lessons=1))
    assert enhancement(back[:, 2 * RATE :], left[:, 2 * RATE :]).min() > 20


@pytest.mark.parametrize("shape", [(2, 159), (3, 160), (160,)])
def test_frames_of_another_shape_are_refused(shape):
    good, bad = np.zeros((2, 160), np.int16), np.zeros(shape, np.int16)
    with pytest.raises(ValueError, match="received is int16"):
        echo.Canceller(2).feed(bad, good)
    with pytest.raises(ValueError, match="sent is int16"):
        echo.Canceller(2).feed(good, bad)
