"""What a bad pair does to good audio, as switches; the same seed gives the same damage.

us  --->  [gain_out_db]  --------------------------------------->  telephone
                |
                +--- hybrid: our own sound, hybrid_echo_db down, hybrid_echo_ms later
                v
us  <---  noise <- [gain_in_db] <- lost frames <- clock that is off  <---  exchange, telephone
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from pydantic import Field

from ...config.settings import Section
from ...dsp.levels import rms
from ..line import FRAME, RATE, Frame

Floats = npt.NDArray[np.float64]

TAPS = 16  # of the interpolating filter: images of a tone at 1633 Hz stay 60 dB down
PHASES = 512  # its fractional positions: rounding to them is noise 60 dB down as well

DETAILS = ("hybrid_echo_ms", "seed")  # these alone do no damage


class Impairments(Section):
    """一条不好的线；不写，就是一条完好的线。"""

    noise_dbm0: float | None = Field(None, ge=-90, le=0, description="摘机后听到的白噪声，dBm0。")
    gain_in_db: float = Field(0.0, ge=-40, le=20, description="对方传来的声音增减几 dB。")
    gain_out_db: float = Field(0.0, ge=-40, le=20, description="传给对方的声音增减几 dB。")
    hybrid_echo_db: float | None = Field(None, ge=-6, le=60, description="自己的声音返回时衰减几 dB。")
    hybrid_echo_ms: float = Field(4.0, ge=0, le=200, description="返回时迟几毫秒。")
    frequency_error_percent: float = Field(0.0, ge=-5, le=5, description="对方传来的一切频率偏差百分之几。")
    dropped_frames: float = Field(0.0, ge=0, le=1, description="每 20 毫秒的声音丢失的概率。")
    seed: int = Field(0, ge=0, description="随机数的种子；种子相同，毛病也相同。")

    @property
    def damaged(self) -> bool:
        """Whether there is anything to do."""
        fields = Impairments.model_fields.items()
        return any(getattr(self, name) != field.default for name, field in fields if name not in DETAILS)


class Pair:
    """One pair of wires with its faults; the frames of both directions pass through it once a tick."""

    def __init__(self, switches: Impairments, name: str) -> None:
        self._set = switches
        self._chance = np.random.default_rng([switches.seed, zlib.crc32(name.encode())])
        self._gain_in = 10 ** (switches.gain_in_db / 20)
        self._gain_out = 10 ** (switches.gain_out_db / 20)
        self._noise = 0.0 if switches.noise_dbm0 is None else rms(switches.noise_dbm0)
        self._delay = round(switches.hybrid_echo_ms / 1000 * RATE)
        off = switches.frequency_error_percent / 100
        self._clock = Resampler(1 + off) if off else None
        self.clear()

    def clear(self) -> None:
        """A new call: nothing of the last one is left in the wires."""
        self._own = np.zeros(self._delay + FRAME)
        if self._clock:
            self._clock.clear()

    def inwards(self, sound: Callable[[], Frame], frame: Frame) -> bool:
        """Fill `frame` with what arrives of `sound`; False: the frame was lost and is silence."""
        arriving = self._clock.next(sound) if self._clock else sound().astype(np.float64)
        if self._set.hybrid_echo_db is not None:
            arriving += self._own[:FRAME] * 10 ** (-self._set.hybrid_echo_db / 20)
            self._own[:-FRAME] = self._own[FRAME:]
            self._own[-FRAME:] = 0  # until we write
        if self._set.dropped_frames and self._chance.random() < self._set.dropped_frames:
            frame[:] = 0
            return False
        arriving *= self._gain_in
        if self._noise:
            arriving += self._chance.normal(0.0, self._noise, FRAME)
        frame[:] = np.round(arriving).clip(-32768, 32767)
        return True

    def outwards(self, frame: Frame) -> Frame:
        """What the telephone gets of the frame we send."""
        if self._set.hybrid_echo_db is not None:
            self._own[-FRAME:] = frame
        if self._gain_out == 1.0:
            return frame
        return np.round(frame * self._gain_out).clip(-32768, 32767).astype(np.int16)


def _filters() -> Floats:
    """A Kaiser-windowed sinc for each fractional position: shape (PHASES + 1, TAPS)."""
    position = np.arange(TAPS) - (TAPS // 2 - 1) - np.arange(PHASES + 1)[:, None] / PHASES
    edge = np.clip(1 - (position / (TAPS / 2)) ** 2, 0, None)
    return np.asarray(np.sinc(position) * np.i0(6.0 * np.sqrt(edge)) / np.i0(6.0))


FILTERS = _filters()


class Resampler:
    """Plays a source `speed` times as fast, so that all its frequencies move by that factor."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self.clear()

    def clear(self) -> None:
        """Forget what was read ahead."""
        self._waiting = np.zeros(TAPS)
        self._at = 0.0

    def next(self, source: Callable[[], Frame]) -> Floats:
        """One frame; takes as many from the source as that needs."""
        at = self._at + self._speed * np.arange(FRAME)
        whole = at.astype(np.int64)
        while len(self._waiting) < whole[-1] + TAPS:
            self._waiting = np.concatenate((self._waiting, source()))
        phase = np.round((at - whole) * PHASES).astype(np.int64)
        made = (self._waiting[whole[:, None] + np.arange(TAPS)] * FILTERS[phase]).sum(axis=1)
        after = self._at + self._speed * FRAME
        used = int(after)
        self._waiting, self._at = self._waiting[used:], after - used
        return np.asarray(made)
