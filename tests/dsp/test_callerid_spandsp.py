"""dsp/callerid.py against libspandsp: we read what its encoder sends, and its receiver reads what we send."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from hotline.dsp import callerid, dtmf, g711, generate
from hotline.dsp.callerid import BELL_202, NAME, NUMBER, TIME, V23, CallerId
from hotline.dsp.generate import mix, noise, silence
from hotline.dsp.levels import RATE

# spandsp/adsi.h: standards, kinds of message, and the letters of its numbers in DTMF
CLASS, CLIP, ACLIP, DTMF = 1, 2, 3, 5
SDMF, MDMF = 0x04, 0x80
ABSENCE = 0x04

WHO, WHEN = b"09906512329", b"11211805"

Delivered = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint8), ctypes.c_int)


@pytest.fixture(scope="module")
def spandsp():
    library = ctypes.CDLL("libspandsp.so")
    pointer, number = ctypes.c_void_p, ctypes.c_int
    for name, result, *arguments in (
        ("adsi_tx_init", pointer, pointer, number),
        ("adsi_add_field", number, pointer, ctypes.c_char_p, number, ctypes.c_uint8, ctypes.c_char_p, number),
        ("adsi_tx_put_message", number, pointer, ctypes.c_char_p, number),
        ("adsi_tx", number, pointer, pointer, number),
        ("adsi_tx_free", number, pointer),
        ("adsi_rx_init", pointer, pointer, number, Delivered, pointer),
        ("adsi_rx", number, pointer, pointer, number),
        ("adsi_rx_free", number, pointer),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def sent(spandsp, standard, kind, *fields):
    """What libspandsp sends of a message with these (type, content), with silence around it."""
    sender, message = spandsp.adsi_tx_init(None, standard), ctypes.create_string_buffer(300)
    length = spandsp.adsi_add_field(sender, message, -1, kind, None, 0)
    for field, content in fields:
        length = spandsp.adsi_add_field(sender, message, length, field, content, len(content))
    assert spandsp.adsi_tx_put_message(sender, message, length) == length
    samples = np.zeros(3 * RATE, np.int16)
    count = spandsp.adsi_tx(sender, samples.ctypes.data, len(samples))
    spandsp.adsi_tx_free(sender)
    return np.concatenate([silence(300), samples[:count], silence(300)])


def companded(samples):
    return g711.alaw_decode(g711.alaw_encode(samples))


def noisy(samples):
    return mix(samples, noise(len(samples) * 1000 / RATE, -35, np.random.default_rng(1)))


def told(samples):
    (caller,) = callerid.Receiver().feed(samples)
    assert isinstance(caller, CallerId)
    return caller


@pytest.mark.parametrize("line", [lambda samples: samples, companded, noisy], ids=["clean", "A-law", "noise"])
@pytest.mark.parametrize("standard", [CLASS, CLIP, ACLIP])
def test_we_read_its_fsk(spandsp, standard, line):
    fields = [(TIME, WHEN), (NUMBER, WHO), (NAME, b"HOTLINE")]
    caller = told(line(sent(spandsp, standard, MDMF, *fields)))
    assert (caller.number, caller.name, caller.when) == (WHO.decode(), "HOTLINE", WHEN.decode())


def test_we_read_its_single_message_format(spandsp):
    caller = told(sent(spandsp, CLASS, SDMF, (0, WHEN), (0, WHO)))
    assert (caller.number, caller.when) == (WHO.decode(), WHEN.decode())


@pytest.mark.parametrize(("letter", "reason"), [(b"P", "withheld"), (b"O", "unavailable")])
def test_we_read_why_it_tells_no_number(spandsp, letter, reason):
    caller = told(sent(spandsp, CLIP, MDMF, (TIME, WHEN), (ABSENCE, letter)))
    assert (caller.number, caller.reason) == (None, reason)


@pytest.mark.parametrize("end", "#C")
def test_we_read_its_dtmf(spandsp, end):
    detector, receiver = dtmf.Detector(1), callerid.Keyed()
    digits = detector.feed(sent(spandsp, DTMF, ord(end), (ord("A"), WHO))[None])
    callers = [receiver.key(digit.digit, digit.start, digit.end) for digit in digits if isinstance(digit, dtmf.Digit)]
    assert [caller.number for caller in callers if caller] == [WHO.decode()]


@pytest.mark.parametrize(("standard", "frequencies"), [(CLASS, BELL_202), (CLIP, V23)])
@pytest.mark.parametrize("message", [callerid.sdmf(WHO.decode()), callerid.mdmf(WHO.decode(), "某单位")])
def test_it_reads_our_fsk(spandsp, standard, frequencies, message):
    got = []
    keep = Delivered(lambda _, content, length: got.append(bytes(content[:length])))
    receiver = spandsp.adsi_rx_init(None, standard, keep, None)
    samples = np.concatenate([silence(300), generate.to_int16(callerid.modulate(message, frequencies=frequencies)),
                              silence(300)])  # fmt: skip
    spandsp.adsi_rx(receiver, samples.ctypes.data, len(samples))
    spandsp.adsi_rx_free(receiver)
    assert got == [message[:-1]]  # without the checksum
