"""DTMF digits (ITU-T Q.23, Q.24) on many lines at once, streaming.

Every 20 ms a Hann window of 30 ms is looked at in two stages:

1. all lines (pairs.py): the eight tones, and reference frequencies between and outside their groups, one matrix
   product. One row and one column must stand out of their groups, above the references and the floor, within the twist.
   Nothing is compared with the energy of the whole band, so dial tone, hum, DC and clipping do not matter.
2. the few that are left (follow.py): most keys are clear (clear.py): two steady tones and next to nothing else. Of the
   others `keypress.judge` measures the last 80 ms: length from the half-amplitude crossings of the envelope (with a
   Hann window they lie where the tone begins and ends), frequency by phase advance, steadiness, and the strongest other
   component once both tones are subtracted. A key that passes is followed to its end.

Both are evaluated at fixed positions and the second is a pure function of the samples, so neither how a signal is
cut into frames nor what other lines carry changes an event, but for the last digit of a figure now and then: products
of other sizes add up in another order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import near_miss
from .follow import COLUMN, END, NONE, Follower, Indexes, Keys
from .heard import Digit, Event, Heard, Onset, Refused
from .keypress import LIMITS, Limits
from .pairs import BEFORE, STEP, Candidates, Gates, Look, Pairs

__all__ = ["LIMITS", "Detector", "Digit", "Event", "Limits", "Onset", "Refused"]

TOLD = 4 * STEP  # how often keys let go are told of
# Gates so wide that a pair which passes no others can still be told why.
NEAR = Gates.of(Limits(floor=-56.0, twist_high=15.0, twist_low=-20.0, group=0.0, outside=0.0, between=-6.0))
COMMON = {"on", "deviation", "apart", "steady", "drift", "floor"}  # checks that pairs in noise and speech often fail


class Detector:
    """Finds keys on `lines` lines at once. With `explain`, also reports what it refused and why."""

    def __init__(self, lines: int, limits: Limits = LIMITS, *, explain: bool = False) -> None:
        self._lines = np.arange(lines)
        self._limits = limits
        self._gates = Gates.of(limits)
        self._explain = explain
        self._pairs = Pairs(lines)
        self._began = np.zeros(lines, np.intp)  # the position at which each line's call began
        self._keys = Keys.none(lines)
        self._known = False  # is anything known of any line
        self._heard = Heard()
        self._place = np.stack([self._lines, self._lines, self._lines, self._lines + BEFORE * lines])
        self._follower = Follower(self._pairs, limits, self._began, explain=explain)

    def reset(self, line: int) -> None:
        """A new call begins on this line: what it carried is forgotten, its positions restart at 0."""
        self._pairs.reset(line)
        self._began[line] = self._pairs.position
        self._keys.young[line] = NONE
        self._keys.forget(line)

    def feed(self, frames: NDArray[np.int16]) -> list[Event]:
        """The next n >= 0 samples of every line, int16 (lines, n) at 8000 Hz; events in order for each line.

        A key is followed to its end only by further samples, and its release may be told up to 80 ms after it is known:
        after a file feed 200 ms of silence."""
        if frames.ndim != 2 or frames.shape[0] != len(self._lines) or frames.dtype != np.int16:
            raise ValueError(f"frames are {frames.dtype} {frames.shape}; expected int16 ({len(self._lines)}, n)")
        events: list[Event] = []
        at = 0
        while at < frames.shape[1]:
            wanted = STEP if self._explain else frames.shape[1] - at  # hop by hop, so that refusals stand in order too
            most = self._pairs.room(wanted)
            look = self._pairs.feed(frames[:, at : at + most])
            at += most
            if look is not None:
                events += self._hop(look) if len(look.ends) == 1 else self._hops(look)
        return events

    def _hop(self, look: Look) -> list[Event]:
        """Take all lines a hop further."""
        found = self._pairs.candidates(look, self._gates)
        if self._known or len(found.windows):
            self._place[END] = look.ends[0]
            self._follower.step(self._heard, self._keys, slice(None), self._place, look, found)
            if look.ends[0] % TOLD == 0:
                self._follower.let_go(self._heard, self._keys, self._place)
            self._known = len(found.windows) > 0 or self._keys.any()
        events = self._heard.take()
        return self._explained(events, look, found) if self._explain else events

    def _hops(self, look: Look) -> list[Event]:
        """Take all lines through many hops.

        A line has several lanes, which are followed side by side: each begins where a candidate appears, as if nothing
        were known, and ends when nothing is; one that begins before the last has ended is forgotten."""
        found = self._pairs.candidates(look, self._gates)
        if not (self._known or len(found.windows)):
            return self._heard.take()
        hops, lines = len(look.ends), len(self._lines)
        said = np.full((BEFORE + hops) * lines, NONE)  # by the columns of the powers
        said[BEFORE * lines + found.windows] = found.digits
        seen = (said >= 0).reshape(-1, lines)
        begins, goes_on = seen[BEFORE:] & ~seen[BEFORE - 1 : -1], seen[1:] & seen[:-1]
        begins[0] |= (self._keys.digit >= 0) | (self._keys.young >= 0)
        of_lane, begin = begins.T.nonzero()
        keys, heard, active = Keys.none(len(of_lane)), Heard(), np.arange(len(of_lane))
        (first,) = (begin == 0).nonzero()
        keys.copy(first, self._keys, of_lane[first])
        place = np.stack([active, of_lane, look.ends[0] + begin * STEP, (BEFORE + begin) * lines + of_lane])
        while len(active):
            here = place[:, active]
            (some,) = seen.take(here[COLUMN]).nonzero()
            candidates = Candidates(some, said[here[COLUMN, some]])
            self._follower.step(heard, keys, active, here, look, candidates)
            self._follower.let_go(heard, keys, here)
            place[END, active] += STEP
            place[COLUMN, active] += lines
            known = (keys.digit[active] >= 0) | (keys.young[active] >= 0)
            known |= goes_on.take(here[COLUMN], mode="clip")  # at the next hop
            active = active[known & (here[END] < look.ends[-1])]
        self._known = True
        counts = self._remember(keys, of_lane, begin, place[COLUMN] // lines - BEFORE)
        return self._heard.take() + heard.take_by_lanes(counts)

    def _remember(self, keys: Keys, of_lane: Indexes, begin: Indexes, reached: Indexes) -> list[bool]:
        """What is known of each line's last lane is known of the line. Which lanes count?"""
        counts, before, last = [], [0] * len(self._lines), {}
        lanes = zip(of_lane.tolist(), begin.tolist(), reached.tolist(), strict=True)
        for lane, (line, first, end) in enumerate(lanes):
            counts.append(first >= before[line])
            if counts[-1]:
                before[line], last[line] = end, lane
        self._keys.copy(np.array(list(last), np.intp), keys, np.array(list(last.values()), np.intp))
        return counts

    def _explained(self, events: list[Event], look: Look, found: Candidates) -> list[Event]:
        """What has happened, and why sounds are no keys; not of sounds that nobody would take for one."""
        told: list[Event] = []
        for event in events + self._near_misses(look, found):
            if isinstance(event, Refused) and event.check in COMMON:
                recent = self._pairs.recent(np.array([event.line]), np.array([look.ends[0]]))[0]
                if not near_miss.stands_out(recent):
                    continue
            told.append(event)
        return told

    def _near_misses(self, look: Look, found: Candidates) -> list[Event]:
        """Why sounds are no keys, on lines without a candidate; some may have passed wide gates, as a digit."""
        wide, end = self._pairs.candidates(look, NEAR), look.ends[0]
        near = dict(zip(wide.windows.tolist(), wide.digits.tolist(), strict=True))
        events: list[Event] = []
        for line in sorted({*range(len(self._lines))} - {*found.windows.tolist()}):
            samples = self._pairs.recent(np.array([line]), np.array([end]))[0]
            why = near_miss.why(samples, near.get(line), self._limits)
            if why:
                events.append(Refused(line, why[0], end - int(self._began[line]), *why[1]))
        return events
