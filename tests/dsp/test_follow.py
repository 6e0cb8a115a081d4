"""Keys followed to their end, on lanes side by side: a file at once as hop by hop, ends where the tones end."""

import numpy as np
import pytest
from hotline.dsp import dtmf, generate, levels
from hotline.dsp.follow import NONE, Keys
from hotline.dsp.heard import ENDED


def line(rng, seconds=4.0):
    """Keys of every length, with every pause, some broken, some in noise."""
    parts = [generate.silence(rng.uniform(0, 60))]
    while sum(map(len, parts)) < seconds * levels.RATE:
        key = generate.key(
            rng.choice(list(generate.KEYS)),
            rng.choice([rng.uniform(15, 60), rng.uniform(60, 400)]),
            level_dbm0=rng.uniform(-45, 0),
            twist_db=rng.uniform(-11, 7),
            deviation_percent=tuple(rng.uniform(-2.5, 2.5, 2)),
        )
        if rng.random() < 0.3:
            at = int(rng.uniform(0.3, 0.7) * len(key))
            key[at : at + levels.ms(rng.uniform(1, 40))] = 0
        key = key + rng.standard_normal(len(key)) * levels.rms(rng.uniform(-60, -15))
        parts += [generate.to_int16(key), generate.silence(rng.uniform(0, 120))]
    return np.concatenate(parts)[: int(seconds * levels.RATE)]


def feed(signal, cut, detector=None):
    """Events of lines (n, samples) fed in pieces of these lengths, and then 200 ms of silence."""
    detector = detector or dtmf.Detector(len(signal))
    signal = np.concatenate([signal, np.zeros((len(signal), levels.ms(200)), np.int16)], axis=1)
    events, at = [], 0
    while at < signal.shape[1]:
        count = cut()
        events += detector.feed(signal[:, at : at + count])
        at += count
    return [[event for event in events if event.line == line] for line in range(len(signal))]


@pytest.mark.parametrize("seed", range(8))
def test_many_hops_at_once_are_the_same_as_hop_by_hop(seed):
    rng = np.random.default_rng(seed)
    signal = np.stack([line(rng) for _ in range(3)])
    one_by_one = feed(signal, lambda: 160)
    assert sum(map(len, one_by_one)) > 30
    assert feed(signal, lambda: signal.shape[1]) == one_by_one
    assert feed(signal, lambda: int(rng.integers(1, 3000))) == one_by_one


@pytest.mark.parametrize("first", [0, 3, 9, 13])
def test_a_key_ends_where_its_tones_end(first):
    """Wherever that is between two looks, and whether its tones fall together or go over into the next key's."""
    for lead in range(0, 160, 7):
        sounds = [generate.dtmf(generate.KEYS[first], 70, 60), generate.dtmf("14", 70, 25), generate.dtmf("9", 70, 90)]
        signal = np.concatenate([np.zeros(160 + lead, np.int16), *sounds])
        digits = [event for event in feed(signal[None], lambda: 160)[0] if isinstance(event, dtmf.Digit)]
        assert "".join(digit.digit for digit in digits) == generate.KEYS[first] + "149"
        ends = 160 + lead + np.cumsum([levels.ms(70), levels.ms(130), levels.ms(95), levels.ms(95)])
        assert [digit.end for digit in digits] == pytest.approx(ends.tolist(), abs=levels.ms(4))


@pytest.mark.parametrize("noise_dbm0", [-90.0, -30.0, -17.0], ids=["clear", "in noise", "judged"])
def test_a_key_begins_where_its_tones_begin(noise_dbm0):
    rng = np.random.default_rng(5)
    for lead in range(0, 160, 7):
        noise = rng.standard_normal(3200) * levels.rms(noise_dbm0)
        noise[800 + lead : 800 + lead + levels.ms(70)] += generate.key("159D"[lead % 4], 70)
        digits = [
            event for event in feed(generate.to_int16(noise)[None], lambda: 160)[0] if isinstance(event, dtmf.Digit)
        ]
        assert [digit.start for digit in digits] == pytest.approx([800 + lead], abs=levels.ms(2))


def test_what_is_known_of_a_lane_can_be_handed_on_and_forgotten():
    lanes, lines = Keys.none(3), Keys.none(5)
    lanes.digit[1], lanes.young[1], lanes.silent[1] = 7, 3, False
    lanes.least[:, 1], lanes.known[:, 1] = 4.0, np.arange(9)
    assert lanes.any()
    assert not lines.any()
    lines.copy(np.array([4]), lanes, np.array([1]))
    assert (lines.digit[4], lines.young[4], lines.known[:, 4].tolist()) == (7, 3, list(range(9)))
    assert not lines.silent[4]
    lines.forget(4)
    assert (lines.digit[4], lines.known[ENDED, 4], lines.least[0, 4]) == (NONE, np.inf, np.inf)
    assert lines.silent.all()
    assert lanes.digit[1] == 7
