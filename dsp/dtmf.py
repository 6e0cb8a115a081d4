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
from typing import NamedTuple

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
    ended: float | None = None


@dataclass(slots=True)
class _Judging:
    """A line asks: is this digit's key held at this position?"""

    line: int
    digit: int
    end: int
    verdict: Verdict = field(init=False)


@dataclass(slots=True)
class _Edging:
    """A line asks: where, up to this position, did the tones of the key last rise or fall?"""

    line: int
    digit: int
    end: int
    sizes: tuple[float, float]
    rising: bool
    edge: float = field(init=False)


Question = _Judging | _Edging
Asking = Generator[Sequence[Question], None, None]
AskingReleased = Generator[Sequence[Question], None, bool]


def _may_be_new(held: _Held, digit: int, before: list[float], now: list[float]) -> bool:
    """Worth judging while a key is held: another digit, or its own tones coming back and not dying away."""
    low, high = _tones(digit)
    return digit != held.digit or (held.ended is not None and now[low] >= before[low] and now[high] >= before[high])


def _tones(digit: int) -> tuple[int, int]:
    """The places of a digit's two tones among the eight."""
    return digit // 4, 4 + digit % 4


def _least_ratio(digit: int, of: list[float], to: list[float]) -> float:
    """The smaller ratio of the digit's two tones between two hops, as power."""
    low, high = _tones(digit)
    return min(of[low] / max(to[low], 1.0), of[high] / max(to[high], 1.0))


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
        self._began = [0] * lines  # the position at which each line's call began
        self._held: dict[int, _Held] = {}
        self._paused: set[int] = set()  # lines whose key held does not sound
        self._young: dict[int, int] = {}  # lines whose candidate was too short at the last hop, and its digit
        self._foreseen: dict[tuple[int, int, int], Verdict] = {}  # by line, digit and end
        self._sounding = np.full(lines, -1)  # the digit of the key held, unless paused
        self._least = np.zeros((2, lines), np.float32)  # power of its two tones below which it sounds no more

    def reset(self, line: int) -> None:
        """A new call begins on this line: what it carried is forgotten, its positions restart at 0."""
        self._pairs.reset(line)
        self._began[line] = self._pairs.position
        self._young.pop(line, None)
        self._let_go(line)

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
        restless = {*self._young, *self._paused}
        if self._held:
            (rows,) = (self._sounding >= 0).nonzero()
            digit = self._sounding[rows]
            sounds = look.powers[digit // 4, :, rows] >= self._least[0, rows, None]
            sounds &= look.powers[4 + digit % 4, :, rows] >= self._least[1, rows, None]
            calm = np.zeros(self._lines, np.bool_)
            calm[rows] = sounds.all(axis=1)
            restless.update(rows[~calm[rows]].tolist())
            calm[lines[digits != self._sounding[lines]]] = False
            (news,) = (~calm[lines]).nonzero()
            lines, hops, digits, grown = lines[news], hops[news], digits[news], grown[news]
        if not (restless or len(lines)):
            return []
        if len(look.ends) > 1 and len(lines):
            self._foresee(look, Candidates(lines, hops, digits, grown))
        candidates: dict[int, dict[int, int]] = {line: {} for line in restless}
        for line, hop, digit in zip(lines.tolist(), hops.tolist(), digits.tolist(), strict=True):
            candidates.setdefault(line, {})[hop] = digit
        events: dict[int, list[Event]] = {line: [] for line in sorted(candidates)}
        walking = [self._walk(line, look, candidates[line], events[line]) for line in events]
        while walking:
            asked = [(walk, questions) for walk in walking if (questions := next(walk, None))]
            walking = [walk for walk, _ in asked]
            if asked:
                self._answer([question for _, questions in asked for question in questions])
        return [event for of_line in events.values() for event in of_line]

    def _foresee(self, look: Look, found: Candidates) -> None:
        """Of a long block, answer at once what lines will ask one thing after another: whether a key is held where its
        tones have just become as strong as a hop before, or have ended before they did."""
        places = zip(found.lines.tolist(), found.hops.tolist(), strict=True)
        seen = dict(zip(places, zip(found.digits.tolist(), found.grown.tolist(), strict=True), strict=True))
        asked = []
        for (line, hop), (digit, grown) in seen.items():
            if grown and seen.get((line, hop - 1)) != (digit, True):
                asked.append(_Judging(line, digit, look.ends[hop]))
            elif not grown and (line, hop + 1) not in seen and hop + 1 < len(look.ends):
                before, now = look.of(line, hop + 1)
                if _least_ratio(digit, now, before) > LOST:
                    end = look.ends[hop + 1]
                    asked += [_Judging(line, digit, end), _Judging(line, digit, end - LOOK_BACK)]
        self._answer(asked)
        self._foreseen = {(one.line, one.digit, one.end): one.verdict for one in asked}

    def _ask(self, *questions: _Judging) -> Asking:
        """Ask what was not foreseen."""
        new = []
        for one in questions:
            verdict = self._foreseen.get((one.line, one.digit, one.end))
            if verdict is None:
                new.append(one)
            else:
                one.verdict = verdict
        if new:
            yield new

    def _answer(self, questions: Sequence[Question]) -> None:
        """What all lines ask, each kind at once."""
        judging = [question for question in questions if isinstance(question, _Judging)]
        for at in range(0, len(judging), AT_ONCE):
            some = judging[at : at + AT_ONCE]
            for one, verdict in zip(some, keypress.judge(*self._samples(some), self._limits), strict=True):
                one.verdict = verdict
        edging = [question for question in questions if isinstance(question, _Edging)]
        for at in range(0, len(edging), AT_ONCE):
            few = edging[at : at + AT_ONCE]
            sizes, rising = np.array([one.sizes for one in few]), [one.rising for one in few]
            for edged, edge in zip(few, keypress.edges(*self._samples(few), sizes, rising), strict=True):
                edged.edge = edge

    def _samples(self, questions: Sequence[Question]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """What each is asked about: the last 100 ms and the digit."""
        recent = self._pairs.recent([(question.line, question.end) for question in questions])
        return recent, np.array([question.digit for question in questions])

    def _walk(self, line: int, look: Look, candidates: dict[int, int], events: list[Event]) -> Asking:
        """Follow a line through the hops of this look."""
        waiting = sorted(candidates, reverse=True)
        hop = 0
        while hop < len(look.ends):
            held, young = self._held.get(line), self._young.pop(line, None)
            if held is None and young is None:  # nothing to follow: on to the next candidate
                while waiting and waiting[-1] < hop:
                    waiting.pop()
                if not waiting:
                    break
                hop = waiting[-1]
            end, (before, now) = look.ends[hop], look.of(line, hop)
            if held is not None and (yield from self._released(line, held, end, now)):
                events.append(self._digit(line, held))
                held = None
            digit = candidates.get(hop, young)
            if digit is not None and (held is None or _may_be_new(held, digit, before, now)):
                fresh = hop in candidates
                if fresh and _least_ratio(digit, before, now) < HALF**2:
                    self._young[line] = digit  # began less than a hop ago: too short whatever else it is
                elif fresh or _least_ratio(digit, now, before) > LOST:
                    yield from self._judge(line, held, digit, end, events, again=not fresh)
            hop += 1

    def _released(
        self, line: int, held: _Held, end: int, now: list[float]
    ) -> Generator[Sequence[Question], None, bool]:
        """Follow a key held up to the hop that ends here; true once its pause is longer than a break."""
        press, (low, high) = held.press, _tones(held.digit)
        sounding = now[low] >= (HALF * press.low_seen) ** 2 and now[high] >= (HALF * press.high_seen) ** 2
        if sounding == (held.ended is None):
            return held.ended is not None and end - WINDOW / 2 - held.ended > ms(self._limits.bridge)
        asked = _Edging(line, held.digit, end, (press.low_seen, press.high_seen), rising=sounding)
        yield [asked]
        edge = end + asked.edge
        if sounding and held.ended is not None and edge - held.ended > ms(self._limits.bridge):
            return True
        self._hold(line, held, None if sounding else edge)
        return False

    def _judge(
        self, line: int, held: _Held | None, digit: int, end: int, events: list[Event], *, again: bool
    ) -> Asking:
        asked, earlier = _Judging(line, digit, end), _Judging(line, digit, end - LOOK_BACK)
        yield from self._ask(asked, earlier) if again else self._ask(asked)
        verdict = asked.verdict
        if isinstance(verdict, Refusal):
            if verdict.check == "on" and not again:  # it may have ended by the next hop, and then pass no gate
                self._young[line] = digit
                events += self._refuse(line, KEYS[digit], verdict, end)
                return
            if not again:
                yield from self._ask(earlier)
            if isinstance(earlier.verdict, Refusal):
                events += self._refuse(line, KEYS[digit], verdict, end)
                return
            verdict = earlier.verdict._replace(start=earlier.verdict.start - LOOK_BACK)
        start = max(float(self._began[line]), end + verdict.start)
        if held is not None:
            if digit == held.digit and held.ended is not None and start - held.ended <= ms(self._limits.bridge):
                held.press = verdict
                self._hold(line, held, None)  # the same key, weaker or stronger after a break
                return
            held.ended = start if held.ended is None else min(held.ended, start)
            events.append(self._digit(line, held))
        self._hold(line, _Held(digit, start, end, verdict), None)
        events.append(Onset(line, KEYS[digit], end - self._began[line]))

    def _hold(self, line: int, held: _Held, ended: float | None) -> None:
        """This key is down, and sounds or has ended here."""
        self._held[line], held.ended = held, ended
        if ended is None:
            self._paused.discard(line)
            self._sounding[line] = held.digit
            self._least[:, line] = (HALF * held.press.low_seen) ** 2, (HALF * held.press.high_seen) ** 2
        else:
            self._paused.add(line)
            self._sounding[line] = -1

    def _let_go(self, line: int) -> None:
        self._held.pop(line, None)
        self._paused.discard(line)
        self._sounding[line] = -1

    def _digit(self, line: int, held: _Held) -> Digit:
        """Let the key go and report it."""
        self._let_go(line)
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
        return self._refuse(line, *found, end) if found else []

    def _refuse(self, line: int, digits: str, refusal: Refusal, end: int) -> list[Event]:
        if not self._explain:
            return []
        return [Refused(line, digits, end - self._began[line], refusal.check, refusal.value, refusal.limit)]
