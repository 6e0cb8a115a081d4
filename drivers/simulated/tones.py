"""The tones a Chinese exchange plays, as endless loops of samples, and the caller's number as it sends it.

The tones are written down here once more, apart from the detectors' plan in config/tones: an exchange that
shared the plan would agree with every mistake in it. Source: GB/T 3380; cadences agree with ITU-T
E.180 and with libtonezone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ...config.settings import Section
from ...dsp import callerid, generate
from ..line import FRAME, RATE, Frame


class Tone(Section):
    """交换机的一种信号音。"""

    hz: int = Field(450, ge=100, le=3400, description="频率，赫兹。")
    dbm0: float = Field(-10.0, ge=-60, le=3, description="电平，dBm0。")
    cadence: tuple[Annotated[float, Field(ge=0, le=10)], ...] = Field(
        (), description="响、停、响、停……各几秒；空：一直响。"
    )

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.cadence and sum(self.cadence) < FRAME / RATE:
            raise ValueError(f"cadence = {list(self.cadence)}：加起来须不少于 {FRAME / RATE} 秒")
        return self


class Tones(Section):
    """交换机的各种信号音；不写的按国标。"""

    dial: Tone = Field(Tone(), description="拨号音。")
    ringback: Tone = Field(Tone(cadence=(1.0, 4.0)), description="回铃音。")
    busy: Tone = Field(Tone(cadence=(0.35, 0.35)), description="忙音。")
    congestion: Tone = Field(Tone(cadence=(0.7, 0.7)), description="拥塞音。")
    unobtainable: Tone = Field(Tone(cadence=(0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.4, 0.4)), description="空号音。")
    howler: Tone = Field(Tone(hz=950, dbm0=0.0), description="催挂音。")


class Stage(Section):
    """先后听到的几种声音之一。"""

    tone: Literal["dial", "ringback", "busy", "congestion", "unobtainable", "howler", "silence"] = Field(
        description="哪种声音。"
    )
    seconds: float | None = Field(None, gt=0, description="几秒；不写：一直。")


@dataclass(frozen=True)
class Loop:
    """`samples` repeat after `length` of them; one frame more is kept so that no frame has to be put together."""

    samples: Frame
    length: int


@lru_cache(maxsize=64)  # hundreds of lines play the same few tones
def loop(tone: Tone) -> Loop:
    """One period of the cadence, or a second of a continuous tone."""
    spans = [round(seconds * RATE) for seconds in tone.cadence or (1.0,)]
    keyed = np.repeat(np.arange(len(spans)) % 2 == 0, spans)
    wave = generate.tones([tone.hz], [tone.dbm0], len(keyed)) * keyed
    samples = np.resize(generate.to_int16(wave), len(wave) + FRAME)
    samples.flags.writeable = False
    return Loop(samples, len(wave))


SILENCE = Loop(np.zeros(2 * FRAME, np.int16), FRAME)
SILENCE.samples.flags.writeable = False


ShowsNumber = Literal["event", "fsk", "dtmf", "none"]

NUMBER_DBM0 = -15.0  # of FSK, and of each tone of a key: about what arrives over a few kilometres of cable
NOT_A_DIGIT = re.compile(r"[^0-9]")


def announcement(how: ShowsNumber, number: str | None) -> Frame:
    """The caller's number in sound, in whole frames; None: withheld. Empty if it is not sent in sound."""
    digits = None if number is None else NOT_A_DIGIT.sub("", number)
    if how == "fsk":
        samples = generate.to_int16(callerid.modulate(callerid.mdmf(digits or "P"), NUMBER_DBM0))
    elif how == "dtmf":
        samples = generate.dtmf(callerid.to_digits(digits), 70, 70, NUMBER_DBM0)
    else:
        samples = np.zeros(0, np.int16)
    return np.pad(samples, (0, -len(samples) % FRAME))


class Player:
    """Plays stages one after the other, a frame at a time; the last one goes on, after none there is silence."""

    def __init__(self, tones: Tones) -> None:
        self._loops = {name: loop(getattr(tones, name)) for name in Tones.model_fields} | {"silence": SILENCE}
        self._loop = SILENCE
        self._at = 0
        self._left = -1  # ticks of this stage; below zero: no end
        self._later: list[Stage] = []

    def start(self, *stages: Stage) -> None:
        """From now on play these."""
        self._later = list(stages)
        self._take()

    def next(self) -> Frame:
        """The next 160 samples; a view, not to be changed."""
        if self._left == 0:
            self._take()
        self._left -= 1
        at = self._at
        self._at = (at + FRAME) % self._loop.length
        return self._loop.samples[at : at + FRAME]

    def _take(self) -> None:
        self._loop, self._at, self._left = SILENCE, 0, -1
        if self._later:
            stage = self._later.pop(0)
            self._loop = self._loops[stage.tone]
            if stage.seconds is not None:
                self._left = max(1, round(stage.seconds * RATE / FRAME))
