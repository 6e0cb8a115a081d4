"""Which device is meant, and what is said without PyAudio."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest
from hotline.drivers.sound import worker
from hotline.drivers.sound.records import SIZE, Decoder, Kind, text
from hotline.drivers.sound.worker import Device, Streams, Unusable, choose


def device(name: str, host: int = 0, *, inputs: int = 1, outputs: int = 0) -> Device:
    return {"name": name, "hostApi": host, "maxInputChannels": inputs, "maxOutputChannels": outputs}


DEVICES = [
    device("HDA Intel: ALC257 Analog (hw:0,0)", inputs=2, outputs=2),
    device("USB Audio Device: - (hw:1,0)", inputs=1, outputs=2),
    device("HDMI 0 (hw:0,3)", inputs=0, outputs=8),
    device("default", inputs=32, outputs=32),
    device("USB Audio Device", 1),
]


@pytest.mark.parametrize(
    ("name", "found"),
    [("usb audio", 1), ("HDA", 0), ("default", 3), ("", 3), ("USB Audio Device", 4)],
    ids=["part", "part in capitals", "whole", "none", "whole before part"],
)
def test_a_device_by_name(name: str, found: int) -> None:
    assert choose(DEVICES, name, "maxInputChannels") is DEVICES[found]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("HDMI", "没有名称含“HDMI”的录音设备：请插好，或改用现有的：HDA Intel"),
        ("hw:", "名称含“hw:”的录音设备不止一个：请写得更全：HDA Intel"),
    ],
)
def test_no_device_or_too_many(name: str, sentence: str) -> None:
    with pytest.raises(Unusable) as caught:
        choose(DEVICES, name, "maxInputChannels")
    assert str(caught.value).startswith(sentence)


def test_a_machine_without_devices() -> None:
    with pytest.raises(Unusable, match="一个也没有"):
        choose([], "", "maxInputChannels")


def test_without_pyaudio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyaudio", None)
    ours, theirs = os.pipe()
    worker.run("", "", 0, theirs)
    ((kind, payload),) = Decoder().receive(os.read(ours, 1000))
    os.close(ours)
    os.close(theirs)
    assert kind is Kind.FAULT
    assert text(payload).startswith("没有装 PyAudio（")
    assert text(payload).endswith("请装 portaudio19-dev，再运行 pip install PyAudio")


class FakeAudio:
    """PortAudio of a machine whose device knows one rate."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.opened: list[dict[str, object]] = []

    def get_format_from_width(self, width: int) -> int:
        return 8

    def open(self, **options: object) -> FakeAudio:
        if options["rate"] != self.rate:
            raise OSError(-9997, "Invalid sample rate")
        self.opened.append(options)
        return self

    def close(self) -> None:
        self.opened.pop()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    os.set_blocking(theirs, False)
    yield ours, theirs
    os.close(ours)
    os.close(theirs)


def told(ours: int) -> list[Kind]:
    try:
        return [kind for kind, _ in Decoder().receive(os.read(ours, 64 * SIZE))]
    except BlockingIOError:
        return []


def test_a_device_that_refuses_8000_is_converted(pipe: tuple[int, int]) -> None:
    streams, audio = Streams(pipe[1]), FakeAudio(48000)
    assert streams.open(audio, device("in") | {"index": 3}, device("out") | {"index": 5}) == 48000
    assert [options.get("input_device_index", options.get("output_device_index")) for options in audio.opened] == [3, 5]
    played, _ = streams._wanted(None, 960, None, 0)
    assert played == bytes(1920)
    streams._heard(bytes(1920), 960, None, 0)
    assert told(pipe[0]) == [Kind.AUDIO]


def test_a_device_no_rate_suits(pipe: tuple[int, int]) -> None:
    with pytest.raises(Unusable, match=r"声卡打不开：8000 Hz .*Invalid sample rate"):
        Streams(pipe[1]).open(FakeAudio(44100), device("in") | {"index": 0}, device("out") | {"index": 0})


def test_what_is_lost_is_told(pipe: tuple[int, int]) -> None:
    streams = Streams(pipe[1])
    streams.open(FakeAudio(8000), device("in") | {"index": 0}, device("out") | {"index": 0})
    assert streams._wanted(None, 160, None, 4) == (bytes(320), 0)
    assert told(pipe[0]) == [], "nobody speaks: an underrun is nobody's loss"
    for _ in range(worker.OURS):
        streams.to_play.push(b"x" * 320)
    for _ in range(worker.OURS):
        assert streams._wanted(None, 160, None, 0) == (b"x" * 320, 0)
    assert told(pipe[0]) == []
    streams._wanted(None, 160, None, 0)
    assert told(pipe[0]) == [Kind.LATE], "the buffer ran dry"
    streams._heard(bytes(320), 160, None, 2)
    assert told(pipe[0]) == [Kind.AUDIO, Kind.LATE], "PortAudio has lost some"


def test_a_service_that_does_not_read_is_no_reason_to_wait(pipe: tuple[int, int]) -> None:
    streams = Streams(pipe[1])
    for _ in range(1000):
        streams.say(Kind.LATE)
    assert len(told(pipe[0])) == 64
