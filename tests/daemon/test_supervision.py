"""daemon/supervision.py: what ends a call and what does not, by rule and on lines that sound like the real ones."""

from pathlib import Path

import numpy as np
import pytest
from hotline import voice
from hotline.config import tones
from hotline.config.settings import Hangup
from hotline.daemon.call import ticks
from hotline.daemon.supervision import ECHO, Supervision, Verdict
from hotline.drivers.line import FRAME, Capabilities, FarHangup
from hotline.drivers.simulated.line import Settings, SimulatedLine
from hotline.drivers.simulated.tones import Stage
from hotline.dsp import generate
from hotline.dsp.levels import RATE, amplitude
from hotline.dsp.progress import Tone
from hotline.voice import audiofile
from rig.board import Board, Clip, Speech

PLAN = tones.load("cn")
PROMPTS = sorted((Path(voice.__file__).parent / "prompts").rglob("*.wav"))
LOUD = np.full((1, FRAME), 5000, np.int16)
QUIET = np.zeros((1, FRAME), np.int16)
YES, NO = np.array([True]), np.array([False])


def watch(**rules):
    return Supervision(1, PLAN, Hangup(**rules))


# By rule.


@pytest.mark.parametrize("name", PLAN.tones)
def test_released_tones_of_the_plan_end_a_call_and_others_mean_nothing(name):
    verdict = watch().tone(Tone(0, name, 8000, 16800, 451.3, -17.6))
    if name in ("busy", "congestion", "unobtainable", "dial", "howler"):
        text = f"听到{PLAN.tones[name].text}（451 Hz，-18 dBm0，1.1 秒），对方已挂机"
        assert verdict == Verdict("caller", text)
    else:
        assert verdict is None


def test_every_tone_any_shipped_plan_calls_released_can_be_left_out_by_its_meaning():
    for country in tones.shipped():
        plan = tones.load(country)
        for name, tone in plan.tones.items():
            if tone.released:
                supervision = Supervision(1, plan, Hangup(ignored_tones=(tone.meaning,)))
                assert supervision.tone(Tone(0, name, 0, 8000, 450, -10)).cause is None


def test_a_tone_the_settings_leave_out_is_only_noted():
    verdict = watch(ignored_tones=("dial",)).tone(Tone(0, "dial", 0, 12000, 450, -10))
    assert verdict == Verdict(None, "听到拨号音（450 Hz，-10 dBm0，1.5 秒），按设置不算挂机")


@pytest.mark.parametrize(
    ("event", "trusted", "verdict"),
    [
        (FarHangup("极性反转", polarity=True), True, Verdict("caller", "极性反转")),
        (FarHangup("极性反转", polarity=True), False, Verdict(None, "极性反转，按设置不算挂机")),
        (FarHangup("环路断开"), False, Verdict("caller", "环路断开")),
    ],
)
def test_what_the_hardware_reports(event, trusted, verdict):
    assert watch(polarity=trusted).reported(event) == verdict


def seconds_to_silence(watch, expected, limit=5000):
    """How many seconds it takes; None if it never comes."""
    for second in range(1, limit):
        if found := list(watch.silence(YES, expected)):
            return second, found[0][1]
    return None


@pytest.mark.parametrize(
    ("rules", "expected", "seconds"),
    [
        ({}, YES, 60),
        ({}, NO, 600),
        ({"silence": 0}, YES, 600),
        ({"silence_listening": 0}, NO, None),
        ({"silence": 0, "silence_listening": 0}, YES, None),
        ({"silence": 7.5}, YES, 8),
    ],
)
def test_silence_by_whose_turn_it_is(rules, expected, seconds):
    found = seconds_to_silence(watch(**rules), expected)
    assert (found and found[0]) == seconds
    if found:
        assert found[1].cause == "silence"
        assert f"{seconds} 秒，没有按键也没有声音" in found[1].reason


@pytest.mark.parametrize("sign", ["key", "voice"])
def test_any_sign_of_life_starts_the_count_again(sign):
    supervision = watch()
    for _ in range(59):
        assert not list(supervision.silence(YES, YES))
    if sign == "key":
        supervision.keyed(0)
    else:
        supervision.heard(YES)
    assert not list(supervision.silence(YES, YES))
    assert seconds_to_silence(supervision, YES)[0] == 60


def test_waiting_adds_up_over_the_prompts_between():
    supervision = watch()
    found = []
    turns = 0
    while not found:
        expected = YES if turns % 3 else NO
        found = list(supervision.silence(YES, expected))
        turns += 1
    assert turns == 90


@pytest.mark.parametrize(("after", "counts"), [(ECHO - 1, False), (ECHO + 1, True)])
def test_our_own_sound_and_its_echo_are_no_sign_of_life(after, counts):
    supervision = watch()
    supervision.sent(LOUD)
    for _ in range(after):
        supervision.sent(QUIET)
    supervision.heard(YES)
    list(supervision.silence(YES, YES))
    assert seconds_to_silence(supervision, YES)[0] == (60 if counts else 59)


def test_lines_are_counted_apart_and_a_new_call_begins_anew():
    supervision = Supervision(3, PLAN, Hangup())
    talking = np.array([True, True, False])
    for _ in range(30):
        list(supervision.silence(talking, talking))
    supervision.reset(1)
    ended = {}
    for second in range(31, 100):
        for line, _ in supervision.silence(talking, talking):
            ended.setdefault(line, second)
    assert ended == {0: 60, 1: 90}


# On the simulated line.


class Sounds:
    """A pool of these samples one after the other."""

    def __init__(self, *parts):
        ends = np.cumsum([len(part) for part in parts])
        self.pool = np.concatenate(parts)
        self.speeches = [Speech(Clip(end - len(part), end)) for part, end in zip(parts, ends, strict=True)]


class Reporting(SimulatedLine):
    """Hardware that sees hang-ups itself."""

    capabilities = Capabilities(reports_hangup=True)
    more = ()

    def events(self):
        events, self.more = [*super().events(), *self.more], ()
        return events


def pair(**settings):
    return lambda name: SimulatedLine(name, Settings(**settings))


def busy(seconds=5.0, level=-10.0):
    return generate.cadence([450], [(0.35, 0.35)], seconds, level)


def noted(house):
    return [detail for _, kind, detail in house.notes.steps if kind == "note"]


async def listen(call):
    """Wait for keys until the caller leaves."""
    while True:
        await call.key(ticks(60))


@pytest.fixture
def board():
    made = []

    def make(program=listen, **options):
        made.append(Board(program, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.mark.parametrize(
    ("tone", "text", "within"),
    [
        ("busy", "听到忙音（450 Hz，-10 dBm0，1.1 秒）", 1.2),
        ("congestion", "听到拥塞音（450 Hz，-10 dBm0，2.2 秒）", 2.3),
        ("unobtainable", "听到空号音（450 Hz，-10 dBm0，1.6 秒）", 2.5),
        ("dial", "听到拨号音（450 Hz，-10 dBm0，1.5 秒）", 1.7),
        ("howler", "听到催挂音（950 Hz，0 dBm0，2.0 秒）", 2.3),
    ],
)
def test_each_release_tone_ends_the_call_and_says_why(board, tone, text, within):
    house = board(made=pair(release=(Stage(tone="silence", seconds=0.5), Stage(tone=tone))))
    house.answered()
    house.ticks(50)
    house.lines[0].exchange.hang_up()
    assert house.until(lambda: house.notes.over) <= ticks(0.5 + within)
    assert house.notes.over == [("L0", "caller", None)]
    assert noted(house) == [f"{text}，对方已挂机"]
    assert ("L0", "状态", f"{text}，对方已挂机") in house.notes.told_


def test_silence_ends_a_call_the_exchange_never_ends(board):
    house = board(made=pair(release=(Stage(tone="silence"),), noise_dbm0=-45), hangup=Hangup(silence=20))
    house.answered()
    house.phones[0].keys("5")
    house.lines[0].exchange.hang_up()
    taken = house.until(lambda: house.notes.over, limit=4000)
    assert ticks(19) <= taken <= ticks(26)  # once the meter has got used to the noise
    assert house.notes.over == [("L0", "silence", None)]
    assert noted(house) == ["等了来电者 20 秒，没有按键也没有声音"]


def test_polarity_that_is_not_trusted_is_on_record_and_the_call_goes_on(board):
    house = board(made=Reporting, hangup=Hangup(polarity=False))
    house.answered()
    house.lines[0].more = (FarHangup("极性反转", polarity=True),)
    house.ticks(100)
    assert house.notes.over == []
    assert noted(house) == ["极性反转，按设置不算挂机"]
    house.lines[0].more = (FarHangup("环路电流断开"),)
    house.ticks()
    assert house.notes.over == [("L0", "caller", None)]
    assert noted(house)[-1] == "环路电流断开"


def echoing(name):
    """Lines with an even number send our sound back as loud as it went out, the others half as loud."""
    return SimulatedLine(name, Settings(hybrid_echo_db=6 * (int(name[1:]) % 2)))


def test_no_prompt_is_taken_for_a_tone_by_its_echo(board):
    lines = 24
    sounds = Sounds(*(audiofile.read_pcm(path) for path in PROMPTS))
    done = []

    async def program(call):
        for speech in sounds.speeches[int(call.line[1:]) :: lines]:
            await call.play(speech)
        done.append(call.line)
        await call.hang_up("exit")

    house = board(program, lines=lines, pool=sounds, made=echoing)
    for line in range(lines):
        house.ring(line)
    house.until(lambda: len(house.notes.over) == lines, limit=20_000)
    assert len(done) == lines
    assert noted(house) == []


@pytest.mark.parametrize("echo", [0, 6])
@pytest.mark.parametrize("echo_ms", [4, 150, 290])
def test_a_busy_tone_in_our_own_prompt_is_not_the_callers(board, echo, echo_ms):
    sounds = Sounds(busy())

    async def program(call):
        await call.play(sounds.speeches[0])
        await listen(call)

    near = Settings(hybrid_echo_db=echo)
    far = near.model_copy(update={"hybrid_echo_ms": echo_ms})  # farther than a settings file may say
    house = board(program, pool=sounds, made=lambda name: SimulatedLine(name, far))
    house.answered()
    house.ticks(ticks(7))
    assert house.notes.over == []
    if echo_ms > 250:  # later than the canceller looks for it: the tone is heard, and known for our own
        level = -10 - echo
        assert noted(house) == [f"听到忙音（450 Hz，{level} dBm0，1.1 秒），是自己播放的声音的回声，不算挂机"]
    else:
        assert noted(house) == []
    house.ticks(ticks(4))
    house.lines[0].exchange.hang_up()
    assert house.until(lambda: house.notes.over) <= ticks(0.5 + 1.2)
    assert house.notes.over == [("L0", "caller", None)]


@pytest.mark.parametrize("echo", [None, 20, 6])
def test_the_callers_busy_tone_is_found_under_our_prompt(board, echo):
    sounds = Sounds(np.concatenate([audiofile.read_pcm(path) for path in PROMPTS[:8]]))

    async def program(call):
        await call.play(sounds.speeches[0])
        await listen(call)

    house = board(program, pool=sounds, made=pair(hybrid_echo_db=echo))
    house.answered()
    house.ticks(100)
    house.lines[0].exchange.hang_up()
    assert house.until(lambda: house.notes.over) <= ticks(0.5 + 1.4)
    assert house.notes.over == [("L0", "caller", None)]


def test_speech_and_tone_like_sounds_of_the_caller_do_not_end_the_call(board):
    """A held key, a hummed note, music on a chord, ring-back heard from behind a caller's switchboard, call waiting."""
    seconds = np.arange(4 * RATE) / RATE
    hum = np.sin(2 * np.pi * (450 * seconds + 3 * np.sin(2 * np.pi * 5 * seconds))) * amplitude(-20)
    sounds = [
        generate.dtmf("5", 3000, 200, -20),
        hum.astype(np.int16),
        generate.cadence([440, 554, 659], [(0.35, 0.35)], 4, -20),
        generate.cadence([450], [(1.0, 4.0)], 12, -20),
        generate.cadence([450], [(0.4, 4.0)], 12, -20),
    ]
    house = board(lines=len(sounds))
    for line, sound in enumerate(sounds):
        house.answered(line)
        house.phones[line].say(sound)
    house.ticks(ticks(14))
    assert all(phone.idle for phone in house.phones)
    assert house.notes.over == []
