"""Call-progress tones: what the exchange or PBX says by sounds, on all lines at once.

A tone is recognised by four things together, because each alone is found in speech and music: it is pure (no other
sound above 200 Hz nearly as strong), it is steady in level and frequency, its frequency is the plan's, and its
bursts and pauses keep the plan's cadence over a whole period. A tone counts as off when it is 6 dB weaker than it was,
not when it is under some level: crosstalk of the tone in its own pauses does no harm.

The bank (tonebank.py) looks at every hop of 10 ms; here hops become bursts; cadence.py names what bursts make up.
Only the beginnings and ends of bursts are looked at one by one, so a quiet line or a talking one costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..config.tones import TonePlan
from .cadence import Burst, Cadence, Found, Lost, Pattern, patterns
from .levels import RATE, ratio, sine_dbm0
from .tonebank import HOP, LONG_WINDOW, Bank, Hops, Sound, strongest_other

OFF = 6.0  # dB under the loudest hop of a burst: at half amplitude a Hann window stands just on the edge
FALL_OF_REFERENCE = 0.12  # dB a hop (12 dB a second) by which that loudest hop is forgotten
FORGOTTEN = 3  # hops without the sound, after which it is forgotten at once
BEGIN = 3  # hops that make a burst
BRIDGED = 3  # hops without the sound that do not end a burst: a lost frame of 20 ms is no pause

STEADY_DB = 1.5  # a burst is steady if nearly all its hops are so near their median
STEADY_HZ = 4.0
STEADY_PART = 0.8
DRIFT_HOPS = 5
DRIFT_DB = 1.0  # a continuous tone may grow (a howler does), but not by more in 50 ms, in the median
OTHER_DB = -15.0  # a second sine this strong makes a continuous tone something else: a key held down, a chord
RETRY = 10  # hops until a continuous sound that was not steady is looked at again

HISTORY = 512  # hops kept of every sound: the longest continuous tone to be judged, and a chunk
CHUNK = 256  # hops measured at once at most
SEGMENT = np.float32(400.0)  # dB, more than any two levels differ
LONG_AGO = np.float32(-1000.0)


class Tone(NamedTuple):
    """A tone of the plan is being heard. Samples since reset: `start`, where it began, `declared`, how far the detector
    had heard when it was sure. Frequency in Hz, level in dBm0 while on."""

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


class Detector:
    """Finds the tones of a plan on `lines` lines."""

    def __init__(self, lines: int, plan: TonePlan) -> None:
        sounds = _sounds(plan)
        self._bank = Bank(lines, sounds)
        self._patterns = patterns(plan.tones, {sound.frequencies: at for at, sound in enumerate(sounds)})
        self._continuous: dict[int, list[Pattern]] = {}
        for pattern in self._patterns:
            if pattern.tone.continuous:
                self._continuous.setdefault(pattern.steps[0][0], []).append(pattern)
        self._delay = self._bank.lead + (BRIDGED + 2) * HOP
        self._cadences = [Cadence(self._patterns, self._delay) for _ in range(lines)]
        self._open: list[dict[int, int]] = [{} for _ in range(lines)]  # per line: sound -> start of its burst
        self._checks: list[dict[tuple[int, int], int]] = [{} for _ in range(lines)]
        shape = (lines, len(sounds))
        self._power = np.zeros((lines, HISTORY, len(sounds)), np.float32)
        self._frequency = np.zeros((lines, HISTORY, len(sounds)), np.float32)
        self._reference = np.full(shape, LONG_AGO, np.float32)
        self._on = np.zeros(shape, np.int32)  # hops on, off and without the sound, up to now
        self._off = np.full(shape, BRIDGED + 1, np.int32)
        self._without = np.full(shape, FORGOTTEN, np.int32)
        self._recent = np.zeros((lines, LONG_WINDOW + HOP), np.int16)
        self._hops = 0
        self._samples = 0
        self._origin = np.zeros(lines, np.int64)  # sample at which each line's call began
        self._wake = np.full(lines, np.iinfo(np.int64).max)  # hop at which a line must be looked at without a burst

    def reset(self, line: int) -> None:
        """A new call begins on this line: what was heard is forgotten, its samples count from 0."""
        self._bank.reset(line)
        self._cadences[line] = Cadence(self._patterns, self._delay)
        self._open[line].clear()
        self._checks[line].clear()
        self._power[line] = 0
        self._reference[line] = LONG_AGO
        self._on[line], self._off[line], self._without[line] = 0, BRIDGED + 1, FORGOTTEN
        self._origin[line] = self._samples
        self._wake[line] = np.iinfo(np.int64).max

    def feed(self, frames: NDArray[np.int16]) -> list[Event]:
        """Events of the next samples of all lines, shape (lines, n), n from 0; ordered by time on each line."""
        events: list[Event] = []
        step = CHUNK * HOP
        for at in range(0, frames.shape[1], step):
            part = frames[:, at : at + step]
            self._samples += part.shape[1]
            self._recent = np.concatenate([self._recent[:, -LONG_WINDOW - HOP :], part], axis=1)
            events += self._hear(self._bank.feed(part))
        return events

    def _hear(self, hops: Hops) -> Iterator[Event]:
        count = hops.pure.shape[1]
        if count == 0:
            return
        first = self._hops
        at = (first + np.arange(count)) % HISTORY
        self._power[:, at] = hops.power
        self._frequency[:, at] = hops.frequency
        self._hops += count
        begins, ends = self._edges(hops)
        edges = begins | ends
        busy = np.flatnonzero(edges.any(axis=(1, 2)) | (self._wake < self._hops))
        for line in map(int, busy):
            for hop, sound in np.argwhere(edges[line]).tolist():
                yield from self._until(line, first + hop)
                if begins[line, hop, sound]:
                    self._begin(line, first + hop, sound)
                else:
                    yield from self._end(line, first + hop, sound)
            yield from self._until(line, self._hops - 1)
            self._set_wake(line)

    def _edges(self, hops: Hops) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """At which hops a burst is known to have begun, and at which to have ended: (lines, hops, sounds) each."""
        pure = hops.pure
        level = 10.0 * np.log10(np.maximum(hops.power, np.float32(1e-3)))
        without = _run(~pure, self._without)
        segment = np.cumsum(without == FORGOTTEN, axis=1, dtype=np.float32) * SEGMENT
        slope = (np.arange(1, pure.shape[1] + 1, dtype=np.float32) * np.float32(FALL_OF_REFERENCE))[:, None]
        known = np.where(pure, level + slope + segment, LONG_AGO)
        known[:, 0] = np.maximum(known[:, 0], self._reference)
        reference = np.maximum.accumulate(known, axis=1) - slope - segment
        on = pure & (level >= reference - np.float32(OFF))
        on_run, off_run = _run(on, self._on), _run(~on, self._off)
        self._on, self._off, self._without = on_run[:, -1], off_run[:, -1], without[:, -1]
        self._reference = np.maximum(reference[:, -1], LONG_AGO)
        return on_run == BEGIN, off_run == BRIDGED + 1

    def _until(self, line: int, hop: int) -> Iterator[Event]:
        """Whatever is due on this line without an edge, up to and with this hop."""
        cadence = self._cadences[line]
        checks = self._checks[line]
        while checks and min(checks.values()) <= hop:
            key = min(checks, key=lambda each: checks[each])
            yield from self._expire(line, checks[key])
            yield from self._judge_continuous(line, key)
        if cadence.current:
            yield from self._expire(line, hop)

    def _expire(self, line: int, hop: int) -> Iterator[Event]:
        deadline = self._cadences[line].deadline()
        if deadline is not None and self._heard(line, hop) > deadline:
            yield from self._events(line, hop, self._cadences[line].expire(self._heard(line, hop)))

    def _set_wake(self, line: int) -> None:
        due = [*self._checks[line].values()]
        deadline = self._cadences[line].deadline()
        if deadline is not None:
            due.append((deadline + int(self._origin[line])) // HOP)
        self._wake[line] = min(due, default=np.iinfo(np.int64).max)

    def _begin(self, line: int, hop: int, sound: int) -> None:
        """A burst has lasted BEGIN hops; where did it begin?"""
        if sound in self._open[line]:
            return
        hops = np.arange(max(hop - 9, 0), hop + 1)
        amplitude = np.sqrt(self._power[line, hops % HISTORY, sound])
        half = amplitude[-1] * ratio(-OFF)
        below = np.flatnonzero(amplitude < half)
        if len(below):
            at = below[-1]
            crossing = hops[at] + (half - amplitude[at]) / (amplitude[at + 1] - amplitude[at])
        else:
            crossing = float(hop - BEGIN)
        start = max(self._position(line, crossing), 0)
        self._open[line][sound] = start
        self._cadences[line].begun(sound, start)
        for index, pattern in enumerate(self._continuous.get(sound, ())):
            lasting = int((start + pattern.tone.at_least * RATE + self._origin[line] + self._bank.lead) // HOP)
            self._checks[line][sound, index] = lasting

    def _end(self, line: int, hop: int, sound: int) -> Iterator[Event]:
        """A burst has been off for longer than is bridged; where did it end, and what was it like?"""
        start = self._open[line].pop(sound, None)
        if start is None:
            return
        for key in [key for key in self._checks[line] if key[0] == sound]:
            del self._checks[line][key]
        hops = np.arange(max(hop - HISTORY + CHUNK + 1, self._hop(line, start), 0), hop + 1)
        power = self._power[line, hops % HISTORY, sound]
        level = np.median(power[: -BRIDGED - 1]) if len(power) > BRIDGED + 1 else power[0]
        amplitude, half = np.sqrt(power), np.sqrt(level) * ratio(-OFF)
        above = np.flatnonzero(amplitude >= half)
        at = above[-1] if len(above) else 0
        crossing = float(hops[at])
        if at + 1 < len(hops):
            crossing += (amplitude[at] - half) / (amplitude[at] - amplitude[at + 1])
        end = max(self._position(line, crossing), start + 1)
        margin = self._bank.lead
        inner = (hops >= self._hop(line, start + margin) + 1) & (hops <= self._hop(line, end - margin))
        burst, steady = self._describe(line, sound, start, end, hops[inner])
        yield from self._events(line, hop, self._cadences[line].ended(burst, steady))

    def _describe(self, line: int, sound: int, start: int, end: int, hops: NDArray[np.int_]) -> tuple[Burst, bool]:
        """The burst as its hops that are full of it measure it, and whether it is steady."""
        if len(hops) < 2:
            return Burst(sound, start, end, 0.0, 0.0), False
        level = sine_dbm0(np.sqrt(self._power[line, hops % HISTORY, sound]))
        frequency = self._frequency[line, hops % HISTORY, sound]
        middle_db, middle_hz = float(np.median(level)), float(np.median(frequency))
        steady = (
            np.mean(np.abs(level - middle_db) <= STEADY_DB) >= STEADY_PART
            and np.mean(np.abs(frequency - middle_hz) <= STEADY_HZ) >= STEADY_PART
        )
        return Burst(sound, start, end, round(middle_hz, 1), round(middle_db, 1)), bool(steady)

    def _judge_continuous(self, line: int, key: tuple[int, int]) -> Iterator[Event]:
        """A sound has lasted as long as a continuous tone of the plan must; has it been steady?"""
        sound, index = key
        hop = self._checks[line].pop(key)
        pattern = self._continuous[sound][index]
        hops = np.arange(hop - int(pattern.tone.at_least * RATE) // HOP + self._bank.parts, hop + 1)
        level = sine_dbm0(np.sqrt(self._power[line, hops % HISTORY, sound]))
        frequency = self._frequency[line, hops % HISTORY, sound]
        middle_db, middle_hz = float(np.median(level)), float(np.median(frequency))
        drift = np.median(np.abs(level[DRIFT_HOPS:] - level[:-DRIFT_HOPS]))
        steady = drift <= DRIFT_DB and np.mean(np.abs(frequency - middle_hz) <= STEADY_HZ) >= STEADY_PART
        end = self._recent.shape[1] - (self._samples - (hop + 1) * HOP)
        alone = strongest_other(self._recent[line, end - LONG_WINDOW : end], pattern.tone.frequencies) <= OTHER_DB
        if steady and alone and pattern.allows(sound, middle_hz, middle_db):
            start, cadence = self._open[line][sound], self._cadences[line]
            found = cadence.continuous(pattern, start, round(middle_hz, 1), round(middle_db, 1))
            yield from self._events(line, hop, found)
        else:
            self._checks[line][key] = hop + RETRY

    def _events(self, line: int, hop: int, found: Iterator[Found | Lost]) -> Iterator[Event]:
        for event in found:
            if isinstance(event, Found):
                heard = self._heard(line, hop)
                yield Tone(line, event.name, event.start, heard, event.frequency, event.level_dbm0)
            else:
                yield ToneEnded(line, event.name, event.start, event.end)

    def _heard(self, line: int, hop: int) -> int:
        """Samples of the call heard when this hop is complete."""
        return (hop + 1) * HOP - int(self._origin[line])

    def _position(self, line: int, hop: float) -> int:
        """The sample in the middle of a hop's window."""
        return round((hop + 1) * HOP) - self._bank.lead - int(self._origin[line])

    def _hop(self, line: int, position: int) -> int:
        """The last hop whose window's middle is not behind this sample."""
        return (position + self._bank.lead + int(self._origin[line])) // HOP - 1


def tone_tail(samples: NDArray[np.int16], plan: TonePlan, quiet_s: float = 1.5) -> int | None:
    """Where the tone begins that ends a recording and means that the far end has gone: a sample index, or None if
    there is no such tone. After its last burst no more than `quiet_s` may follow. `samples`: shape (n,), 8000 Hz."""
    detector = Detector(1, plan)
    start: int | None = None
    for event in detector.feed(samples[None, :]):
        if not plan.tones[event.name].released:
            continue
        if isinstance(event, Tone):
            start = event.start
        elif event.end + quiet_s * RATE < len(samples):
            start = None
    return start


def _sounds(plan: TonePlan) -> list[Sound]:
    """What the bank must listen for: each set of frequencies once, as widely and as deep as any tone asks."""
    found: dict[tuple[float, ...], Sound] = {}
    for tone in plan.tones.values():
        for frequencies in tone.sounds:
            known = found.get(frequencies, Sound(frequencies, tone.tolerance_hz, tone.quietest))
            found[frequencies] = Sound(
                frequencies, max(known.tolerance, tone.tolerance_hz), min(known.quietest, tone.quietest)
            )
    return list(found.values())


def _run(mask: NDArray[np.bool_], before: NDArray[np.int32]) -> NDArray[np.int32]:
    """How many hops up to each one `mask` has held without a break, (lines, hops, sounds); `before` is the last
    count of the hops before these."""
    numbers = np.arange(1, mask.shape[1] + 1, dtype=np.int32)[:, None]
    broken = np.maximum.accumulate(np.where(mask, np.int32(0), numbers), axis=1)
    return numbers - broken + np.where(broken == 0, before[:, None], np.int32(0))
