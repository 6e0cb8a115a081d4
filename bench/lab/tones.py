"""Families of China's call-progress tones, and of what must not be taken for one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...config.tones import load
from ...dsp import generate
from ...dsp.levels import RATE, ms
from .pieces import Case, Context, Family, Signal, alaw, at_level, on_a_line, tones, white
from .voices import music

# How long each is heard, in seconds: two periods and a little.
SECONDS = {"dial": 4, "busy": 5, "congestion": 8, "ringback": 13, "unobtainable": 7, "waiting": 12, "toll": 6,
           "howler": 4}  # fmt: skip


def sounding(
    rng: np.random.Generator, name: str, seconds: float, dbm0: float, off_percent: float = 0.0, slower: float = 0.0
) -> Signal:
    """The plan's tone from the beginning of any of its bursts, its cadence so many per cent slower."""
    tone = load("cn").tones[name]
    pattern = tone.pattern
    if tone.continuous:
        pattern = ((seconds, 0.0),)
    at, parts, total = int(rng.integers(len(pattern))), [], 0
    while total < seconds * RATE:
        on, off = (round(one * (1 + slower / 100) * RATE) for one in pattern[at % len(pattern)])
        frequencies = [one * (1 + off_percent / 100) for one in tone.sounds[at % len(pattern)]]
        parts += [tones(rng, on, frequencies, [dbm0] * len(frequencies)), np.zeros(off)]
        total += on + off
        at += 1
    return np.concatenate(parts)[: round(seconds * RATE)]


def progress(context: Context) -> Iterator[Case]:
    rng = context.rng
    for name, seconds in SECONDS.items():
        for _ in context.times(12):
            lead = ms(rng.uniform(100, 600))
            signal = np.concatenate([np.zeros(lead), sounding(rng, name, seconds, rng.uniform(-20, -7))])
            yield Case(f"tones, clean: {name}", 0.0, name, on_a_line(rng, signal, -60.0), begins=lead)
        for hertz in (-25, -15, 15, 25):
            for _ in context.times(3):
                off = hertz / load("cn").tones[name].frequencies[0] * 100
                signal = sounding(rng, name, seconds, -15.0, off_percent=off)
                yield Case("tones, up to 25 Hz off", float(hertz), name, on_a_line(rng, signal, -60.0))
        for snr in (0, 3, 6, 10, 15, 20, 30, 40):
            for _ in context.times(3):
                signal = sounding(rng, name, seconds, -15.0)
                noisy = generate.to_int16(signal + white(rng, len(signal), -15.0 - snr))
                yield Case("tones, noise", float(snr), name, noisy)
        for dbm0 in (-40, -35, -30, -25, -20, -10, -5):
            for _ in context.times(3):
                signal = sounding(rng, name, seconds, dbm0)
                yield Case("tones, level", float(dbm0), name, on_a_line(rng, signal, -65.0))
        for percent in (-10, -5, 5, 10):
            for _ in context.times(3):
                signal = sounding(rng, name, seconds, -15.0, slower=percent)
                yield Case("tones, cadence up to 10 % off", float(percent), name, on_a_line(rng, signal, -60.0))
        for _ in context.times(12):
            before = at_level(context.prompt(ms(rng.uniform(1500, 4000))).astype(float), -18.0)
            before = np.concatenate([before, np.zeros(ms(rng.uniform(50, 800)))])
            signal = np.concatenate([before, sounding(rng, name, seconds + 2, rng.uniform(-22, -8))])
            yield Case("tones, after speech", 0.0, name, alaw(on_a_line(rng, signal, -60.0)), begins=len(before))


def busy(context: Context) -> Iterator[Case]:
    """Where Asterisk's busy detection is weak: bursts and pauses of unlike length, and faint ones."""
    rng = context.rng
    for on, off in ((0.38, 0.32), (0.32, 0.38)):
        for _ in context.times(24):
            lead = ms(rng.uniform(100, 600))
            tone = generate.cadence([450], [(on, off)], 5, rng.uniform(-25, -7)).astype(float)
            signal = np.concatenate([np.zeros(lead), tone])
            yield Case("tones, busy of unlike halves", on, "busy", alaw(on_a_line(rng, signal, -60.0)), begins=lead)
    for _ in context.times(24):
        lead = ms(rng.uniform(100, 600))
        signal = np.concatenate([np.zeros(lead), sounding(rng, "busy", 5, -30.0)])
        yield Case("tones, busy at -30 dBm0", -30.0, "busy", alaw(on_a_line(rng, signal, -60.0)), begins=lead)


def no_tones(context: Context) -> Iterator[Case]:
    """Speech cut into a tone's rhythm, as people count aloud, and music."""
    rng = context.rng
    for on, off in ((0.35, 0.35), (0.7, 0.7), (0.1, 0.1), (0.2, 0.2), (0.3, 0.4)):
        for _ in context.times(12):
            signal = at_level(context.prompt(14 * RATE).astype(float), rng.uniform(-22, -12))
            at = 0
            while at < len(signal):
                begin = at + round(on * rng.uniform(0.94, 1.06) * RATE)
                at = begin + round(off * rng.uniform(0.94, 1.06) * RATE)
                signal[begin:at] = 0
            yield Case("no tones: speech in a tone's rhythm", 0.0, "", on_a_line(rng, signal, -60.0))
    for _ in context.times(24):
        signal = at_level(music(rng, 15), rng.uniform(-25, -12))
        yield Case("no tones: music", 0.0, "", on_a_line(rng, signal, -60.0))


FAMILIES: tuple[Family, ...] = (progress, busy, no_tones)
