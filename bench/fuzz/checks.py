"""What the parsers of bytes from strangers, devices and crashes must hold to, whatever the bytes are.

A check takes any bytes and raises AssertionError where a promise is broken, or what the parser should not have let out.
`python -m hotline.bench.fuzz` puts them under Atheris, tests/bench/test_fuzz.py under Hypothesis.
"""

from __future__ import annotations

import io
import pickle
import re
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from ...drivers.audiosocket import agi, protocol
from ...drivers.card.worker import wire as card
from ...drivers.modem import at, dle
from ...drivers.modem.wire import Wire
from ...drivers.sound import records
from ...dsp import callerid, generate
from ...dsp.levels import RATE, ms
from ...voice import audiofile, recordings, wavefile
from ...voice.recorder import part
from . import phone

ACCOUNT = 4096  # bytes of names and types in a pickle, beside what the object holds


class Decoder(Protocol):
    """What cuts a stream into events."""

    def receive(self, data: bytes, /) -> list[Any]:
        """What these bytes complete."""


class Parser(NamedTuple):
    """`check` is given any bytes, `longest` at most; `seeds` are inputs that mean something, to begin with."""

    check: Callable[[bytes], None]
    seeds: list[bytes]
    longest: int = 2048


# Streams of bytes: the first says in what pieces the rest arrives.


def pieces(data: bytes) -> Iterable[bytes]:
    """All but the first byte, in pieces of 1 to 256 bytes."""
    step = data[0] + 1 if data else 1
    return (data[start : start + step] for start in range(1, len(data), step))


def stream(
    new: Callable[[], Decoder], holds: int, refusal: tuple[type[Exception], ...] = ()
) -> Callable[[bytes], None]:
    """A check: however the bytes are cut, the same events or `refusal`; and no more than `holds` bytes are kept."""

    def outcome(parts: Iterable[bytes]) -> list[Any] | None:
        decoder = new()
        events: list[Any] = []
        try:
            for data in parts:
                events += decoder.receive(data)
                if events and isinstance(events[-1], protocol.Broken | agi.Broken):
                    break
        except refusal:
            return None  # what had come before it in the same piece is lost with it
        assert held(decoder) <= holds, "it keeps more than it needs"
        return joined(events)

    def check(data: bytes) -> None:
        assert outcome(pieces(data)) == outcome([data[1:]]), "cutting changes what is understood"

    return check


def held(thing: object) -> int:
    """Bytes an object holds, about: all of it, as it would be pickled."""
    return max(0, len(pickle.dumps(thing)) - ACCOUNT)


def joined(events: list[Any]) -> list[Any]:
    """Neighbouring pieces of a modem's sound as one."""
    whole: list[Any] = []
    for event in events:
        if isinstance(event, dle.Audio) and whole and isinstance(whole[-1], dle.Audio):
            whole[-1] = dle.Audio(whole[-1].data + event.data)
        else:
            whole.append(event)
    return whole


def listening() -> Wire:
    """A modem's bytes, samples after each CONNECT."""
    wire = Wire()
    wire.listens = True
    return wire


# Caller id.


def check_fsk_content(data: bytes) -> None:
    """Whatever a message says, its sound is one message, and what is told of it can be stored and shown."""
    content = data[1:61]
    message = bytes([callerid.MDMF if data[:1] > b"\x7f" else callerid.SDMF, len(content)]) + content
    sealed = message + bytes([-sum(message) % 256])
    (told,) = callerid.decode(generate.to_int16(callerid.modulate(sealed, seizure=0, marks=40)))
    assert isinstance(told, callerid.CallerId)
    assert told.number is None or re.fullmatch(r"[0-9*#+]{1,20}", told.number)


def fsk(data: bytes) -> NDArray[np.int16]:
    """A tone for each byte: two bits say which, or none, six how long, up to 189 samples."""
    codes = np.frombuffer(data, np.uint8).astype(np.int64)
    frequencies = np.repeat(np.array([1200.0, 2200.0, 1700.0, 0.0])[codes >> 6], codes % 64 * 3)
    wave = 10000 * np.sin(2 * np.pi * np.cumsum(frequencies) / RATE)
    return generate.to_int16(np.where(frequencies > 0, wave, 0.0))


def check_fsk_sound(data: bytes) -> None:
    """Tones and pauses of any kind: the same messages however they are cut, and a few seconds kept at most."""
    samples = fsk(data[1:])
    step = 1 + 13 * (data[0] if data else 0)
    receiver = callerid.Receiver()
    cut = [event for at in range(0, len(samples), step) for event in receiver.feed(samples[at : at + step])]
    assert cut == callerid.Receiver().feed(samples), "cutting changes what is understood"
    assert held(receiver) <= 2 * (callerid.LONGEST + 2 * callerid.STEP) * 2


def check_keyed(data: bytes) -> None:
    """Keys of any kind at any pace."""
    keyed, end = callerid.Keyed(), 0
    for byte in data:
        start = end + ms(50) * (byte >> 4)
        end = start + ms(50)
        told = keyed.key("0123456789*#ABCD"[byte & 15], start, end)
        assert told is None or told.number is None or re.fullmatch(r"[0-9]{2,20}", told.number)
    assert len(pickle.dumps(keyed)) <= 200


# Files.


def check_repair(data: bytes) -> None:
    """What a crash left of a recording becomes a recording with every whole sample there was, or nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = recordings.new(Path(folder), "fuzz", datetime(2026, 11, 21))
        path.parent.mkdir()
        left = part(path)
        left.write_bytes(data)
        samples = data[wavefile.HEADER :][: wavefile.whole_samples(len(data)) * wavefile.WIDTH]
        assert wavefile.read(left).astype("<i2").tobytes() == samples
        assert len(recordings.repair(Path(folder))) == bool(samples)
        assert not left.exists()
        assert path.exists() == bool(samples)
        if samples:
            assert audiofile.read_pcm(path).astype("<i2").tobytes() == samples


def check_audio_file(data: bytes) -> None:
    """Samples, or AudioError, of any file; not more samples than were worth having."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fuzz"
        path.write_bytes(data)
        with suppress(audiofile.AudioError):
            assert audiofile.read_pcm(path).size <= len(data)
        with suppress(audiofile.AudioError):
            audiofile.read(path)


def wave_file(samples: int) -> bytes:
    """A recording."""
    return wavefile.header(samples) + bytes(range(2 * samples))


def foreign_file(form: str, subtype: str) -> bytes:
    """A file as other programs write it."""
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.sin(np.arange(400) / 3), 16000, subtype, format=form)
    return file.getvalue()


# The table.

UUID_MESSAGE = protocol.uuid_message(UUID(int=12329))
PARSERS = {
    "at": Parser(
        stream(Wire, at.LONGEST_LINE),
        [b"\x05\r\nRING\r\n\r\nNMBR = 139\r\n\x10R\x10/\x105\x10~\r\nNO CARRIER\r\nCONNECT 8000\r\nOK\r\n"],
    ),
    "dle": Parser(
        stream(listening, at.LONGEST_LINE), [b"\x02CONNECT\r\nab\x10\x10\x10\x1a\x10u\x10Xlong.\x10\x03OK\r\n"]
    ),
    "audiosocket": Parser(
        stream(protocol.Decoder, protocol.HEADER + protocol.LONGEST),
        [b"\x07" + UUID_MESSAGE + protocol.audio_message(bytes(8)) + protocol.digit_message("5") + bytes(3)],
        1 << 15,
    ),
    "agi": Parser(
        stream(agi.Decoder, 2 * agi.MOST), [b"\x10" + agi.request("arrive", ["x"], "139", "12329") + b"200 result=1\n"]
    ),
    "card": Parser(
        stream(card.Decoder, card.HEAD.size + card.LONGEST, (card.WireError,)),
        [b"\x01" + card.pack_text(card.Kind.HELLO, 255, "token") + card.pack(card.Kind.RING, 1)],
        1 << 13,
    ),
    "sound": Parser(
        stream(records.Decoder, records.SIZE, (ValueError,)), [b"\x40" + records.record(records.Kind.READY, b"48000")]
    ),
    "callerid": Parser(check_fsk_content, [callerid.mdmf("139", "name")[1:-1], b"\x0001010000139"], 61),
    "fsk": Parser(check_fsk_sound, [b"\x0c" + b"\x3f\x02\x42" * 40 + b"\xff\xff"], 512),
    "phone": Parser(
        phone.check_phone,
        [
            b"\x00\x80\x81\xc5\x82\xf5",  # sound, a pause, sound, gone
            b"\x03\x87\x87\x87\x87\x87\x87\x87\xff",  # more sound than is kept, a page that reads slowly, JSON
            b"\xc0line=2&c=139\x44abcd",  # half samples
            b"\xc1caller=12a&x\xf0",  # refused, and gone at once
        ],
        64,
    ),
    "keyed": Parser(check_keyed, [bytes([0xFF, 0x2F, 0x21, 0x22, 0x23, 0x2E])], 512),
    "repair": Parser(check_repair, [wave_file(20), wave_file(20)[:50]]),
    "audio": Parser(
        check_audio_file,
        [
            wave_file(20),
            foreign_file("WAV", "ULAW"),
            foreign_file("FLAC", "PCM_16"),
            foreign_file("OGG", "VORBIS"),
            foreign_file("MP3", "MPEG_LAYER_III"),
            foreign_file("AIFF", "PCM_16"),
            foreign_file("AU", "PCM_16"),
        ],
        1 << 13,
    ),
}
