"""The process that holds one sound device: `python -m hotline.drivers.sound.worker INPUT OUTPUT`.

A process, because PortAudio cannot be trusted with the service's life: its list of devices is read once and kept for as
long as any stream is open, so with two lines a device plugged in again is not found; with an ALSA configuration it does
not like it ends the process by an assertion (pa_linux_alsa.c); and when a device vanishes its thread may spin or its
closing may never return (PortAudio's issues 535, 1037, 1074). A process can be killed and started again.

Records come in on stdin and go out on stdout (records.py). When stdin ends, so does the process.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..line import FRAME, RATE
from .buffer import Buffer
from .rates import Down, Up, factors
from .records import SIZE, Decoder, Kind, record

STARTING = 8.0  # seconds until the first sound; PulseAudio takes up to 2
RECORDS, SENTENCE = 0, 3  # how a list of devices ends; anything else is a crash
STALLED = 50  # frames from one stream while the other gives no sign of life: a second
SILENCE = bytes(2 * FRAME)
OURS = 2  # frames that wait to be played at first: what one late tick may cost
MOST = 15  # and never more: 300 ms

Device = Mapping[str, Any]


class Unusable(Exception):
    """The device cannot be used; the text, for the operator, says why and what to do."""


def choose(devices: list[Device], name: str, channels: str) -> Device:
    """The device with this name, or with this part of a name; the system's first choice for an empty one. Where several
    host interfaces offer the same device (Windows does), it is that of the first. Raises Unusable."""
    way = "录音" if channels == "maxInputChannels" else "放音"
    able = [device for device in devices if device[channels] > 0]
    if not name and able:
        return next((device for device in able if device["name"] == "default"), able[0])
    exact = [device for device in able if device["name"] == name]
    found = exact or [device for device in able if name.casefold() in device["name"].casefold()]
    found = [device for device in found if device["hostApi"] == found[0]["hostApi"]]
    names = "、".join(dict.fromkeys(device["name"] for device in able)) or "一个也没有"
    if not found:
        raise Unusable(f"没有名称含“{name}”的{way}设备：请插好，或改用现有的：{names}")
    if len(found) > 1 and not exact:
        several = "、".join(device["name"] for device in found)
        raise Unusable(f"名称含“{name}”的{way}设备不止一个：请写得更全：{several}")
    return found[0]


class Streams:
    """Both directions of the device, each in a stream of its own: one stream for both spins on some ALSA plugins."""

    def __init__(self, out: int) -> None:
        self.running = threading.Event()  # both have given their first sign of life
        self._out = out
        self._wanted_any = False
        self._unheard = 0  # frames received since the other stream last asked for one
        self.to_play = Buffer(OURS, MOST)
        self._gaps = 0

    def open(self, audio: Any, source: Device, sink: Device) -> int:
        """Start them; the device's rate. Raises Unusable with the device's own words."""
        words: list[str] = []
        for factor in factors():
            self._down, self._up = Down(factor), Up(factor)
            options = {
                "format": _int16(audio),
                "channels": 1,
                "rate": factor * RATE,
                "frames_per_buffer": factor * FRAME,
            }
            streams: list[Any] = []
            try:
                streams.append(
                    audio.open(input=True, input_device_index=source["index"], stream_callback=self._heard, **options)
                )
                streams.append(
                    audio.open(output=True, output_device_index=sink["index"], stream_callback=self._wanted, **options)
                )
            except (OSError, ValueError) as error:
                words.append(f"{factor * RATE} Hz {error}")
                for stream in streams:
                    stream.close()
                continue
            self._streams = streams
            return factor * RATE
        raise Unusable(f"声卡打不开：{words[0]}。请看它是否被别的程序占用，声音服务是否在运行")

    def _heard(self, data: bytes, count: int, _time: object, status: int) -> tuple[None, int]:
        """PortAudio's thread: a buffer has arrived."""
        self._unheard += 1
        if not self._wanted_any:
            return None, 0
        self.running.set()
        if self._unheard > STALLED:
            self.say(Kind.FAULT, "声卡的放音停住了".encode())
            os._exit(1)
        samples = np.frombuffer(data, np.int16)
        self.say(Kind.AUDIO, data if count == FRAME else self._down.feed(samples).tobytes())
        if status:
            self.say(Kind.LATE)
        return None, 0

    def _wanted(self, _data: None, count: int, _time: object, status: int) -> tuple[bytes, int]:
        """PortAudio's thread: a buffer is to be filled."""
        self._unheard, self._wanted_any = 0, True
        frame = self.to_play.pull() or SILENCE
        if status and frame is not SILENCE:
            self.say(Kind.LATE)
        if self.to_play.gaps > self._gaps:
            self._gaps = self.to_play.gaps
            self.say(Kind.LATE)
        return (frame if count == FRAME else self._up.feed(np.frombuffer(frame, np.int16)).tobytes()), 0

    def say(self, kind: Kind, payload: bytes = b"") -> None:
        """Send a record; dropped when the service does not read."""
        try:
            os.write(self._out, record(kind, payload))
        except BlockingIOError:
            pass
        except BrokenPipeError:
            os._exit(0)


def _int16(audio: Any) -> int:
    return int(audio.get_format_from_width(2))


def devices() -> list[Device]:
    """Every sound device of this machine, as PortAudio describes it. Raises Unusable without PyAudio."""
    audio = _library()
    try:
        return [audio.get_device_info_by_index(index) for index in range(audio.get_device_count())]
    finally:
        audio.terminate()


def _library() -> Any:
    try:
        import pyaudio
    except ImportError as error:
        raise Unusable(f"没有装 PyAudio（{error}）：请装 portaudio19-dev，再运行 pip install PyAudio") from error
    return pyaudio.PyAudio()


def run(source: str, sink: str, incoming: int, outgoing: int) -> None:
    """Serve until `incoming` ends."""
    streams = Streams(outgoing)
    try:
        audio = _library()
        known = [audio.get_device_info_by_index(index) for index in range(audio.get_device_count())]
        ours = choose(known, source, "maxInputChannels"), choose(known, sink, "maxOutputChannels")
        rate = streams.open(audio, *ours)
        if not streams.running.wait(STARTING):
            raise Unusable("声卡打开了，却没有声音进出：请看它是否插好，声音服务是否在运行")
    except Unusable as error:
        streams.say(Kind.FAULT, str(error).encode())
        return
    streams.say(Kind.READY, f"{ours[0]['name']} → {ours[1]['name']}，{rate} Hz".encode())
    decoder = Decoder()
    while data := os.read(incoming, 64 * SIZE):
        for kind, payload in decoder.receive(data):
            if kind is Kind.AUDIO:
                streams.to_play.push(payload)
            elif kind is Kind.CLEAR:
                streams.to_play.clear()


def listing() -> int:
    """Print all devices as JSON, or why that cannot be done; what the process ends with."""
    try:
        known = devices()
    except Unusable as error:
        print(error)
        return SENTENCE
    rows = [
        {"name": one["name"], "inputs": one["maxInputChannels"], "outputs": one["maxOutputChannels"]} for one in known
    ]
    print(json.dumps(rows))
    return RECORDS


def main() -> None:
    """Entry point of the process."""
    if sys.argv[1:] == ["--list"]:
        sys.exit(listing())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the service's business: it closes our stdin
    outgoing = os.dup(1)
    os.dup2(2, 1)  # whatever the libraries print is none of our records
    os.set_blocking(outgoing, False)
    run(sys.argv[1], sys.argv[2], 0, outgoing)
    os._exit(0)  # closing the streams may take for ever


if __name__ == "__main__":
    main()
