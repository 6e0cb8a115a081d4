"""Names, folders, and the repair of what a crash left."""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
import wave
from datetime import datetime
from pathlib import Path, PureWindowsPath

import numpy as np
import pytest
from hotline.config import tones
from hotline.dsp import generate
from hotline.voice import audiofile, recordings, wavefile
from hotline.voice.recorder import Recorder, part
from hypothesis import given, settings
from hypothesis import strategies as st

AT = datetime(2026, 11, 21, 14, 30, 5)


def test_names_say_when_and_what_and_nothing_else(tmp_path: Path) -> None:
    path = recordings.new(tmp_path, "complaint", AT)
    assert re.fullmatch(r"2026-11-21/complaint-143005-[0-9a-f]{6}\.wav", recordings.relative(tmp_path, path))


def test_names_of_one_second_differ(tmp_path: Path) -> None:
    assert len({recordings.new(tmp_path, "suggestion", AT) for _ in range(50)}) == 50


@pytest.mark.parametrize("kind", ["", "990101198503070017", "a/b", "..", "Complaint", "投诉", "a" * 21])
def test_kind_is_a_plain_word(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ValueError, match="kind"):
        recordings.new(tmp_path, kind, AT)


def test_records_name_a_recording_the_same_on_windows() -> None:
    folder = PureWindowsPath(r"D:\voice\prop")
    assert recordings.relative(folder, folder / "2026-11-21" / "a.wav") == "2026-11-21/a.wav"


# Where a recording ends.

CN = tones.load("cn")
WORDS = np.concatenate([generate.tone(300 + 40 * n, 180, -18) // (1 + n % 3) for n in range(12)])  # 2.16 s, uneven
QUIET = np.random.default_rng(7).normal(0, 8, 16000).astype(np.int16)  # two seconds of a quiet line
BUSY = generate.cadence([450], [(0.35, 0.35)], 3)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([WORDS], len(WORDS)),
        ([QUIET, WORDS], 16000 + len(WORDS)),
        ([WORDS, QUIET], len(WORDS) + recordings.MARGIN),
        ([WORDS, BUSY], len(WORDS)),
        ([QUIET, WORDS, QUIET[:4000], BUSY], 16000 + len(WORDS) + recordings.MARGIN),
        ([WORDS, QUIET, WORDS, QUIET[:8000]], 2 * len(WORDS) + 16000 + recordings.MARGIN),
        ([QUIET], 0),
        ([QUIET, BUSY], 0),
        ([np.zeros(0, np.int16)], 0),
        ([np.zeros(16000, np.int16)], 0),
    ],
)
def test_busy_tone_and_silence_are_not_worth_keeping(parts: list[np.ndarray], said: int) -> None:
    assert recordings.end_of_speech(np.concatenate(parts), CN) == pytest.approx(said, abs=320)


def test_steady_noise_is_kept() -> None:
    loud = generate.noise(3000, -25, np.random.default_rng(7))
    assert recordings.end_of_speech(loud, CN) == len(loud)


# What a crash leaves.


def left_behind(folder: Path, data: bytes, name: str = "complaint-143005-3f9a1c.wav") -> Path:
    """A .part as a crash leaves it; the path it should get."""
    path = folder / "2026-11-21" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    part(path).write_bytes(data)
    return path


def whole(samples: int, claimed: int | None = None) -> bytes:
    """A file of so many samples whose header claims another number."""
    return wavefile.header(samples if claimed is None else claimed) + np.arange(samples).astype("<i2").tobytes()


@pytest.mark.parametrize("length", [0, 1, 43, 44, 45, 46, 47, 48, 99, 44 + 2 * 8000 - 1, 44 + 2 * 8000])
def test_cut_off_at_any_byte(tmp_path: Path, length: int) -> None:
    path = left_behind(tmp_path, whole(8000)[:length])
    samples = max(0, length - 44) // 2
    found = recordings.repair(tmp_path)
    if samples == 0:
        assert found == []
        assert os.listdir(path.parent) == []
        return
    assert found == [recordings.Mended(path, samples / 8000)]
    assert recordings.seconds(path) == samples / 8000
    with wave.open(str(path), "rb") as file:
        assert file.getnframes() == samples
        assert file.readframes(samples) == np.arange(samples).astype("<i2").tobytes()


@pytest.mark.parametrize("claimed", [0, 10, 7999, 8001, 2**31 - 30])
def test_header_from_an_earlier_instant(tmp_path: Path, claimed: int) -> None:
    path = left_behind(tmp_path, whole(8000, claimed))
    recordings.repair(tmp_path)
    assert path.read_bytes() == whole(8000)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200))
def test_anything_left_becomes_all_its_whole_samples_or_nothing(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = left_behind(Path(folder), data)
        recordings.repair(Path(folder))
        samples = data[44 : len(data) // 2 * 2]
        assert os.listdir(path.parent) == ([path.name] if samples else [])
        assert not samples or audiofile.read_pcm(path).astype("<i2").tobytes() == samples


def test_header_lost_in_a_power_cut(tmp_path: Path) -> None:
    path = left_behind(tmp_path, bytes(44) + whole(8000)[44:])
    recordings.repair(tmp_path)
    assert path.read_bytes() == whole(8000)


def test_all_days_and_nothing_else(tmp_path: Path) -> None:
    kept = tmp_path / "2026-11-20" / "complaint-090000-000000.wav"
    kept.parent.mkdir()
    kept.write_bytes(whole(10))
    (tmp_path / "2026-11-20" / "notes.txt").write_text("x")
    left = [left_behind(tmp_path, whole(80), f"suggestion-14300{n}-3f9a1c.wav") for n in range(3)]
    assert [mended.path for mended in recordings.repair(tmp_path)] == left
    assert kept.read_bytes() == whole(10)
    assert recordings.repair(tmp_path) == []


def test_no_folder_yet(tmp_path: Path) -> None:
    assert recordings.repair(tmp_path / "none") == []


def test_a_kept_recording_is_never_overwritten(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = left_behind(tmp_path, whole(80))
    path.write_bytes(b"kept")
    assert recordings.repair(tmp_path) == []
    assert path.read_bytes() == b"kept"
    assert part(path).read_bytes() == whole(80)
    assert "已经有同名的录音" in caplog.text


def test_a_recording_in_progress_is_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    recorder = Recorder(recordings.new(tmp_path, "complaint", AT))
    recorder.open()
    recorder.add(np.ones(160, np.int16))
    recorder.flush()
    assert recordings.repair(tmp_path) == []
    assert "left alone" in caplog.text
    recorder.add(np.ones(160, np.int16))
    assert recorder.close() == 320 / 8000


def test_one_that_cannot_be_mended_does_not_stop_the_others(tmp_path: Path) -> None:
    broken = left_behind(tmp_path, b"")
    part(broken).unlink()
    part(broken).mkdir()
    good = left_behind(tmp_path, whole(80), "suggestion-150000-3f9a1c.wav")
    assert [mended.path for mended in recordings.repair(tmp_path)] == [good]


def test_room_is_what_the_disk_has_but_for_the_reserve(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    assert recordings.room(tmp_path / "not" / "yet") == pytest.approx((free - recordings.RESERVE) / 16000, rel=0.1)
