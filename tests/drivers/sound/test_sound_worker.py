"""Which device is meant, and what is said without PyAudio."""

from __future__ import annotations

import os
import sys

import pytest
from hotline.drivers.sound import worker
from hotline.drivers.sound.records import Decoder, Kind, text
from hotline.drivers.sound.worker import Device, Unusable, choose


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
