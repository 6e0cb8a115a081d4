"""What all calls of one service share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config.dialog import Dialog
from ..config.settings import Settings
from ..config.tones import TonePlan
from .journal import Clock

if TYPE_CHECKING:
    from ..desk.pins import Verdict
    from ..desk.records import Records
    from ..voice.library import Library
    from .fund import FundDatabase


@dataclass(frozen=True)
class Pins:
    """The PINs in the hotline's own database, judged by the time calls live in."""

    records: Records
    clock: Clock
    wrong_per_login: int
    wrong_per_caller: int

    def check(self, kind: str, login: str, pin: str, caller: str | None) -> Verdict:
        """ok, wrong (nobody has this number counts as wrong) or locked. Blocks."""
        from ..desk.pins import Limits

        limits = Limits(self.wrong_per_login, self.wrong_per_caller)
        return self.records.check_pin(kind, login, pin, caller or "", self.clock(), limits)


@dataclass
class Site:
    """Settings, prompts and databases. The dialog may be replaced, the menu closed, between two calls."""

    settings: Settings
    dialog: Dialog
    library: Library
    records: Records
    pins: Pins
    fund: FundDatabase
    clock: Clock
    plan: TonePlan
    open: bool = True
