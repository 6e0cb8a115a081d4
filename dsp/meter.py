"""What every line sounds like at the moment, as running figures: levels, noise, DC, hum, clipping, and whether somebody
is speaking.

Measured in blocks of 20 ms, one period of 50 Hz, so that DC, hum and everything else are apart by themselves. Levels
are those of the signal without DC and hum, in dBm0. A block is loud when it stands out of the noise floor; three loud
blocks one after the other are voice, so a click is not. The floor follows the quietest moments: down at once, up
slowly, so that it survives a sentence and yet swallows a steady noise within seconds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .levels import RATE, SILENCE_DBM0, power_dbm0, sine_dbm0

BLOCK = 160  # samples, 20 ms
HUM_HZ = 50.0
CLIPPED = 32000  # the outermost step of mu-law is 32124, of A-law 32256

STANDS_OUT = 9.0  # dB a loud block is above the noise floor
FAINTEST = -48.0  # dBm0: nothing weaker is voice
VOICE_BLOCKS = 3  # loud blocks in a row that are voice, 60 ms
FLOOR_AT_FIRST = -60.0  # dBm0, a quiet line
FLOOR_LOWEST = -75.0  # dBm0, about one step of 16 bits
FLOOR_DOWN = 0.3  # of the way, each block
FLOOR_UP = 0.1  # dB each block: 5 dB a second

LEVEL_PART = 0.2  # each block's share in `level`: about 100 ms
TALKER_PART = 0.02  # in `talker`: about a second of speech
STEADY_PART = 0.02  # in `dc` and `hum`: about a second

SPREAD = 6.0  # dB between the loud and the quiet tenth of a recording, under which it is all one noise

Figures = NDArray[np.float32]


class Meter:
    """Running figures of `lines` lines; every public array has one entry a line and is updated in place.

    level    power of the last 100 ms or so, dBm0
    noise    noise floor, dBm0
    talker   level of the voice while there is voice, dBm0; SILENCE_DBM0 before the first
    dc       mean of the samples, in steps of 16 bits
    hum      level of 50 Hz, dBm0
    clipped  samples at the end of the scale since reset
    voice    whether somebody is speaking
    quiet    samples since voice was last heard, or since reset
    """

    def __init__(self, lines: int) -> None:
        self.level: Figures = np.empty(lines, np.float32)
        self.noise: Figures = np.empty(lines, np.float32)
        self.talker: Figures = np.empty(lines, np.float32)
        self.dc: Figures = np.empty(lines, np.float32)
        self.hum: Figures = np.empty(lines, np.float32)
        self.clipped = np.empty(lines, np.int64)
        self.voice = np.empty(lines, np.bool_)
        self.quiet = np.empty(lines, np.int64)
        self._power: Figures = np.empty(lines, np.float32)  # of which `level` is the dBm0
        self._talker_power: Figures = np.empty(lines, np.float32)
        self._hum_power: Figures = np.empty(lines, np.float32)
        self._loud = np.empty(lines, np.int64)  # blocks in a row
        self._rest = np.zeros((lines, 0), np.float32)
        angle = 2 * np.pi * HUM_HZ * np.arange(BLOCK) / RATE
        sines = np.stack([np.cos(angle), np.sin(angle)], axis=1) * 2.0
        self._basis = (np.concatenate([sines, np.ones((BLOCK, 1))], axis=1) / BLOCK).astype(np.float32)
        for line in range(lines):
            self.reset(line)

    def reset(self, line: int) -> None:
        """A new call or a new recording begins on this line."""
        for figure in (self.level, self.talker, self.hum):
            figure[line] = SILENCE_DBM0
        self.noise[line] = FLOOR_AT_FIRST
        self.voice[line] = False
        for running in (self.dc, self._power, self._talker_power, self._hum_power, self._rest):
            running[line] = 0
        for count in (self.clipped, self.quiet, self._loud):
            count[line] = 0

    def feed(self, frames: NDArray[np.int16]) -> None:
        """Take the next samples of all lines, shape (lines, n), any n; figures change with every 160."""
        samples = np.concatenate([self._rest, frames], axis=1, dtype=np.float32) if self._rest.size else frames
        whole = samples.shape[1] // BLOCK * BLOCK
        self._rest = samples[:, whole:].astype(np.float32)
        for at in range(0, whole, BLOCK):
            self._block(samples[:, at : at + BLOCK].astype(np.float32))

    def _block(self, block: Figures) -> None:
        cosine, sine, mean = (block @ self._basis).T
        hum = cosine * cosine + sine * sine  # squared amplitude
        power = np.maximum(np.einsum("ln,ln->l", block, block) / BLOCK - mean * mean - hum / 2, 0.0)
        level = _dbm0(power)
        if max(block.max(initial=0), -block.min(initial=0)) >= CLIPPED:
            self.clipped += np.count_nonzero(np.abs(block) >= CLIPPED, axis=1)
        self.dc += STEADY_PART * (mean - self.dc)
        self._hum_power += STEADY_PART * (hum / 2 - self._hum_power)
        self._power += LEVEL_PART * (power - self._power)
        loud = level > np.maximum(self.noise + STANDS_OUT, FAINTEST)
        below = level - self.noise
        self.noise += np.where(below < 0, FLOOR_DOWN * below, np.minimum(below, FLOOR_UP))
        np.maximum(self.noise, FLOOR_LOWEST, out=self.noise)
        self._loud = np.where(loud, self._loud + 1, 0)
        self.voice[:] = self._loud >= VOICE_BLOCKS
        self.quiet[:] = np.where(self.voice, 0, self.quiet + BLOCK)
        part = np.where(self._talker_power == 0, 1.0, TALKER_PART) * self.voice
        self._talker_power += part * (power - self._talker_power)
        powers = np.stack([self._hum_power, self._power, self._talker_power])
        self.hum[:], self.level[:], self.talker[:] = _dbm0(powers)


def voiced(samples: NDArray[np.int16]) -> tuple[int, int] | None:
    """Where a recording has voice: the samples from which and up to which, to 20 ms; None if it is silence or one
    steady noise throughout. `samples`: shape (n,), 8000 Hz. Unlike a Meter this knows the whole recording, so its
    floor is that of the quietest tenth."""
    blocks = samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK).astype(np.float64)
    if not len(blocks):
        return None
    level = power_dbm0(blocks - blocks.mean(axis=1, keepdims=True))
    quiet, loud = np.percentile(level, [10, 90])
    if loud - quiet < SPREAD and level.max() - quiet < 2 * STANDS_OUT:
        return None
    high = level > max(quiet + STANDS_OUT, FAINTEST)
    run = np.convolve(high, np.ones(VOICE_BLOCKS, np.int64))[VOICE_BLOCKS - 1 :] == VOICE_BLOCKS  # a run begins here
    begins = np.flatnonzero(run)
    if not len(begins):
        return None
    return int(begins[0]) * BLOCK, int(begins[-1] + VOICE_BLOCKS) * BLOCK


def _dbm0(power: Figures) -> Figures:
    """Level of a mean square."""
    return sine_dbm0(np.sqrt(2.0 * power)).astype(np.float32)
