"""Audio files of any kind become the telephone's samples; broken ones are refused with a sentence."""

from __future__ import annotations

import contextlib
import io
import struct

import numpy as np
import pytest
import soundfile
from hotline.dsp import levels
from hotline.voice import audiofile
from hotline.voice.audiofile import AudioError
from hypothesis import given, settings
from hypothesis import strategies as st


def tone(rate, frequency=1000.0, seconds=0.5, peak=0.5):
    return (peak * np.sin(2 * np.pi * frequency * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


def frequency_of(samples):
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    return np.argmax(spectrum) * audiofile.RATE / samples.size


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_rate_and_number_of_channels(tmp_path, rate, channels):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.repeat(tone(rate)[:, None], channels, axis=1), rate)
    samples = audiofile.read(path)
    assert samples.dtype == np.int16
    assert samples.ndim == 1
    assert abs(samples.size - 4000) <= 2
    assert abs(frequency_of(samples) - 1000) < 4
    assert levels.power_dbm0(samples) == pytest.approx(levels.FULL_SCALE_DBM0 - 6.02, abs=0.3)


@pytest.mark.parametrize(
    ("suffix", "subtype"),
    [
        ("wav", "PCM_U8"),
        ("wav", "PCM_24"),
        ("wav", "FLOAT"),
        ("wav", "ULAW"),
        ("wav", "ALAW"),
        ("flac", "PCM_16"),
        ("ogg", "VORBIS"),
        ("mp3", "MPEG_LAYER_III"),
        ("aiff", "PCM_16"),
        ("au", "ULAW"),
    ],
)
def test_any_format(tmp_path, suffix, subtype):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, tone(16000), 16000, subtype=subtype)
    samples = audiofile.read(path)
    assert abs(samples.size - 4000) <= 400  # mp3 pads to whole frames
    assert abs(frequency_of(samples) - 1000) < 4


def test_channels_stay_apart(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.stack([tone(44100, 600.0), tone(44100, 1500.0), tone(44100, 2500.0)], axis=1), 44100)
    channels = audiofile.read_channels(path)
    assert channels.shape == (3, 4000)
    assert channels.flags.c_contiguous
    assert [round(frequency_of(channel), -1) for channel in channels] == [600, 1500, 2500]


def test_a_full_scale_file_does_not_wrap_around(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.sign(tone(44100)), 44100, subtype="FLOAT")
    samples = audiofile.read(path).astype(int)
    assert np.abs(np.diff(samples)).max() < 65000
    assert samples.max() == 32767


def cut(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    return path


def good(path):
    soundfile.write(path, tone(8000), 8000)
    return path


def text_file(path):
    path.write_text("这不是录音", "utf-8")
    return path


def header_only(path):
    soundfile.write(path, np.zeros(0), 8000)
    return path


def not_a_number(path):
    soundfile.write(path, np.full(100, np.nan, np.float32), 8000, subtype="FLOAT")
    return path


def made(folder):
    (folder / "dir.wav").mkdir()
    return folder / "dir.wav"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda folder: folder / "nowhere.wav", "没有这个文件"),
        (made, "不是文件"),
        (lambda folder: cut(good(folder / "a.wav"), 0), "文件是空的"),
        (lambda folder: text_file(folder / "a.wav"), "不是能识别的音频"),
        (lambda folder: cut(good(folder / "a.wav"), 20), "不是能识别的音频"),
        (lambda folder: cut(good(folder / "a.wav"), 4000), "文件不完整，只剩前 0.2 秒"),
        (lambda folder: cut(good(folder / "a.aiff"), 4000), "文件不完整"),
        (lambda folder: cut(good(folder / "a.flac"), 2000), "已损坏"),
        (lambda folder: header_only(folder / "a.wav"), "没有声音"),
        (lambda folder: not_a_number(folder / "a.wav"), "已损坏"),
    ],
)
def test_what_is_no_audio_is_refused_with_file_and_reason(tmp_path, make, reason):
    path = make(tmp_path)
    for read in (audiofile.read, audiofile.read_channels):
        with pytest.raises(AudioError, match=reason) as failure:
            read(path)
        assert str(path) in str(failure.value)


@pytest.mark.parametrize("announced", [0x7FFFF000, 0xFFFFFFFF])
def test_a_wav_written_into_a_pipe_announces_more_and_is_whole(tmp_path, announced):
    path = good(tmp_path / "a.wav")
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = struct.pack("<I", announced)
    path.write_bytes(data)
    assert audiofile.read(path).size == 4000


def test_what_was_written_is_read_back(tmp_path):
    samples = np.array([0, 1, -1, 32767, -32768], np.int16)
    audiofile.write(tmp_path / "a.wav", samples)
    assert np.array_equal(audiofile.read_pcm(tmp_path / "a.wav"), samples)
    assert np.array_equal(audiofile.read(tmp_path / "a.wav"), samples)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda folder: folder / "nowhere.wav", "读不出音频"),
        (lambda folder: text_file(folder / "a.wav"), "读不出音频"),
        (lambda folder: cut(good(folder / "a.wav"), 0), "读不出音频"),
        (lambda folder: cut(good(folder / "a.wav"), 400), "文件不完整"),
    ],
)
def test_own_files_are_checked_too(tmp_path, make, reason):
    with pytest.raises(AudioError, match=reason):
        audiofile.read_pcm(make(tmp_path))


def test_own_files_have_one_format(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(44100), 44100)
    with pytest.raises(AudioError, match="44100 Hz"):
        audiofile.read_pcm(tmp_path / "a.wav")


@pytest.mark.parametrize("level", [-50.0, -30.0, -14.0, -5.0])
def test_speech_is_brought_to_its_level_whatever_the_pauses(level):
    burst = np.random.default_rng(1).normal(0, levels.rms(level), 8000)
    spoken = np.clip(np.concatenate([np.zeros(4000), burst, np.zeros(20000)]), -32768, 32767).astype(np.int16)
    levelled = audiofile.normalise(spoken)
    assert audiofile.active_dbm0(levelled) == pytest.approx(audiofile.SPEECH_DBM0, abs=0.3)
    assert np.abs(levelled.astype(int)).max() <= audiofile.PEAK + 1


def test_peaks_stay_three_decibels_below_full_scale():
    click = np.zeros(8000, np.int16)
    click[::400] = 8000
    assert np.abs(audiofile.normalise(click).astype(int)).max() == pytest.approx(audiofile.PEAK, abs=1)


def test_silence_stays_silence():
    assert not audiofile.normalise(np.zeros(100, np.int16)).any()
    assert audiofile.normalise(np.zeros(0, np.int16)).size == 0
    assert audiofile.trim(np.zeros(8000, np.int16)).size == 0
    assert audiofile.trim(np.zeros(0, np.int16)).size == 0


def test_the_ends_are_cut_and_faded():
    spoken = np.concatenate([np.zeros(8000), 10000 * tone(8000, seconds=1.0), np.zeros(8000)]).astype(np.int16)
    trimmed = audiofile.trim(spoken)
    assert 8000 <= trimmed.size <= 8000 + 2 * 120 + 80
    assert abs(int(trimmed[0])) <= 1
    assert abs(int(trimmed[-1])) <= 1


def test_a_clip_shorter_than_its_fades_is_no_trouble():
    assert audiofile.trim(np.full(7, 1000, np.int16)).size == 7


def wav(rate, channels=1, samples=b"\x01\x02" * 400, subtype=1, bits=16):
    """A WAV with this header, and these bytes as its samples."""
    width = channels * bits // 8
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, subtype, channels, rate, rate * width % 2**32, width, bits)
    return (
        struct.pack("<4sI4s", b"RIFF", 36 + len(samples), b"WAVE")
        + form
        + struct.pack("<4sI", b"data", len(samples))
        + samples
    )


def flac(announced):
    """400 samples; STREAMINFO says there are `announced`, in 36 bits (RFC 9639 8.2); 0 is unknown."""
    file = io.BytesIO()
    soundfile.write(file, tone(16000, seconds=0.025), 16000, "PCM_16", format="FLAC")
    data = bytearray(file.getvalue())
    data[18:26] = (int.from_bytes(data[18:26], "big") >> 36 << 36 | announced).to_bytes(8, "big")
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (wav(1), "采样率是 1 Hz，应在 4000 到 384000 Hz 之间"),  # a second of it would be 8000 of ours
        (wav(1 << 30), "采样率是 1073741824 Hz"),
        (flac((1 << 36) - 1), "已损坏"),  # 256 GiB, had it been believed
        (flac(0), "已损坏"),  # its length is not known: libsndfile cannot read that
        (wav(8000, samples=struct.pack("<f", 3e38) * 100, subtype=3, bits=32), "已损坏"),
    ],
)
def test_a_header_is_not_believed(tmp_path, data, reason):
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(AudioError, match=reason):
        audiofile.read(tmp_path / "a")


def test_what_is_too_long_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(audiofile, "_BLOCK", 100)
    monkeypatch.setattr(audiofile, "MOST", 400)
    (tmp_path / "a.wav").write_bytes(wav(8000, samples=bytes(798)))
    assert audiofile.read(tmp_path / "a.wav").size == 399
    (tmp_path / "a.wav").write_bytes(wav(8000, samples=bytes(8000)))
    with pytest.raises(AudioError, match="太长"):
        audiofile.read(tmp_path / "a.wav")


FILES = [wav(8000), wav(8000, 2), wav(44100, 1, bytes(200), 7, 8), flac(400), flac(0)]


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(FILES), st.lists(st.tuples(st.integers(0, 80), st.binary(min_size=1, max_size=4)), max_size=4))
def test_damaged_headers_give_samples_or_a_sentence(tmp_path_factory, data, damage):
    path = tmp_path_factory.getbasetemp() / "damaged"
    damaged = bytearray(data)
    for at, patch in damage:
        damaged[at : at + len(patch)] = patch
    path.write_bytes(damaged)
    for read in (audiofile.read, audiofile.read_pcm):
        with contextlib.suppress(AudioError):
            assert read(path).size <= 2 * len(damaged) * audiofile.RATE // audiofile.RATES[0]


def test_a_chunk_longer_than_the_file(tmp_path):
    """Found by fuzzing: the wave module says RuntimeError to this."""
    (tmp_path / "a.wav").write_bytes(wav(8000)[:12] + b"LIST" + struct.pack("<I", 1 << 20) + wav(8000)[12:])
    with pytest.raises(AudioError, match="读不出音频"):
        audiofile.read_pcm(tmp_path / "a.wav")
