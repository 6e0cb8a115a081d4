"""The tables against the recommendation's own values and properties."""

import numpy as np
import pytest
from hotline.dsp import g711, generate, levels

EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)
EVERY_CODE = np.arange(256).astype(np.uint8)
LAWS = {"alaw": (g711.alaw_encode, g711.alaw_decode), "mulaw": (g711.mulaw_encode, g711.mulaw_decode)}


@pytest.mark.parametrize(
    ("law", "code", "sample"),
    [  # G.711 tables 1 and 2: ends of the range, the smallest step, and the edge of a segment
        ("alaw", 0xAA, 32256),
        ("alaw", 0x2A, -32256),
        ("alaw", 0xD5, 8),
        ("alaw", 0x55, -8),
        ("alaw", 0xF5, 528),
        ("mulaw", 0x80, 32124),
        ("mulaw", 0x00, -32124),
        ("mulaw", 0xFF, 0),
        ("mulaw", 0xFE, 8),
        ("mulaw", 0x7E, -8),
        ("mulaw", 0xEF, 132),
    ],
)
def test_values_of_the_recommendation(law, code, sample):
    encode, decode = LAWS[law]
    assert decode(np.array([code], np.uint8)).tolist() == [sample]
    assert encode(np.array([sample], np.int16)).tolist() == [code]


@pytest.mark.parametrize("law", LAWS)
def test_a_decoded_code_encodes_to_itself(law):
    encode, decode = LAWS[law]
    codes = EVERY_CODE if law == "alaw" else np.delete(EVERY_CODE, 0x7F)  # mu-law has a second zero
    assert encode(decode(codes)).tolist() == codes.tolist()


@pytest.mark.parametrize("law", LAWS)
def test_companding_is_monotonic_and_symmetric(law):
    encode, decode = LAWS[law]
    through = decode(encode(EVERY_SAMPLE)).astype(int)
    assert np.all(np.diff(through) >= 0)
    if law == "alaw":  # it has no zero: -1 is the mirror of 0
        assert np.array_equal(through[32768:], -through[32767::-1])
    else:
        assert np.array_equal(through[32769:], -through[32767:0:-1])


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("dbm0", [0.0, -10.0, -30.0])
def test_a_tone_keeps_the_distance_to_its_quantisation_noise(law, dbm0):
    encode, decode = LAWS[law]
    tone = generate.tone(1020, 1000, dbm0)
    noise = decode(encode(tone)).astype(float) - tone
    assert dbm0 - levels.power_dbm0(noise) > 33.0  # G.712 allows 33 dB over this range


def test_arrays_keep_their_shape():
    frames = np.zeros((3, 160), np.int16)
    assert g711.alaw_decode(g711.alaw_encode(frames)).shape == (3, 160)
