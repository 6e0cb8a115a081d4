"""Tone plans: what an exchange or PBX says with tones, as data.

A plan is a TOML file; config/tones/ holds those that ship, named by country. A centre whose exchange sounds
different writes its own file and names it in the settings (`tones = "..."`). `load` refuses a bad file with all
that is wrong in it: file, section, key, value and what is allowed.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from .explain import problems
from .settings import SettingsError, read_toml

SHIPPED = Path(__file__).parent / "tones"

Hertz = Annotated[float, Field(ge=300, le=3400)]
Duration = Annotated[float, Field(ge=0, le=20)]
Meaning = Literal[
    "dial", "ringback", "busy", "congestion", "unobtainable", "waiting", "howler", "notice", "sit", "fax"
]  # fmt: skip


class Part(BaseModel):
    """A section of a tone plan: an unknown key is an error, a checked value never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Tone(Part):
    """[tones.NAME] One tone. Frequencies in Hz, durations in seconds, levels in dBm0."""

    meaning: Meaning
    text: str = Field(min_length=1, max_length=40)  # what people call it: 忙音
    frequencies: tuple[Hertz, ...] = Field((), max_length=4)  # sounding together
    sequence: tuple[Hertz, ...] = Field((), max_length=6)  # or one after the other, one for each `on`
    cadence: tuple[Duration, ...] = Field((), max_length=16)  # on, off, on, off, ... repeated; empty: continuous
    once: bool = False  # the cadence need not be repeated (special information tones)
    at_least: float = Field(1.5, ge=1, le=3)  # a continuous tone is one after so long; speech and keys are shorter
    tolerance_hz: float = Field(25, ge=2, le=60)
    tolerance_percent: float = Field(10, ge=2, le=40)  # of each duration of the cadence
    quietest: float = Field(-40, ge=-45, le=0)
    loudest: float = Field(3.14, ge=-30, le=3.14)
    released: bool = False  # heard in a connected call it means that the far end has gone

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if bool(self.frequencies) == bool(self.sequence):
            raise ValueError("frequencies（同时发出）与 sequence（依次发出）须写且只写一个")
        if any(high - low < CLOSEST for low, high in pairwise(sorted(self.frequencies))):
            raise ValueError(f"frequencies 中两个频率至少相差 {CLOSEST} Hz，更近的分辨不出")
        if len(self.cadence) % 2:
            raise ValueError(f"cadence 有 {len(self.cadence)} 项：须是成对的“响、停”秒数，不写为连续音")
        if self.sequence and len(self.sequence) * 2 != len(self.cadence):
            raise ValueError(f"sequence 有 {len(self.sequence)} 个频率：cadence 须有同样多对“响、停”")
        if any(on < SHORTEST for on in self.cadence[::2]):
            raise ValueError(f"cadence 中响的时间须不小于 {SHORTEST} 秒")
        if not self.sequence and any(off < SHORTEST for off in self.cadence[1::2]):
            raise ValueError(f"cadence 中停的时间须不小于 {SHORTEST} 秒")
        if self.quietest >= self.loudest:
            raise ValueError(f"quietest = {self.quietest:g}：须小于 loudest（{self.loudest:g}）")
        return self

    @property
    def continuous(self) -> bool:
        """Whether it sounds without a pause."""
        return not self.cadence

    @property
    def pattern(self) -> tuple[tuple[float, float], ...]:
        """(on, off) seconds; ((1, 0),) for a continuous tone, as dsp.generate.cadence wants it."""
        return tuple(zip(self.cadence[::2], self.cadence[1::2], strict=True)) or ((1.0, 0.0),)

    @property
    def sounds(self) -> tuple[tuple[float, ...], ...]:
        """The frequencies that sound together in each `on` of the pattern."""
        return tuple((one,) for one in self.sequence) or (self.frequencies,) * len(self.pattern)


SHORTEST = 0.06  # seconds a tone or a pause must last to be told apart by the 30 ms windows of dsp.tonebank


CLOSEST = 40  # Hz between sines that its 50 ms windows can tell apart


class TonePlan(Part):
    """A whole file."""

    country: str = Field(min_length=1, max_length=40)
    source: str = Field(min_length=1)  # where the figures are from
    tones: dict[str, Tone] = Field(min_length=1)


def shipped() -> list[str]:
    """Names of the plans that come with the package."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def load(name_or_path: str | Path) -> TonePlan:
    """Read and check a plan: the name of a shipped one ("cn"), or the path of a file. Raises SettingsError."""
    path = SHIPPED / f"{name_or_path}.toml"
    if str(name_or_path) not in shipped():
        path = Path(name_or_path)
        if not path.is_file():
            raise SettingsError(
                f"{name_or_path}: 没有这个信号音方案：须是 {'、'.join(shipped())} 之一，或一个文件的路径"
            )
    try:
        return TonePlan.model_validate_json(json.dumps(read_toml(path), default=str), strict=True)
    except ValidationError as error:
        lines = []
        for section, text in problems(error, TonePlan):
            heading = f"[{'.'.join(map(str, section))}] " if section else ""
            lines.append(f"{path}: {heading}{text}")
        raise SettingsError("\n".join(lines)) from None
