"""The layout: headers and lengths that belong together."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
import pytest
from hotline.voice import wavefile


@pytest.mark.parametrize("samples", [0, 1, 8000, 3600 * 8000])
def test_header_says_what_the_file_holds(samples: int) -> None:
    header = wavefile.header(samples)
    assert len(header) == wavefile.HEADER
    assert int.from_bytes(header[4:8], "little") == 36 + 2 * samples
    assert int.from_bytes(header[40:44], "little") == 2 * samples
    with wave.open(io.BytesIO(header)) as file:
        assert file.getparams()[:4] == (1, 2, 8000, samples)


@pytest.mark.parametrize(("size", "samples"), [(0, 0), (43, 0), (44, 0), (45, 0), (46, 1), (47, 1), (48, 2)])
def test_whole_samples(size: int, samples: int) -> None:
    assert wavefile.whole_samples(size) == samples


def test_finish_and_read(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    said = np.arange(-500, 500).astype(np.int16)
    with path.open("x+b", buffering=0) as file:
        wavefile.write(file, wavefile.header(0) + said.astype("<i2").tobytes() + b"\x01")
        assert (wavefile.read(path) == said).all(), "while it is written"
        wavefile.finish(file, 700)
    assert (wavefile.read(path) == said[:700]).all()
    assert path.stat().st_size == 44 + 1400


@pytest.mark.parametrize("size", [0, 1, 43, 44, 45])
def test_a_file_without_a_sample_has_none(tmp_path: Path, size: int) -> None:
    (tmp_path / "a.wav").write_bytes(bytes(size))
    assert wavefile.read(tmp_path / "a.wav").size == 0


def test_claimed_once(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.touch()
    with path.open("r+b", buffering=0) as mine:
        wavefile.claim(mine)
        with path.open("r+b", buffering=0) as his, pytest.raises(BlockingIOError):
            wavefile.claim(his)
    with path.open("r+b", buffering=0) as his:
        wavefile.claim(his)


def test_all_is_written_though_the_system_takes_it_in_pieces() -> None:
    class Slow(io.BytesIO):
        def write(self, data: object) -> int:
            return super().write(bytes(memoryview(data)[:7]))  # type: ignore[arg-type]  # any buffer will do

    file = Slow()
    wavefile.write(file, bytes(range(100)))
    assert file.getvalue() == bytes(range(100))
