"""DTMF digits (ITU-T Q.23, Q.24) on many lines at once, streaming.

Every 20 ms a Hann window of 30 ms is looked at in two stages:

1. all lines (pairs.py): the eight tones, and reference frequencies between and outside their groups, one matrix
   product. One row and one column must stand out of their groups, above the references and the floor, within the twist.
   Nothing is compared with the energy of the whole band, so dial tone, hum, DC and clipping do not matter.
2. the few that are left: `keypress.judge` measures the last 100 ms: length from the half-amplitude crossings of the
   envelope (with a Hann window they lie where the tone begins and ends), frequency by phase advance, steadiness, and
   the strongest other component once both tones are subtracted. What all lines ask of it in a tick is answered at once.

Both are evaluated at fixed positions and the second is a pure function of the samples, so neither how a signal is
cut into frames nor what other lines carry changes an event.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import keypress, near_miss
from .generate import KEYS
from .keypress import HALF, LIMITS, WINDOW, ZERO_DBM0, Limits, Press, Refusal, Verdict
from .levels import decibels, ms
from .pairs import LOOK_BACK, STEP, Candidates, Gates, Look, Pairs

__all__ = ["LIMITS", "Detector", "Digit", "Event", "Limits", "Onset", "Refused"]

LOST = 0.1  # of a tone's power left a hop later: the shortest key looked at twice still has a fifth
AT_ONCE = 64  # presses judged together, so that the work fits the cache


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


@dataclass(slots=True)
class _Held:
    """A press that was declared. Positions count from the detector's beginning."""

    digit: int
    start: float
    declared: int
    press: Press
    ended: float | None = None  # while it sounds

    def least(self) -> tuple[float, float]:
        """Power of its two tones below which it sounds no more."""
        return (HALF * self.press.low_seen) ** 2, (HALF * self.press.high_seen) ** 2


class _Question(NamedTuple):
    """Is this digit's key held on a line up to this position? Or, of one that is: where did it last rise or fall?"""

    line: int
    end: int
    digit: int
    again: bool = False  # it was asked a hop ago, and was too short
    held: _Held | None = None


def _earlier(question: _Question) -> _Question:
    return question._replace(end=question.end - LOOK_BACK)


@dataclass(slots=True)
class _Lane:
    """Hops of a line that are followed one after another, and what is known at the next."""

    line: int
    hop: int
    held: _Held | None = None
    young: int | None = None  # a candidate that was too short at the last hop
    events: list[Event] = field(default_factory=list)


Walk = Generator[_Question, Any, None]  # is sent a Verdict, or an edge
Candidate = tuple[int, bool]  # digit, and whether half its amplitude was there a hop ago


def _next(walk: Walk, answer: Verdict | float | None) -> _Question | None:
    """What a walk asks next, if it has not come to its end."""
    try:
        return walk.send(answer)
    except StopIteration:
        return None


def _powers(look: Look, digit: int, line: int, hop: int) -> tuple[float, float]:
    """Of a digit's two tones; at hop -1 those before the look."""
    low, high = digit // 4, 4 + digit % 4
    if hop < 0:
        return look.before.item(low, line), look.before.item(high, line)
    return look.powers.item(low, hop, line), look.powers.item(high, hop, line)


def _may_be_new(held: _Held | None, digit: int, look: Look, line: int, hop: int) -> bool:
    """Worth judging: nothing or another digit is held, or its own tones come back and do not die away."""
    if held is None or digit != held.digit:
        return True
    if held.ended is None:
        return False
    before, now = _powers(look, digit, line, hop - 1), _powers(look, digit, line, hop)
    return now[0] >= before[0] and now[1] >= before[1]


def _lost(digit: int, look: Look, line: int, hop: int) -> bool:
    """Hardly anything of its tones is left since the last hop."""
    before, now = _powers(look, digit, line, hop - 1), _powers(look, digit, line, hop)
    return now[0] <= LOST * max(before[0], 1.0) or now[1] <= LOST * max(before[1], 1.0)


NONE = -1  # instead of a digit
# Gates so wide that a pair which passes no others can still be told why.
NEAR = Gates.of(Limits(floor=-56.0, twist_high=15.0, twist_low=-20.0, group=0.0, outside=0.0, between=-6.0))


class Detector:
    """Finds keys on `lines` lines at once. With `explain`, also reports what it refused and why."""

    def __init__(self, lines: int, limits: Limits = LIMITS, *, explain: bool = False) -> None:
        self._lines = lines
        self._limits = limits
        self._gates = Gates.of(limits)
        self._explain = explain
        self._pairs = Pairs(lines)
        self._bridge = ms(limits.bridge)
        self._began = [0] * lines  # the position at which each line's call began
        self._held: dict[int, _Held] = {}
        self._young: dict[int, int] = {}  # lines whose candidate was too short at the last hop, and its digit
        # The same of keys held, for all lines:
        self._digits = np.full(lines, NONE)
        self._least = np.zeros((2, lines), np.float32)  # power of the two tones below which it sounds no more
        self._ended = np.full(lines, np.inf)  # where it paused; infinite while it sounds

    def reset(self, line: int) -> None:
        """A new call begins on this line: what it carried is forgotten, its positions restart at 0."""
        self._pairs.reset(line)
        self._began[line] = self._pairs.position
        self._remember(_Lane(line, 0))

    def feed(self, frames: NDArray[np.int16]) -> list[Event]:
        """The next n >= 0 samples of every line, int16 (lines, n) at 8000 Hz; events in order for each line.

        A key is followed to its end only by further samples: after a file feed 100 ms of silence."""
        if frames.ndim != 2 or frames.shape[0] != self._lines or frames.dtype != np.int16:
            raise ValueError(f"frames are {frames.dtype} {frames.shape}; expected int16 ({self._lines}, n)")
        events: list[Event] = []
        at = 0
        while at < frames.shape[1]:
            wanted = STEP if self._explain else frames.shape[1] - at  # hop by hop, so that refusals stand in order too
            most = self._pairs.room(wanted)
            look = self._pairs.feed(frames[:, at : at + most])
            at += most
            if look is not None:
                events += self._look(look)
        return events

    def _look(self, look: Look) -> list[Event]:
        found = self._pairs.candidates(look, self._gates)
        events = self._follow(look, found)
        if self._explain:
            wide = self._pairs.candidates(look, NEAR)
            near = dict(zip(wide.lines.tolist(), wide.digits.tolist(), strict=True))
            for line in sorted({*range(self._lines)} - {*found.lines.tolist()}):
                events += self._near_miss(line, near.get(line), look.ends[0])
        return events

    def _follow(self, look: Look, found: Candidates) -> list[Event]:
        """Stage 2, line by line where there is a candidate or a key held changes."""
        lines, hops, digits, grown = found
        restless = set(self._young)
        if self._held:
            moved, calm = self._moved(look)
            restless.update(moved)
            (news,) = (digits != calm[lines]).nonzero()
            lines, hops, digits, grown = lines[news], hops[news], digits[news], grown[news]
        if not (restless or len(lines)):
            return []
        candidates: dict[int, dict[int, Candidate]] = {line: {} for line in restless}
        last = len(look.ends) - 1
        for line, hop, digit, loud in zip(lines.tolist(), hops.tolist(), digits.tolist(), grown.tolist(), strict=True):
            if hop == last and not loud and line not in candidates and line not in self._held:
                self._young[line] = digit  # most that appear: there is nothing to follow yet
            else:
                candidates.setdefault(line, {})[hop] = digit, loud
        if not candidates:
            return []
        return self._walk_all(look, dict(sorted(candidates.items())))

    def _moved(self, look: Look) -> tuple[list[int], NDArray[np.intp]]:
        """Lines whose key held changes, and of all lines the key that sounds throughout, or NONE."""
        (rows,) = (self._digits >= 0).nonzero()
        digits, ended = self._digits[rows], self._ended[rows, None]
        sounds = look.powers[digits // 4, :, rows] >= self._least[0, rows, None]
        sounds &= look.powers[4 + digits % 4, :, rows] >= self._least[1, rows, None]
        changes = sounds == (ended < np.inf)
        changes |= np.array(look.ends) - WINDOW / 2 - ended > self._bridge
        moved, calm = changes.any(axis=1), np.full(len(self._digits), NONE)
        calm[rows] = np.where(moved | (ended[:, 0] < np.inf), NONE, digits)
        return rows[moved].tolist(), calm

    def _walk_all(self, look: Look, candidates: dict[int, dict[int, Candidate]]) -> list[Event]:
        """Follow these lines through the hops of this look, side by side, so that what they ask is answered at once.

        In a long look a line has several lanes: each begins where a candidate appears, as if nothing were known, and
        ends when nothing is; one that begins before the last has ended is forgotten."""
        lanes: list[_Lane] = []
        walks: list[Walk] = []
        for line, seen in candidates.items():
            of_this = [_Lane(line, hop) for hop in sorted(seen) if hop - 1 not in seen]
            if line in self._held or line in self._young:
                of_this = [lane for lane in of_this if lane.hop]
                of_this.insert(0, _Lane(line, 0, self._held.get(line), self._young.get(line)))
            walks += [self._walk(lane, look, seen) for lane in of_this]
            lanes += of_this
        begins = [lane.hop for lane in lanes]
        asked = [(walk, question) for walk in walks if (question := _next(walk, None))]
        while asked:
            answers = zip(asked, self._answers([question for _, question in asked]), strict=True)
            asked = [(walk, question) for (walk, _), answer in answers if (question := _next(walk, answer))]
        events: list[Event] = []
        reached = dict.fromkeys(candidates, 0)
        for lane, begin in zip(lanes, begins, strict=True):
            if begin >= reached[lane.line]:
                reached[lane.line] = lane.hop
                self._remember(lane)
                events += lane.events
        return events

    def _answers(self, questions: Sequence[_Question]) -> list[Verdict | float]:
        """What all lanes ask, each kind at once."""
        answers: list[Verdict | float] = [0.0] * len(questions)
        for answer, places in (
            (self._verdicts, [place for place, one in enumerate(questions) if one.held is None]),
            (self._edges, [place for place, one in enumerate(questions) if one.held is not None]),
        ):
            for at in range(0, len(places), AT_ONCE):
                some = places[at : at + AT_ONCE]
                for place, found in zip(some, answer([questions[place] for place in some]), strict=True):
                    answers[place] = found
        return answers

    def _verdicts(self, asked: list[_Question]) -> Sequence[Verdict]:
        """Is a key held, or was it until a little before? The second is not asked of one that is too short, until it is
        asked again: it may have ended by the next hop, and then pass no gate."""
        again = [place for place, one in enumerate(asked) if one.again]
        both = self._judge([*asked, *(_earlier(asked[place]) for place in again)])
        verdicts, before = both[: len(asked)], dict(zip(again, both[len(asked) :], strict=True))
        failed = [
            place
            for place, verdict in enumerate(verdicts)
            if isinstance(verdict, Refusal) and verdict.check != "on" and place not in before
        ]
        if failed:
            before |= zip(failed, self._judge([_earlier(asked[place]) for place in failed]), strict=True)
        for place, earlier in before.items():
            if isinstance(earlier, Press) and isinstance(verdicts[place], Refusal):
                verdicts[place] = earlier._replace(start=earlier.start - LOOK_BACK)
        return verdicts

    def _judge(self, asked: Sequence[_Question]) -> list[Verdict]:
        return keypress.judge(*self._samples(asked), self._limits)

    def _edges(self, asked: list[_Question]) -> Sequence[float]:
        """Where a key held last fell, or rose again after a pause."""
        keys = [one.held for one in asked if one.held is not None]
        sizes = np.array([(key.press.low_seen, key.press.high_seen) for key in keys])
        return keypress.edges(*self._samples(asked), sizes, [key.ended is not None for key in keys])

    def _samples(self, asked: Sequence[_Question]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """What each is asked about: the last 100 ms and the digit."""
        recent = self._pairs.recent([(one.line, one.end) for one in asked])
        return recent, np.array([one.digit for one in asked])

    def _walk(self, lane: _Lane, look: Look, candidates: dict[int, Candidate]) -> Walk:
        """Follow a lane until nothing is known, or to the end of the look."""
        line, begin, began = lane.line, lane.hop, self._began[lane.line]
        while lane.hop < len(look.ends):
            hop, young = lane.hop, lane.young
            known = lane.held is not None or young is not None
            if not known and hop > begin and (hop not in candidates or hop - 1 not in candidates):
                break
            end, lane.hop, lane.young = look.ends[hop], hop + 1, None
            if lane.held is not None and (yield from self._released(lane.held, look, line, hop)):
                lane.events.append(self._digit(line, lane.held))
                lane.held = None
            again = hop not in candidates
            digit, grown = candidates.get(hop, (young, False))
            if digit is None or not _may_be_new(lane.held, digit, look, line, hop):
                continue
            if not again and not grown:
                lane.young = digit  # began less than a hop ago: too short whatever else it is
                continue
            if again and _lost(digit, look, line, hop):
                continue
            verdict = yield _Question(line, end, digit, again)
            if isinstance(verdict, Press):
                self._press(lane, digit, end, verdict)
                continue
            if verdict.check == "on" and not again:
                lane.young = digit
            if self._explain:
                lane.events.append(Refused(line, KEYS[digit], end - began, *verdict))

    def _released(self, held: _Held, look: Look, line: int, hop: int) -> Generator[_Question, float, bool]:
        """Follow a key held up to this hop; true once its pause is longer than a break."""
        now, least, end = _powers(look, held.digit, line, hop), held.least(), look.ends[hop]
        sounds = now[0] >= least[0] and now[1] >= least[1]
        if sounds == (held.ended is None):
            return held.ended is not None and end - WINDOW / 2 - held.ended > self._bridge
        edge = end + (yield _Question(line, end, held.digit, held=held))
        if held.ended is not None and edge - held.ended > self._bridge:
            return True
        held.ended = None if sounds else edge
        return False

    def _press(self, lane: _Lane, digit: int, end: int, press: Press) -> None:
        """This key is down. One held before is released, unless it is the same, weaker or stronger after a break."""
        held, began = lane.held, self._began[lane.line]
        start = max(float(began), end + press.start)
        if held is not None:
            if digit == held.digit and held.ended is not None and start - held.ended <= self._bridge:
                held.press, held.ended = press, None
                return
            held.ended = start if held.ended is None else min(held.ended, start)
            lane.events.append(self._digit(lane.line, held))
        lane.held = _Held(digit, start, end, press)
        lane.events.append(Onset(lane.line, KEYS[digit], end - began))

    def _remember(self, lane: _Lane) -> None:
        """What is known of a line until the next look."""
        line, held = lane.line, lane.held
        self._young.pop(line, None)
        if lane.young is not None:
            self._young[line] = lane.young
        if held is None:
            self._held.pop(line, None)
            self._digits[line] = NONE
        else:
            self._held[line], self._digits[line], self._least[:, line] = held, held.digit, held.least()
            self._ended[line] = np.inf if held.ended is None else held.ended

    def _digit(self, line: int, held: _Held) -> Digit:
        """The report of a key that is let go."""
        began, press = self._began[line], held.press
        end = held.start if held.ended is None else held.ended
        low, high = decibels(press.low / ZERO_DBM0), decibels(press.high / ZERO_DBM0)
        return Digit(
            line=line,
            digit=KEYS[held.digit],
            start=round(held.start) - began,
            end=round(end) - began,
            declared=held.declared - began,
            level_dbm0=round(max(low, high), 1),
            low_dbm0=round(low, 1),
            high_dbm0=round(high, 1),
            twist_db=round(decibels(press.high / press.low), 1),
            low_percent=round(press.low_percent, 2),
            high_percent=round(press.high_percent, 2),
        )

    def _near_miss(self, line: int, digit: int | None, end: int) -> list[Event]:
        """Why a sound is no key, which may have passed only wide gates, as this digit."""
        found = near_miss.why(self._pairs.recent([(line, end)])[0], digit, self._limits)
        return [Refused(line, found[0], end - self._began[line], *found[1])] if found else []
