"""Telephone signals that are no keys: whatever is found in them is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from ...dsp import generate
from ...dsp.generate import HIGH, KEYS, LOW
from ...dsp.levels import RATE, amplitude, ms
from .pieces import Case, Context, Family, Signal, keyed, on_a_line, shuffled, tones

MF_R1 = (700, 900, 1100, 1300, 1500, 1700)  # ITU-T Q.320
MF_R2 = ((1380, 1500, 1620, 1740, 1860, 1980), (1140, 1020, 900, 780, 660, 540))  # ITU-T Q.441
SINGLE = {"fax CNG": (1100, 0.5), "fax CED": (2100, 3), "V.25 calling": (1300, 0.6), "test tone": (1004, 3),
          "howler": (950, 3), "dial tone": (450, 3)}  # fmt: skip
SEVERAL = ((350, 440), (440, 480), (480, 620), (425, 450))  # dial, ring-back, busy of North America; a PBX beside
FSK = {"Bell 202": (1200, 2200, 1200), "V.23": (1300, 2100, 1200), "Bell 103": (1270, 1070, 300),
       "V.21": (980, 1180, 300)}  # fmt: skip


def _bursts(parts: list[Signal], pause_ms: float) -> Signal:
    return np.concatenate([piece for part in parts for piece in (part, np.zeros(ms(pause_ms)))])


def _pairs(rng: np.random.Generator) -> Iterator[tuple[str, Signal]]:
    """Two tones that are no row and column, or a row, a column and a third."""
    for group in (LOW, HIGH):
        for pair in combinations(group, 2):
            yield "one group", _bursts([tones(rng, ms(200), pair, (-10, -10)) for _ in range(5)], 100)
    for i in range(len(KEYS)):
        pair = (LOW[i // 4], HIGH[i % 4])
        third = rng.choice([one for one in LOW + HIGH if one not in pair])
        yield "three tones", tones(rng, RATE, (*pair, third), [-12] * 3)
    for pair in combinations(MF_R1, 2):
        yield "MF R1", _bursts([tones(rng, ms(68), pair, (-9, -9)) for _ in range(8)], 68)
    for multi in MF_R2:
        for two in combinations(multi, 2):
            yield "MF R2", _bursts([tones(rng, ms(120), two, (-9, -9)) for _ in range(5)], 60)


def _signals(rng: np.random.Generator) -> Iterator[tuple[str, Signal]]:
    """One of each."""
    for frequency in LOW + HIGH:
        yield "single tones", _bursts([tones(rng, ms(200), [frequency], [-8]) for _ in range(5)], 100)
    for name, (frequency, seconds) in SINGLE.items():
        off = 1 + rng.uniform(-0.01, 0.01)
        yield name, tones(rng, round(seconds * RATE), [frequency * off], [-8])
    for pair in SEVERAL:
        yield "progress tones", tones(rng, 3 * RATE, pair, (-12, -12))
    yield "special information", np.concatenate([tones(rng, ms(330), [one], [-12]) for one in (950, 1400, 1800)] * 2)
    for name, (mark, space, baud) in FSK.items():
        bits = rng.integers(0, 2, baud + 1)
        hertz = np.where(bits, mark, space)[np.arange(RATE) * baud // RATE]
        yield f"FSK {name}", amplitude(-12) * np.sin(2 * np.pi * np.cumsum(hertz) / RATE)
    time = np.arange(4 * RATE) / RATE
    yield (
        "sweeps",
        amplitude(-12)
        * (
            np.sin(2 * np.pi * np.cumsum(600 + 100 * time) / RATE)
            + np.sin(2 * np.pi * np.cumsum(1100 + 160 * time) / RATE)
        ),
    )
    for on_ms in (5, 10, 15, 18, 20):
        yield "blips up to 20 ms", keyed(rng, shuffled(rng), on_ms, 80, -10).signal


def no_keys(context: Context) -> Iterator[Case]:
    rng = context.rng
    cases = list(_pairs(rng))
    for _ in context.times(12):
        cases += _signals(rng)
    for name, signal in cases:
        around = np.concatenate([np.zeros(ms(60)), signal, np.zeros(ms(80))])
        yield Case(f"no keys: {name}", 0.0, "", on_a_line(rng, around))


def white_noise(context: Context) -> Iterator[Case]:
    for dbm0 in (-40, -30, -20, -10):
        for _ in context.times(3):
            yield Case("no keys: noise", float(dbm0), "", generate.noise(60_000, dbm0, context.rng))


FAMILIES: tuple[Family, ...] = (no_keys, white_noise)
