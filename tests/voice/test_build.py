"""Shipped audio: it belongs to its text, sounds as it should, and only what changed is made again."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hotline.voice import audiofile, build
from hotline.voice.catalogue import PROMPTS, Catalogue
from hotline.voice.synthesis import Voice

CATALOGUE = Catalogue.load()
FEW = Catalogue({key: CATALOGUE[key] for key in ("P29", "n-1", "n-100")})


def test_text_and_audio_belong_together():
    assert build.stale(CATALOGUE, Voice()) == []
    assert build.orphans(CATALOGUE) == []


@pytest.mark.parametrize("key", CATALOGUE)
def test_shipped_audio_is_fit_for_the_line(key):
    samples = audiofile.read_pcm(build.path(key)).astype(int)
    syllables = len(re.findall(r"[一-鿿]|[a-z]+[1-5]", CATALOGUE[key].aloud)) or 1
    # 165 syllables a minute is espeak-ng's word for about four a second, pauses included.
    assert 0.18 < samples.size / 8000 / syllables < 0.48
    assert np.abs(samples).max() <= audiofile.PEAK + 1
    active = audiofile.active_dbm0(samples.astype(np.int16))
    assert audiofile.SPEECH_DBM0 - 3 < active < audiofile.SPEECH_DBM0 + 0.1
    assert abs(samples[0]) < 50
    assert abs(samples[-1]) < 50
    assert abs(samples.mean()) < 50


def test_only_what_changed_is_made_again(tmp_path):
    assert build.build(FEW, Voice(), tmp_path) == list(FEW)
    assert build.build(FEW, Voice(), tmp_path) == []
    times = {file: file.stat().st_mtime_ns for file in tmp_path.glob("*.wav")}
    changed = Catalogue({**FEW, "P29": replace(FEW["P29"], text="请讲话")})
    assert build.build(changed, Voice(), tmp_path) == ["P29"]
    assert [file.stem for file, time in times.items() if file.stat().st_mtime_ns != time] == ["P29"]


def test_a_file_changed_by_hand_is_noticed(tmp_path):
    build.build(FEW, Voice(), tmp_path)
    audiofile.write(build.path("n-1", tmp_path), np.zeros(800, np.int16))
    build.path("n-100", tmp_path).unlink()
    assert build.stale(FEW, Voice(), tmp_path) == ["n-1", "n-100"]


def test_another_voice_makes_everything_stale(tmp_path):
    build.build(FEW, Voice(), tmp_path)
    assert build.stale(FEW, Voice(rate=120), tmp_path) == list(FEW)


def test_what_left_the_catalogue_leaves_the_folder(tmp_path):
    build.build(FEW, Voice(), tmp_path)
    fewer = Catalogue({"P29": FEW["P29"]})
    assert build.orphans(fewer, tmp_path) == [tmp_path / "n-1.wav", tmp_path / "n-100.wav"]
    assert build.build(fewer, Voice(), tmp_path) == []
    assert [file.name for file in tmp_path.glob("*.wav")] == ["P29.wav"]
    assert "n-1 " not in (tmp_path / build.MANIFEST).read_text("utf-8")


def test_what_ships_is_what_the_build_makes(tmp_path):
    build.build(FEW, Voice(), tmp_path)
    for key in FEW:
        ours, theirs = (audiofile.read_pcm(folder / f"{key}.wav").astype(float) for folder in (tmp_path, PROMPTS))
        size = min(ours.size, theirs.size)
        assert abs(ours.size - theirs.size) <= 80
        assert np.corrcoef(ours[:size], theirs[:size])[0, 1] > 0.99
