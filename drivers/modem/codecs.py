"""How a modem codes samples: chosen by the name it prints for +VSM=?, never by number.

The same number means different codecs to different makers: 131 is mu-law to Conexant's CX93001 and to USR, 130 is
8-bit unsigned to the first and A-law to the second. Only codecs of one byte a sample are used: two bytes each way are
more than a Conexant carries in duplex (about 30 kB/s).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...dsp import g711
from ..line import Frame

Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Codec:
    """One way to put a sample into a byte; `name` matches what modems call it."""

    name: re.Pattern[str]
    encode: Callable[[Frame], Codes]
    decode: Callable[[Codes], Frame]


def _unsigned(samples: Frame) -> Codes:
    return ((samples >> 8) + 128).astype(np.uint8)


def _from_unsigned(codes: Codes) -> Frame:
    return ((codes.astype(np.int16) - 128) << 8).astype(np.int16)


def _signed(samples: Frame) -> Codes:
    return (samples >> 8).astype(np.int8).view(np.uint8)


def _from_signed(codes: Codes) -> Frame:
    return codes.view(np.int8).astype(np.int16) << 8


CODECS = {
    "mu-law": Codec(re.compile(r"(MU|U|µ)-?LAW"), g711.mulaw_encode, g711.mulaw_decode),
    "a-law": Codec(re.compile(r"A-?LAW"), g711.alaw_encode, g711.alaw_decode),
    "unsigned": Codec(re.compile(r"UNSIGNED PCM|8-BIT LINEAR"), _unsigned, _from_unsigned),
    "signed": Codec(re.compile(r"(?<!UN)SIGNED PCM"), _signed, _from_signed),
}

OFFER = re.compile(r'(\d+)\s*,\s*"([^"]*)"\s*(?:,\s*(\d+)\b)?(.*)')


@dataclass(frozen=True)
class Offer:
    """A codec of CODECS a modem has, and the number it wants to hear for it."""

    codec: str
    number: int


def offers(lines: Iterable[str]) -> list[Offer]:
    """What the answer to +VSM=? offers that we know, at 8000 Hz and one byte a sample.

    Lines look like `131,"Mu-Law",8,0,8000,0,0` (Conexant), `131,"8-BIT ULAW",(8000)` (USR) or
    `5,"A-Law Companded PCM",8,0,(8000),(127-129),(0-255)`; anything else is passed over.
    """
    found = []
    for line in lines:
        known = OFFER.match(line)
        if known is None or "8000" not in known[4]:
            continue
        if known[3] is not None and int(known[3]) != 8:
            continue
        name = known[2].upper()
        found += [Offer(codec, int(known[1])) for codec, row in CODECS.items() if row.name.search(name)]
    return found


def choose(lines: Iterable[str], preferred: Iterable[str]) -> Offer | None:
    """The first of our preferred codecs that is offered; None if none is."""
    offered = offers(lines)
    for codec in preferred:
        for offer in offered:
            if offer.codec == codec:
                return offer
    return None
