"""DTMF digits (ITU-T Q.23, Q.24) on many lines at once, streaming.

Every 20 ms a Hann window of 30 ms is looked at in three stages, each for the few that passed the one before:

1. all lines: the eight tones, one matrix product. One row and one column must stand out, above the floor, within the
   twist. Lines too quiet to hold a tone at all are left out of the product.
2. candidates: reference frequencies between and outside the groups must be weaker than the pair. Nothing is compared
   with the energy of the whole band, so dial tone, hum, DC and clipping do not matter.
3. what is left: `keypress.judge` measures the last 100 ms: length from the half-amplitude crossings of the envelope
   (with a Hann window they lie where the tone begins and ends), frequency by phase advance, steadiness, and the
   strongest other component once both tones are subtracted.

The stages are evaluated at fixed positions and the last is a pure function of the samples, so neither how a signal is
cut into frames nor what other lines carry changes an event.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from . import goertzel, keypress, near_miss
from .generate import HIGH, KEYS, LOW
from .keypress import HALF, HISTORY, LIMITS, WINDOW, Limits, Press, Refusal
from .levels import amplitude, decibels, ms, ratio, sine_dbm0

__all__ = ["LIMITS", "Detector", "Digit", "Event", "Limits", "Onset", "Refused"]

STEP = ms(20)  # one tick: a verdict between two would be acted upon no sooner
BLOCK = 1 << 18  # samples of all lines taken at once; a longer feed is cut, so that the work fits the cache
APART = -(-WINDOW // STEP)  # windows so many steps apart do not overlap
LOOK_BACK = ms(10)  # a key that ends between two looks is judged this much before its window
KEPT = HISTORY + LOOK_BACK
OFF = 5.0  # dB, what a tone 1.8 % off loses in a window tuned to the nominal frequency
LOST = 0.1  # of a tone's power left a hop later: the shortest key looked at twice still has a fifth
MANY = 0.7  # of the lines; if more are loud, all are computed

# What stage 2 looks at: outside the groups, and between the high tones, on the skirts of one that is off.
REFERENCES = (590.0, 1040.0, 1110.0, 1740.0, 1850.0, 1272.0, 1406.0, 1555.0)
OUTSIDE, BETWEEN = slice(0, 5), slice(5, 8)

Positions = NDArray[np.int64]
Candidate = tuple[int, int, int]  # row, hop, digit


@dataclass(frozen=True, slots=True)
class Onset:
    """A key is held and certain; `at` is the sample index, since the line's reset, by which it was known."""

    line: int
    digit: str
    at: int


@dataclass(frozen=True, slots=True)
class Digit:
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


@dataclass(frozen=True, slots=True)
class Refused:
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


@dataclass(frozen=True)
class _Gates:
    """Stages 1 and 2 as ratios of squared amplitudes; looser than the limits, since noise may take a little."""

    share: float  # of its group's four tones a tone must have
    floor: float
    twist_high: float
    twist_low: float
    outside: float
    between: float
    lasting: float = 0.001  # of a tone's power must have been there a hop ago; a key 11 ms long had it

    @classmethod
    def of(cls, limits: Limits) -> _Gates:
        return cls(
            share=1 / (1 + ratio(-limits.group) ** 2),
            floor=amplitude(limits.floor - OFF) ** 2,
            twist_high=ratio(limits.twist_high + OFF) ** 2,
            twist_low=ratio(limits.twist_low - OFF) ** 2,
            outside=ratio(-limits.outside) ** 2,
            between=ratio(-limits.between) ** 2,
        )


def _may_be_new(held: _Held, digit: int, powers: NDArray[np.float32]) -> bool:
    """Worth judging while a key is held: another digit, or its own tones coming back and not dying away."""
    if digit != held.digit:
        return True
    rising = powers[digit // 4, 1] >= powers[digit // 4, 0] and powers[4 + digit % 4, 1] >= powers[4 + digit % 4, 0]
    return held.ended is not None and bool(rising)


def _least_ratio(digit: int, of: NDArray[np.float32], to: NDArray[np.float32]) -> float:
    """The smaller ratio of the digit's two tones between two hops, as power."""
    low, high = digit // 4, 4 + digit % 4
    return min(float(of[low]) / max(float(to[low]), 1.0), float(of[high]) / max(float(to[high]), 1.0))


# Gates so wide that a pair which passes no others can still be told why.
NEAR = Limits(floor=-56.0, twist_high=15.0, twist_low=-20.0, group=0.0, outside=0.0, between=-6.0)


class Detector:
    """Finds keys on `lines` lines at once. With `explain`, also reports what it refused and why."""

    def __init__(self, lines: int, limits: Limits = LIMITS, *, explain: bool = False) -> None:
        self._limits = limits
        self._explain = explain
        self._room = max(ms(200), BLOCK // max(lines, 1))
        self._samples = np.zeros((lines, KEPT + self._room), np.float32)
        self._windows = sliding_window_view(self._samples, WINDOW, axis=1)
        self._filled = KEPT  # columns of _samples that hold signal
        self._position = 0  # samples fed to every line so far
        self._began = np.zeros(lines, np.int64)  # the position at which each line's call began
        self._loud_until = np.zeros(lines, np.int64)
        self._held: dict[int, _Held] = {}
        self._young: dict[int, int] = {}  # lines whose candidate was too short at the last hop, and its digit
        window = goertzel.hann(WINDOW)
        self._tones = goertzel.basis(LOW + HIGH, window).T.astype(np.float32, order="C")
        self._others = goertzel.basis(REFERENCES, window).T.astype(np.float32, order="C")
        self._gates = _Gates.of(limits)
        self._before = np.zeros((8, lines), np.float32)  # squared amplitudes at the last hop
        # A window whose samples all stay below this cannot hold a tone of the floor: its first Fourier
        # coefficient is at most 4/pi of the largest sample (a square wave's).
        self._quiet = amplitude(limits.floor - OFF) * np.pi / 4

    def reset(self, line: int) -> None:
        """A new call begins on this line: what it carried is forgotten, its positions restart at 0."""
        self._samples[line] = 0
        self._before[:, line] = 0
        self._began[line] = self._position
        self._loud_until[line] = 0
        self._held.pop(line, None)
        self._young.pop(line, None)

    def feed(self, frames: NDArray[np.int16]) -> list[Event]:
        """The next n >= 0 samples of every line, int16 (lines, n) at 8000 Hz; events in order for each line.

        A key is followed to its end only by further samples: after a file feed 100 ms of silence."""
        if frames.ndim != 2 or frames.shape[0] != len(self._samples) or frames.dtype != np.int16:
            raise ValueError(f"frames are {frames.dtype} {frames.shape}; expected int16 ({len(self._samples)}, n)")
        events: list[Event] = []
        most = STEP if self._explain else self._room  # hop by hop, so that refusals stand in order too
        for begin in range(0, frames.shape[1], most):
            events += self._advance(frames[:, begin : begin + most])
        return events

    def _advance(self, frames: NDArray[np.int16]) -> list[Event]:
        """Take in at most _room samples and look at every window that is now complete."""
        count = frames.shape[1]
        if self._filled + count > self._samples.shape[1]:
            self._samples[:, :KEPT] = self._samples[:, self._filled - KEPT : self._filled].copy()
            self._filled = KEPT
        self._samples[:, self._filled : self._filled + count] = frames
        first = (self._position // STEP + 1) * STEP
        self._filled += count
        self._position += count
        loud = (frames.max(axis=1, initial=0) > self._quiet) | (frames.min(axis=1, initial=0) < -self._quiet)
        self._loud_until[loud] = self._position + WINDOW
        ends = np.arange(first, self._position + 1, STEP)
        if not len(ends):
            return []
        active = self._loud_until >= first
        active[[*self._held, *self._young]] = True
        rows = np.flatnonzero(active)
        if not len(rows):
            self._before[:] = 0
            return []
        if len(rows) > MANY * len(active):  # picking rows costs a copy, and quiet lines change nothing
            rows = np.arange(len(active))
        powers = self._powers(rows, ends)
        candidates = list(self._candidates(rows, ends, powers, self._gates))
        events = self._follow(rows, ends, powers, candidates)
        if self._explain:
            near = {(row, hop): digit for row, hop, digit in self._candidates(rows, ends, powers, _Gates.of(NEAR))}
            known = {(row, hop) for row, hop, _ in candidates}
            for row, hop in sorted({*np.ndindex(len(rows), len(ends))} - known):
                events += self._near_miss(int(rows[row]), near.get((row, hop)), int(ends[hop]))
        return events

    def _column(self, end: int) -> int:
        """The column of _samples just after the window that ends at this position."""
        return end - self._position + self._filled

    def _powers(self, rows: Positions, ends: Positions) -> NDArray[np.float32]:
        """Squared amplitudes of the eight tones at the last hop and the new ones: (8, 1 + hops, rows)."""
        first, last = self._column(int(ends[0])), self._column(int(ends[-1]))
        hops, count = len(ends), len(rows)
        parts = np.empty((hops, count, 16), np.float32)
        if hops > count:  # a file: windows that do not overlap are the rows of one matrix
            for i, row in enumerate(rows):
                for k in range(min(APART, hops)):
                    begin = first - WINDOW + k * STEP
                    parts[k::APART, i] = self._windows[row, begin : last - WINDOW + 1 : APART * STEP] @ self._tones
        else:
            lines = self._samples[:, first - WINDOW : last]
            if count < len(lines):
                lines = lines[rows]
            for k in range(hops):
                np.matmul(lines[:, k * STEP : k * STEP + WINDOW], self._tones, out=parts[k])
        squares = parts.reshape(-1, 16).T.copy()
        squares *= squares
        powers = np.empty((8, (1 + hops) * count), np.float32)
        powers[:, :count] = self._before[:, rows]
        np.add(squares[:8], squares[8:], out=powers[:, count:])
        if count < self._before.shape[1]:
            self._before[:] = 0
        self._before[:, rows] = powers[:, -count:]
        return powers.reshape(8, 1 + hops, count)

    def _candidates(
        self, rows: Positions, ends: Positions, powers: NDArray[np.float32], gates: _Gates
    ) -> Iterator[Candidate]:
        """Stages 1 and 2: (row, hop, digit) of the windows in which a pair of tones stands out."""
        count = len(rows)
        flat = powers.reshape(8, -1)
        groups = flat.reshape(2, 4, -1)[:, :, count:]
        least = groups.sum(axis=1)
        least *= gates.share
        np.maximum(least, gates.floor, out=least)
        out = groups.max(axis=1) >= least
        window = np.flatnonzero(out[0] & out[1])
        if not len(window):
            return iter(())
        tones = flat[:, window + count]
        r, c = tones[:4].argmax(axis=0), tones[4:].argmax(axis=0) + 4
        each = np.arange(len(window))
        low, high = tones[r, each], tones[c, each]
        keep = (high <= low * gates.twist_high) & (high >= low * gates.twist_low)
        keep &= (flat[r, window] >= low * gates.lasting) & (flat[c, window] >= high * gates.lasting)
        each = np.flatnonzero(keep)
        if not len(each):
            return iter(())
        window, r, c, low, high = window[each], r[each], c[each], low[each], high[each]
        hop, row = np.divmod(window, count)
        begins = ends[hop] - self._position + self._filled - WINDOW
        others = self._windows[rows[row], begins] @ self._others
        others *= others
        others = others[:, : others.shape[1] // 2] + others[:, others.shape[1] // 2 :]
        keep = others[:, OUTSIDE].max(axis=1) <= np.minimum(low, high) * gates.outside
        keep &= others[:, BETWEEN].max(axis=1) <= high * gates.between
        return zip(row[keep].tolist(), hop[keep].tolist(), (4 * r + c - 4)[keep].tolist(), strict=True)

    def _follow(
        self, rows: Positions, ends: Positions, powers: NDArray[np.float32], candidates: list[Candidate]
    ) -> list[Event]:
        """Stage 3, line by line where there is a candidate or a key held."""
        known = {*self._held, *self._young}
        lines: dict[int, dict[int, int]] = {int(np.searchsorted(rows, line)): {} for line in known}
        for row, hop, digit in candidates:
            lines.setdefault(row, {})[hop] = digit
        events: list[Event] = []
        for row in sorted(lines):
            events += self._follow_line(int(rows[row]), ends, powers[:, :, row], lines[row])
        return events

    def _follow_line(
        self, line: int, ends: Positions, powers: NDArray[np.float32], candidates: dict[int, int]
    ) -> list[Event]:
        events: list[Event] = []
        waiting = sorted(candidates, reverse=True)
        hop = 0
        while hop < len(ends):
            held, young = self._held.get(line), self._young.pop(line, None)
            if held is None and young is None:  # nothing to follow: on to the next candidate
                while waiting and waiting[-1] < hop:
                    waiting.pop()
                if not waiting:
                    break
                hop = waiting[-1]
            end = int(ends[hop])
            if held is not None and self._released(line, held, end, powers[:, 1 + hop]):
                events.append(self._digit(line, held))
                held = None
            digit = candidates.get(hop, young)
            two = powers[:, hop : hop + 2]
            if digit is not None and (held is None or _may_be_new(held, digit, two)):
                fresh = hop in candidates
                if fresh and _least_ratio(digit, two[:, 0], two[:, 1]) < HALF**2:
                    self._young[line] = digit  # began less than a hop ago: too short whatever else it is
                elif fresh or _least_ratio(digit, two[:, 1], two[:, 0]) > LOST:
                    events += self._judge(line, held, digit, end, again=not fresh)
            hop += 1
        return events

    def _recent(self, line: int, end: int) -> NDArray[np.float64]:
        column = self._column(end)
        return self._samples[line, column - HISTORY : column].astype(np.float64)

    def _released(self, line: int, held: _Held, end: int, powers: NDArray[np.float32]) -> bool:
        """Follow a key held up to the hop that ends here; true once its pause is longer than a break."""
        press, low, high = held.press, held.digit // 4, 4 + held.digit % 4
        sounding = powers[low] >= (HALF * press.low_seen) ** 2 and powers[high] >= (HALF * press.high_seen) ** 2
        if sounding == (held.ended is None):
            return held.ended is not None and end - WINDOW / 2 - held.ended > ms(self._limits.bridge)
        recent = self._recent(line, end)
        edge = end + keypress.edge(recent, held.digit, press.low_seen, press.high_seen, rising=sounding)
        if not sounding:
            held.ended = edge
        elif held.ended is not None and edge - held.ended > ms(self._limits.bridge):
            return True
        else:
            held.ended = None
        return False

    def _judge(self, line: int, held: _Held | None, digit: int, end: int, *, again: bool) -> list[Event]:
        began = int(self._began[line])
        verdict = keypress.judge(self._recent(line, end), digit, self._limits)
        if isinstance(verdict, Refusal):
            if verdict.check == "on" and not again:  # it may have ended by the next hop, and then pass no gate
                self._young[line] = digit
                return self._refuse(line, KEYS[digit], verdict, end)
            earlier = keypress.judge(self._recent(line, end - LOOK_BACK), digit, self._limits)
            if isinstance(earlier, Refusal):
                return self._refuse(line, KEYS[digit], verdict, end)
            verdict = replace(earlier, start=earlier.start - LOOK_BACK)
        start = max(float(began), end + verdict.start)
        events: list[Event] = []
        if held is not None:
            if digit == held.digit and held.ended is not None and start - held.ended <= ms(self._limits.bridge):
                held.press, held.ended = verdict, None  # the same key, weaker or stronger after a break
                return []
            held.ended = start if held.ended is None else min(held.ended, start)
            events.append(self._digit(line, held))
        self._held[line] = _Held(digit, start, end, verdict)
        events.append(Onset(line, KEYS[digit], end - began))
        return events

    def _near_miss(self, line: int, digit: int | None, end: int) -> list[Event]:
        """Why a sound is no key, which may have passed only wide gates, as this digit."""
        found = near_miss.why(self._recent(line, end), digit, self._limits)
        return self._refuse(line, *found, end) if found else []

    def _refuse(self, line: int, digits: str, refusal: Refusal, end: int) -> list[Event]:
        if not self._explain:
            return []
        at = end - int(self._began[line])
        return [Refused(line, digits, at, refusal.check, refusal.value, refusal.limit)]

    def _digit(self, line: int, held: _Held) -> Digit:
        """Let the key go and report it."""
        del self._held[line]
        began, press = int(self._began[line]), held.press
        end = held.start if held.ended is None else held.ended
        low, high = (float(level) for level in sine_dbm0([press.low, press.high]))
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
