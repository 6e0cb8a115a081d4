"""Write a recording so that being killed at any instant loses half a second at most.

The switchboard's thread only puts frames on a queue. A worker thread writes them, at least twice a
second, behind a header that is right after every write: NAME.wav.part is a playable WAV from its first
sample on. A power cut may lose what was written since the last fsync, about a second. Closing cuts the
tail, fsyncs, and renames the file to NAME.wav in one step; so a NAME.wav is always complete. What a
crash leaves as .part is mended at the next start (recordings.py).

Disks fill up and folders vanish while somebody is speaking. That never raises out of `add`, `flush` or
`close`: it is kept in `error`, what has reached the disk stays, and the dialog can say so.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from ..dsp.levels import RATE
from . import wavefile
from .wavefile import HEADER, WIDTH

Samples = npt.NDArray[np.int16]

SYNC_EVERY = RATE  # samples; fsync costs up to 50 ms on a slow disk, so not with every write

CAUSES = {
    errno.ENOSPC: "磁盘已满，请删除旧录音或换一个文件夹",
    errno.EDQUOT: "磁盘配额已用完，请删除旧录音或提高配额",
    errno.EACCES: "没有写这个文件夹的权限，请检查服务所用的账户",
    errno.EPERM: "没有写这个文件夹的权限，请检查服务所用的账户",
    errno.EROFS: "磁盘是只读的，请检查磁盘",
    errno.ENOENT: "录音文件夹不见了，请检查磁盘是否接好",
    errno.ENOTDIR: "录音文件夹的位置上是一个文件，请改 [recording] folder",
    errno.EFBIG: "超过了系统允许的文件大小",
    errno.EIO: "磁盘读写出错，请检查磁盘",
    errno.EEXIST: "已经有同名的录音",
}


class RecorderError(Exception):
    """A recording cannot be kept; the text says where, why and what to do."""

    @classmethod
    def of(cls, path: Path, error: OSError) -> RecorderError:
        """What the system said, in words for the operator."""
        return cls(f"{path}：录音保存不了：{CAUSES.get(error.errno or 0, error.strerror or str(error))}")


def part(path: Path) -> Path:
    """Where the recording that will be `path` stands until it is closed."""
    return path.with_name(path.name + ".part")


class Recorder:
    """One recording. `add` belongs to the switchboard's thread; everything else blocks and belongs to workers."""

    def __init__(self, path: Path) -> None:
        """`path`: NAME.wav; nothing is touched before `open`."""
        self.path = path
        self.error: RecorderError | None = None
        self.samples = 0  # given to `add`
        self._queue: deque[Samples] = deque()
        self._lock = Lock()  # on a slow disk one flush may catch up with another
        self._file: BinaryIO | None = None
        self._ours: Path | None = None  # what there is on the disk, under its present name
        self._written = 0  # samples
        self._synced = 0

    def open(self) -> None:
        """Make the folder and the file. Raises RecorderError: the caller can be told before he has spoken."""
        folder = self.path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if self.path.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            self._file = part(self.path).open("x+b", buffering=0)
            self._ours = part(self.path)
            wavefile.claim(self._file)
            wavefile.write(self._file, wavefile.header(0))
            wavefile.sync_folder(folder)
            wavefile.sync_folder(folder.parent)
        except OSError as error:
            self.error = RecorderError.of(self.path, error)
            self.discard()
            raise self.error from error

    def add(self, frame: Samples) -> None:
        """Keep a copy of these samples; never waits. After an error they are dropped."""
        self.samples += len(frame)
        if self.error is None:
            self._queue.append(frame.copy())

    def flush(self) -> None:
        """Write what has been added; quiet when there is nothing, and after an error."""
        with self._lock, self._noting():
            self._flush()

    def read(self) -> Samples:
        """Everything that has been written and added so far, to find out where to cut."""
        with self._lock, self._noting():
            self._flush()
            if self._ours is not None:
                return wavefile.read(self._ours)
        return np.zeros(0, np.int16)

    def close(self, cut: int | None = None) -> float:
        """Keep the first `cut` samples, None: all, as NAME.wav. Returns how many seconds that are; of none, no file is
        left. `error` says whether something was lost. Closing again changes nothing and returns 0."""
        with self._lock, self._noting():
            with self._noting():
                self._flush()
            file, self._file = self._file, None
            if file is None:
                return 0.0
            with file:
                there = wavefile.whole_samples(file.seek(0, os.SEEK_END))  # a full disk may have taken half a frame
                kept = there if cut is None else min(max(cut, 0), there)
                wavefile.finish(file, kept)
            if kept == 0:
                self._remove()
                return 0.0
            part(self.path).replace(self.path)
            self._ours = self.path
            wavefile.sync_folder(self.path.parent)
            return kept / RATE
        return 0.0

    def discard(self) -> None:
        """Leave no file behind, closed or not."""
        with self._lock, self._noting():
            if self._file is not None:
                self._file.close()
                self._file = None
            self._remove()

    def _flush(self) -> None:
        frames = [self._queue.popleft() for _ in range(len(self._queue))]
        if self._file is None or self.error is not None or not frames:
            return
        samples = np.concatenate(frames)
        self._file.seek(HEADER + self._written * WIDTH)
        wavefile.write(self._file, samples.astype("<i2").tobytes())
        self._written += len(samples)
        self._file.seek(0)
        wavefile.write(self._file, wavefile.header(self._written))
        if self._written - self._synced >= SYNC_EVERY:
            os.fsync(self._file.fileno())
            self._synced = self._written

    def _remove(self) -> None:
        if self._ours is not None:
            self._ours.unlink(missing_ok=True)
            self._ours = None

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        """Keep the first thing that goes wrong in `error`."""
        try:
            yield
        except OSError as error:
            self.error = self.error or RecorderError.of(self.path, error)
