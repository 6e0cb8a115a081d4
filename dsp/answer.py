"""What became of a call we made: answered, busy, nobody there ... by ear, for the analog lines that are not told.

After the last digit a line hears ring-back, other tones of the plan, voice, or nothing. The tones that mean "no" are
dsp.progress's matter. An answer is the end of ring-back: a voice where ring-back was, or no further burst when one was
due and silence from then on. A voice where there was no ring-back counts too, but must last longer: the noise of
a connection being made is louder than none and swallowed by then.

What cannot be told by ear is a person from a recording: the network's announcements (the number you have dialled ...)
and the music some subscribers have in place of ring-back are voices. `Verdict.sure` is False where the voice came
without ring-back.

Judged every 10 ms. A hop is loud when it stands out of a level that follows fast downwards and within a quarter of a
second upwards: speech moves all the time, noise and an open line do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..config.tones import TonePlan
from . import progress
from .levels import RATE, sine_dbm0
from .tonebank import HOP, Bank, Hops

Outcome = Literal["answered", "busy", "no answer", "unobtainable", "fax"]

# What the tones of a plan say about a call just dialled, by their meaning. Dial tone and howler: the digits were not
# taken. Ring-back is followed here; the others say nothing about who is there.
OUTCOMES: dict[str, Outcome] = {
    "busy": "busy",
    "congestion": "busy",
    "unobtainable": "unobtainable",
    "sit": "unobtainable",
    "dial": "unobtainable",
    "howler": "unobtainable",
    "fax": "fax",
}

SETTLED = 6  # hops after the start until the bank's windows are full: what they show before is no level
QUIETEST = -48.0  # dBm0: nothing weaker is a voice (as in dsp.meter)
STANDS_OUT = 4.0  # dB above the level followed; white noise spreads the level of a hop by 0.7 dB
DOWN = 0.3  # of the way to a lower level, each hop
UP = 0.04  # of the way to a higher one: 250 ms
LEAK = 0.15  # hops of voice forgotten with each hop without
BURST = 20  # hops, 200 ms, of a ring-back tone that are ring-back: half the shortest burst of any plan, and more than
# a vowel stays within its tolerance


@dataclass(frozen=True)
class Limits:
    """Seconds. `voice`: of voice that are an answer once ring-back was heard; `first`: when it was not; `silence`: how
    long it has been quiet since the next burst of ring-back was due; `no_answer`: since the start."""

    voice: float = 0.2
    first: float = 0.8
    silence: float = 1.0
    no_answer: float = 60.0


LIMITS = Limits()


class Verdict(NamedTuple):
    """One for each call. Samples since `start`: `declared`, how far had been heard; `since`, where what decided it
    began (the voice, the tone, the silence after the last ring-back)."""

    line: int
    outcome: Outcome
    since: int
    declared: int
    sure: bool
    reason: str


class Detector:
    """Follows the calls made on `lines` lines; its state is arrays over them."""

    def __init__(self, lines: int, plan: TonePlan, limits: Limits = LIMITS) -> None:
        sounds = progress.listened_for(plan)
        ringback = [tone for tone in plan.tones.values() if tone.meaning == "ringback"]
        rings = {frequencies for tone in ringback for frequencies in tone.sounds}
        pause = max(
            (off * (1 + tone.tolerance_percent / 100) for tone in ringback for _, off in tone.pattern), default=0
        )
        self._plan = plan
        self._bank = Bank(lines, sounds, everywhere=True)
        self._is_ring = np.array([sound.frequencies in rings for sound in sounds])
        self._overdue = _hops(pause + limits.silence)
        self._silence = _hops(limits.silence)
        self._voice = np.array([_hops(limits.first), _hops(limits.voice)])  # before and after ring-back
        self._no_answer = round(limits.no_answer * RATE)
        self._samples = 0
        self._hops = 0
        self._on = np.zeros(lines, np.bool_)  # calls being followed
        self._origin = np.zeros(lines, np.int64)  # the sample they began at
        self._age = np.zeros(lines, np.int64)  # hops since
        self._floor = np.full(lines, QUIETEST)
        self._voiced = np.zeros(lines)  # hops of voice, leaking
        self._spoke = np.zeros(lines, np.int64)  # the hop at which that began
        self._ringing = np.zeros(lines, np.int64)  # hops this burst of ring-back has lasted
        self._rung = np.zeros(lines, np.bool_)
        self._last_ring = np.zeros(lines, np.int64)  # hops
        self._last_tone = np.zeros(lines, np.int64)

    def start(self, line: int) -> None:
        """All digits are out; the line's progress detector is reset at the same moment, so that positions agree."""
        self._bank.reset(line)
        self._on[line] = True
        self._origin[line] = self._samples
        self._last_tone[line] = self._hops
        self._floor[line] = QUIETEST
        for state in (self._age, self._voiced, self._ringing, self._rung, self._last_ring):
            state[line] = 0

    def stop(self, line: int) -> None:
        """The call is given up; there will be no verdict."""
        self._on[line] = False

    def feed(self, frames: NDArray[np.int16], heard: Sequence[progress.Event]) -> list[Verdict]:
        """The calls decided by the next samples of all lines, shape (lines, n), n from 0; `heard` is what the progress
        detector found in the same samples."""
        if not self._on.any():
            return []
        self._samples += frames.shape[1]
        found: dict[int, Verdict] = {}
        for verdict in (*self._by_tone(heard), *self._by_ear(self._bank.feed(frames))):
            known = found.get(verdict.line)
            if known is None or verdict.declared < known.declared:
                found[verdict.line] = verdict
        for line in found:
            self._on[line] = False
        return list(found.values())

    def _by_tone(self, heard: Iterable[progress.Event]) -> Iterator[Verdict]:
        for event in heard:
            if not isinstance(event, progress.Tone) or not self._on[event.line]:
                continue
            tone = self._plan.tones[event.name]
            if outcome := OUTCOMES.get(tone.meaning):
                reason = f"听到{tone.text}（{event.frequency:.0f} Hz，{event.level_dbm0:.0f} dBm0）"
                yield Verdict(event.line, outcome, event.start, event.declared, True, reason)

    def _by_ear(self, hops: Hops) -> Iterator[Verdict]:
        level = np.maximum(sine_dbm0(np.sqrt(hops.heard)), QUIETEST)
        tonal = np.logical_or.reduce(hops.pure, axis=1)
        ring = np.logical_or.reduce(hops.pure[:, self._is_ring], axis=1)
        for at in range(len(level)):
            self._follow(level[at], tonal[at], ring[at])
            yield from self._judge()
            self._hops += 1

    def _follow(self, level: NDArray[np.floating], tonal: NDArray[np.bool_], ring: NDArray[np.bool_]) -> None:
        """Take one hop of all lines."""
        self._age += 1
        unsettled = self._age <= SETTLED
        above = level - self._floor
        voice = (above > STANDS_OUT) & ~tonal & ~unsettled
        self._floor += np.where(tonal, 0.0, np.where(unsettled, 1.0, np.where(above < 0, DOWN, UP))) * above
        self._spoke = np.where(self._voiced > 0, self._spoke, self._hops)
        self._voiced = np.maximum(self._voiced + np.where(voice, 1.0, -LEAK), 0.0)
        self._ringing = np.where(ring, self._ringing + 1, 0)
        self._rung |= self._ringing >= BURST
        self._last_ring = np.where(self._ringing >= BURST, self._hops, self._last_ring)
        self._last_tone = np.where(tonal, self._hops, self._last_tone)

    def _judge(self) -> Iterator[Verdict]:
        """The calls that this hop decides."""
        spoken = self._voiced >= self._voice[self._rung.astype(np.intp)]
        overdue = self._hops - self._last_ring >= self._overdue
        ended = np.logical_and(self._rung & overdue, self._hops - self._last_tone >= self._silence)
        late = (self._hops + 1) * HOP - self._origin >= self._no_answer
        for line in np.flatnonzero(self._on & (spoken | ended | late)).tolist():
            yield self._verdict(line, bool(spoken[line]), bool(ended[line]))

    def _verdict(self, line: int, spoken: bool, ended: bool) -> Verdict:
        rung = bool(self._rung[line])
        declared = (self._hops + 1) * HOP - int(self._origin[line])
        if spoken:
            reason = "回铃音之后有人声" if rung else "没有回铃音就有人声：也可能是网络的语音提示或彩铃"
            return Verdict(line, "answered", self._position(line, self._spoke[line]), declared, rung, reason)
        if ended:
            reason = "回铃音不再响，此后无声"
            return Verdict(line, "answered", self._position(line, self._last_ring[line] + 1), declared, True, reason)
        seconds = declared / RATE
        reason = f"响了 {seconds:.0f} 秒无人接听" if rung else f"{seconds:.0f} 秒没有听到回铃音"
        return Verdict(line, "no answer", 0, declared, True, reason)

    def _position(self, line: int, hop: int) -> int:
        """The sample in the middle of a hop's window."""
        return max((int(hop) + 1) * HOP - self._bank.lead - int(self._origin[line]), 0)


def _hops(seconds: float) -> int:
    return round(seconds * RATE / HOP)
