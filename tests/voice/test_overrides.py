"""A centre's own prompts: the newest version is in force, none is lost, half ones do not count."""

from __future__ import annotations

import threading

import numpy as np
from hotline.voice import audiofile, overrides


def samples(value):
    return np.full(80, value, np.int16)


def test_versions_count_up_and_all_stay(tmp_path):
    for value in (1, 2, 3):
        overrides.add(tmp_path, "P01", samples(value), f"第{value}版")
    overrides.add(tmp_path, "P01-end", samples(9), "另一条")
    history = overrides.history(tmp_path, "P01")
    assert [(version.number, version.text) for version in history] == [(1, "第1版"), (2, "第2版"), (3, "第3版")]
    assert [audiofile.read_pcm(version.path)[0] for version in history] == [1, 2, 3]
    assert overrides.current(tmp_path)["P01"] == history[-1]


def test_ten_comes_after_nine(tmp_path):
    for value in range(1, 12):
        overrides.add(tmp_path, "P01", samples(value), "")
    assert overrides.current(tmp_path)["P01"].number == 11


def test_no_folder_means_no_versions(tmp_path):
    assert overrides.current(tmp_path / "nowhere") == {}
    assert overrides.history(tmp_path / "nowhere", "P01") == []


def test_what_a_killed_process_left_does_not_count_and_is_not_reused(tmp_path):
    overrides.add(tmp_path, "P01", samples(1), "第一版")
    folder = overrides.folder(tmp_path)
    (folder / "P01.2.txt").write_text("没有声音的一版", "utf-8")
    (folder / ".abc.part").write_bytes(b"RIFF")
    (folder / "README").write_text("?", "utf-8")
    assert overrides.current(tmp_path)["P01"].number == 1
    assert overrides.add(tmp_path, "P01", samples(3), "第三版").number == 3
    assert overrides.current(tmp_path)["P01"].text == "第三版"


def test_a_recording_without_its_text_is_still_one(tmp_path):
    overrides.add(tmp_path, "P01", samples(1), "第一版").path.with_suffix(".txt").unlink()
    assert overrides.current(tmp_path)["P01"].text == ""
    assert overrides.add(tmp_path, "P01", samples(2), "第二版").number == 2


def test_many_may_add_at_once(tmp_path):
    threads = [
        threading.Thread(target=overrides.add, args=(tmp_path, "P01", samples(value), str(value)))
        for value in range(1, 13)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = overrides.history(tmp_path, "P01")
    assert [version.number for version in history] == list(range(1, 13))
    assert all(audiofile.read_pcm(version.path)[0] == int(version.text) for version in history)
    assert not list(overrides.folder(tmp_path).glob("*.part"))
