"""The one layout recordings have: a WAV of 44 bytes of header, then int16 samples, mono, 8000 Hz.

The header's two sizes follow from the length of the file, so a file that was cut off anywhere is made
whole by writing its header anew and dropping half a sample.
"""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from ..dsp.levels import RATE

if sys.platform != "win32":
    import fcntl

HEADER = 44  # bytes
WIDTH = 2  # bytes a sample


def header(samples: int) -> bytes:
    """The header of a file with so many samples (RIFF, "fmt " for PCM, "data")."""
    size = samples * WIDTH
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * WIDTH, WIDTH, 8 * WIDTH)
    return struct.pack("<4sI4s", b"RIFF", HEADER - 8 + size, b"WAVE") + form + struct.pack("<4sI", b"data", size)


def whole_samples(size: int) -> int:
    """How many samples a file of so many bytes holds."""
    return max(0, size - HEADER) // WIDTH


def finish(file: BinaryIO, samples: int) -> None:
    """Make an open file hold exactly its first `samples`, on the disk and not only in memory. Raises OSError."""
    file.truncate(HEADER + samples * WIDTH)
    file.seek(0)
    write(file, header(samples))
    os.fsync(file.fileno())


def write(file: BinaryIO, data: bytes) -> None:
    """Write all of it: an unbuffered file may take a part, and says only at the next attempt that the disk is full."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def read(path: Path) -> npt.NDArray[np.int16]:
    """The samples of such a file, also of one that is being written; none of a header cut short. Raises OSError."""
    data = path.read_bytes()
    return np.frombuffer(data[HEADER:], "<i2", whole_samples(len(data))).astype(np.int16)


def sync_folder(folder: Path) -> None:
    """Put new and changed names of a folder on the disk; Windows has no such thing. Raises OSError."""
    if sys.platform != "win32":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def claim(file: BinaryIO) -> None:
    """Mark an open file as being written, until it is closed or its process is gone. Raises BlockingIOError if another
    process has done so. Windows does this by itself: nobody else can rename an open file."""
    if sys.platform != "win32":
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
