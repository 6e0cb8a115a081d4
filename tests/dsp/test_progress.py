"""dsp/progress.py against GB/T 3380: every tone from both sides of each tolerance, through the channel a line adds,
however the frames are cut, and silence about everything else."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest
from hotline import voice
from hotline.config import tones
from hotline.dsp import g711, generate, progress
from hotline.dsp.generate import mix, noise, silence
from hotline.dsp.levels import RATE, ms, power_dbm0
from hotline.voice import audiofile

CN = tones.load("cn")
ITU = tones.load("itu")
SECONDS = {  # long enough for two periods and a half
    "dial": 3.0,
    "ringback": 11.5,
    "busy": 2.5,
    "congestion": 4.0,
    "unobtainable": 4.5,
    "waiting": 10.0,
    "toll": 4.0,
    "howler": 3.5,
    "fax_calling": 8.0,
    "fax_answer": 3.5,
}
QUICK = ["dial", "busy", "unobtainable", "toll", "howler"]


def play(name, level=-10.0, off_hz=0.0, stretch=1.0, plan=CN, seconds=None):
    """A tone of the plan, off by so many Hz, its cadence stretched, after 300 ms of silence."""
    tone = plan.tones[name]
    seconds = (seconds or SECONDS[name]) * max(stretch, 1.0)
    pattern = tuple((on * stretch, off * stretch) for on, off in tone.pattern)
    frequencies = [frequency + off_hz for frequency in tone.frequencies]
    return np.concatenate([silence(300), generate.cadence(frequencies, pattern, seconds, level), silence(300)])


def heard(samples, plan=CN):
    return progress.Detector(1, plan).feed(samples[None, :])


@functools.cache
def spoken(seconds=None, seed=0):
    """The shipped prompts one after the other, or so many seconds of them in another order."""
    files = sorted((Path(voice.__file__).parent / "prompts").rglob("*.wav"))
    np.random.default_rng(seed).shuffle(files)
    samples = np.concatenate([audiofile.read_pcm(path) for path in files])
    return samples if seconds is None else samples[: int(seconds * RATE)]


def names(samples, plan=CN):
    return [event.name for event in heard(samples, plan) if isinstance(event, progress.Tone)]


def through(samples, law):
    if law == "alaw":
        return g711.alaw_decode(g711.alaw_encode(samples))
    if law == "mulaw":
        return g711.mulaw_decode(g711.mulaw_encode(samples))
    return samples


@pytest.mark.parametrize("law", ["linear", "alaw", "mulaw"])
@pytest.mark.parametrize("name", SECONDS)
def test_every_tone_of_the_plan(name, law):
    samples = through(play(name), law)
    found = [event for event in heard(samples) if isinstance(event, progress.Tone)]
    assert [event.name for event in found] == [name]
    assert found[0].start == pytest.approx(ms(300), abs=ms(5))
    assert found[0].frequency == pytest.approx(CN.tones[name].frequencies[0], abs=1)
    assert found[0].level_dbm0 == pytest.approx(-10, abs=0.5)


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize(("beyond_hz", "accepted"), [(0, True), (8, False)])
def test_frequency_tolerance(name, side, beyond_hz, accepted):
    off_hz = side * (CN.tones[name].tolerance_hz + beyond_hz)
    assert names(play(name, off_hz=off_hz)) == ([name] if accepted else [])


@pytest.mark.parametrize("name", ["busy", "congestion", "unobtainable", "toll", "ringback"])
@pytest.mark.parametrize(("stretch", "accepted"), [(0.9, True), (1.1, True), (0.75, False), (1.25, False)])
def test_cadence_tolerance(name, stretch, accepted):
    assert names(play(name, stretch=stretch)) == ([name] if accepted else [])


@pytest.mark.parametrize(
    ("on", "off", "accepted"),
    [(0.38, 0.32, True), (0.32, 0.38, True), (0.35, 0.45, False), (0.45, 0.35, False), (0.5, 0.5, False)],
)
def test_busy_with_uneven_on_and_off(on, off, accepted):
    samples = np.concatenate([silence(200), generate.cadence([450], [(on, off)], 4)])
    assert names(samples) == (["busy"] if accepted else [])


@pytest.mark.parametrize("law", ["linear", "alaw"])
@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize(("level", "accepted"), [(-40, True), (0, True), (-50, False)])
def test_level(name, level, accepted, law):
    assert names(through(play(name, level), law)) == ([name] if accepted else [])


@pytest.mark.parametrize("name", SECONDS)
def test_noise_ten_db_under_the_tone(name):
    rng = np.random.default_rng(3)
    samples = play(name, -15)
    assert names(mix(samples, noise(len(samples) * 1000 / RATE, -25, rng))) == [name]


def test_noise_alone_is_no_tone():
    assert heard(noise(60_000, -20, np.random.default_rng(4))) == []


def test_hum_and_dc_do_not_matter():
    samples = play("busy", -30)
    time = np.arange(len(samples)) / RATE
    hum = 6000 + generate.tones([50, 150], [-20, -30], len(samples)) * np.cos(0 * time)
    assert names(mix(samples, hum)) == ["busy"]


def test_a_tone_that_does_not_quite_vanish_in_its_pauses():
    on = play("busy", -12)
    crosstalk = generate.tones([450], [-27], len(on))
    assert names(mix(on, crosstalk)) == ["busy"]


def test_a_lost_frame_splits_no_burst():
    samples = play("busy")
    for at in (0.45, 1.2, 1.9):
        samples[int(at * RATE) : int(at * RATE) + 160] = 0
    assert names(samples) == ["busy"]


def test_busy_is_declared_within_two_periods():
    samples = np.concatenate([play("busy"), silence(1000)])
    found, ended = heard(samples)
    assert found.declared - found.start <= 1.4 * RATE
    assert (ended.name, ended.start) == ("busy", found.start)
    assert ended.end == pytest.approx(ms(300 + 2450), abs=ms(10))


def test_busy_that_begins_in_the_middle_of_a_burst():
    """The tone starts where the burst was cut short by the exchange's switch."""
    samples = np.concatenate([silence(300), generate.cadence([450], [(0.35, 0.35)], 3)[ms(150) :]])
    found = heard(samples)[0]
    assert found.name == "busy"
    assert found.start == pytest.approx(ms(300), abs=ms(5))


def test_one_tone_after_another():
    samples = np.concatenate([play("dial"), play("ringback"), play("busy"), silence(1000)])
    kinds = [(type(event).__name__, event.name) for event in heard(samples)]
    assert kinds == [(kind, name) for name in ("dial", "ringback", "busy") for kind in ("Tone", "ToneEnded")]


def test_dial_tone_ends_where_it_stops():
    found, ended = heard(np.concatenate([play("dial"), silence(500)]))
    assert ended.end == pytest.approx(ms(3300), abs=ms(5))
    assert found.declared - found.start == pytest.approx(1.5 * RATE, abs=ms(50))


@pytest.mark.parametrize("duration_ms", [1200, 1400])
def test_a_short_beep_is_no_dial_tone(duration_ms):
    assert heard(np.concatenate([generate.tone(450, duration_ms), silence(1000)])) == []


@pytest.mark.parametrize("twist", [-10, -6, 0, 6])
def test_keys_are_no_tones(twist):
    quick = generate.dtmf("147*2580369#ABCD0" * 3, 100, 100, -8, twist)
    held = generate.dtmf("0*#", 4000, 100, -8, twist)
    assert heard(np.concatenate([quick, held])) == []


def test_a_howler_grows():
    levels = np.repeat([-25.0, -20.0, -15.0, -10.0, -5.0], RATE)
    samples = generate.to_int16(generate.tones([950], [3.14], len(levels)) * 10 ** ((levels - 3.14) / 20))
    assert names(samples) == ["howler"]


@pytest.mark.parametrize(("db_a_second", "accepted"), [(1.0, True), (3.0, False), (-1.0, True), (-3.0, True)])
def test_a_string_that_dies_away_is_no_dial_tone(db_a_second, accepted):
    """Of the 1.5 s that are looked at, the first and the last third lie a second apart. A tone may well grow."""
    fading = generate.tones([450.0], [-15.0], 3 * RATE) * 10 ** (-db_a_second * np.arange(3 * RATE) / RATE / 20)
    assert names(generate.to_int16(fading)) == ["dial"] * accepted


@pytest.mark.parametrize(("depth_db", "accepted"), [(0.4, True), (0.8, False)])
def test_a_violin_is_no_dial_tone(depth_db, accepted):
    """Its level swings by so much either way, five times a second: in the median by as much in 50 ms."""
    swing = depth_db * np.sin(2 * np.pi * 5 * np.arange(3 * RATE) / RATE)
    samples = generate.to_int16(generate.tones([450.0], [-15.0], 3 * RATE) * 10 ** (swing / 20))
    assert names(samples) == ["dial"] * accepted


def test_special_information_tone():
    triad = [generate.tone(f, 330, -15) for f in (950, 1400, 1800)]
    samples = np.concatenate([silence(500), *triad, silence(1500)])
    found, ended = heard(samples, ITU)
    assert (found.name, ended.name) == ("sit", "sit")
    assert found.start == pytest.approx(ms(500), abs=ms(5))
    assert heard(np.concatenate([silence(500), *triad[::-1], silence(1500)]), ITU) == []


@pytest.mark.parametrize("country", sorted(set(tones.shipped()) - {"cn"}))
def test_every_tone_of_every_country(country):
    """Through A-law, with the noise of a bad line: 15 dB under the tone."""
    plan, rng = tones.load(country), np.random.default_rng(8)
    for name, tone in plan.tones.items():
        if not tone.sequence:
            samples = play(name, -15, plan=plan, seconds=2.6 * sum(map(sum, tone.pattern)) + 0.7)
            samples = through(mix(samples, noise(len(samples) * 1000 / RATE, -30, rng)), "alaw")
            assert names(samples, plan) == [name]


def events_by_frames(samples, step):
    detector = progress.Detector(1, CN)
    return [event for at in range(0, len(samples), step) for event in detector.feed(samples[None, at : at + step])]


@pytest.mark.parametrize("step", [1, 79, 80, 160, 333, 4000])
def test_cutting_changes_nothing(step):
    samples = np.concatenate([play("busy"), play("dial")])
    if step == 1:
        samples = samples[: round(1.6 * RATE)]
    assert events_by_frames(samples, step) == heard(samples)


def test_an_empty_frame_changes_nothing():
    assert progress.Detector(3, CN).feed(np.zeros((3, 0), np.int16)) == []


def test_lines_do_not_hear_each_other():
    rows = [play(name) for name in SECONDS]
    longest = max(map(len, rows))
    together = np.stack([np.pad(row, (0, longest - len(row))) for row in rows])
    detector = progress.Detector(len(rows), CN)
    events = [event for at in range(0, longest, 160) for event in detector.feed(together[:, at : at + 160])]
    found = {event.line: event.name for event in events if isinstance(event, progress.Tone)}
    assert found == dict(enumerate(SECONDS))
    for line, row in enumerate(together):
        alone = heard(row)
        assert [event._replace(line=0) for event in events if event.line == line] == alone


def test_reset_forgets_one_line_and_counts_from_zero():
    samples = np.stack([play("busy", seconds=5)] * 2)
    detector = progress.Detector(2, CN)
    cut = int(1.25 * RATE)  # the second burst has just begun
    assert detector.feed(samples[:, :cut]) == []
    detector.reset(1)
    events = [event for event in detector.feed(samples[:, cut:]) if isinstance(event, progress.Tone)]
    first, second = sorted(events)
    assert first.start == pytest.approx(ms(300), abs=ms(5))
    assert second.start + cut == pytest.approx(ms(300 + 700), abs=ms(260))
    assert second.declared > first.declared - cut


@pytest.mark.parametrize("name", ["busy", "congestion"])
def test_the_tail_of_a_recording(name):
    speech = generate.dtmf("123456789", 200, 150)
    samples = np.concatenate([speech, play(name)])
    assert progress.tone_tail(samples, CN) == pytest.approx(len(speech) + ms(300), abs=ms(10))
    assert progress.tone_tail(np.concatenate([samples, speech]), CN) is None
    assert progress.tone_tail(speech, CN) is None
    assert progress.tone_tail(speech[:0], CN) is None


def test_busy_under_the_echo_of_our_own_prompt():
    """The caller has gone, our prompt still plays and comes back 12 dB under the tone."""
    prompt = spoken(8.0, seed=11)
    busy = generate.cadence([450], [(0.35, 0.35)], 8, -15)
    echo = prompt * 10 ** ((-27 - float(power_dbm0(prompt))) / 20)
    assert names(mix(np.concatenate([silence(500), busy]), echo)) == ["busy"]


def test_nothing_is_declared_on_every_prompt_that_ships():
    """Half an hour of espeak's voices, the harshest talk-off there is: numbers, sentences, single words."""
    for plan in (CN, ITU):
        assert heard(spoken(), plan) == []


def test_nothing_is_declared_on_syllables_in_the_rhythm_of_busy():
    rng = np.random.default_rng(12)
    speech = spoken(30.0, seed=5).copy()
    for at in range(0, len(speech), ms(700)):
        speech[at + ms(350 + rng.uniform(-15, 15)) : at + ms(700)] = 0
    assert heard(speech) == []


def test_nothing_is_declared_on_a_melody():
    rng = np.random.default_rng(13)
    notes = 440 * 2 ** (rng.integers(-5, 6, 300) / 12)
    lengths = rng.choice([125, 250, 350, 500, 700], 300)
    tune = [generate.tone(f, t, -15, ramp_ms=8) for f, t in zip(notes, lengths, strict=True)]
    assert heard(np.concatenate(tune)) == []
