"""Speech from text by espeak-ng, made fit for a telephone line. Blocks: worker threads only."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from . import audiofile
from .audiofile import RATE, Samples

PROGRAM: Final = "espeak-ng"
TIMEOUT: Final = 30.0  # seconds; a page of text takes less than one

# The telephone channel as exchanges measure it (ITU-T G.712): nothing of use lies outside, and what does only
# eats headroom. 257 taps are 32 ms: their slopes are 100 Hz wide.
BAND: Final = (200.0, 3400.0)
TAPS: Final = 257


class SynthesisError(RuntimeError):
    """Nothing could be spoken; the text says why and what to do, in Chinese."""


@dataclass(frozen=True)
class Voice:
    """espeak-ng's settings. `cmn-latn-pinyin` because `cmn` reads Chinese as English in 1.51."""

    name: str = "cmn-latn-pinyin+f3"
    rate: int = 165
    pitch: int = 50
    amplitude: int = 80

    def __str__(self) -> str:
        return f"{self.name} -s {self.rate} -p {self.pitch} -a {self.amplitude}"


def speak(said: str, voice: Voice) -> Samples:
    """`said` (the output of reading.aloud) as int16, shape (n,), 8000 Hz. Raises SynthesisError."""
    import soxr

    samples, rate = _espeak(said, voice)
    at_8000: npt.NDArray[np.float32] = soxr.resample(samples, rate, RATE, quality="VHQ")
    filtered = np.convolve(at_8000, _band_pass(), mode="same")
    trimmed = audiofile.trim(np.rint(np.clip(filtered, -1.0, 1.0) * 32767.0).astype(np.int16))
    if trimmed.size == 0:
        raise SynthesisError(f"{PROGRAM} 没有念出声音：{said!r}")
    return audiofile.normalise(trimmed)


def _espeak(said: str, voice: Voice) -> tuple[npt.NDArray[np.float32], int]:
    program = shutil.which(PROGRAM)
    if program is None:
        raise SynthesisError(f"没有找到 {PROGRAM}，不能合成语音；请安装（Debian：apt install espeak-ng）")
    options = ["-v", voice.name, "-s", str(voice.rate), "-p", str(voice.pitch), "-a", str(voice.amplitude)]
    try:
        done = subprocess.run(
            [program, *options, "--stdin", "--stdout"],
            input=said.encode(),
            capture_output=True,
            timeout=TIMEOUT,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise SynthesisError(f"{PROGRAM} 在 {TIMEOUT:.0f} 秒内没有念完 {len(said)} 个字") from error
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", None) or str(error).encode()
        raise SynthesisError(f"{PROGRAM} 合成失败：{reason.decode(errors='replace').strip()}") from error
    if done.stderr.strip() or not done.stdout:
        # espeak-ng names an unknown voice on stderr, speaks English all the same and exits with 0.
        raise SynthesisError(f"{PROGRAM} 合成失败：{done.stderr.decode(errors='replace').strip() or '没有声音'}")
    with wave.open(io.BytesIO(done.stdout)) as file:
        rate = file.getframerate()
        # The header of a stream announces 2 GiB; readframes gives what is there.
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return samples.astype(np.float32) / 32768.0, rate


@cache
def _band_pass() -> npt.NDArray[np.float32]:
    """A linear-phase band-pass by the window method (Hamming)."""
    time = np.arange(TAPS) - TAPS // 2
    low, high = (2.0 * edge / RATE for edge in BAND)
    ideal = high * np.sinc(high * time) - low * np.sinc(low * time)
    taps: npt.NDArray[np.float32] = (ideal * np.hamming(TAPS)).astype(np.float32)
    return taps
