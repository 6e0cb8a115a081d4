"""Audio files of any kind become the telephone's samples; broken ones are refused with a sentence."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import soundfile
from hotline.dsp import levels
from hotline.voice import audiofile
from hotline.voice.audiofile import AudioError


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
