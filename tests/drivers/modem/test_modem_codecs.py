"""Which codec is chosen by what a modem prints, and what becomes of samples."""

from __future__ import annotations

import numpy as np
import pytest
from hotline.drivers.modem.codecs import CODECS, Offer, choose, offers
from hotline.drivers.modem.firmware import FIRMWARE
from hotline.drivers.modem.profiles import PROFILES, identify, tones
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("firmware", "profile", "chosen"),
    [
        ("conexant", "conexant", Offer("mu-law", 131)),
        ("usr5637", "usr5637", Offer("unsigned", 128)),
        ("generic", "generic", Offer("a-law", 5)),
    ],
)
def test_the_same_number_means_different_codecs(firmware, profile, chosen):
    simulated = FIRMWARE[firmware]
    assert identify(simulated.identity.values()) == profile
    assert choose([line for line, _ in simulated.codecs.values()], PROFILES[profile].codecs) == chosen


def test_only_what_we_can_use_is_offered():
    lines = [line for line, _ in FIRMWARE["conexant"].codecs.values()]
    assert offers(lines) == [
        Offer("signed", 0),
        Offer("unsigned", 1),
        Offer("unsigned", 130),
        Offer("mu-law", 131),
        Offer("a-law", 132),
    ]
    assert choose(['129,"16-BIT LINEAR",(7200,8000,11025)', '132,"IMA ADPCM",(8000)'], CODECS) is None


@given(st.lists(st.text(max_size=80), max_size=9))
def test_rubbish_offers_nothing_that_hurts(lines):
    assert all(offer.codec in CODECS for offer in offers(lines))


@pytest.mark.parametrize("name", CODECS)
def test_samples_come_back_nearly_as_they_were(name):
    samples = np.arange(-32000, 32000, 7).astype(np.int16)
    back = CODECS[name].decode(CODECS[name].encode(samples))
    assert back.dtype == np.int16
    assert np.abs(back.astype(int) - samples).max() <= 1024
    assert CODECS[name].encode(np.zeros(1, np.int16)).dtype == np.uint8


def test_digits_as_commands():
    assert [(step.command, step.pause) for step in tones(PROFILES["conexant"], "8,*")] == [
        ("AT+VTS={8,10}", 50),
        ("AT+VTS={*,10}", 0),
    ]
    assert [step.command for step in tones(PROFILES["usr5637"], "#")] == ["AT+VTS=[941,1477,10]"]
