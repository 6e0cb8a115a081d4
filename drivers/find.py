"""What is plugged into this machine that could be a line.

Each driver has a module with a function `find() -> list[Found]`; it opens nothing it need not open, leaves everything
as it was, and raises LineError with a sentence when it cannot look at all. One row of FINDERS is one kind of device.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from .line import LineError

FINDERS = {
    "voicemodem": ("语音 Modem", ".modem.find"),
    "dahdi": ("DAHDI 板卡", ".dahdi.find"),
    "card": ("三汇、东进语音卡", ".card.find"),
    "sound": ("声卡", ".sound.find"),
    "audiosocket": ("Asterisk", ".audiosocket.find"),
}


@dataclass(frozen=True)
class Found:
    """One device: `name` as the system calls it, `text` what was seen, `settings` the keys of a section [lines.…] as
    TOML, `driver` among them; empty if it is there but cannot be used, and then the text says why."""

    driver: str
    name: str
    text: str
    settings: str = ""


def everything() -> Iterator[tuple[str, list[Found] | LineError]]:
    """Kind by kind: its title, and what there is of it or why that cannot be seen."""
    for title, module in FINDERS.values():
        try:
            yield title, import_module(module, __package__).find()
        except LineError as error:
            yield title, error
