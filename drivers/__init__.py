"""Kinds of line: the table, and how a line of the settings becomes one of them.

A driver's module is imported only when a line asks for it: a machine without the hardware need not have
its libraries either. Each line class names the model of its own keys as `settings_model`.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from ..config import settings as config
from ..config.explain import problems
from .line import Line

DRIVERS = {
    "simulated": (".simulated", "SimulatedLine"),
}


def driver(name: str) -> Any:
    """The line class of a driver; KeyError for a name that is not in the table."""
    module, cls = DRIVERS[name]
    return getattr(import_module(module, __package__), cls)


def make(name: str, line: config.Line) -> list[Line]:
    """The lines of section [lines.NAME], one unless it says `count`, not yet open. Raises SettingsError."""
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
    made: list[Line] = cls.several(line.names(name), own)
    return made
