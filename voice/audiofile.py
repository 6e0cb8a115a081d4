"""Audio files of any common format as the telephone's samples: int16, 8000 Hz.

soundfile and soxr are imported when a foreign file is opened: what ships is plain PCM and needs neither.
"""

from __future__ import annotations

import re
import wave
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ..dsp import levels

if TYPE_CHECKING:
    import soundfile

RATE: Final = levels.RATE
SUFFIXES: Final = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".au", ".caf", ".w64")
Samples = npt.NDArray[np.int16]

# Speech that is comfortable on an analog line: about -14 dBm0 while somebody speaks (ITU-T P.56 active
# level); peaks stay 3 dB below full scale, as an amplifier on the way may not be ideal.
SPEECH_DBM0: Final = -14.0
PEAK: Final = levels.FULL_SCALE * levels.ratio(-3.0)

# What counts as silence at the ends, and what is left of it so that neighbouring clips do not stick together.
SILENCE_DB: Final = -42.0  # below the loudest 5 ms
MARGIN_MS: Final = 15.0
FADE_MS: Final = 5.0

_SIZES = re.compile(r"^\s*(?:data|SSND)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
_STREAMED = 0x7FFF0000

# A header may claim anything. 4000 Hz is the least that carries keys, 384000 the most converters are built for.
RATES: Final = range(4000, 384001)
MOST: Final = 1 << 28  # samples of all channels, 1 GiB as float32: nine hours of a telephone
_BLOCK = 1 << 20  # samples of all channels read at a time
_LOUDEST = 1e6  # times full scale


class AudioError(ValueError):
    """The file cannot be used as audio; the text says which file and why, in Chinese."""


def read(path: Path) -> Samples:
    """The file as int16, shape (n,), 8000 Hz; several channels become their mean. Raises AudioError."""
    samples, rate = _floats(path)
    return _int16(_resampled(samples.mean(axis=1), rate))


def read_channels(path: Path) -> Samples:
    """The file as int16, shape (channels, n), 8000 Hz. Raises AudioError."""
    return np.ascontiguousarray(_int16(_resampled(*_floats(path))).T)


def read_pcm(path: Path) -> Samples:
    """A file as `write` leaves it, without soundfile: mono, 16 bit, 8000 Hz. Raises AudioError for any other."""
    try:
        with path.open("rb") as opened, wave.open(opened) as file:
            form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            announced = file.getnframes() * form[0] * form[1]
            data = file.readframes(file.getnframes()) if announced <= path.stat().st_size else b""
    except (OSError, wave.Error, EOFError, RuntimeError) as error:  # RuntimeError: a chunk longer than the file
        raise AudioError(f"{path}：读不出音频（{error}）") from error
    if form != (1, 2, RATE):
        found = f"{form[0]} 声道、{8 * form[1]} 位、{form[2]} Hz"
        raise AudioError(f"{path}：应为单声道、16 位、8000 Hz 的 WAV，实为 {found}")
    if len(data) < announced:
        raise AudioError(f"{path}：文件不完整")
    return np.frombuffer(data, "<i2").astype(np.int16, copy=False)


def write(path: Path, samples: Samples) -> None:
    """Write int16 samples, shape (n,), as a mono 8000 Hz WAV."""
    with path.open("wb") as opened, wave.open(opened, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2", copy=False).tobytes())


def normalise(samples: Samples, level_dbm0: float = SPEECH_DBM0) -> Samples:
    """The same speech at `level_dbm0` while somebody speaks, or as loud as peaks of -3 dB allow. Silence stays."""
    active = active_dbm0(samples)
    peak = float(np.max(np.abs(samples.astype(np.int32)), initial=0))
    if peak == 0:
        return samples.copy()
    gain = min(levels.ratio(level_dbm0 - active), PEAK / peak)
    return _int16(samples * np.float32(gain / 32768.0))


def trim(samples: Samples) -> Samples:
    """Cut silence from both ends to MARGIN_MS, and fade the ends so that joining clips makes no click."""
    block = levels.ms(5)
    power = levels.power_dbm0(np.pad(samples, (0, -samples.size % block)).reshape(-1, block))
    loud = np.flatnonzero(power > max(power.max(initial=levels.SILENCE_DBM0) + SILENCE_DB, levels.SILENCE_DBM0))
    if loud.size == 0:
        return samples[:0]
    margin, fade = levels.ms(MARGIN_MS), levels.ms(FADE_MS)
    kept = samples[max(0, loud[0] * block - margin) : (loud[-1] + 1) * block + margin].astype(np.float32)
    ramp = np.linspace(0.0, 1.0, min(fade, kept.size), dtype=np.float32)
    kept[: ramp.size] *= ramp
    kept[kept.size - ramp.size :] *= ramp[::-1]
    return _int16(kept / np.float32(32768.0))


def active_dbm0(samples: Samples) -> float:
    """Level of the 20 ms frames that are no more than 20 dB below the loudest one, in dBm0."""
    frame = levels.ms(20)
    padded = np.pad(samples, (0, -samples.size % frame))
    if padded.size == 0:
        return levels.SILENCE_DBM0
    frames = levels.power_dbm0(padded.reshape(-1, frame))
    spoken = padded.reshape(-1, frame)[frames >= frames.max() - 20.0]
    return float(levels.power_dbm0(spoken.reshape(-1)))


def _floats(path: Path) -> tuple[npt.NDArray[np.float32], int]:
    """Samples, shape (n, channels), full scale 1.0, and their rate."""
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as file:
            announced, rate, log = file.frames, file.samplerate, file.extra_info
            if rate not in RATES:
                raise AudioError(f"{path}：采样率是 {rate} Hz，应在 {RATES[0]} 到 {RATES[-1]} Hz 之间")
            samples = _all(file)
    except (OSError, RuntimeError, TypeError) as error:
        raise AudioError(_why_not(path, error)) from error
    if samples.size >= MOST:
        raise AudioError(f"{path}：太长，超过 {samples.shape[0] / rate / 60:.0f} 分钟，请分成几段")
    if samples.shape[0] < announced or _cut_short(log):
        raise AudioError(f"{path}：文件不完整，只剩前 {samples.shape[0] / rate:.1f} 秒")
    if samples.shape[0] == 0:
        raise AudioError(f"{path}：文件里没有声音")
    if not (samples.min() > -_LOUDEST and samples.max() < _LOUDEST):  # nor is NaN
        raise AudioError(f"{path}：文件已损坏，含有不是数的采样")
    return samples, rate


def _all(file: soundfile.SoundFile) -> npt.NDArray[np.float32]:
    """What there is, whatever the header says; of more than MOST samples, MOST and up to a block."""
    frames = _BLOCK // file.channels
    blocks = [file.read(frames, dtype="float32", always_2d=True)]
    while len(blocks[-1]) == frames and sum(block.size for block in blocks) < MOST:
        blocks.append(file.read(frames, dtype="float32", always_2d=True))
    return np.concatenate(blocks)


def _resampled(samples: npt.NDArray[np.float32], rate: int) -> npt.NDArray[np.float32]:
    """At 8000 Hz; the time axis is the first."""
    if rate == RATE:
        return samples
    import soxr

    resampled: npt.NDArray[np.float32] = soxr.resample(samples, rate, RATE, quality="HQ")
    return resampled


def _int16(samples: npt.NDArray[np.float32]) -> Samples:
    scaled: npt.NDArray[np.float32] = np.rint(np.clip(samples * 32768.0, -32768, 32767))
    return scaled.astype(np.int16)


def _cut_short(extra_info: str) -> bool:
    """Whether the header announces more than the file holds.

    libsndfile reads such files without a word and notes the true size in its log. Programs that write into a
    pipe announce about 2 GiB because they cannot know; that is no damage.
    """
    match = _SIZES.search(extra_info)
    return match is not None and int(match[2]) < int(match[1]) < _STREAMED


def _why_not(path: Path, error: Exception) -> str:
    if not path.exists():
        return f"{path}：没有这个文件"
    if not path.is_file():
        return f"{path}：不是文件"
    if path.stat().st_size == 0:
        return f"{path}：文件是空的"
    return f"{path}：不是能识别的音频，或已损坏（可用 WAV、FLAC、OGG、MP3、AIFF、AU 等）：{error}"
