"""Sound that holds no key and no tone: syllables and music computed here, speech and digits spoken by espeak-ng.

Espeak's voices are harder on a receiver than people are: their harmonics stand still.
"""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr

from ...dsp.levels import RATE, ms
from ...voice import reading
from .pieces import Case, Samples, Signal, alaw, at_level, band, on_a_line

PROMPTS = Path(__file__).parents[2] / "voice" / "prompts"
MINUTES = 5  # of one case of speech

MANDARIN = [
    "请问公积金怎么提取，我上个月刚刚离职。",
    "您稍等，我帮您看一下系统里面的记录。",
    "我家孩子今年九月份上学，房子还没有装修好。",
    "这个月的钱已经到账了，谢谢你们。",
    "能不能再说一遍，我这里太吵了，听不清楚。",
    "贷款利率是百分之三点一，分三十年还清。",
    "明天上午九点到十一点半，窗口都有人值班。",
    "老李，你那边下雨了没有？我们这里刮大风。",
    "单位名称改过一次，老的账号还能不能用？",
    "嗯，好，行，知道了，那我周五再过去一趟。",
    "奶奶骑牛去，牛拗扭牛。",
    "红凤凰，粉凤凰，红粉凤凰花凤凰。",
    "哎哟喂，你可算接电话了，我打了一上午。",
    "二零二四年十二月，补缴两千三百四十五元六角。",
    "材料齐全的话，三个工作日之内办结。",
]
ENGLISH = [
    "Good morning, could you tell me how much is left in my account?",
    "We moved house in March and nobody updated the address.",
    "A loyal warrior will rarely worry why we rule.",
    "He would not say whether the room was free on Tuesday or on Thursday.",
    "Five hundred and twelve, did you say, or fifteen hundred and two?",
    "Mummy, the man on the telephone is singing again!",
    "Look, all I want to know is who signed the form and when.",
    "Around the rugged rocks the ragged rascal ran.",
    "You only need to know one thing: the office closes at noon.",
    "Please hold the line while we transfer your call to a colleague.",
    "Wow, really? That is marvellous news, congratulations!",
    "Oh no, I have no idea; you'd better ask my husband, he deals with all of that.",
    "The rain in Spain stays mainly in the plain, they say.",
]
DIGITS = {
    "mandarin": list("零一二三四五六七八九"),
    "english": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
}
TEXTS = {"mandarin": MANDARIN, "english": ENGLISH}
ACCENTS = {"mandarin": ("cmn-latn-pinyin",), "english": ("en-us", "en-gb", "en-gb-scotland", "en-029")}
VARIANTS = (
    "", *(f"+f{i}" for i in range(1, 6)), *(f"+m{i}" for i in range(1, 9)), "+klatt", "+klatt2", "+klatt4", "+croak",
    "+whisper", "+grandma", "+grandpa", "+Annie", "+anika", "+belinda", "+linda", "+steph",
)  # fmt: skip

# The first formants of ten vowels, Hz: Peterson and Barney 1952; the fourth is put where a channel ends.
VOWELS = np.array([
    (730, 1090, 2440, 3300), (270, 2290, 3010, 3400), (300, 870, 2240, 3300), (530, 1840, 2480, 3400),
    (570, 840, 2410, 3300), (660, 1720, 2410, 3400), (490, 1350, 1690, 3300), (440, 1020, 2240, 3300),
    (390, 1990, 2550, 3400), (250, 2100, 2350, 3300),
], float)  # fmt: skip
CHORDS = ((0,), (0, 7), (0, 4, 7), (0, 3, 7), (0, 4, 7, 10), (0, 12))  # semitones
TIMBRES = (  # (multiple, amplitude) of the partials: pure, organ, string, bell
    ((1, 1.0),),
    ((1, 1.0), (2, 0.6), (3, 0.4), (4, 0.3), (6, 0.2)),
    tuple((k, 1 / k) for k in range(1, 9)),
    ((1, 1.0), (2.76, 0.6), (5.4, 0.3)),
)


@cache
def prompts() -> Samples:
    """All prompts of our own one after another, int16 (n,)."""
    return np.concatenate([soundfile.read(file, dtype="int16")[0] for file in sorted(PROMPTS.glob("**/*.wav"))])


def syllable(rng: np.random.Generator, samples: int, pitch: float) -> Signal:
    """A voiced sound of so many samples: harmonics of a gliding pitch (as Mandarin's tones glide) under formants."""
    along = np.linspace(0, 1, samples)
    glides = (np.zeros(samples), along - 0.3, 0.4 * along - 0.8 * np.sin(np.pi * along), 0.4 - along)
    fundamental = pitch * (1 + rng.uniform(0.08, 0.45) * glides[rng.integers(len(glides))])
    phase = 2 * np.pi * np.cumsum(fundamental) / RATE
    formants = VOWELS[rng.integers(len(VOWELS), size=2)].mean(axis=0)
    harmonics = np.arange(1, int(3600 / pitch) + 1)
    apart = (harmonics[:, None] * pitch - formants) / (40 + 0.05 * formants)
    strength = (1 / (1 + apart**2) / np.arange(1, 5)).sum(axis=1) + 0.01
    strength *= harmonics ** (0.5 - rng.uniform(0.4, 1.4))
    starts = rng.uniform(0, 2 * np.pi, len(harmonics))
    sound = np.zeros(samples)
    for k, (size, start) in enumerate(zip(strength, starts, strict=True), 1):
        sound += size * np.sin(k * phase + start)
    sound *= np.minimum(1, np.minimum(along * samples / ms(18), (1 - along) * samples / ms(35)))
    return sound * (rng.uniform(0.3, 1.0) / (float(np.sqrt(np.mean(sound**2))) + 1e-9))


def syllables(rng: np.random.Generator, seconds: float, *, sung: bool = False) -> Signal:
    """Syllables, hisses and pauses; sung ones are up to 1.2 s long and leap in pitch."""
    base, parts, total = 80 * 2 ** rng.uniform(0, 2.3), [], 0
    while total < seconds * RATE:
        kind = rng.random()
        if kind < 0.12:
            part = np.zeros(ms(rng.uniform(60, 500)))
        elif kind < 0.27:
            count = ms(rng.uniform(30, 140))
            part = np.diff(rng.standard_normal(count + 1)) * rng.uniform(0.03, 0.3) * np.hanning(count)
        else:
            count = ms(rng.uniform(150, 1200) if sung else rng.uniform(90, 320))
            part = syllable(rng, count, base * (rng.uniform(0.8, 2.8) if sung else 1.0))
        parts.append(part)
        total += len(part)
    return band(np.concatenate(parts)[: round(seconds * RATE)])


def music(rng: np.random.Generator, seconds: float) -> Signal:
    """Chords of equal temperament, in four timbres, each dying away."""
    tuning, parts, total = 440 * 2 ** rng.uniform(-0.025, 0.025), [], 0
    while total < seconds * RATE:
        count = ms(rng.choice([125, 180, 250, 375, 500, 750, 1000]))
        time = np.arange(count) / RATE
        root, chord = rng.integers(-21, 22), CHORDS[rng.integers(len(CHORDS))]
        partials = TIMBRES[rng.integers(len(TIMBRES))]
        sound = np.zeros(count)
        for semitone in chord:
            pitch = tuning * 2 ** ((root + semitone) / 12)
            for multiple, size in partials:
                if pitch * multiple < 3800:
                    sound += size * np.sin(2 * np.pi * pitch * multiple * time + rng.uniform(0, 2 * np.pi))
        parts.append(sound * np.minimum(1, time / 0.008) * np.exp(-time / rng.uniform(0.15, 1.5)))
        total += count
    return band(np.concatenate(parts)[: round(seconds * RATE)])


def said(text: str, voice: str, pitch: int, words_a_minute: int) -> Signal:
    """What espeak-ng makes of it, at 8000 Hz. Raises FileNotFoundError where it is not installed."""
    command = ["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(words_a_minute), "--stdout"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=True)
    samples, rate = soundfile.read(io.BytesIO(done.stdout))
    result: Signal = soxr.resample(samples, rate, RATE)
    return result


def paragraph(rng: np.random.Generator, language: str, *, digits: bool) -> str:
    """Eight sentences, or as many strings of digits as people read out."""
    if not digits:
        return "\n".join(rng.choice(TEXTS[language], 8, replace=False))
    gap = " " if language == "english" else ""
    strings = [gap.join(rng.choice(DIGITS[language], rng.integers(4, 19))) for _ in range(8)]
    return ("。" if language == "mandarin" else ". ").join(strings)


def speech(rng: np.random.Generator, language: str, seconds: float, *, digits: bool = False) -> Samples:
    """So long a talk over a telephone channel, in many voices, pitches, speeds and levels, through A-law."""
    parts, total = [], 0
    while total < seconds * RATE:
        text = paragraph(rng, language, digits=digits)
        voice = str(rng.choice(ACCENTS[language])) + str(rng.choice(VARIANTS))
        text = reading.aloud(text) if language == "mandarin" else text
        sound = said(text, voice, int(rng.integers(5, 99)), int(rng.integers(110, 280)))
        parts.append(at_level(band(sound), rng.uniform(-22, -8)))
        total += len(sound)
    return alaw(on_a_line(rng, np.concatenate(parts)[: round(seconds * RATE)], -60.0))


def computed(rng: np.random.Generator, signal: Signal) -> Samples:
    """At some level, on a line."""
    return on_a_line(rng, at_level(signal, rng.uniform(-22, -10)), -60.0)


KINDS: dict[str, Callable[[np.random.Generator, float], Samples]] = {
    "Mandarin": lambda rng, seconds: speech(rng, "mandarin", seconds),
    "English": lambda rng, seconds: speech(rng, "english", seconds),
    "digits in Mandarin": lambda rng, seconds: speech(rng, "mandarin", seconds, digits=True),
    "digits in English": lambda rng, seconds: speech(rng, "english", seconds, digits=True),
    "sung": lambda rng, seconds: computed(rng, syllables(rng, seconds, sung=True)),
    "music": lambda rng, seconds: computed(rng, music(rng, seconds)),
}


def talk_off(rng: np.random.Generator, minutes: float) -> Iterator[Case]:
    """So much sound in which nothing is to be found, equally of all kinds."""
    for name, make in KINDS.items():
        left = minutes / len(KINDS)
        while left > 0.01:
            yield Case(f"talk-off: {name}", 0.0, "", make(rng, 60 * min(left, MINUTES)))
            left -= MINUTES
