"""Keys from the first sign of them until they are let go, on many lanes side by side.

A lane is a line, or, in a file, a stretch of one: hops of 20 ms that are followed one after another. What is known of
all lanes lies in arrays, and a step takes some of them one hop further, each kind of news at once:

- a pair that appears is young until it has lasted a hop: it would be too short whatever else it is;
- one that has is judged (keypress.py), and again at the next hop if it was too short; a key begins if it passes;
- a key held ends where a tone of it falls below half. After `Limits.bridge` it is let go; if it comes back before, that
  was a break.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import keypress
from .generate import KEYS
from .keypress import HALF, ON, PASSED, WINDOW, ZERO_DBM0, Limits, Verdict, Verdicts
from .levels import ms
from .pairs import LOOK_BACK, STEP, Candidates, Pairs, Powers

LOST = 0.1  # of a tone's power left a hop later: the shortest key looked at twice still has a fifth
UNLIKE = 0.1  # of their size, by which two tones that end together fill a window differently
AT_ONCE = 384  # presses judged together, so that the work fits the cache
NONE = -1  # instead of a digit
SIZE, SEEN, PERCENT = slice(1, 3), slice(3, 5), slice(5, 7)  # rows of presses: low and high of each

Indexes = NDArray[np.intp]
Mask = NDArray[np.bool_]


class Onset(NamedTuple):
    """A key is held and certain; `at` is the sample index, since the line's reset, by which it was known."""

    line: int
    digit: str
    at: int


class Digit(NamedTuple):
    """A key was released. Positions are sample indexes since the line's reset; levels are those of each tone, and
    `level_dbm0` is the stronger; twist is high group minus low group; deviations are in per cent of nominal."""

    line: int
    digit: str
    start: int
    end: int
    declared: int
    level_dbm0: float
    low_dbm0: float
    high_dbm0: float
    twist_db: float
    low_percent: float
    high_percent: float


class Refused(NamedTuple):
    """A sound that is no key though it is like one: the check it failed (a field of Limits, or one of near_miss), with
    what value. `digit` is all four keys where one tone sounds alone. A key that is accepted is usually refused before,
    for being too short yet."""

    line: int
    digit: str
    at: int
    check: str
    value: float
    limit: float


Event = Onset | Digit | Refused


class Keys(NamedTuple):
    """What is known of n lanes. Positions count from the detector's beginning."""

    young: Indexes  # the digit of a pair that was too short at the last hop, or NONE
    digit: Indexes  # the key held, or NONE; what follows is of that
    tones: Indexes  # (2, n): which of the eight its tones are
    silent: Mask  # there is none, or it pauses
    ended: NDArray[np.float64]  # where it paused; infinite while it sounds, and where there is none
    least: Powers  # (2, n): power of its tones below which it sounds no more; infinite where there is none
    declared: Indexes
    press: NDArray[np.float64]  # (7, n): a Press, but with the position where it began

    @classmethod
    def none(cls, lanes: int) -> Keys:
        return cls(
            young=np.full(lanes, NONE),
            digit=np.full(lanes, NONE),
            tones=np.zeros((2, lanes), np.intp),
            silent=np.ones(lanes, bool),
            ended=np.full(lanes, np.inf),
            least=np.full((2, lanes), np.inf, np.float32),
            declared=np.zeros(lanes, np.intp),
            press=np.zeros((len(keypress.Press._fields), lanes)),
        )

    def copy(self, into: Indexes | int, source: Keys, rows: Indexes | int) -> None:
        """What is known of other lanes is known of these from now on."""
        pairs: zip[tuple[NDArray[Any], NDArray[Any]]] = zip(self, source, strict=True)
        for mine, theirs in pairs:
            mine[..., into] = theirs[..., rows]

    def forget(self, lanes: Indexes | int) -> None:
        """No key is held."""
        self.digit[lanes], self.silent[lanes], self.ended[lanes], self.least[:, lanes] = NONE, True, np.inf, np.inf

    def any(self) -> bool:
        """Is anything known of any lane?"""
        return bool(self.digit.max() >= 0 or self.young.max() >= 0)


# Where each digit's tones stand among the powers.
_TONES = np.array([[digit // 4 for digit in range(16)], [4 + digit % 4 for digit in range(16)]])

Lanes = Indexes | slice
# Some lanes, (4, n): their numbers, their lines, where the window ends, and its column in `powers`.
Place = NDArray[np.intp]
LANE, LINE, END, COLUMN = range(4)


class Heard(NamedTuple):
    """Events in the order in which they happened, and the lane of each."""

    lanes: list[int]
    events: list[Event]

    def add(self, lanes: Sequence[int], events: Sequence[Event]) -> None:
        self.lanes.extend(lanes)
        self.events.extend(events)


class Follower:
    """Takes lanes from hop to hop, and says what happens."""

    def __init__(self, pairs: Pairs, limits: Limits, began: Indexes, *, explain: bool) -> None:
        """`began`: the position at which each line's call began, (lines,); it may change."""
        self._pairs, self._limits, self._began, self._explain = pairs, limits, began, explain
        self._bridge = ms(limits.bridge)

    def step(self, heard: Heard, keys: Keys, lanes: Lanes, place: Place, powers: Powers, found: Candidates) -> None:
        """One hop of these lanes, at these places; what happens is added to `heard`. `powers`: of tones by column,
        (8, columns), those of the hop before as many columns before as there are lines. `found`: the candidates
        at these places, of which `windows` are the indexes."""
        if keys.digit[lanes].max() >= 0:
            self._held(heard, keys, lanes, place, powers)
        some, said, grown = found
        again, was = self._again(keys, lanes, place, powers, some)
        if len(some):
            new = self._new(keys, place[:, some], powers, said)
            keys.young[place[LANE, some[new & ~grown]]] = said[new & ~grown]
            some, said = some[new & grown], said[new & grown]
        asked, digits = np.concatenate([some, again]), np.concatenate([said, was])
        for at in range(0, len(asked), AT_ONCE):
            part = np.arange(at, min(at + AT_ONCE, len(asked)))
            self._ask(heard, keys, place[:, asked[part]], digits[part], part >= len(some))

    def _new(self, keys: Keys, place: Place, powers: Powers, said: Indexes) -> Mask:
        """Which candidates are not the key that is held: another, or its own tones that come back and do not die
        away."""
        held = keys.digit[place[LANE]]
        new: Mask = said != held
        (back,) = (~new & keys.silent[place[LANE]]).nonzero()
        if len(back):
            now, before = self._around(place[:, back], said[back], powers)
            new[back] = (now >= before).all(axis=0)
        return new

    def _again(self, keys: Keys, lanes: Lanes, place: Place, powers: Powers, some: Indexes) -> tuple[Indexes, Indexes]:
        """Places where what was young is no candidate any more, but may have been a key that has ended; its digit.
        Nothing is young from now on."""
        (young,) = (keys.young[lanes] >= 0).nonzero()
        if not len(young):
            return young, young
        digits = keys.young[place[LANE, young]]
        keys.young[place[LANE, young]] = NONE
        now, before = self._around(place[:, young], digits, powers)
        # A key that ends does not grow; one of which hardly anything is left was too short.
        ended = ((now > LOST * np.maximum(before, 1)) & (now <= before)).all(axis=0)
        gone = np.ones(place.shape[1], bool)
        gone[some] = False
        ended &= gone[young] & (digits != keys.digit[place[LANE, young]])
        return young[ended], digits[ended]

    def _around(self, place: Place, digits: Indexes, powers: Powers) -> tuple[Powers, Powers]:
        """Powers of these digits' tones here and a hop before, each (2, n)."""
        tones, columns = _TONES[:, digits], place[COLUMN]
        return powers[tones, columns], powers[tones, columns - len(self._began)]

    def _held(self, heard: Heard, keys: Keys, lanes: Lanes, place: Place, powers: Powers) -> None:
        """Follow the keys held up to this hop: those that pause, come back, or have paused for longer than a break."""
        sounds = np.logical_and.reduce(powers[keys.tones[:, lanes], place[COLUMN]] >= keys.least[:, lanes])
        (changed,) = (sounds == keys.silent[lanes]).nonzero()
        (gone,) = ((keys.ended[lanes] < place[END] - (self._bridge + WINDOW / 2)) & ~sounds).nonzero()
        if len(changed):
            up = sounds[changed]
            gone = np.concatenate([gone, self._rise(keys, place, changed[up])])
            falls = changed[~up]
            if len(falls):
                keys.ended[place[LANE, falls]] = self._fall(keys, place[:, falls], powers)
                keys.silent[place[LANE, falls]] = True
        if len(gone):
            self._let_go(heard, keys, place[:, gone])
            keys.forget(place[LANE, gone])

    def _rise(self, keys: Keys, place: Place, rises: Indexes) -> Indexes:
        """Keys that sound again after a pause; those of which it was too long for a break have ended where it began."""
        if not len(rises):
            return rises
        lanes = place[LANE, rises]
        fell, rose = (self._edges(keys, place[:, rises], rising=up) for up in (False, True))
        long = rose - fell > self._bridge
        keys.ended[lanes], keys.silent[lanes] = np.where(long, fell, np.inf), long
        return rises[long]

    def _fall(self, keys: Keys, place: Place, powers: Powers) -> NDArray[np.float64]:
        """Where a key's tones fell that sounded a hop before: by how much of a window they fill, of the one that is
        more nearly half full; or, if they do not fill it alike, as where the next key has a tone of theirs, by the
        samples."""
        seen = keys.press[SEEN, place[LANE]]
        now, before = (np.sqrt(power) / seen for power in self._around(place, keys.digit[place[LANE]], powers))
        newer = before[0] + now[0] > 2 * HALF
        shares = np.where(newer, now, before)
        begins = place[END] - np.where(newer, WINDOW, WINDOW + STEP)
        fell: NDArray[np.float64] = begins + keypress.filled(np.minimum(shares[0], shares[1]))
        (unlike,) = (np.abs(shares[0] - shares[1]) > UNLIKE).nonzero()
        if len(unlike):
            fell[unlike] = self._edges(keys, place[:, unlike], rising=False)
        return fell

    def _edges(self, keys: Keys, place: Place, *, rising: bool) -> NDArray[np.float64]:
        """Where keys held last fell, or rose again after a pause."""
        samples = self._pairs.recent(place[LINE], place[END])
        sizes, up = keys.press[SEEN, place[LANE]], np.full(len(place[LANE]), rising)
        edges: NDArray[np.float64] = place[END] + keypress.edges(samples, keys.digit[place[LANE]], sizes, up)
        return edges

    def _ask(self, heard: Heard, keys: Keys, place: Place, digits: Indexes, again: Mask) -> None:
        """Judge these, and begin the keys that pass."""
        verdicts = self._judge(place, digits, again)
        passed = verdicts.check == PASSED
        (refused,) = (~passed).nonzero()
        if len(refused):
            short = ~passed & (verdicts.check == ON) & ~again
            keys.young[place[LANE][short]] = digits[short]
            if self._explain:
                self._tell(heard, place[:, refused], digits[refused], [verdicts.one(row) for row in refused.tolist()])
            if len(refused) == len(passed):
                return
            place, digits = place[:, passed], digits[passed]
        self._begin(heard, keys, place, digits, verdicts.presses[:, passed])

    def _tell(self, heard: Heard, place: Place, digits: Indexes, refusals: Sequence[Verdict]) -> None:
        """Report what was refused, and why."""
        lines, ats = place[LINE].tolist(), (place[END] - self._began[place[LINE]]).tolist()
        names = [KEYS[digit] for digit in digits.tolist()]
        refused = [Refused(*row, *why) for *row, why in zip(lines, names, ats, refusals, strict=True)]
        heard.add(place[LANE].tolist(), refused)

    def _judge(self, place: Place, digits: Indexes, again: Mask) -> Verdicts:
        """Is a key held, or was it until a little before? The second is not asked of one that is too short, until it is
        asked again: it may have ended by the next hop, and then pass no gate."""
        verdicts = self._verdicts(place, digits)
        (rows,) = ((verdicts.check > ON) | (again & (verdicts.check == ON))).nonzero()
        if len(rows):
            earlier = self._verdicts(place[:, rows], digits[rows], before=LOOK_BACK)
            passed = earlier.check == PASSED
            rows = rows[passed]
            verdicts.check[rows] = PASSED
            verdicts.presses[:, rows] = earlier.presses[:, passed]
            verdicts.presses[0, rows] -= LOOK_BACK
        return verdicts

    def _verdicts(self, place: Place, digits: Indexes, before: int = 0) -> Verdicts:
        return keypress.judge(self._pairs.recent(place[LINE], place[END] - before), digits, self._limits)

    def _begin(self, heard: Heard, keys: Keys, place: Place, digits: Indexes, press: NDArray[np.float64]) -> None:
        """These keys are down. One held before is released, unless it is the same, weaker or stronger after a break."""
        lanes = place[LANE]
        began, held = self._began[place[LINE]], keys.digit[lanes]
        press[0] = np.maximum(press[0] + place[END], began)
        new = np.ones(len(lanes), bool)
        if (held >= 0).any():
            (back,) = (held == digits).nonzero()
            if len(back):
                fell = self._edges(keys, place[:, back], rising=False)
                new[back] = press[0, back] - fell > self._bridge
            (over,) = (new & (held >= 0)).nonzero()
            if len(over):
                keys.ended[lanes[over]] = np.minimum(keys.ended[lanes[over]], press[0, over])
                self._let_go(heard, keys, place[:, over])
            same = lanes[~new]
            press[0, ~new] = keys.press[0, same]
        fresh = lanes[new]
        keys.digit[lanes], keys.tones[:, lanes], keys.press[:, lanes] = digits, _TONES[:, digits], press
        keys.silent[lanes], keys.ended[lanes], keys.least[:, lanes] = False, np.inf, (HALF * press[SEEN]) ** 2
        keys.declared[fresh] = place[END][new]
        at = (place[END] - began)[new].tolist()
        names = [KEYS[digit] for digit in digits[new].tolist()]
        heard.add(fresh.tolist(), list(map(Onset, place[LINE][new].tolist(), names, at)))

    def _let_go(self, heard: Heard, keys: Keys, place: Place) -> None:
        """Report keys that ended."""
        lanes = place[LANE]
        press, digits = keys.press[:, lanes], [KEYS[digit] for digit in keys.digit[lanes].tolist()]
        times = np.empty((3, len(lanes)))
        times[0], times[1], times[2] = press[0], keys.ended[lanes], keys.declared[lanes]
        times = np.rint(times) - self._began[place[LINE]]
        levels = np.empty((4, len(lanes)))
        np.multiply(20, np.log10(press[SIZE] / ZERO_DBM0), out=levels[1:3])
        np.maximum(levels[1], levels[2], out=levels[0])
        np.subtract(levels[2], levels[1], out=levels[3])
        numbers = *times.astype(int).tolist(), *levels.round(1).tolist(), *press[PERCENT].round(2).tolist()
        heard.add(lanes.tolist(), list(map(Digit._make, zip(place[LINE].tolist(), digits, *numbers, strict=True))))
