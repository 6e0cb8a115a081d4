"""From bursts of tone to the name of what the exchange says.

One `Cadence` follows one line. It is told when a burst begins and what it was once it has ended, and says which tone
of the plan the last bursts make up. A repeated tone is named when one whole period has been heard and the first burst
of the next agrees, whatever burst of the period came first; a tone played once is named at its last burst. It has
ended when the burst that should come does not, or does not fit. All positions are samples since the call began.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..config.tones import SHORTEST
from ..config.tones import Tone as PlanTone
from .levels import RATE

SLACK = 96  # samples, 12 ms: how far noise and the detector's hops may move a burst's edges against each other
SAME_HZ = 4.0  # the exchange's generator does not move between bursts of one tone
SAME_DB = 3.0
LEVEL_SLACK = 2.0  # dB by which the measured level may leave the plan's range
KEPT = 12  # bursts remembered: more than any cadence of a plan needs


class Burst(NamedTuple):
    """A steady piece of one sound. `sound` is its index in the bank."""

    sound: int
    start: int
    end: int
    frequency: float
    level_dbm0: float


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


class Pattern(NamedTuple):
    """A tone of the plan in samples: (sound, on, off) for each burst of a period; none for a continuous tone."""

    name: str
    tone: PlanTone
    steps: tuple[tuple[int, int, int], ...]

    @property
    def needed(self) -> int:
        """Bursts that must agree before the tone is named."""
        return len(self.steps) + (not self.tone.once)

    def fits(self, measured: int, nominal: int) -> bool:
        """Whether a duration is within the plan's tolerance."""
        return abs(measured - nominal) <= self.longest(nominal) - nominal

    def longest(self, nominal: int) -> int:
        """The longest a duration of the cadence may be. A pause too short to be seen may as well be none."""
        part = self.tone.tolerance_percent / 100 if nominal >= SHORTEST * RATE else 1.0
        return int(nominal * (1 + part)) + SLACK

    def allows(self, sound: int, frequency: float, level_dbm0: float) -> bool:
        """Whether frequency and level are within the plan's tolerance; `frequency` is that of the sound's first."""
        nominal = next(f[0] for (at, _, _), f in zip(self.steps, self.tone.sounds, strict=True) if at == sound)
        return (
            abs(frequency - nominal) <= self.tone.tolerance_hz + 1.0
            and self.tone.quietest - LEVEL_SLACK <= level_dbm0 <= self.tone.loudest + LEVEL_SLACK
        )


def patterns(tones: Mapping[str, PlanTone], sounds: Mapping[tuple[float, ...], int]) -> list[Pattern]:
    """The plan's tones by the bank's sounds. A continuous tone has one step that never ends."""
    return [
        Pattern(
            name,
            tone,
            tuple(
                (sounds[frequencies], 0 if tone.continuous else round(on * RATE), round(off * RATE))
                for frequencies, (on, off) in zip(tone.sounds, tone.pattern, strict=True)
            ),
        )
        for name, tone in tones.items()
    ]


def rotation(pattern: Pattern, bursts: Sequence[Burst]) -> int | None:
    """Which step of the pattern the last of these bursts is, if the last `needed` of them fit it; None if not."""
    heard = {sound for sound, _, _ in pattern.steps}
    last = [burst for burst in bursts[-KEPT:] if burst.sound in heard][-pattern.needed :]
    if len(last) < pattern.needed or not _agree(pattern, last):
        return None
    count = len(pattern.steps)
    for step in range(count - 1 if pattern.tone.once else 0, count):
        if all(_fits(pattern, last, index, (step - len(last) + 1 + index) % count) for index in range(len(last))):
            return step
    return None


def _fits(pattern: Pattern, bursts: Sequence[Burst], index: int, step: int) -> bool:
    """Whether burst `index` is that step, and comes after the pause of the step before."""
    sound, on, _ = pattern.steps[step]
    burst = bursts[index]
    if burst.sound != sound or not pattern.fits(burst.end - burst.start, on):
        return False
    return index == 0 or pattern.fits(burst.start - bursts[index - 1].end, pattern.steps[step - 1][2])


def _agree(pattern: Pattern, bursts: Sequence[Burst]) -> bool:
    """One generator makes all bursts: the same frequency and level each time, and those of the plan."""
    for sound in {burst.sound for burst in bursts}:
        frequencies = [burst.frequency for burst in bursts if burst.sound == sound]
        levels = [burst.level_dbm0 for burst in bursts if burst.sound == sound]
        if max(frequencies) - min(frequencies) > SAME_HZ or max(levels) - min(levels) > SAME_DB:
            return False
        if not pattern.allows(sound, frequencies[-1], levels[-1]):
            return False
    return True


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

    def __init__(self, plan: Sequence[Pattern], delay: int) -> None:
        """`delay`: samples by which a burst's beginning or end is reported late at most."""
        self._cadences = [pattern for pattern in plan if not pattern.tone.continuous]
        self._delay = delay
        self._bursts: list[Burst] = []
        self.current: Current | None = None

    def deadline(self) -> int | None:
        """When `expire` wants to be called."""
        return self.current.deadline if self.current else None

    def expire(self, now: int) -> Iterator[Lost]:
        """The position reached, before anything that begins or ends there."""
        if self.current and self.current.deadline is not None and now > self.current.deadline:
            yield self._lose()

    def begun(self, sound: int, start: int) -> None:
        """A burst has begun: the tone being heard now has as long as this burst may last."""
        current = self.current
        if current and current.deadline is not None:
            step = (current.step + 1) % len(current.pattern.steps)
            expected, on, _ = current.pattern.steps[step]
            if sound == expected:
                current.deadline = max(current.deadline, start + current.pattern.longest(on) + self._delay)

    def continuous(self, pattern: Pattern, start: int, frequency: float, level_dbm0: float) -> Iterator[Found | Lost]:
        """A sound has lasted, steadily, as long as the plan asks of this continuous tone."""
        if self.current:
            yield self._lose()
        self.current = Current(pattern, start, start, 0, None)
        yield Found(pattern.name, start, frequency, level_dbm0)

    def ended(self, burst: Burst, steady: bool) -> Iterator[Found | Lost]:
        """A burst has ended; one that was not steady fits nothing."""
        current = self.current
        if current and current.deadline is None and burst.sound == current.pattern.steps[0][0]:
            current.end = burst.end
            yield self._lose()
            return
        if not steady:
            return
        self._bursts = [*self._bursts[1 - KEPT :], burst]
        found = self._match()
        if found is None:
            return
        pattern, step = found
        if current is None or current.pattern is not pattern:
            if current:
                yield self._lose()
            start = self._beginning(pattern, step)
            self.current = current = Current(pattern, start, burst.end, step, None)
            yield Found(pattern.name, start, burst.frequency, burst.level_dbm0)
        current.step, current.end = step, burst.end
        current.deadline = burst.end + pattern.longest(pattern.steps[step][2]) + self._delay

    def _match(self) -> tuple[Pattern, int] | None:
        for pattern in self._cadences:
            step = rotation(pattern, self._bursts)
            if step is not None:
                return pattern, step
        return None

    def _beginning(self, pattern: Pattern, step: int) -> int:
        """The start of the first burst that belongs to the tone; the very first may have been cut short."""
        bursts = self._bursts
        first = len(bursts) - pattern.needed
        step = (step - pattern.needed + 1) % len(pattern.steps)
        while first > 0:
            step = (step - 1) % len(pattern.steps)
            sound, on, off = pattern.steps[step]
            before = bursts[first - 1]
            length = before.end - before.start
            if before.sound != sound or length > pattern.longest(on):
                break
            if not pattern.fits(bursts[first].start - before.end, off):
                break
            first -= 1
            if not pattern.fits(length, on):
                break
        return bursts[first].start

    def _lose(self) -> Lost:
        assert self.current is not None
        lost = Lost(self.current.pattern.name, self.current.start, self.current.end)
        self.current = None
        return lost
