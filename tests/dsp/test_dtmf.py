"""The detector against Q.24, each limit from both sides, and against itself: frames and neighbours change nothing."""

import numpy as np
import pytest
from hotline.dsp import dtmf, g711, generate, levels

LAWS = {
    "linear": lambda samples: samples,
    "alaw": lambda samples: g711.alaw_decode(g711.alaw_encode(samples)),
    "mulaw": lambda samples: g711.mulaw_decode(g711.mulaw_encode(samples)),
}
law = pytest.mark.parametrize("law", LAWS)
LEADS = [0, 3, 7, 11, 14, 18]  # ms before the first key, so that it falls everywhere between two looks


def hear(signals, step=160, law="linear", detector=None):
    """Events of several lines at once, one list each, fed in frames of `step` and then the silence that ends a key."""
    longest = max(len(signal) for signal in signals) + levels.ms(200)
    lines = np.zeros((len(signals), longest), np.int16)
    for line, signal in zip(lines, signals, strict=True):
        line[: len(signal)] = LAWS[law](signal)
    detector = detector or dtmf.Detector(len(lines))
    events = [event for k in range(0, longest, step) for event in detector.feed(lines[:, k : k + step])]
    return [[event for event in events if event.line == line] for line in range(len(lines))]


def keys(events):
    """The digits heard; each was declared once, while or soon after it sounded, before it was reported whole."""
    onsets = [event for event in events if isinstance(event, dtmf.Onset)]
    digits = [event for event in events if isinstance(event, dtmf.Digit)]
    assert [(onset.digit, onset.at) for onset in onsets] == [(digit.digit, digit.declared) for digit in digits]
    return "".join(digit.digit for digit in digits)


def strings(law="linear", disturb=None, **kind):
    """What is heard of all sixteen keys, keyed at six positions relative to the detector's looks."""
    kind = {"on_ms": 50, "off_ms": 50, "level_dbm0": -13.0} | kind
    signals = [np.concatenate([generate.silence(lead), generate.dtmf(generate.KEYS, **kind)]) for lead in LEADS]
    if disturb:
        signals = [generate.mix(signal, disturb(len(signal))) for signal in signals]
    return [keys(events) for events in hear(signals, law=law)]


ALL = [generate.KEYS] * len(LEADS)
NONE = [""] * len(LEADS)


@law
@pytest.mark.parametrize("off", [(1.8, 1.8), (-1.8, -1.8), (1.8, -1.8), (-1.8, 0.0), (0.0, 1.8)])
def test_frequencies_accepted(law, off):
    assert strings(law, deviation_percent=off) == ALL


@law
@pytest.mark.parametrize("off", [(3.0, 3.0), (-3.0, -3.0), (3.0, 0.0), (-3.0, 0.0), (0.0, 3.0), (0.0, -3.0)])
def test_frequencies_refused(law, off):
    assert strings(law, deviation_percent=off) == NONE


@law
@pytest.mark.parametrize(("twist", "heard"), [(6.0, ALL), (-10.0, ALL), (9.0, NONE), (-13.0, NONE)])
def test_twist(law, twist, heard):
    assert strings(law, level_dbm0=-8.0, twist_db=twist) == heard


@law
@pytest.mark.parametrize(("level", "heard"), [(0.0, ALL), (-27.0, ALL), (-42.0, ALL), (-50.0, NONE)])
def test_level(law, level, heard):
    assert strings(law, level_dbm0=level) == heard


@law
@pytest.mark.parametrize(("on_ms", "heard"), [(40, ALL), (23, NONE)])
def test_shortest_key(law, on_ms, heard):
    assert strings(law, on_ms=on_ms, off_ms=60) == heard


@law
@pytest.mark.parametrize("pause", [30, 45])
def test_a_pause_makes_two_keys_of_one(law, pause):
    signals = [np.concatenate([generate.silence(lead), generate.dtmf("1159**", 50, pause)]) for lead in LEADS]
    assert [keys(events) for events in hear(signals, law=law)] == ["1159**"] * len(LEADS)


@law
@pytest.mark.parametrize("part", [40, 60])
def test_a_break_does_not(law, part):
    signals = []
    for gap in range(1, 21):
        key = generate.key("8", 2 * part + gap)
        key[levels.ms(part) : levels.ms(part + gap)] = 0
        signals.append(np.concatenate([generate.silence(gap), generate.to_int16(key)]))
    assert [keys(events) for events in hear(signals, law=law)] == ["8"] * len(signals)


@law
def test_everything_at_its_limit_at_once(law):
    rng = np.random.default_rng(12)
    sent = ["".join(rng.choice(list(generate.KEYS), 20)) for _ in range(16)]
    signals = [
        np.concatenate(
            [
                generate.silence(rng.uniform(0, 20)),
                generate.dtmf(
                    string, 45, 30, rng.uniform(-27, 0), rng.choice([-6, 6]), tuple(rng.choice([-1.8, 1.8], 2))
                ),
            ]
        )
        for string in sent
    ]
    assert [keys(events) for events in hear(signals, law=law)] == sent


def test_white_noise_3_db_below_the_keys():
    rng = np.random.default_rng(5)
    heard = strings(disturb=lambda n: generate.noise(n / 8, -13.0, rng))  # two tones of -13 dBm0 are -10 together
    assert sum(len(string) for string in heard) >= 0.98 * 16 * len(LEADS)
    assert all(string in generate.KEYS or len(string) < 16 for string in heard)


@pytest.mark.parametrize(
    "disturb",
    [
        lambda n: generate.tones([450.0], [-3.0], n),
        lambda n: generate.tones([350.0, 440.0], [-6.0, -6.0], n),
        lambda n: generate.tones([50.0, 150.0, 250.0], [-15.0, -19.0, -23.0], n),
        lambda n: np.full(n, 12000.0),
        lambda n: np.full(n, -12000.0),
    ],
    ids=["dial tone +10 dB", "two-tone dial tone", "hum", "DC", "negative DC"],
)
def test_disturbances_outside_the_grid(disturb):
    assert strings(disturb=disturb) == ALL


def test_hard_clipping():
    signal = generate.dtmf(generate.KEYS, 50, 50, -8.0)
    peak = int(2 * levels.amplitude(-8.0) * levels.ratio(-9.0))
    assert keys(hear([np.clip(signal, -peak, peak).astype(np.int16)])[0]) == generate.KEYS


def babble(seconds, rng):
    """Voiced syllables: harmonics of a gliding fundamental under three formants, with pauses."""
    parts = []
    while sum(map(len, parts)) < seconds * levels.RATE:
        n = levels.ms(rng.uniform(90, 320))
        glide = rng.uniform(90, 320) * (1 + rng.uniform(-0.3, 0.3) * np.linspace(0, 1, n))
        phase = 2 * np.pi * np.cumsum(glide) / levels.RATE
        formants = rng.uniform([250, 900, 2200], [800, 2200, 3200])
        voice = np.zeros(n)
        for k in range(1, int(3400 / glide.max()) + 1):
            near = sum(1 / (1 + ((k * glide.mean() - f) / 80) ** 2) / (i + 1) for i, f in enumerate(formants))
            voice += near * np.sin(k * phase + rng.uniform(0, 6.28))
        level = levels.rms(rng.uniform(-25, -8))
        parts += [voice * np.hanning(n) * level / np.sqrt(np.mean(voice**2)), np.zeros(levels.ms(rng.uniform(0, 200)))]
    return generate.to_int16(np.concatenate(parts))


def test_nothing_is_heard_in_speech_noise_silence_and_single_tones():
    rng = np.random.default_rng(2)
    signals = [babble(10, rng) for _ in range(16)]
    signals += [generate.noise(10_000, level, rng) for level in (3.0, -10.0, -40.0)]
    signals += [generate.silence(1000), *(generate.tone(f, 1000) for f in (*generate.LOW, *generate.HIGH, 450.0))]
    signals += [generate.mix(generate.tone(697, 1000), generate.tone(941, 1000)), np.full(8000, -32768, np.int16)]
    assert [keys(events) for events in hear(signals)] == [""] * len(signals)


def test_what_is_reported_of_a_key():
    signal = np.concatenate([generate.silence(33), generate.dtmf("7", 64, 50, -12.0, -4.0, (1.0, -0.5))])
    onset, digit = hear([signal])[0]
    assert onset == dtmf.Onset(line=0, digit="7", at=digit.declared)
    assert (digit.start, digit.end) == (pytest.approx(264, abs=12), pytest.approx(264 + 512, abs=12))
    assert (digit.level_dbm0, digit.low_dbm0, digit.high_dbm0) == pytest.approx((-12.0, -12.0, -16.0), abs=0.2)
    assert digit.twist_db == pytest.approx(-4.0, abs=0.2)
    assert (digit.low_percent, digit.high_percent) == pytest.approx((1.0, -0.5), abs=0.1)


def test_a_key_is_known_one_tick_after_36_ms():
    """The verdict needs 36 ms of tone; a prompt stops with the tick in which they are complete."""
    signals = [generate.dtmf("4", 100, 50, -15.0) for _ in range(160)]
    signals = [np.concatenate([np.zeros(160 + k, np.int16), signal]) for k, signal in enumerate(signals)]
    waits = [events[0].at - (160 + k) for k, events in enumerate(hear(signals))]
    assert min(waits) >= levels.ms(31)
    assert max(waits) <= levels.ms(36 + 20) + 8
    assert np.mean(waits) <= levels.ms(47)


SPEECH = babble(1.5, np.random.default_rng(9))
MIXED = np.concatenate(
    [generate.silence(31), generate.dtmf("19*D", 45, 40, -20.0, -3.0, 1.1), SPEECH, generate.dtmf("00", 60, 30), SPEECH]
)
EXPLAINED = hear([MIXED], len(MIXED), detector=dtmf.Detector(1, explain=True))


@pytest.mark.parametrize("step", [1, 2, 7, 40, 79, 80, 81, 159, 160, 161, 240, 1000, 4801])
def test_frames_of_any_length_give_the_same_events(step):
    assert keys(EXPLAINED[0]) == "19*D00"
    heard = hear([MIXED], step, detector=dtmf.Detector(1, explain=True))
    assert [(type(event), event.digit) for event in heard[0]] == [(type(event), event.digit) for event in EXPLAINED[0]]
    digits = [[event for event in events if not isinstance(event, dtmf.Refused)] for events in (heard[0], EXPLAINED[0])]
    assert digits[0] == digits[1]


def test_frames_of_random_lengths_give_the_same_events():
    rng = np.random.default_rng(4)
    whole = hear([MIXED], len(MIXED))[0]
    for _ in range(10):
        detector, events, at = dtmf.Detector(1), [], 0
        signal = np.concatenate([MIXED, generate.silence(100)])
        while at < len(signal):
            n = int(rng.integers(0, 700))
            events += detector.feed(signal[None, at : at + n])
            at += n
        assert events == whole


def test_lines_do_not_hear_each_other():
    rng = np.random.default_rng(8)
    signals = [
        MIXED,
        generate.noise(2000, -5.0, rng),
        generate.dtmf("42", 60, 60),
        generate.silence(500),
        generate.dtmf("#" * 9, 45, 35, -30.0),
        SPEECH,
    ]
    together = hear(signals)
    for line, signal in enumerate(signals):
        alone = [event._replace(line=line) for event in hear([signal])[0]]
        assert together[line] == alone


def test_reset_forgets_the_key_that_was_down_and_counts_anew():
    detector = dtmf.Detector(2)
    signal = generate.dtmf("5", 400, 100)
    first = detector.feed(np.stack([signal[:1600]] * 2))
    assert [event.line for event in first] == [0, 1]
    detector.reset(0)
    silence = np.zeros((2, 1600), np.int16)
    assert [event.line for event in detector.feed(silence)] == [1]
    again = [event for event in hear([signal, signal], detector=detector) if event]
    assert again[1][0].at - again[0][0].at == 1600 * 2 - 1600


def test_no_samples_are_no_events_and_a_wrong_shape_is_named():
    detector = dtmf.Detector(2)
    assert detector.feed(np.zeros((2, 0), np.int16)) == []
    for wrong in (np.zeros((3, 160), np.int16), np.zeros(160, np.int16), np.zeros((2, 160), np.float32)):
        with pytest.raises(ValueError, match=r"expected int16 \(2, n\)"):
            detector.feed(wrong)


def test_why_a_key_was_refused_is_told_on_request():
    events = hear([generate.dtmf("6", 80, 80, deviation_percent=3.0)], detector=dtmf.Detector(1, explain=True))[0]
    told = [event for event in events if isinstance(event, dtmf.Refused) and event.check == "deviation"]
    assert told
    assert told[0].value == pytest.approx(3.0, abs=0.1)
    assert told[0].limit == dtmf.LIMITS.deviation
    assert hear([generate.dtmf("6", 80, 80, deviation_percent=3.0)]) == [[]]
    assert all(hasattr(dtmf.LIMITS, event.check) for event in EXPLAINED[0] if isinstance(event, dtmf.Refused))
