"""What counts: keys by the longest common subsequence, tones by name and time, ranges by 99.5 and 0.5 per cent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from ...dsp.levels import RATE
from .pieces import Case

Found = TypeVar("Found")

# A value of a sweep is accepted with so many per cent of the keys right and no more extra ones.
RIGHT, EXTRA = 99.5, 0.5


class Heard(NamedTuple):
    """A tone that was declared, and at which sample of the case."""

    name: str
    at: int


@dataclass
class Cell:
    """Sums over cases. For tones `keyed` counts the cases that hold one, `right` those declared, `extra` wrong ones."""

    cases: int = 0
    exact: int = 0
    right: int = 0
    keyed: int = 0
    extra: int = 0
    seconds: float = 0.0
    latest: float = 0.0  # seconds from a tone's beginning until it was declared, the worst case

    def __add__(self, other: Cell) -> Cell:
        return Cell(
            self.cases + other.cases,
            self.exact + other.exact,
            self.right + other.right,
            self.keyed + other.keyed,
            self.extra + other.extra,
            self.seconds + other.seconds,
            max(self.latest, other.latest),
        )

    @property
    def right_percent(self) -> float:
        return 100 * self.right / self.keyed

    @property
    def extra_percent(self) -> float:
        return 100 * self.extra / self.keyed

    @property
    def exact_percent(self) -> float:
        return 100 * self.exact / self.cases

    @property
    def extra_per_hour(self) -> float:
        return 3600 * self.extra / self.seconds

    @property
    def accepted(self) -> bool:
        return self.right_percent >= RIGHT and self.extra_percent <= EXTRA


Curve = dict[float, Cell]  # by the value of a sweep
Scores = dict[str, Curve]  # by group


def common(first: str, second: str) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(second) + 1)
    for one in first:
        above = row
        row = [0]
        for j, other in enumerate(second):
            row.append(above[j] + 1 if one == other else max(above[j + 1], row[j]))
    return row[-1]


def of_keys(case: Case, found: str) -> Cell:
    """One case of keys."""
    right = common(case.expect, found)
    seconds = len(case.samples) / RATE
    return Cell(1, case.expect == found, right, len(case.expect), len(found) - right, seconds)


def of_tones(case: Case, found: Sequence[Heard]) -> Cell:
    """One case of tones: exact is the right one, declared once it had begun, and no other."""
    wanted = [heard for heard in found if heard.name == case.expect and heard.at >= case.begins]
    wrong = len({heard.name for heard in found if heard not in wanted})
    present = bool(case.expect)
    exact = wrong == 0 and bool(wanted) == present
    latest = (wanted[0].at - case.begins) / RATE if wanted else 0.0
    return Cell(1, exact, bool(wanted), present, wrong, len(case.samples) / RATE, latest)


def add_up(cases: Sequence[Case], found: Sequence[Found], rule: Callable[[Case, Found], Cell]) -> Scores:
    """Cells by group and value."""
    scores: Scores = defaultdict(dict)
    for case, what in zip(cases, found, strict=True):
        curve = scores[case.group]
        curve[case.value] = curve.get(case.value, Cell()) + rule(case, what)
    return dict(scores)


def whole(curve: Curve) -> Cell:
    """All values of a group together."""
    return sum(curve.values(), Cell())


def accepted(curve: Curve) -> list[float]:
    """The longest run of neighbouring values that are accepted, ascending; empty if none is."""
    longest: list[float] = []
    run: list[float] = []
    for value in sorted(curve):
        run = [*run, value] if curve[value].accepted else []
        longest = max(longest, run, key=len)
    return longest
