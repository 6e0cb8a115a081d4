"""Geometry of the bar chart, so that its template only prints numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .selectors import OptionCount

BAR_HEIGHT, ROW_HEIGHT, LONGEST = 22, 34, 420  # SVG user units


@dataclass(frozen=True)
class Bar:
    label: str
    value: str
    y: int
    width: int  # 0..LONGEST
    height: int = BAR_HEIGHT

    @property
    def baseline(self) -> int:
        return self.y + BAR_HEIGHT - 6


def percent(share: float | None) -> str:
    """85.0% – or a dash where there was nothing to divide by."""
    return "—" if share is None else f"{share:.1%}"


def bars(counts: Sequence[OptionCount]) -> list[Bar]:
    """One bar for each option, the largest LONGEST wide."""
    most = max((entry.count for entry in counts), default=0)
    return [
        Bar(
            entry.label,
            f"{entry.count} 票 {percent(entry.share)}",
            row * ROW_HEIGHT,
            round(LONGEST * entry.count / most) if most else 0,
        )
        for row, entry in enumerate(counts)
    ]
