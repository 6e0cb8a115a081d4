"""G.711: A-law and mu-law, eight bits a sample as they travel on a line (even bits of A-law inverted).

Values are left-justified in int16: A-law has 13 bits (steps of 16 near zero), mu-law 14 (steps of 8), so overload lies
at +-32256 and +-32124. Each direction is one table look-up; the tables are computed once from the recommendation's
segments. Arrays keep their shape.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ALAW_TOGGLE = 0x55  # G.711 section 3, table 1a note 2: even bits are inverted on the line
_MULAW_BIAS = 33 << 2  # G.711 table 2: segment edges are 32 * 2^k - 33 in units of 14 bits
_MULAW_CLIP = 8158 << 2  # the largest magnitude of 14 bits before the bias would overflow


def _alaw_decoder() -> NDArray[np.int16]:
    code = np.arange(256) ^ _ALAW_TOGGLE
    exponent, mantissa = (code >> 4) & 7, code & 15
    linear = np.where(exponent == 0, 2 * mantissa + 1, (2 * mantissa + 33) << np.maximum(exponent - 1, 0))
    magnitude = linear << 3
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _mulaw_decoder() -> NDArray[np.int16]:
    code = np.arange(256) ^ 0xFF
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = (((2 * mantissa + 33) << exponent) - 33) << 2
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _segment(value: NDArray[np.int64]) -> NDArray[np.int64]:
    """Position of the highest set bit."""
    return np.frexp(value.astype(np.float64))[1].astype(np.int64) - 1


def _alaw_encoder() -> NDArray[np.uint8]:
    """Indexed by the sample seen as uint16."""
    sample = np.arange(65536, dtype=np.int64).astype(np.uint16).view(np.int16).astype(np.int64)
    magnitude = np.where(sample >= 0, sample, -sample - 1) >> 4
    # magnitudes 0..31 are two segments of the same step; from 32 on the step doubles with every segment
    exponent = np.maximum(_segment(np.maximum(magnitude, 1)) - 3, 0)
    mantissa = (magnitude >> np.maximum(exponent - 1, 0)) & 15
    sign = np.where(sample >= 0, 0x80, 0)
    code: NDArray[np.int64] = (sign | exponent << 4 | mantissa) ^ _ALAW_TOGGLE
    return code.astype(np.uint8)


def _mulaw_encoder() -> NDArray[np.uint8]:
    """Indexed by the sample seen as uint16."""
    sample = np.arange(65536, dtype=np.int64).astype(np.uint16).view(np.int16).astype(np.int64)
    magnitude = np.minimum(np.abs(sample), _MULAW_CLIP) + _MULAW_BIAS
    exponent = _segment(magnitude) - 7
    mantissa = (magnitude >> (exponent + 3)) & 15
    sign = np.where(sample < 0, 0x80, 0)
    code: NDArray[np.int64] = (sign | exponent << 4 | mantissa) ^ 0xFF
    return code.astype(np.uint8)


_ALAW_DECODE, _MULAW_DECODE = _alaw_decoder(), _mulaw_decoder()
_ALAW_ENCODE, _MULAW_ENCODE = _alaw_encoder(), _mulaw_encoder()


def alaw_encode(samples: NDArray[np.int16]) -> NDArray[np.uint8]:
    """A-law bytes of int16 samples."""
    return _ALAW_ENCODE[samples.view(np.uint16)]


def alaw_decode(codes: NDArray[np.uint8]) -> NDArray[np.int16]:
    """int16 samples of A-law bytes."""
    return _ALAW_DECODE[codes]


def mulaw_encode(samples: NDArray[np.int16]) -> NDArray[np.uint8]:
    """mu-law bytes of int16 samples."""
    return _MULAW_ENCODE[samples.view(np.uint16)]


def mulaw_decode(codes: NDArray[np.uint8]) -> NDArray[np.int16]:
    """int16 samples of mu-law bytes."""
    return _MULAW_DECODE[codes]
