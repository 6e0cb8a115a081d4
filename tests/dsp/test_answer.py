"""dsp/answer.py on what the exchange and the stations behind it sound like, whole and through bad pairs."""

import functools
from pathlib import Path

import numpy as np
import pytest
from hotline import voice
from hotline.config import tones
from hotline.drivers.line import FRAME
from hotline.drivers.simulated.exchange import ROUTING, TICKS, Station
from hotline.drivers.simulated.line import Settings, SimulatedLine
from hotline.drivers.simulated.telephone import Silent, WavTelephone
from hotline.dsp import answer, generate, progress
from hotline.dsp.generate import mix, noise, silence
from hotline.dsp.levels import RATE
from hotline.voice import audiofile

CN = tones.load("cn")
ROUTED = ROUTING / TICKS  # seconds from the last digit to the first sound
PROMPTS = sorted((Path(voice.__file__).parent / "prompts").rglob("*.wav"))


@functools.cache
def speech(number):
    return audiofile.read_pcm(PROMPTS[number])


def fax():
    """An answer tone after 0.3 s, as T.30 has it within 1.8 to 2.5 s of the answer; then the modem's noise."""
    return np.concatenate([silence(300), generate.tone(2100, 3000, -12), silence(75), noise(2000, -15, RNG())])


def RNG():
    return np.random.default_rng(5)


STATIONS = {
    "speech": Station("answer", lambda: WavTelephone(speech(0)), after=4),
    "mid-ring": Station("answer", lambda: WavTelephone(speech(3)), after=5.5),
    "at once": Station("answer", lambda: WavTelephone(speech(5)), after=0.3),
    "silent": Station("answer", Silent, after=4),
    "silent mid-ring": Station("answer", Silent, after=5.6),
    "busy": Station("busy"),
    "no answer": Station("no answer"),
    "unobtainable": Station("unobtainable"),
    "fax": Station("answer", lambda: WavTelephone(fax()), after=7),
}
LIMITS = answer.Limits(no_answer=13.0)


def dialled(name, seconds=30, **impairments):
    """What the line brings from the moment the digits are out."""
    line = SimulatedLine("L", Settings(**impairments))
    line.exchange.stations["8001"] = STATIONS[name]
    line.open()
    line.off_hook()
    line.dial("8001")
    frame, sound = np.empty(FRAME, np.int16), []
    while not any(type(event).__name__ == "Dialled" for event in line.events()):
        line.read(frame)
    for _ in range(seconds * 50):
        line.read(frame)
        line.write(np.zeros(FRAME, np.int16))
        sound.append(frame.copy())
    line.close()
    return np.concatenate(sound)


def judged(*calls, cut=FRAME, plan=CN, limits=LIMITS):
    """The verdicts on these recordings, each on its line, fed in pieces of `cut`."""
    sound = np.zeros((len(calls), max(map(len, calls))), np.int16)
    for line, call in enumerate(calls):
        sound[line, : len(call)] = call
    tones, detector = progress.Detector(len(calls), plan), answer.Detector(len(calls), plan, limits)
    for line in range(len(calls)):
        detector.start(line)
    found = []
    for at in range(0, sound.shape[1], cut):
        piece = sound[:, at : at + cut]
        found += detector.feed(piece, tones.feed(piece))
    assert len({verdict.line for verdict in found}) == len(found)
    return sorted(found)


# Speech of the stations is at -16 dBm0, the tones at -10.
PAIRS = {
    "clean": {},
    "noise 20 dB under": {"noise_dbm0": -36},
    "noise 6 dB under": {"noise_dbm0": -22},
    "quiet": {"gain_in_db": -20},
    "off": {"frequency_error_percent": 0.5},
}
# What is said of each station, and within how many seconds of its answer, or of the first sound of a tone.
EXPECTED = {
    "speech": ("answered", "回铃音之后有人声", 4.0, 1.5),
    "mid-ring": ("answered", "回铃音之后有人声", 5.5, 1.5),
    "at once": ("answered", "回铃音之后有人声", 0.3, 1.5),
    "silent": ("answered", "回铃音不再响，此后无声", 1.0, 5.5),
    "silent mid-ring": ("answered", "回铃音不再响，此后无声", 5.6, 5.5),
    "busy": ("busy", "忙音", 0.0, 1.2),
    "no answer": ("no answer", "响了 13 秒无人接听", 12.0, 0.1),
    "unobtainable": ("unobtainable", "空号音", 0.0, 1.6),
    "fax": ("fax", "传真机应答音", 7.3, 2.2),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_what_became_of_a_call_to_each_station(pair):
    verdicts = judged(*(dialled(name, 14, **PAIRS[pair]) for name in STATIONS))
    assert len(verdicts) == len(STATIONS)
    for name, verdict in zip(STATIONS, verdicts, strict=True):
        outcome, reason, begins, within = EXPECTED[name]
        assert (verdict.outcome, verdict.sure) == (outcome, True), name
        assert reason in verdict.reason
        assert begins <= verdict.declared / RATE - ROUTED <= begins + within, name
        if name != "no answer":
            assert verdict.since / RATE - ROUTED == pytest.approx(begins, abs=0.2), name


def test_a_voice_without_ring_back_may_be_an_announcement_and_the_verdict_says_so():
    (verdict,) = judged(np.concatenate([silence(1000), speech(0)]))
    assert (verdict.outcome, verdict.sure) == ("answered", False)
    assert "语音提示" in verdict.reason
    assert verdict.since == pytest.approx(RATE, abs=RATE // 10)
    assert verdict.declared <= 3 * RATE


@pytest.mark.parametrize("country", ["cn", "itu", "us", "uk", "fr"])
def test_ring_back_of_other_countries(country):
    plan = tones.load(country)
    ring = plan.tones["ringback"]
    once = generate.cadence(ring.frequencies, ring.pattern, sum(map(sum, ring.pattern)) + ring.pattern[0][0] / 2, -15)
    endless = generate.cadence(ring.frequencies, ring.pattern, 14, -15)
    spoken, quiet, nobody = judged(
        np.concatenate([once, silence(500), speech(3)]), np.concatenate([once, silence(8000)]), endless, plan=plan
    )
    assert (spoken.outcome, spoken.reason) == ("answered", "回铃音之后有人声")
    assert spoken.since == pytest.approx(len(once) + RATE / 2, abs=RATE // 4)
    assert (quiet.outcome, quiet.reason) == ("answered", "回铃音不再响，此后无声")
    assert quiet.since == pytest.approx(len(once), abs=RATE // 10)
    assert nobody.outcome == "no answer"


def test_information_tones_and_howlers_are_no_voice():
    itu = tones.load("itu")
    sit = itu.tones["sit"]
    sequence = [generate.tone(hz, 1000 * on, -15) for hz, (on, _) in zip(sit.sequence, sit.pattern, strict=True)]
    (verdict,) = judged(np.concatenate([silence(1000), *sequence, silence(2000)]), plan=itu)
    assert (verdict.outcome, "特殊信息音" in verdict.reason) == ("unobtainable", True)
    (verdict,) = judged(np.concatenate([silence(1000), generate.tone(950, 4000, 0)]))
    assert (verdict.outcome, "催挂音" in verdict.reason) == ("unobtainable", True)


def test_nothing_but_noise_ring_back_in_noise_clicks_or_hum_is_no_answer():
    rng, seconds = RNG(), 15
    ring = generate.cadence([450], [(1, 4)], seconds, -15)
    noises = [np.concatenate([noise(2500, level, rng) for level in rng.uniform(-75, -15, 6)]) for _ in range(4)]
    clicks = noise(seconds * 1000, -60, rng)
    for at in rng.integers(0, len(clicks) - 160, 2 * seconds):
        clicks[at : at + rng.integers(1, 160)] = rng.integers(-20000, 20000)
    time = np.arange(seconds * RATE) / RATE
    hum = (3000 * np.sin(2 * np.pi * 50 * time) + 800 * np.sin(2 * np.pi * 150 * time)).astype(np.int16)
    in_noise = [mix(ring, noise(seconds * 1000, -15 - snr, rng)) for snr in (6, 6, 6, 20)]
    verdicts = judged(*noises, clicks, hum, *in_noise, np.zeros(seconds * RATE, np.int16))
    assert [verdict.outcome for verdict in verdicts] == ["no answer"] * 11
    assert {verdict.reason for verdict in verdicts} == {"响了 13 秒无人接听", "13 秒没有听到回铃音"}


@pytest.mark.parametrize("cut", [7, 333, 100_000])
def test_however_the_sound_is_cut_the_verdicts_are_the_same(cut):
    calls = [dialled(name, 9) for name in ("speech", "silent", "busy", "fax")]
    if cut == 7:
        calls = [calls[2][: 3 * RATE]]
    assert judged(*calls, cut=cut) == judged(*calls)


def test_a_call_that_is_not_followed_gets_no_verdict_and_the_next_begins_anew():
    call = dialled("busy", 4)[None, :]
    tones, detector = progress.Detector(1, CN), answer.Detector(1, CN)
    assert detector.feed(call, tones.feed(call)) == []
    detector.start(0)
    detector.stop(0)
    tones.reset(0)
    assert detector.feed(call, tones.feed(call)) == []
    found = []
    for _ in range(2):
        tones.reset(0)
        detector.start(0)
        found += detector.feed(call, tones.feed(call))
    assert [verdict.outcome for verdict in found] == ["busy", "busy"]
    assert found[0] == found[1]
