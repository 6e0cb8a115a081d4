"""Keys from the first sign of them until they are let go, on many lanes side by side.

A lane is a line, or, in a file, a stretch of one: hops of 20 ms that are followed one after another. What is known of
all lanes lies in arrays, and a step takes some of them one hop further, each kind of news at once:

- a pair that appears is young until it has lasted a hop: it would be too short whatever else it is;
- one that has is a key if it is clear (clear.py), as nearly all are; else it is judged (keypress.py), and again at the
  next hop if it was too short;
- a key held ends where a tone of it falls below half. If it comes back within `Limits.bridge`, that was a break; else
  it has been let go. Of that nobody is told at once: no call acts upon it, and many together cost little more than one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import keypress
from .clear import LENGTH, Bounds, clear_keys
from .generate import KEYS
from .goertzel import hann
from .heard import DECLARED, ENDED, PERCENT, ROWS, SEEN, SIZE, START, Ended, Heard, Onset, Refused
from .keypress import HALF, ON, PASSED, WINDOW, Limits, Refusal, Verdict
from .levels import ms
from .pairs import BEFORE, LOOK_BACK, STEP, Candidates, Look, Pairs, Powers

LOST = 0.1  # of a tone's power left a hop later: the shortest key looked at twice still has a fifth
LASTING = 0.001  # of a tone's power must have been there a hop ago; a key 11 ms long had it
GROWN = 0.32  # the same, of one that began 36 ms ago, which is judged as long as `Limits.on`
OLD = ms(60)  # a press older than that was judged before
UNLIKE = 0.1  # of their size, by which two tones that begin or end together fill two windows differently
AT_ONCE = 384  # presses judged together, so that the work fits the cache
NONE = -1  # instead of a digit
_NO = np.zeros(0, np.intp)

Indexes = NDArray[np.intp]
Mask = NDArray[np.bool_]
Signal = NDArray[np.float64]


class Keys(NamedTuple):
    """What is known of n lanes. Positions count from the detector's beginning."""

    young: Indexes  # the digit of a pair that was too short at the last hop, or NONE
    digit: Indexes  # the key held, or NONE; what follows is of that
    silent: Mask  # there is none, or it pauses
    least: Powers  # (2, n): power of its tones below which it sounds no more; of low infinite where there is none
    known: Signal  # (ROWS, n)

    @classmethod
    def none(cls, lanes: int) -> Keys:
        return cls(
            young=np.full(lanes, NONE),
            digit=np.full(lanes, NONE),
            silent=np.ones(lanes, bool),
            least=np.full((2, lanes), np.inf, np.float32),
            known=np.full((ROWS, lanes), np.inf),
        )

    def copy(self, into: Indexes | int, source: Keys, rows: Indexes | int) -> None:
        """What is known of other lanes is known of these from now on."""
        pairs: zip[tuple[NDArray[Any], NDArray[Any]]] = zip(self, source, strict=True)
        for mine, theirs in pairs:
            mine[..., into] = theirs[..., rows]

    def forget(self, lanes: Indexes | int) -> None:
        """No key is held."""
        self.digit[lanes], self.silent[lanes] = NONE, True
        self.known[ENDED][lanes], self.least[0][lanes] = np.inf, np.inf  # where one tone does not sound, none does

    def any(self) -> bool:
        """Is anything known of any lane?"""
        return bool(self.digit.max() >= 0 or self.young.max() >= 0)


Lanes = Indexes | slice
# Some lanes, (4, n): their numbers, their lines, where the window ends, and its column in the look.
Place = NDArray[np.intp]
LANE, LINE, END, COLUMN = range(4)


def _shares() -> Signal:
    """What shares of its amplitude a tone has in two windows a hop apart, together, by how many samples it fills from
    the beginning of the first, or to the end of the second: (WINDOW + STEP + 1,)."""
    window = hann(WINDOW)
    share = np.concatenate([np.zeros(1 + STEP), np.cumsum(window) / window.sum(), np.ones(STEP)])
    shares: Signal = share[STEP:] + share[:-STEP]
    return shares


_SHARES = _shares()
_SAMPLES = np.arange(float(len(_SHARES)))


def _filled(shares: NDArray[np.floating]) -> Signal:
    """How many samples tones fill of two windows, by the shares of their amplitudes in them together."""
    samples: Signal = np.interp(shares, _SHARES, _SAMPLES)
    return samples


class Follower:
    """Takes lanes from hop to hop, and says what happens."""

    def __init__(self, pairs: Pairs, limits: Limits, began: Indexes, *, explain: bool) -> None:
        """`began`: the position at which each line's call began, (lines,); it may change."""
        self._pairs, self._limits, self._began, self._explain = pairs, limits, began, explain
        self._bounds, self._bridge = Bounds.of(limits), ms(limits.bridge)

    def step(self, heard: Heard, keys: Keys, lanes: Lanes, place: Place, look: Look, found: Candidates) -> None:
        """One hop of these lanes, at these places of a look; what happens is added to `heard`. `found`: the candidates
        at these places, of which `windows` are the indexes."""
        if np.count_nonzero(keys.digit[lanes] >= 0):
            self._held(heard, keys, lanes, place, look)
        some, said = found
        again, was = self._again(heard, keys, lanes, place, look, some)
        if len(again):
            self._judge(heard, keys, place.take(again, 1), was, again=True)
        if len(some):
            self._new(heard, keys, place.take(some, 1), look, said)

    def _new(self, heard: Heard, keys: Keys, place: Place, look: Look, said: Indexes) -> None:
        """Candidates that are not the key that is held: another, or its own tones that come back and do not die away.
        Those that may be long enough are pressed, others are young."""
        lanes = place[LANE]
        new = said != keys.digit[lanes]
        (rows,) = (new | keys.silent[lanes]).nonzero()
        if not len(rows):
            return
        if len(rows) < len(said):
            place, said, new = place.take(rows, 1), said[rows], new[rows]
        around = look.around(place[COLUMN], said, 1 + BEFORE)
        before = around[1] / around[0]
        if np.count_nonzero(new) < len(new):
            new |= (np.maximum(before[0], before[1]) <= 1) | self._gone(keys, place[LANE], place[END])
        least = np.minimum(before[0], before[1])
        new &= least >= LASTING
        long = least >= GROWN
        (grown,) = (new & long).nonzero()
        if len(grown) < len(said):
            keys.young[place[LANE]] = np.where(new & ~long, said, NONE)
            place, said, around = place.take(grown, 1), said[grown], around.take(grown, 2)
        if len(said):
            self._press(heard, keys, place, said, around)

    def _again(
        self, heard: Heard, keys: Keys, lanes: Lanes, place: Place, look: Look, some: Indexes
    ) -> tuple[Indexes, Indexes]:
        """Places where what was young is no candidate any more, but may have been a key that has ended; its digit.
        Nothing is young from now on."""
        young = keys.young[lanes] >= 0
        if not np.count_nonzero(young):
            return _NO, _NO
        young[some] = False
        (rows,) = young.nonzero()
        digits = keys.young[lanes][rows]
        keys.young[lanes] = NONE
        if len(rows):
            now, before = look.around(place[COLUMN, rows], digits, 2)
            # A key that ends does not grow; one of which hardly anything is left was too short.
            ended = ((now > LOST * np.maximum(before, 1)) & (now <= before)).all(axis=0)
            place = place[:, rows]
            ended &= (digits != keys.digit[place[LANE]]) | self._gone(keys, place[LANE], place[END])
            if self._explain and not ended.all():
                self._too_short(heard, place[:, ~ended], digits[~ended])
            rows, digits = rows[ended], digits[ended]
        return rows, digits

    def let_go(self, heard: Heard, keys: Keys, place: Place) -> None:
        """Tell of the keys that have been let go, as `step` left them at these places."""
        gone = self._gone(keys, place[LANE], place[END])
        if np.count_nonzero(gone):
            self._end(heard, keys, place[:, gone])

    def _gone(self, keys: Keys, lanes: Indexes, ends: Indexes) -> Mask:
        """Had the keys held on these lanes been let go by these positions, whether or not it has been told?"""
        gone: Mask = keys.known[ENDED].take(lanes) < ends - (self._bridge + WINDOW / 2)
        return gone

    def _held(self, heard: Heard, keys: Keys, lanes: Lanes, place: Place, look: Look) -> None:
        """Follow the keys held up to this hop: those that pause, and those that come back."""
        # Where there is no key, any tones will do: none is enough.
        enough = look.around(place[COLUMN], keys.digit[lanes], 1)[0] >= keys.least[:, lanes]
        sounds = enough[0] & enough[1]
        (changed,) = (sounds == keys.silent[lanes]).nonzero()
        if len(changed):
            rises = changed[sounds[changed]]
            if len(rises):
                self._rise(heard, keys, place.take(rises, 1))
            if len(rises) < len(changed):
                self._fall(keys, place.take(changed[~sounds[changed]], 1), look)

    def _rise(self, heard: Heard, keys: Keys, place: Place) -> None:
        """Keys that sound again after a pause; those of which it was too long for a break have ended where it began."""
        gone = self._gone(keys, place[LANE], place[END] - STEP)
        if np.count_nonzero(gone):
            self._end(heard, keys, place[:, gone])
            place = place[:, ~gone]
        lanes = place[LANE]
        if not len(lanes):
            return
        fell, rose = (self._edges(keys, place, rising=up) for up in (False, True))
        long = rose - fell > self._bridge
        keys.known[ENDED][lanes], keys.silent[lanes] = np.where(long, fell, np.inf), long
        if np.count_nonzero(long):
            self._end(heard, keys, place[:, long])

    def _fall(self, keys: Keys, place: Place, look: Look) -> None:
        """Keys of which a tone fell since a hop before: where, by how much it fills of the last two windows. Nineteen
        of twenty are within 0.5 ms, and within 4 where the next key follows sooner than it may."""
        lanes = place[LANE]
        size = np.sqrt(look.around(place[COLUMN], keys.digit[lanes], 2))
        shares = (size[0] + size[1]) / keys.known[SEEN].take(lanes, 1)
        keys.known[ENDED][lanes] = place[END] - (WINDOW + STEP) + _filled(np.minimum(shares[0], shares[1]))
        keys.silent[lanes] = True

    def _edges(self, keys: Keys, place: Place, *, rising: bool) -> Signal:
        """Where keys held last fell, or rose again after a pause."""
        samples = self._pairs.recent(place[LINE], place[END])
        sizes, up = keys.known[SEEN, place[LANE]], np.full(len(place[LANE]), rising)
        edges: Signal = place[END] + keypress.edges(samples, keys.digit[place[LANE]], sizes, up)
        return edges

    def _press(self, heard: Heard, keys: Keys, place: Place, digits: Indexes, around: Powers) -> None:
        """Begin keys that are clear, and judge the others. `around`: powers at the last hops, (1 + BEFORE, 2, n)."""
        if len(digits) > AT_ONCE:
            for some in slice(0, AT_ONCE), slice(AT_ONCE, None):
                self._press(heard, keys, place[:, some], digits[some], around[:, :, some])
            return
        samples = self._pairs.recent(place[LINE], place[END], LENGTH)
        clear, sizes, percent = clear_keys(samples, digits, self._bounds)
        if np.count_nonzero(clear):
            seen = np.sqrt(around)
            shares = (seen[1] + seen[2]) / seen[0]
            filled = _filled(np.minimum(shares[0], shares[1]))
            clear &= (np.abs(shares[0] - shares[1]) <= UNLIKE) & (filled <= OLD - STEP)
            known = np.empty((ROWS, len(digits)))
            known[START] = place[END] - (STEP + filled)
            known[SIZE], known[SEEN], known[PERCENT] = sizes, seen[0], percent
            if np.count_nonzero(clear) == len(clear):
                self._begin(heard, keys, place, digits, known)
                return
            self._begin(heard, keys, place[:, clear], digits[clear], known[:, clear])
            place, digits = place[:, ~clear], digits[~clear]
        self._judge(heard, keys, place, digits, again=False)

    def _judge(self, heard: Heard, keys: Keys, place: Place, digits: Indexes, *, again: bool) -> None:
        """Is a key held, or was it until a little before? Begin those that pass. The second is not asked of one that is
        too short, until it is asked again: it may have ended by the next hop, and then pass no gate."""
        lines, ends = np.tile(place[LINE], 2), np.concatenate([place[END], place[END] - LOOK_BACK])
        verdicts = keypress.judge(self._pairs.recent(lines, ends), np.tile(digits, 2), self._limits)
        check, earlier = verdicts.check.reshape(2, -1)
        late = (check != PASSED) & (earlier == PASSED) & (again | (check != ON))
        passed = (check == PASSED) | late
        if not again:
            short = check == ON
            keys.young[place[LANE][short]] = digits[short]
        if self._explain:
            (refused,) = (~passed).nonzero()
            self._tell(heard, place[:, refused], digits[refused], [verdicts.one(row) for row in refused.tolist()])
        (rows,) = passed.nonzero()
        if len(rows):
            known = np.empty((ROWS, len(rows)))
            known[START:] = verdicts.presses[:, rows + len(digits) * late[rows]]
            known[START] += place[END][rows] - LOOK_BACK * late[rows]
            self._begin(heard, keys, place[:, rows], digits[rows], known)

    def _too_short(self, heard: Heard, place: Place, digits: Indexes) -> None:
        """Tell of pairs that were young and are gone how long they were seen to sound."""
        lasted = np.zeros(len(digits))
        for back in LOOK_BACK, STEP:
            verdicts = keypress.judge(self._pairs.recent(place[LINE], place[END] - back), digits, self._limits)
            np.maximum(lasted, verdicts.value, out=lasted, where=verdicts.check == ON)
        self._tell(heard, place, digits, [Refusal("on", value, self._limits.on) for value in lasted.tolist()])

    def _tell(self, heard: Heard, place: Place, digits: Indexes, refusals: Sequence[Verdict]) -> None:
        """Report what was refused, and why."""
        lines, ats = place[LINE].tolist(), (place[END] - self._began[place[LINE]]).tolist()
        names = [KEYS[digit] for digit in digits.tolist()]
        refused = [Refused(*row, *why) for *row, why in zip(lines, names, ats, refusals, strict=True)]
        heard.add(place[LANE].tolist(), refused)

    def _begin(self, heard: Heard, keys: Keys, place: Place, digits: Indexes, known: Signal) -> None:
        """These keys are down. One held before is released, unless it is the same, weaker or stronger after a break."""
        lanes = place[LANE]
        known[DECLARED], known[ENDED] = place[END], np.inf
        new = place
        if np.count_nonzero(keys.digit[lanes] >= 0):
            new = place[:, self._over(heard, keys, place, digits, known)]
        keys.digit[lanes], keys.silent[lanes], keys.known[:, lanes] = digits, False, known
        keys.least[:, lanes] = np.square(HALF * known[SEEN])
        names = [KEYS[digit] for digit in keys.digit[new[LANE]].tolist()]
        ats = new[END] - self._began[new[LINE]]
        heard.add(new[LANE].tolist(), list(map(Onset, new[LINE].tolist(), names, ats.tolist())))

    def _over(self, heard: Heard, keys: Keys, place: Place, digits: Indexes, known: Signal) -> Mask:
        """End what is held on lanes where a key begins. Which are new, instead of the same after a break? Of those the
        beginning is kept."""
        self.let_go(heard, keys, place)
        lanes = place[LANE]
        held = keys.digit[lanes]
        new = np.ones(len(lanes), bool)
        (back,) = (held == digits).nonzero()
        if len(back):
            fell = self._edges(keys, place[:, back], rising=False)
            new[back] = known[START, back] - fell > self._bridge
        (over,) = (new & (held >= 0)).nonzero()
        if len(over):
            ended = keys.known[ENDED]
            ended[lanes[over]] = np.minimum(ended[lanes[over]], known[START, over])
            self._end(heard, keys, place[:, over])
        for row in START, DECLARED:
            known[row, ~new] = keys.known[row, lanes[~new]]
        return new

    def _end(self, heard: Heard, keys: Keys, place: Place) -> None:
        """These keys have ended: tell of them, and hold them no longer."""
        lanes, lines = place[LANE], place[LINE]
        heard.let_go(Ended(lanes, lines, keys.digit[lanes], keys.known.take(lanes, 1), self._began[lines]))
        keys.forget(lanes)
