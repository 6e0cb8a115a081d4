"""Families of cases with keys to be found. One function makes one family; FAMILIES names them.

Where nothing else is said keys last 50 ms, pause 50 ms, have -13 dBm0 a tone and all sixteen come once in a case.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...dsp import generate
from ...dsp.levels import RATE, amplitude, ms, power_dbm0, rms
from .pieces import (
    Case,
    Context,
    Family,
    Keyed,
    Signal,
    alaw,
    at_level,
    band,
    by_hand,
    hybrid,
    keyed,
    on_a_line,
    shuffled,
    tones,
    white,
)

DIALLED = "1234567890*#"


def clean(context: Context) -> Iterator[Case]:
    rng = context.rng
    for level in (-5.0, -10.0, -16.0, -22.0):
        for _ in context.times(20):
            digits = shuffled(rng)
            yield Case("clean", level, digits, on_a_line(rng, keyed(rng, digits, level=level).signal))


def deviation(context: Context) -> Iterator[Case]:
    """Both tones off by so many per cent, one alone, or one up and one down."""
    rng = context.rng
    for mode, low, high in (("both", 1, 1), ("low", 1, 0), ("high", 0, 1), ("opposite", 1, -1)):
        for percent in np.arange(-4, 4.01, 0.25):
            for _ in context.times(4):
                digits = shuffled(rng)
                off = (low * float(percent), high * float(percent))
                signal = keyed(rng, digits, off_percent=off).signal
                yield Case(f"deviation: {mode}", float(percent), digits, on_a_line(rng, signal))


def twist(context: Context) -> Iterator[Case]:
    rng = context.rng
    for db in range(-14, 15):
        for _ in context.times(8):
            digits = shuffled(rng)
            signal = keyed(rng, digits, level=-8.0, twist=float(db)).signal
            yield Case("twist", float(db), digits, on_a_line(rng, signal))


def level(context: Context) -> Iterator[Case]:
    rng = context.rng
    for dbm0 in range(-56, 1):
        for _ in context.times(5):
            digits = shuffled(rng)
            signal = keyed(rng, digits, level=float(dbm0)).signal
            yield Case("level", float(dbm0), digits, on_a_line(rng, signal, -72.0))


def duration(context: Context) -> Iterator[Case]:
    rng = context.rng
    for on_ms in (*range(15, 61), *range(65, 101, 5)):
        for _ in context.times(8):
            digits = shuffled(rng)
            yield Case("duration", float(on_ms), digits, on_a_line(rng, keyed(rng, digits, on_ms, 60).signal))


def pause(context: Context) -> Iterator[Case]:
    """Keys of 55 ms and short pauses; "same": each of eight keys twice."""
    rng = context.rng
    for kind in ("different", "same"):
        for off_ms in range(10, 61, 2):
            for _ in context.times(8):
                digits = shuffled(rng)
                if kind == "same":
                    digits = "".join(2 * digit for digit in digits[:8])
                signal = keyed(rng, digits, 55, off_ms).signal
                yield Case(f"pause: {kind}", float(off_ms), digits, on_a_line(rng, signal))


def interruption(context: Context) -> Iterator[Case]:
    """One press broken in the middle for so many ms is one key."""
    rng = context.rng
    for part in (40, 60):
        for broken in range(1, 31):
            for _ in context.times(6):
                digits = shuffled(rng)
                whole = keyed(rng, digits, 2 * part + broken, 80)
                for begin, _ in whole.marks:
                    whole.signal[begin + ms(part) : begin + ms(part + broken)] = 0
                yield Case(f"break: {part} ms either side", float(broken), digits, on_a_line(rng, whole.signal))


def noise(context: Context) -> Iterator[Case]:
    """S/N: power of both tones over white noise in 0 to 4 kHz, dB."""
    rng = context.rng
    for on_off in (50, 80, 40):
        for snr in range(-6, 31):
            for _ in context.times(8):
                digits = shuffled(rng)
                signal = keyed(rng, digits, on_off, on_off, -16.0).signal
                noisy = signal + white(rng, len(signal), -13.0 - snr)
                yield Case(f"noise: {on_off}/{on_off} ms", float(snr), digits, generate.to_int16(noisy))


def dial_tone(context: Context) -> Iterator[Case]:
    """A dial tone, up to 1 % off, so many dB above each tone of the keys."""
    rng = context.rng
    for name, frequencies in (("450", (450.0,)), ("350+440", (350.0, 440.0)), ("425", (425.0,))):
        for above in range(-20, 16):
            for _ in context.times(4):
                digits = shuffled(rng)
                signal = keyed(rng, digits, 60, 60, -16.0).signal
                each = -16.0 + above - 10 * np.log10(len(frequencies))
                sounding = [one * (1 + rng.uniform(-0.01, 0.01)) for one in frequencies]
                signal += tones(rng, len(signal), sounding, [each] * len(frequencies))
                yield Case(f"dial tone: {name} Hz", float(above), digits, on_a_line(rng, signal))


def barge_in(context: Context) -> Iterator[Case]:
    """Keys over the hybrid's echo of a prompt of ours: `value` is the power of both tones over the echo's level while
    it sounds, dB. The prompt begins with the signal, or a second before the first key."""
    rng = context.rng
    for ahead, timing in ((0, None), (1000, None), (1000, 60)):
        speed = "by hand" if timing is None else f"{timing}/{timing} ms"
        name = f"barge-in {'from the first moment' if ahead == 0 else 'after a second'}: {speed}"
        for above in range(-8, 25, 2):
            for _ in context.times(10):
                digits = shuffled(rng, DIALLED)
                on, off = by_hand(rng, len(digits)) if timing is None else (timing, timing)
                keys = keyed(rng, digits, on, off, -14.0, rng.uniform(-4, 2))
                begin, end = keys.marks[0]
                keys_dbm0 = float(power_dbm0(keys.signal[begin:end]))
                signal = np.concatenate([np.zeros(ms(ahead)), keys.signal])
                sent = generate.to_int16(at_level(context.prompt(len(signal)).astype(float), -15.0))
                echo = hybrid(rng, sent.astype(float), -15.0 - (keys_dbm0 - above))
                yield Case(name, float(above), digits, on_a_line(rng, signal + echo), sent=sent)


def _impulses(rng: np.random.Generator, signal: Signal, rate: float, dbm0: float) -> None:
    """Clicks of 2 to 15 samples, so many a second, their peak that of a sine of this level."""
    for at in rng.integers(0, len(signal) - 20, rng.poisson(rate * len(signal) / RATE)):
        time = np.arange(rng.integers(2, 16))
        click = np.exp(-time / 4) * np.cos(time * rng.uniform(0.3, 2.5)) * rng.choice([-1, 1])
        signal[at : at + len(time)] += amplitude(dbm0) * click


HUM = ((1, 0), (2, 6), (3, 4), (5, 8), (7, 12), (9, 15), (11, 18), (13, 20), (15, 22))  # harmonic, dB below the first


def _hum(rng: np.random.Generator, samples: int, dbm0: float) -> Signal:
    """50 Hz with the harmonics a fluorescent lamp's choke gives, of this total power."""
    mains = rng.uniform(49.8, 50.2)
    signal = tones(rng, samples, [mains * k for k, _ in HUM], [float(-down) for _, down in HUM])
    return signal * (rms(dbm0) / float(np.sqrt(np.mean(signal**2))))


def _plain(context: Context, dbm0: float = -14.0, on_off: float = 50.0) -> tuple[str, Keyed]:
    digits = shuffled(context.rng)
    return digits, keyed(context.rng, digits, on_off, on_off, dbm0)


def impaired(context: Context) -> Iterator[Case]:
    """What lines do to keys that adds something: clicks, hum, an offset, noise of the band."""
    rng = context.rng
    for rate in (1, 2, 5, 10, 20, 50):
        for peak in (-5, 0, 3):
            for _ in context.times(12):
                digits, keys = _plain(context)
                _impulses(rng, keys.signal, rate, peak)
                yield Case(f"impulses: {peak:+d} dBm0", float(rate), digits, on_a_line(rng, keys.signal))
    for dbm0 in range(-40, -4, 5):
        for _ in context.times(12):
            digits, keys = _plain(context)
            signal = keys.signal + _hum(rng, len(keys.signal), dbm0)
            yield Case("hum", float(dbm0), digits, on_a_line(rng, signal))
    for offset in (500, 2000, 6000, 12000):
        for _ in context.times(12):
            digits, keys = _plain(context)
            yield Case("DC", float(offset), digits, on_a_line(rng, keys.signal + offset * rng.choice([-1, 1])))
    for snr in (30, 20, 15, 12, 10, 8, 6):
        for _ in context.times(12):
            digits, keys = _plain(context)
            hiss = band(white(rng, len(keys.signal), 0.0))
            hiss *= rms(-11.0 - snr) / np.sqrt(np.mean(hiss**2))
            yield Case("noise of the band", float(snr), digits, generate.to_int16(keys.signal + hiss))


def distorted(context: Context) -> Iterator[Case]:
    """What lines do to keys that bends them: clipping, curvature, cable, wow, slow edges, lost packets."""
    from scipy import signal as filters

    rng = context.rng
    for over in (3, 6, 9, 12, 15):
        for _ in context.times(12):
            digits, keys = _plain(context, -8.0)
            peak = np.max(np.abs(keys.signal)) * 10 ** (-over / 20)
            yield Case("clipping", float(over), digits, on_a_line(rng, np.clip(keys.signal, -peak, peak)))
    for below in (30, 25, 20, 15):
        for _ in context.times(12):
            digits, keys = _plain(context, -10.0)
            peak = 2 * amplitude(-10.0)
            bent = keys.signal + 2 * 10 ** (-below / 20) * peak * (keys.signal / peak) ** 2
            yield Case("curved", -float(below), digits, on_a_line(rng, bent))
    along = np.linspace(0, 1, 65)
    for km in (1, 3, 5, 7):  # loss rises with the root of frequency
        slope = filters.firwin2(65, along, 10 ** (-1.5 * km * np.sqrt(4 * along + 0.01) / 20))
        for _ in context.times(12):
            digits, keys = _plain(context, -8.0)
            yield Case("cable, km", float(km), digits, on_a_line(rng, np.convolve(keys.signal, slope, "same")))
    for percent in (0.3, 0.6, 1.0):
        for _ in context.times(12):
            digits, keys = _plain(context, on_off=80.0)
            time = np.arange(len(keys.signal))
            rate = rng.uniform(4, 12)
            late = percent / 100 * RATE / (2 * np.pi * rate) * np.sin(2 * np.pi * rate * time / RATE)
            yield Case("wow", percent, digits, on_a_line(rng, np.interp(time + late, time, keys.signal)))
    for rise in (2, 5, 8, 12):
        for _ in context.times(12):
            digits = shuffled(rng)
            signal = keyed(rng, digits, 50 + rise, 55, -14.0, ramp_ms=rise).signal
            yield Case("slow edges", float(rise), digits, on_a_line(rng, signal))
    for percent in (1, 2, 5):
        for _ in context.times(12):
            digits, keys = _plain(context, on_off=100.0)
            for at in range(160, len(keys.signal) - 160, 160):
                if rng.random() < percent / 100:
                    keys.signal[at : at + 160] = keys.signal[at - 160 : at]
            yield Case("lost packets", float(percent), digits, on_a_line(rng, keys.signal))


def identity_number(rng: np.random.Generator) -> str:
    """Eighteen characters of the fictional area 990101, check digit by ISO 7064 MOD 11-2; an X is keyed as *."""
    born = f"{rng.integers(1945, 2006)}{rng.integers(1, 13):02d}{rng.integers(1, 29):02d}"
    digits = f"990101{born}{rng.integers(0, 1000):03d}"
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(digits))
    return digits + "10*98765432"[total % 11]


def identity_numbers(context: Context) -> Iterator[Case]:
    """Whole ID numbers and #, by hand and by machine, over lines with noise and hum, A-law, tones up to 1.4 % off. With
    barge-in the prompt begins 0.2 to 2 s before the first key and stops a quarter of a second after it."""
    rng = context.rng
    for name in ("by hand", "barge-in", "100/100 ms", "70/70 ms", "50/50 ms", "40/40 ms"):
        human = name in ("by hand", "barge-in")
        for _ in context.times(100):
            digits = identity_number(rng) + "#"
            dbm0 = rng.uniform(-25, -5)
            off = (rng.uniform(-1.4, 1.4), rng.uniform(-1.4, 1.4))
            on_off = 0.0 if human else float(name.split("/")[0])
            on, pauses = by_hand(rng, len(digits)) if human else (on_off, on_off)
            ramp = float(rng.choice([0, 1, 3])) if human else 0.0
            keys = keyed(rng, digits, on, pauses, dbm0, rng.uniform(-7, 3), off, ramp_ms=ramp)
            signal = keys.signal + white(rng, len(keys.signal), dbm0 + 3 - rng.uniform(22, 40))
            signal += tones(rng, len(signal), [50.0], [rng.uniform(-50, -35)])
            sent = None
            if name == "barge-in":
                ahead = ms(rng.uniform(200, 2000))
                signal = np.concatenate([np.zeros(ahead), signal])
                prompt = at_level(context.prompt(len(signal)).astype(float), -15.0)
                prompt[ahead + keys.marks[0][0] + ms(250) :] = 0
                sent = generate.to_int16(prompt)
                signal += hybrid(rng, sent.astype(float), rng.uniform(10, 22))
            yield Case(f"ID numbers: {name}", 0.0, digits, alaw(generate.to_int16(signal)), sent=sent)


def all_at_once(context: Context) -> Iterator[Case]:
    """Up to 1.8 % off, up to 6 dB twist, 45 ms on, 28 to 30 ms off, any level, 5 to 25 keys of all sixteen."""
    rng = context.rng
    for _ in context.times(200):
        digits = "".join(rng.choice(list(generate.KEYS), rng.integers(5, 26)))
        off_ms = rng.uniform(28, 30, len(digits)).tolist()
        off = (rng.uniform(-1.8, 1.8), rng.uniform(-1.8, 1.8))
        signal = keyed(rng, digits, 45, off_ms, rng.uniform(-27, 0), rng.uniform(-6, 6), off).signal
        yield Case("all at once", 0.0, digits, on_a_line(rng, signal))


FAMILIES: tuple[Family, ...] = (
    clean, deviation, twist, level, duration, pause, interruption, noise, dial_tone, barge_in, impaired, distorted,
    identity_numbers, all_at_once,
)  # fmt: skip
