"""dsp/callerid.py: what an exchange sends is read through noise, companding, twist and wrong speed, or not at all."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest
from hotline.dsp import callerid, dtmf, g711, generate
from hotline.dsp.callerid import BELL_202, V23, CallerId, Receiver, decode, from_digits, mdmf, modulate, sdmf
from hotline.dsp.generate import mix, noise, silence
from hotline.dsp.levels import RATE, ms
from hypothesis import given, settings
from hypothesis import strategies as st

NUMBER = "09906512329"


def sent(message, **how):
    return np.concatenate([silence(250), generate.to_int16(modulate(message, **how)), silence(250)])


def heard(samples, step=160):
    receiver = Receiver()
    return [event for at in range(0, len(samples), step) for event in receiver.feed(samples[at : at + step])]


def numbers(samples):
    return [event.number if isinstance(event, CallerId) else event.fault for event in heard(samples)]


@pytest.mark.parametrize("law", ["linear", "alaw", "mulaw"])
@pytest.mark.parametrize("frequencies", [BELL_202, V23])
@pytest.mark.parametrize("message", [sdmf(NUMBER), mdmf(NUMBER), mdmf(NUMBER, "某单位")])
def test_both_standards_and_both_formats(message, frequencies, law):
    samples = sent(message, frequencies=frequencies)
    if law == "alaw":
        samples = g711.alaw_decode(g711.alaw_encode(samples))
    if law == "mulaw":
        samples = g711.mulaw_decode(g711.mulaw_encode(samples))
    assert numbers(samples) == [NUMBER]


def test_everything_the_message_says():
    (caller,) = heard(sent(mdmf(NUMBER, "某单位", "11211805")))
    assert (caller.number, caller.name, caller.when, caller.reason) == (NUMBER, "某单位", "11211805", "")
    assert caller.start == pytest.approx(ms(250 + 400), abs=ms(5))  # 480 bits of seizure and ones take 400 ms


@pytest.mark.parametrize(("letter", "reason"), [("P", "withheld"), ("O", "unavailable")])
@pytest.mark.parametrize("form", [sdmf, mdmf])
def test_a_number_that_is_not_told(form, letter, reason):
    (caller,) = heard(sent(form(letter)))
    assert (caller.number, caller.reason) == (None, reason)


@pytest.mark.parametrize("level", [-40, -30, 0])
@pytest.mark.parametrize("twist", [-10, 0, 6])
def test_level_and_twist(level, twist):
    assert numbers(sent(mdmf(NUMBER), level_dbm0=min(level, -max(twist, 0)), twist_db=twist)) == [NUMBER]


@pytest.mark.parametrize("baud", [1188, 1212])
def test_a_percent_off_in_speed(baud):
    assert numbers(sent(sdmf(NUMBER), baud=baud)) == [NUMBER]


def test_noise_fifteen_db_under_the_signal():
    rng = np.random.default_rng(1)
    for _ in range(10):
        samples = sent(mdmf(NUMBER), level_dbm0=-20)
        assert numbers(mix(samples, noise(len(samples) * 1000 / RATE, -35, rng))) == [NUMBER]


def test_ones_alone_before_the_message():
    """An exchange may leave the seizure out when the line is off hook."""
    assert numbers(sent(mdmf(NUMBER), seizure=0, marks=80)) == [NUMBER]


def test_a_damaged_message_is_never_told():
    good = bytearray(sdmf(NUMBER))
    for at in range(2, len(good)):
        bad = bytes([*good[:at], good[at] ^ 4, *good[at + 1 :]])
        assert numbers(sent(bad)) == ["checksum"]
    assert numbers(sent(bytes(good[:-4]))) == ["short"]
    assert decode(sent(b"\x99\x01A\x25")) == []  # some other service's message


@pytest.mark.parametrize("step", [1, 33, 160, 100_000])
def test_cutting_changes_nothing(step):
    samples = np.concatenate([sent(sdmf(NUMBER)), sent(mdmf("O"))])
    assert heard(samples, step) == heard(samples)
    assert len(heard(samples)) == 2


def test_other_sounds_are_no_message():
    rng = np.random.default_rng(2)
    other = [generate.dtmf("0123456789", 80, 80), generate.tone(1200, 2000), noise(3000, -15, rng), silence(500)]
    assert heard(np.concatenate(other)) == []


@pytest.mark.parametrize(
    ("digits", "number"),
    [
        ("D09906512329C", NUMBER),
        ("A09906512329#", NUMBER),
        ("B13800000000C", "13800000000"),
        ("D12345", "12345"),
        ("99D12345C", "12345"),
    ],
)
def test_by_dtmf(digits, number):
    caller = from_digits(digits)
    assert caller is not None
    assert caller.number == number


def test_by_dtmf_not_told():
    assert from_digits("B10C") == CallerId(None, "withheld")
    assert from_digits("B00C") == CallerId(None, "unavailable")
    assert from_digits("1234#") is None
    assert from_digits("") is None


@pytest.mark.parametrize("number", [NUMBER, None])
def test_what_we_send_in_dtmf_is_what_we_read(number):
    told = from_digits(callerid.to_digits(number))
    assert told is not None
    assert told.number == number


def keyed(*parts):
    """What is told of these digits and pauses (ms), heard by the detector."""
    sound = [generate.dtmf(part, 70, 70) if isinstance(part, str) else silence(part) for part in parts]
    detector, receiver = dtmf.Detector(1), callerid.Keyed()
    events = detector.feed(np.concatenate([*sound, silence(200)])[None])
    digits = [event for event in events if isinstance(event, dtmf.Digit)]
    return [told for one in digits if (told := receiver.key(one.digit, one.start, one.end))]


@pytest.mark.parametrize("before", [[300], ["123", 600], ["D0990", 600], ["D12345C", 50]])
def test_a_number_in_dtmf_is_told_with_its_place(before):
    *_, told = keyed(*before, f"D{NUMBER}C")
    assert told.number == NUMBER
    assert told.end - told.start == pytest.approx(ms(13 * 140 - 70), abs=ms(5))


@pytest.mark.parametrize("parts", [["123A456B789C*0#D"], ["0990", "12329#"], ["D0990", 600, "12329C"], ["D", 600, "C"]])
def test_keys_that_are_no_number(parts):
    assert keyed(*parts) == []


def test_keys_without_end_take_no_memory_and_are_no_number():
    receiver = callerid.Keyed()
    for at in range(0, 3000, 3):
        assert receiver.key("D1"[at > 0], at, at + 1) is None
    assert len(pickle.dumps(receiver)) < 200
    assert receiver.key("C", 3000, 3001) is None
    told = [receiver.key(key, 3001 + at, 3002 + at) for at, key in enumerate(f"D{NUMBER}C")]
    assert told[-1].number == NUMBER


def test_a_number_longer_than_any_is_none():
    """It could not be stored."""
    assert numbers(sent(mdmf("1" * 20))) == ["1" * 20]
    assert numbers(sent(mdmf("1" * 21))) == [None]


def spoken(tones):
    """Tones of these frequencies (Hz, 0 is a pause) and lengths in samples, one after the other."""
    frequencies = np.concatenate([np.full(length, frequency) for frequency, length in tones] or [np.zeros(0)])
    return generate.to_int16(np.where(frequencies, 8000 * np.sin(2 * np.pi * np.cumsum(frequencies) / RATE), 0))


TONES = st.lists(st.tuples(st.sampled_from([0.0, 1200.0, 1300.0, 1700.0, 2100.0, 2200.0]), st.integers(1, 400)))


@settings(max_examples=40, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=4000).map(lambda data: np.frombuffer(data[: len(data) & ~1], "<i2")), TONES.map(spoken)
    )
)
def test_any_sound_is_a_message_or_none_and_is_not_kept(samples):
    receiver = Receiver()
    for at in range(0, len(samples), 160):
        for event in receiver.feed(samples[at : at + 160]):
            assert 0 <= event.start <= event.end
    assert len(pickle.dumps(receiver)) < 2 * callerid.LONGEST + 5000


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([callerid.SDMF, callerid.MDMF]), st.binary(max_size=60))
def test_any_content_rightly_sealed_is_a_message(kind, content):
    body = bytes([kind, len(content)]) + content
    (told,) = decode(sent(body + bytes([-sum(body) % 256]), seizure=0, marks=40))
    assert isinstance(told, CallerId)
    assert told.number is None or re.fullmatch(r"[0-9*#+]{1,20}", told.number)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_as_a_message(message):
    assert all(isinstance(event, CallerId | callerid.Bad) for event in decode(sent(message, seizure=0, marks=40)))


@given(st.lists(st.tuples(st.sampled_from("0123456789*#ABCD"), st.integers(0, 5000)), max_size=60))
def test_any_keys_at_any_pace(pressed):
    receiver, end = callerid.Keyed(), 0
    for key, pause in pressed:
        start, end = end + pause, end + pause + 400
        told = receiver.key(key, start, end)
        assert told is None or told.number is None or re.fullmatch(r"[0-9]{2,20}", told.number)


def test_checksum_of_the_standard():
    """The sum of all bytes with the checksum is 0 modulo 256."""
    assert sum(sdmf(NUMBER)) % 256 == 0
    assert callerid.sdmf("5551212", "01020304")[:2] == bytes([4, 15])
