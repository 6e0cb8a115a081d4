"""Recordings survive being killed at any instant, full disks, vanished folders; and what is kept is what was said."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hotline.voice import recordings
from hotline.voice.recorder import Recorder, RecorderError, part

FRAME = 160


def ramp(first: int, samples: int = FRAME) -> np.ndarray:
    """Samples that tell where they belong."""
    return np.arange(first, first + samples).astype(np.int16)


def played(path: Path) -> np.ndarray:
    """What any player would play."""
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "prop" / "2026-11-21" / "complaint-143005-3f9a1c.wav"


@pytest.fixture
def recorder(path: Path) -> Iterator[Recorder]:
    made = Recorder(path)
    made.open()
    yield made
    made.discard()


def record(recorder: Recorder, frames: int) -> None:
    """So many frames, flushed twice a second."""
    for number in range(frames):
        recorder.add(ramp(number * FRAME))
        if number % 25 == 24:
            recorder.flush()


class TestKeeping:
    def test_all_is_kept_in_order(self, recorder: Recorder, path: Path) -> None:
        record(recorder, 333)
        assert recorder.close() == pytest.approx(333 / 50)
        assert (played(path) == ramp(0, 333 * FRAME)).all()
        assert os.listdir(path.parent) == [path.name]
        assert recorder.error is None

    def test_frames_are_copied(self, recorder: Recorder, path: Path) -> None:
        frame = ramp(0)
        recorder.add(frame)
        frame[:] = 0
        recorder.close()
        assert (played(path) == ramp(0)).all()

    def test_can_be_played_while_it_is_written(self, recorder: Recorder, path: Path) -> None:
        assert not len(played(part(path)))
        for number in range(5):
            recorder.add(ramp(number * FRAME))
            recorder.flush()
            assert (played(part(path)) == ramp(0, (number + 1) * FRAME)).all()
        assert not path.exists()

    @pytest.mark.parametrize(
        ("cut", "kept"), [(None, 1600), (0, 0), (-5, 0), (1, 1), (799, 799), (1600, 1600), (9999, 1600)]
    )
    def test_the_tail_is_cut(self, recorder: Recorder, path: Path, cut: int | None, kept: int) -> None:
        record(recorder, 10)
        assert recorder.close(cut) == kept / 8000
        if kept:
            assert (played(path) == ramp(0, kept)).all()
            assert path.stat().st_size == 44 + 2 * kept
        else:
            assert os.listdir(path.parent) == []

    def test_nothing_said_leaves_nothing(self, recorder: Recorder, path: Path) -> None:
        assert recorder.close() == 0
        assert os.listdir(path.parent) == []

    def test_closing_twice_is_quiet(self, recorder: Recorder, path: Path) -> None:
        record(recorder, 10)
        recorder.close()
        assert recorder.close() == 0
        assert len(played(path)) == 1600

    def test_reading_back_what_was_said(self, recorder: Recorder) -> None:
        record(recorder, 30)
        assert (recorder.read() == ramp(0, 30 * FRAME)).all()
        recorder.add(ramp(30 * FRAME))
        assert (recorder.read() == ramp(0, 31 * FRAME)).all()
        recorder.close(100)
        assert (recorder.read() == ramp(0, 100)).all()

    @pytest.mark.parametrize("closed", [False, True])
    def test_discarding(self, recorder: Recorder, path: Path, closed: bool) -> None:
        record(recorder, 30)
        if closed:
            recorder.close()
        recorder.discard()
        recorder.discard()
        assert os.listdir(path.parent) == []
        assert recorder.error is None

    def test_workers_that_catch_up_with_each_other(self, recorder: Recorder, path: Path) -> None:
        workers = [Thread(target=lambda: [recorder.flush() for _ in range(300)]) for _ in range(4)]
        for worker in workers:
            worker.start()
        for number in range(3000):
            recorder.add(ramp(number * FRAME))
        for worker in workers:
            worker.join()
        recorder.close()
        assert (played(path) == ramp(0, 3000 * FRAME)).all()


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """The kernel takes a part of a write and refuses the rest, as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class TestTrouble:
    def test_disk_full_while_somebody_speaks(self, recorder: Recorder, path: Path) -> None:
        with files_no_longer_than(44 + 2 * 1000 + 1):
            record(recorder, 100)
            assert recorder.error is not None
            assert recorder.close() == 1000 / 8000
        assert (played(path) == ramp(0, 1000)).all(), "what fitted is kept"
        assert str(path) in str(recorder.error)

    def test_full_is_called_full(self, recorder: Recorder) -> None:
        assert recorder._file is not None
        recorder._file.close()
        recorder._file = FileIO("/dev/full", "r+")
        recorder.add(ramp(0))
        recorder.flush()
        assert str(recorder.error) == f"{recorder.path}：录音保存不了：磁盘已满，请删除旧录音或换一个文件夹"

    def test_nothing_piles_up_after_an_error(self, recorder: Recorder) -> None:
        with files_no_longer_than(44):
            record(recorder, 200)
        assert len(recorder._queue) == 0
        assert recorder.samples == 200 * FRAME

    def test_folder_vanishes(self, recorder: Recorder, path: Path) -> None:
        record(recorder, 50)
        shutil.rmtree(path.parent)
        record(recorder, 50)
        assert recorder.close() == 0
        assert "录音文件夹不见了" in str(recorder.error)

    def test_folder_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "prop").write_text("")
        recorder = Recorder(tmp_path / "prop" / "2026-11-21" / "a.wav")
        with pytest.raises(RecorderError, match="录音文件夹的位置上是一个文件"):
            recorder.open()
        recorder.add(ramp(0))
        recorder.flush()
        assert recorder.close() == 0

    @pytest.mark.parametrize("taken", ["a.wav", "a.wav.part"])
    def test_nobody_elses_recording_is_touched(self, tmp_path: Path, taken: str) -> None:
        (tmp_path / taken).write_text("his")
        recorder = Recorder(tmp_path / "a.wav")
        with pytest.raises(RecorderError, match="已经有同名的录音"):
            recorder.open()
        recorder.discard()
        assert (tmp_path / taken).read_text() == "his"
        assert os.listdir(tmp_path) == [taken]


# One process that forks a recording child for each line it is given: SIGKILL at many instants, one start of Python.
NURSERY = """
import os, sys
from pathlib import Path
import numpy as np
from hotline.voice.recorder import Recorder

for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        recorder = Recorder(Path(line.strip()))
        recorder.open()
        print(os.getpid(), flush=True)
        said = 0
        while True:
            for _ in range(1 + said // 160 % 40):
                recorder.add(np.arange(said, said + 160).astype(np.int16))
                said += 160
            recorder.flush()
            os.write(1, b"%d\\n" % said)  # at once: print may write the line's end after it
    os.waitpid(pid, 0)
    print("dead", flush=True)
"""


@pytest.fixture(scope="module")
def nursery() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process


@pytest.mark.parametrize("flushes", [0, 1, 2, 3, *range(4, 64, 3)])
def test_killed_in_the_middle(nursery: subprocess.Popen[str], path: Path, flushes: int) -> None:
    """The child is killed at some instant after so many flushes; it is writing all the time."""
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    print(path, file=nursery.stdin, flush=True)
    child = int(nursery.stdout.readline())
    told = 0
    for _ in range(flushes):
        told = int(nursery.stdout.readline())
    os.kill(child, signal.SIGKILL)
    while (line := nursery.stdout.readline()) != "dead\n":
        told = int(line)  # what it said it had flushed before it died

    assert len(played(part(path))) >= told, "a player would have played it without any repair"
    found = recordings.repair(path.parents[1])
    if told:
        (mended,) = found
        assert mended.path == path
        samples = played(path)
        assert mended.seconds == len(samples) / 8000
        assert len(samples) >= told
        assert (samples == ramp(0, len(samples))).all()
        assert os.listdir(path.parent) == [path.name]
    assert recordings.repair(path.parents[1]) == []
