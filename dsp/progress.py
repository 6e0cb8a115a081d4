"""Call-progress tones: what the exchange or PBX says by sounds, on all lines at once.

A tone is recognised by four things together, because each alone is found in speech and music: it is pure (no other
sound above 200 Hz nearly as strong), it is steady in level and frequency, its frequency is the plan's, and its
bursts and pauses keep the plan's cadence over a whole period.

tonebank.py looks at every 10 ms of every line in one matrix product, bursts.py finds where sounds begin and end,
cadence.py names what the bursts of a line make up. Only beginnings and ends are looked at one by one, so a silent line
and a talking one cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..config.tones import TonePlan
from .bursts import BEGIN, BRIDGED, Bursts, Edge
from .cadence import Cadence, Found, Lost, Pattern, patterns
from .levels import RATE
from .tonebank import HOP, Bank, Sound, strongest_other

OTHER_DB = -15.0  # a second sine this strong makes a continuous tone something else: a key held down, a chord
RETRY = 10  # hops until a continuous sound that was not steady is looked at again
CONSIDERED = 0.6  # of the shortest burst of the plan: what is shorter is not even measured
NEVER = int(np.iinfo(np.int64).max)


class Tone(NamedTuple):
    """A tone of the plan is being heard. Samples since reset: `start`, where it began, `declared`, how far the detector
    had heard when it was sure. Frequency of its first sine in Hz, level while on in dBm0."""

    line: int
    name: str
    start: int
    declared: int
    frequency: float
    level_dbm0: float


class ToneEnded(NamedTuple):
    """The tone declared before has stopped at `end`, or its cadence has."""

    line: int
    name: str
    start: int
    end: int


Event = Tone | ToneEnded
At = tuple[int, Found | Lost]  # at which hop what became known


@dataclass
class _Line:
    """One line's call: the sample it began at, its bursts that go on (sound: the hop that recognised it), and the hops
    at which those are judged that may be continuous tones."""

    number: int
    origin: int
    cadence: Cadence
    open: dict[int, int] = field(default_factory=dict)
    checks: dict[str, int] = field(default_factory=dict)

    def next_look(self) -> int:
        """The hop at which something is due even if nothing begins or ends."""
        due = [*self.checks.values()]
        if self.cadence.deadline is not None:
            due.append(self.cadence.deadline // HOP)
        return min(due, default=NEVER)


class Detector:
    """Finds the tones of a plan on `lines` lines."""

    def __init__(self, lines: int, plan: TonePlan) -> None:
        sounds = listened_for(plan)
        self._bank = Bank(lines, sounds)
        self._bursts = Bursts(lines, len(sounds), self._bank.lead)
        known = patterns(plan.tones, {sound.frequencies: at for at, sound in enumerate(sounds)})
        self._cadences = [pattern for pattern in known if not pattern.tone.continuous]
        self._continuous = {pattern.name: pattern for pattern in known if pattern.tone.continuous}
        self._shortest = [_shortest(known, sound) * CONSIDERED / HOP for sound in range(len(sounds))]
        self._samples = 0
        self._lines = [self._new_line(number) for number in range(lines)]
        self._wake = np.full(lines, NEVER)  # hop at which a line must be looked at even without an edge

    def reset(self, line: int) -> None:
        """A new call begins on this line: what was heard is forgotten, its samples count from 0."""
        self._bank.reset(line)
        self._bursts.reset(line)
        self._lines[line] = self._new_line(line)
        self._wake[line] = NEVER

    def feed(self, frames: NDArray[np.int16]) -> list[Event]:
        """Events of the next samples of all lines, shape (lines, n), n from 0; in order of time on each line."""
        events: list[Event] = []
        most = self._bursts.most * HOP
        for at in range(0, frames.shape[1], most):
            part = frames[:, at : at + most]
            self._samples += part.shape[1]
            edges = self._bursts.add(self._bank.feed(part))
            due = np.flatnonzero(self._wake < self._bursts.hops).tolist()
            for number in sorted(edges.keys() | set(due)):
                events += self._hear(self._lines[number], edges.get(number, []))
                self._wake[number] = self._lines[number].next_look()
        return events

    def _new_line(self, number: int) -> _Line:
        late = self._bank.lead + (max(BEGIN, BRIDGED) + 2) * HOP  # from an edge to the hop that knows of it
        return _Line(number, self._samples, Cadence(self._cadences, late))

    def _hear(self, line: _Line, edges: list[Edge]) -> Iterator[Event]:
        """The events of one line's edges and of what is due between them."""
        for hop, found in self._follow(line, edges):
            if isinstance(found, Found):
                declared = self._bursts.heard(hop) - line.origin
                start = found.start - line.origin
                yield Tone(line.number, found.name, start, declared, found.frequency, found.level_dbm0)
            else:
                yield ToneEnded(line.number, found.name, found.start - line.origin, found.end - line.origin)

    def _follow(self, line: _Line, edges: list[Edge]) -> Iterator[At]:
        for edge in edges:
            yield from self._due(line, edge.hop)
            if edge.begins:
                self._begin(line, edge)
            else:
                yield from self._end(line, edge)
        yield from self._due(line, self._bursts.hops - 1)

    def _due(self, line: _Line, hop: int) -> Iterator[At]:
        """What is due without an edge, up to and with this hop."""
        while line.checks:
            name, at = min(line.checks.items(), key=lambda check: check[1])
            if at > hop:
                break
            yield from ((at, lost) for lost in line.cadence.expire(self._bursts.heard(at)))
            yield from self._judge(line, self._continuous[name], at)
        yield from ((hop, lost) for lost in line.cadence.expire(self._bursts.heard(hop)))

    def _begin(self, line: _Line, edge: Edge) -> None:
        if edge.sound in line.open:
            return
        line.open[edge.sound] = edge.hop
        line.cadence.begun(edge.sound, self._bursts.heard(edge.hop))
        for pattern in self._continuous.values():
            if pattern.steps[0].sound == edge.sound:
                line.checks[pattern.name] = edge.hop + int(pattern.tone.at_least * RATE) // HOP

    def _end(self, line: _Line, edge: Edge) -> Iterator[At]:
        hop = line.open.pop(edge.sound, None)
        if hop is None:
            return
        for pattern in self._continuous.values():
            if pattern.steps[0].sound == edge.sound:
                line.checks.pop(pattern.name, None)
        if edge.hop - hop >= self._shortest[edge.sound]:
            start = max(self._bursts.beginning(line.number, edge.sound, hop), line.origin)
            burst, steady = self._bursts.measure(line.number, edge.sound, start, edge.hop)
            yield from ((edge.hop, found) for found in line.cadence.ended(burst, steady))

    def _judge(self, line: _Line, pattern: Pattern, hop: int) -> Iterator[At]:
        """A sound has lasted as long as this continuous tone must: has it been steady, and is it alone?"""
        sound = pattern.steps[0].sound
        start = max(self._bursts.beginning(line.number, sound, line.open[sound]), line.origin)
        length = int(pattern.tone.at_least * RATE)
        burst, steady = self._bursts.lasting(line.number, sound, start, hop, length)
        window = self._bank.recent(line.number, self._samples - self._bursts.heard(hop))
        nominal = pattern.tone.frequencies
        measured = [frequency * burst.frequency / nominal[0] for frequency in nominal]
        if steady and pattern.allows(burst) and strongest_other(window, measured) <= OTHER_DB:
            del line.checks[pattern.name]
            yield from ((hop, found) for found in line.cadence.goes_on(pattern, burst))
        else:
            line.checks[pattern.name] = hop + RETRY


def tone_tail(samples: NDArray[np.int16], plan: TonePlan, quiet_s: float = 1.5) -> int | None:
    """Where the tone begins that ends a recording and means that the far end has gone: a sample index, or None if
    there is no such tone. After its last burst no more than `quiet_s` may follow. `samples`: shape (n,), 8000 Hz."""
    start: int | None = None
    for event in Detector(1, plan).feed(samples[None, :]):
        if not plan.tones[event.name].released:
            continue
        if isinstance(event, Tone):
            start = event.start
        elif event.end + quiet_s * RATE < len(samples):
            start = None
    return start


def listened_for(plan: TonePlan) -> list[Sound]:
    """What the bank must listen for: each set of frequencies once, as widely and as deep as any tone asks."""
    found: dict[tuple[float, ...], Sound] = {}
    for tone in plan.tones.values():
        for frequencies in tone.sounds:
            known = found.get(frequencies, Sound(frequencies, tone.tolerance_hz, tone.quietest))
            widest, quietest = max(known.tolerance, tone.tolerance_hz), min(known.quietest, tone.quietest)
            found[frequencies] = Sound(frequencies, widest, quietest)
    return list(found.values())


def _shortest(known: list[Pattern], sound: int) -> float:
    """Samples of the shortest burst of this sound that any tone has."""
    return min(
        pattern.tone.at_least * RATE if pattern.tone.continuous else step.on
        for pattern in known
        for step in pattern.steps
        if step.sound == sound
    )
