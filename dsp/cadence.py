"""From bursts of tone to the name of what the exchange says.

One `Cadence` follows one line. It is told when a burst begins and what it was once it has ended, and says which tone
of the plan the last bursts make up. A repeated tone is named when one whole period has been heard and the first burst
of the next agrees, whatever burst of the period came first; a tone played once is named at its last burst. It has
ended when the burst that should come does not, or does not fit. All positions are samples since the call began.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from ..config.tones import SHORTEST
from ..config.tones import Tone as PlanTone
from .bursts import Burst
from .levels import RATE

SLACK = 96  # samples, 12 ms: how far noise and the detector's hops may move a burst's edges against each other
SAME_HZ = 3.0  # the exchange's generator does not move between bursts of one tone
SAME_DB = 2.0
EVIDENCE = RATE  # samples, 1 s: fewer periods of a quick cadence are found in speech
DISTURBED = 0.35  # of the shortest pause of a tone: a shorter one is a disturbance of it,
LONGEST_DISTURBED = 720  # samples, 90 ms: unless it is so long that it may be a pause of another
LEVEL_SLACK = 2.0  # dB by which the measured level may leave the plan's range
HERTZ_SLACK = 1.0
KEPT = 20  # bursts remembered: more than any cadence of a plan needs, some of them broken


class Found(NamedTuple):
    """A tone of the plan has been recognised; `start` is where its first fitting burst began."""

    name: str
    start: int
    frequency: float
    level_dbm0: float


class Lost(NamedTuple):
    """The tone found before has ended."""

    name: str
    start: int
    end: int


class Step(NamedTuple):
    """A burst of a period and the pause after it: the sound's index in the bank, samples on and off."""

    sound: int
    on: int
    off: int


class Pattern(NamedTuple):
    """A tone of the plan in samples. A continuous one has one step without a pause."""

    name: str
    tone: PlanTone
    steps: tuple[Step, ...]
    hertz: Mapping[int, float]  # of each of its sounds: the first frequency
    needed: int  # bursts that must agree before the tone is named
    disturbed: float  # a pause shorter than this is a disturbance

    def fits(self, measured: int, nominal: int) -> bool:
        """Whether a duration is within the plan's tolerance."""
        return abs(measured - nominal) <= self.longest(nominal) - nominal

    def longest(self, nominal: int) -> int:
        """The longest a duration of the cadence may be. A pause too short to be seen may as well be none."""
        part = self.tone.tolerance_percent / 100 if nominal >= SHORTEST * RATE else 1.0
        return int(nominal * (1 + part)) + SLACK

    def allows(self, burst: Burst) -> bool:
        """Whether frequency and level are within the plan's tolerance."""
        return (
            abs(burst.frequency - self.hertz[burst.sound]) <= self.tone.tolerance_hz + HERTZ_SLACK
            and self.tone.quietest - LEVEL_SLACK <= burst.level_dbm0 <= self.tone.loudest + LEVEL_SLACK
        )


def patterns(tones: Mapping[str, PlanTone], sounds: Mapping[tuple[float, ...], int]) -> list[Pattern]:
    """The plan's tones; `sounds` gives the bank's index of each set of frequencies."""

    def steps(tone: PlanTone) -> Iterator[Step]:
        for frequencies, (on, off) in zip(tone.sounds, tone.pattern, strict=True):
            yield Step(sounds[frequencies], round(on * RATE), round(off * RATE))

    return [_pattern(name, tone, tuple(steps(tone))) for name, tone in tones.items()]


def _pattern(name: str, tone: PlanTone, steps: tuple[Step, ...]) -> Pattern:
    disturbed = min(*(step.off * DISTURBED for step in steps), LONGEST_DISTURBED)
    hertz = {step.sound: frequencies[0] for step, frequencies in zip(steps, tone.sounds, strict=True)}
    return Pattern(name, tone, steps, hertz, _needed(tone, steps), disturbed)


def _needed(tone: PlanTone, steps: tuple[Step, ...]) -> int:
    """A period and the first burst of the next, but so many bursts that they have lasted EVIDENCE."""
    if tone.once or tone.continuous:
        return len(steps)
    count, lasted = 1, steps[0].on
    while count <= len(steps) or lasted < EVIDENCE:
        lasted += steps[(count - 1) % len(steps)].off + steps[count % len(steps)].on
        count += 1
    return count


def last_step(pattern: Pattern, bursts: Sequence[Burst]) -> int | None:
    """Which step of the pattern the last of these bursts is, if the last `needed` of its sounds fit; None if not."""
    if bursts[-1].sound not in pattern.hertz or len(bursts) < pattern.needed or not pattern.allows(bursts[-1]):
        return None
    last = whole(pattern, bursts)[-pattern.needed :]
    if len(last) < pattern.needed or not _agree(pattern, last):
        return None
    count = len(pattern.steps)
    for step in range(count - 1 if pattern.tone.once else 0, count):
        if all(_fits(pattern, last, index, (step - len(last) + 1 + index) % count) for index in range(len(last))):
            return step
    return None


def whole(pattern: Pattern, bursts: Sequence[Burst]) -> list[Burst]:
    """The bursts of the pattern's sounds, those put together again that something louder has broken."""
    found: list[Burst] = []
    for burst in bursts:
        if burst.sound not in pattern.hertz:
            continue
        if found and burst.start - found[-1].end < pattern.disturbed and burst.sound == found[-1].sound:
            burst = burst._replace(start=found.pop().start)
        found.append(burst)
    return found


def _fits(pattern: Pattern, bursts: Sequence[Burst], index: int, step: int) -> bool:
    """Whether burst `index` is that step, and comes after the pause of the step before."""
    expected, burst = pattern.steps[step], bursts[index]
    if burst.sound != expected.sound or not pattern.fits(burst.end - burst.start, expected.on):
        return False
    return index == 0 or pattern.fits(burst.start - bursts[index - 1].end, pattern.steps[step - 1].off)


def _agree(pattern: Pattern, bursts: Sequence[Burst]) -> bool:
    """Whether one generator made all bursts, and with the plan's frequency and level."""
    return all(map(pattern.allows, bursts)) and all(
        _alike(one, other) for one, other in combinations(bursts, 2) if one.sound == other.sound
    )


def _alike(one: Burst, other: Burst) -> bool:
    """Whether one generator may have made both."""
    return abs(one.frequency - other.frequency) <= SAME_HZ and abs(one.level_dbm0 - other.level_dbm0) <= SAME_DB


def _beginning(pattern: Pattern, bursts: Sequence[Burst], step: int) -> int:
    """The start of the first burst that belongs to the tone, the last one being that step; the very first may have been
    cut short."""
    known = whole(pattern, bursts)
    earlier, first = known[: -pattern.needed], known[-pattern.needed]
    at = step - pattern.needed
    while earlier:
        before, expected = earlier.pop(), pattern.steps[at % len(pattern.steps)]
        length = before.end - before.start
        pause_fits = pattern.fits(first.start - before.end, expected.off)
        if before.sound != expected.sound or length > pattern.longest(expected.on) or not pause_fits:
            break
        first = before
        if not pattern.fits(length, expected.on):
            break
        at -= 1
    return first.start


@dataclass
class Current:
    """The tone being heard: its last step, where that ended, and by when more must have come."""

    pattern: Pattern
    start: int
    end: int
    step: int
    deadline: int | None  # None: as long as its sound goes on


class Cadence:
    """What one line hears."""

    def __init__(self, plan: Sequence[Pattern], late: int) -> None:
        """`plan`: the tones that have a cadence. `late`: after how many samples at most the beginning or end of a
        burst is told."""
        self._plan = plan
        self._late = late
        self._bursts: list[Burst] = []
        self._current: Current | None = None

    @property
    def deadline(self) -> int | None:
        """The position after which `expire` has something to say."""
        return self._current.deadline if self._current else None

    def expire(self, now: int) -> Iterator[Lost]:
        """The line has been heard up to here."""
        if self._current and self._current.deadline is not None and now > self._current.deadline:
            yield self._lose(self._current)

    def begun(self, sound: int, now: int) -> None:
        """A burst has begun: the tone heard at present has as long as this burst may last."""
        current = self._current
        if current and current.deadline is not None:
            steps = current.pattern.steps
            step = steps[(current.step + 1) % len(steps)]
            if sound == step.sound:
                current.deadline = now + current.pattern.longest(step.on) + self._late

    def goes_on(self, pattern: Pattern, burst: Burst) -> Iterator[Found | Lost]:
        """A burst is as long and as steady as this continuous tone must be, and goes on."""
        if self._current:
            yield self._lose(self._current)
        self._current = Current(pattern, burst.start, burst.end, 0, None)
        yield Found(pattern.name, burst.start, burst.frequency, burst.level_dbm0)

    def ended(self, burst: Burst, steady: bool) -> Iterator[Found | Lost]:
        """A burst has ended. One that was not steady fits nothing, but a continuous tone ends however it does."""
        current = self._current
        if current and current.deadline is None:
            if burst.sound == current.pattern.steps[0].sound:
                current.end = burst.end
                yield self._lose(current)
            return
        if not steady:
            return
        self._bursts = [*self._bursts[1 - KEPT :], burst]
        bursts = [one for one in self._bursts if one.sound != burst.sound or _alike(one, burst)]  # one generator's
        for pattern in self._plan:
            step = last_step(pattern, bursts)
            if step is None:
                continue
            if current is None or current.pattern is not pattern:
                if current:
                    yield self._lose(current)
                start = _beginning(pattern, bursts, step)
                self._current = current = Current(pattern, start, burst.end, step, None)
                yield Found(pattern.name, start, burst.frequency, burst.level_dbm0)
            current.step, current.end = step, burst.end
            current.deadline = burst.end + pattern.longest(pattern.steps[step].off) + self._late
            return

    def _lose(self, current: Current) -> Lost:
        self._current = None
        return Lost(current.pattern.name, current.start, current.end)
