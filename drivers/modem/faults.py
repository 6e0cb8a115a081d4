"""What goes wrong with modems, as switches of a simulated one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass
class Faults:
    """Any of them may be switched at any time."""

    lost_results: int = 0  # so many of the next results never come
    cut_dle: bool = False  # a DLE is always the last byte of a read
    triple_digits: bool = False  # a press is reported three times, without key down and up
    dry_at_start: bool = True  # one underrun when a stream begins, as real ones do
    deaf_to_stream: bool = False  # no sample comes and none is played
    garbage: bytes = b""  # said once, between two results
    wedge: Literal["", "resync", "reset", "dtr", "reopen", "power"] = ""  # hangs until this is done to it
    power_switch: Path | None = None  # power is cut and given again when this file appears
