"""A modem that says anything at any time, an owner who does anything at any time: nothing is raised, nothing grows."""

from __future__ import annotations

import os
import random
import tty
from contextlib import suppress

import numpy as np
import pytest
from hotline.drivers.line import FRAME
from hotline.drivers.modem import dle, pacing
from hotline.drivers.modem.at import Result
from hotline.drivers.modem.life import State
from hotline.drivers.modem.wire import Wire
from hypothesis import given
from hypothesis import strategies as st
from rig.modems import line_on

WORDS = [
    b"\r\nOK\r\n",
    b"\r\nCONNECT\r\n",
    b"\r\nERROR\r\n",
    b"\r\nRING\r\n",
    b"\r\nNMBR = 139\r\n",
    b'131,"Mu-Law",8,0,8000,0,0\r\n',
    b"CX93001\r\n",
    b"\x10",
    b"\x10\x03",
    b"\x10u",
    b"\x10b",
    b"\x105",
    b"\x10X",
    b"\xff" * 160,
    bytes(range(256)),
]


@given(st.lists(st.sampled_from(WORDS), max_size=60), st.booleans())
def test_text_and_streams_in_any_order(words, listens):
    data = b"".join(words)
    whole, cut = Wire(), Wire()
    whole.listens = cut.listens = listens
    events = whole.receive(data)
    pieces = [event for at in range(0, len(data), 7) for event in cut.receive(data[at : at + 7])]
    strip = [event for event in events if not isinstance(event, dle.Audio)]
    assert strip == [event for event in pieces if not isinstance(event, dle.Audio)]
    assert sum(event is Result.CONNECT for event in events) <= data.count(b"CONNECT")


def reply(said, chance):
    """What a modem with a bad memory says to this."""
    if chance.random() < 0.1:
        return chance.choice(WORDS)
    if b"AT+VSM=?" in said:
        return b'131,"Mu-Law",8,0,8000,0,0\r\n\r\nOK\r\n'
    if any(stream in said for stream in (b"AT+VTR", b"AT+VTX", b"AT+VRX")):
        return b"\r\nCONNECT\r\n"
    if b"\x10!" in said or b"\x10^" in said or b"\x10\x03" in said:
        return b"\x10\x03\r\nOK\r\n"
    return b"\r\nOK\r\n" if b"\r" in said else b""


@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_raised_and_nothing_grows(tmp_path, seed):
    chance = random.Random(seed)
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    line = line_on(os.ttyname(slave), duplex=chance.choice(["auto", "half"]), settle=0)
    line.open()
    frame = np.zeros(FRAME, np.int16)
    deeds = [line.off_hook, line.off_hook, line.on_hook, line.flash, lambda: line.dial("12,3"), line.events]
    noise = chance.choice([0.0, 0.01, 0.05, 0.2])
    been = set()
    for _ in range(3000):
        with suppress(BlockingIOError):
            os.write(master, reply(os.read(master, 65536), chance))
        if chance.random() < noise:
            os.write(master, chance.choice(WORDS))
        if line.modem.state is State.STREAMING:
            os.write(master, b"\xff" * chance.choice([0, 100, FRAME, 300]))
        if chance.random() < 0.03:
            chance.choice(deeds)()
        line.read(frame)
        line.write(np.full(FRAME, chance.choice([0, 5000]), np.int16))
        been.add(line.modem.state)
        assert len(line._talk.waiting) <= pacing.MOST
        assert len(line.modem._out) < 4000
    line.close()
    os.close(slave)
    os.close(master)
    assert len(been) >= 10
