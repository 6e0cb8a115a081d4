"""Speech from text: fit for the line, in Chinese and not in English letters, and clear when it cannot be made."""

from __future__ import annotations

import re
import subprocess

import numpy as np
import pytest
from hotline.voice import synthesis
from hotline.voice.catalogue import Catalogue
from hotline.voice.synthesis import SynthesisError, Voice

CATALOGUE = Catalogue.load()


def phonemes(text):
    """What espeak-ng pronounces: one group with a tone for each syllable it takes for Chinese."""
    done = subprocess.run(
        ["espeak-ng", "-v", Voice().name, "-q", "-x", "--stdin"], input=text.encode(), capture_output=True, check=True
    )
    return done.stdout.decode().split()


def test_every_prompt_is_read_as_chinese_one_tone_a_syllable():
    said = [prompt.aloud for prompt in CATALOGUE.values() if not prompt.aloud.startswith("[[")]
    expected = sum(len(re.findall(r"[一-鿿]|[a-z]+[1-5]", text)) for text in said)
    groups = phonemes("。\n".join(said))
    assert [group for group in groups if not re.search(r"\d", group)] == []
    assert len(groups) == expected


@pytest.mark.parametrize(
    ("key", "sound"),
    [
        ("P13", "ts.h'ong35"),  # chong2 ting1, not zhong4
        ("P18", "X'ua35n"),  # huan2, not hai2
        ("P17", "t'ai51"),  # dai4, which the dictionary of 1.51 makes two syllables of
        ("P08", "w'ei35"),  # wei2: is
        ("P34", "w'ei51"),  # wei4: for
        ("entry-again", "ts.h'ong35"),
        ("n-100", "p'ai21"),  # the low third tone
    ],
)
def test_polyphones_sound_right(key, sound):
    assert any(sound in group for group in phonemes(CATALOGUE[key].aloud))


def test_a_sentence_has_the_length_level_and_band_of_telephone_speech():
    samples = synthesis.speak("请输入您的身份证号", Voice())
    assert samples.dtype == np.int16
    assert 9 * 0.15 < samples.size / 8000 < 9 * 0.4
    assert np.abs(samples[:2]).max() < 100
    assert np.abs(samples[-2:]).max() < 100
    power = np.abs(np.fft.rfft(samples.astype(float))) ** 2
    frequency = np.fft.rfftfreq(samples.size, 1 / 8000)
    assert power[(frequency < 120) | (frequency > 3500)].sum() < 1e-4 * power.sum()


def test_the_same_text_is_the_same_sound():
    assert np.array_equal(synthesis.speak("您好", Voice()), synthesis.speak("您好", Voice()))


def test_a_slower_voice_takes_longer():
    assert synthesis.speak("您好", Voice(rate=100)).size > 1.2 * synthesis.speak("您好", Voice(rate=165)).size


def test_text_is_text_and_never_an_option():
    assert synthesis.speak("--help", Voice(name="en")).size > 0


@pytest.mark.parametrize(("said", "voice"), [("您好", Voice(name="nonsense")), ("，", Voice()), ("", Voice())])
def test_what_cannot_be_spoken_is_said_clearly(said, voice):
    with pytest.raises(SynthesisError, match="espeak-ng"):
        synthesis.speak(said, voice)


def test_without_the_program_the_message_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SynthesisError, match="apt install espeak-ng"):
        synthesis.speak("您好", Voice())


def test_a_program_that_fails_is_quoted(monkeypatch, tmp_path):
    program = tmp_path / "espeak-ng"
    program.write_text("#!/bin/sh\necho out of memory >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(SynthesisError, match="out of memory"):
        synthesis.speak("您好", Voice())
