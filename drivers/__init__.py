"""Kinds of line: the table, and how a line of the settings becomes one of them.

A driver's module is imported only when a line asks for it: a machine without the hardware need not have
its libraries either. Each line class names the model of its own keys as `settings_model`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from ..config import settings as config
from ..config.explain import problems
from .line import Line


@dataclass(frozen=True)
class Share:
    """Which part of all lines this process carries, where several processes share them."""

    index: int = 0
    of: int = 1

    def out_of(self, names: Sequence[str], divisible: bool) -> Sequence[str]:
        """Our lines of one section; what cannot be divided belongs to the first process."""
        if divisible:
            return names[self.index :: self.of]
        return names if self.index == 0 else ()


ALL = Share()

DRIVERS = {
    "simulated": (".simulated.line", "SimulatedLine"),
    "voicemodem": (".modem.line", "VoiceModemLine"),
    "audiosocket": (".audiosocket.line", "AudioSocketLine"),
    "sound": (".sound.line", "SoundLine"),
    "synway": (".card.line", "SynwayLine"),
    "donjin": (".card.line", "DonjinLine"),
    "dahdi": (".dahdi.line", "DahdiLine"),
}


def driver(name: str) -> Any:
    """The line class of a driver; KeyError for a name that is not in the table."""
    module, cls = DRIVERS[name]
    return getattr(import_module(module, __package__), cls)


def make(name: str, line: config.Line, share: Share = ALL) -> list[Line]:
    """Our share of the lines of section [lines.NAME], not yet open. Raises SettingsError."""
    if line.driver not in DRIVERS:
        raise config.SettingsError(
            f'[lines.{name}] driver = "{line.driver}"：没有这种线路驱动，可以写：{"、".join(DRIVERS)}'
        )
    cls = driver(line.driver)
    try:
        own = cls.settings_model.model_validate_json(json.dumps(line.model_extra or {}), strict=True)
    except ValidationError as error:
        found = problems(error, cls.settings_model)
        raise config.SettingsError(
            "\n".join(f"[{'.'.join(map(str, ('lines', name, *section)))}] {text}" for section, text in found)
        ) from None
    if line.count > 1 and not cls.countable:
        raise config.SettingsError(
            f"[lines.{name}] count = {line.count}：{line.driver} 的一段只管一个端口，须是 1；请给每个端口写一段"
        )
    made: list[Line] = cls.several(share.out_of(line.names(name), cls.divisible), own, share.index)
    return made
