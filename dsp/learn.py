"""A tone learned from recordings: which frequencies, which cadence, and how sure that is.

No plan holds every PBX's busy tone, and a line on which the caller's hanging up is not heard is a line lost. So: find
the frequencies that stay where they are longest, follow them with the very front end that listens on live calls
(tonebank, bursts), find the longest run of bursts that repeats itself, and let the detector itself judge the entry
made of it. What is measured is therefore what will be compared with later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..config.tones import SHORTEST, Meaning, Tone, TonePlan
from . import generate, progress
from .bursts import Burst, Bursts
from .cadence import SAME_DB, SAME_HZ, SLACK
from .goertzel import hann
from .levels import RATE, amplitude
from .steady import QUIETEST, candidates, refined
from .tonebank import HOP, Bank, Sound

PARTS = 4  # bursts a period may have
ALIKE = 0.10  # by so much, and SLACK, may a duration differ from the same one a period later
COVERED = 0.8  # of the longest run a shorter period may do without
WHOLE = 2  # periods at least: every duration has been measured twice;
LASTING = int(1.5 * RATE)  # and so long: a few quick bursts alike are found in speech
BRIEF = (SHORTEST - 0.01) * RATE  # samples: a shorter burst is none of a plan's
PURE_DB = 7.0  # the tone over all else while it sounds: 10 dB at 10 dB S/N
PAUSE_DB = -6.0  # what there is in its pauses, relative to the tone: speech and melodies go on there
CONTINUOUS = 3.0  # seconds without a pause, steady: a continuous tone
KEY_PERCENT = 2.5  # two sines so near to a key's are a key held down

TOLERANCE_HZ = 10.0  # twice what one generator was seen to move; sines too close to each other get less
WELL = 4  # periods from which the spread says something
CLEAN_DB = 12.0
LOUD_DBM0 = -38.0

Samples = NDArray[np.int16]
Why = Literal["short", "quiet", "no_tone", "no_cadence", "few_periods", "keys", "unlike", "not_found"]
Doubt = Literal["few_periods", "uneven", "noisy", "quiet", "elsewhere"]


class NotLearned(ValueError):
    """There is no tone to be learned: `why`, and the figure that says so, if there is one."""

    def __init__(self, why: Why, value: float = 0.0) -> None:
        super().__init__(f"{why}: {value:g}")
        self.why = why
        self.value = value


@dataclass(frozen=True)
class Learned:
    """A tone as measured. Frequencies in Hz, rising; cadence on, off, on, off, ... in seconds from the burst after the
    longest pause, () if continuous; `spread_s`: how far each of these durations was at most from its median;
    `spread_hz` the same of the frequency from burst to burst; `purity_db`: the tone over all else above 200 Hz;
    `start`, `end` in seconds: where it was measured; `periods` may end with a fraction."""

    frequencies: tuple[float, ...]
    cadence: tuple[float, ...]
    spread_s: tuple[float, ...]
    spread_hz: float
    level_dbm0: float
    purity_db: float
    periods: float
    start: float
    end: float
    files: int = 1


@dataclass(frozen=True)
class Proof:
    """What the detector makes of a recording with the learned tone alone as its plan: when the tone began and when it
    was declared (seconds), and how often it was declared where it had not been measured."""

    start: float
    declared: float
    elsewhere: int


def learn(samples: Samples) -> Learned:
    """The tone in samples of shape (n,) at 8000 Hz, whatever comes before or after it. Raises NotLearned."""
    if len(samples) < RATE:
        raise NotLearned("short", len(samples) / RATE)
    sets = list(candidates(samples))
    if not sets:
        peak = float(np.abs(samples.astype(np.int32)).max())
        raise NotLearned("quiet" if peak < amplitude(QUIETEST) else "no_tone")
    found, reasons = [], []
    for frequencies in sets:
        try:
            found.append(_measured(samples, frequencies))
        except NotLearned as reason:
            reasons.append(reason)
    if not found:
        order: list[Why] = ["keys", "few_periods", "no_cadence", "no_tone"]
        raise min(reasons, key=lambda reason: order.index(reason.why))
    return max(found, key=lambda learned: (bool(learned.cadence), learned.end - learned.start))


def combine(several: Sequence[Learned]) -> Learned:
    """One tone of several recordings of it: the median of every figure, the spread between recordings included.
    Raises NotLearned("unlike", i) if recording i holds another tone than the first."""
    first = several[0]
    turned = [first]
    for index, other in enumerate(several[1:], 1):
        best = min(_turns(other), key=lambda turn: _distance(first, turn), default=other)
        if _distance(first, best) > 1:
            raise NotLearned("unlike", index)
        turned.append(best)
    frequencies = np.array([one.frequencies for one in turned])
    cadences = np.array([one.cadence for one in turned])
    middle = np.median(cadences, axis=0)
    between = np.abs(cadences - middle) + np.array([one.spread_s for one in turned])
    return replace(
        first,
        frequencies=tuple(np.round(np.median(frequencies, axis=0), 1).tolist()),
        cadence=tuple(np.round(middle, 4).tolist()),
        spread_s=tuple(np.round(between.max(axis=0), 4).tolist()),
        spread_hz=float(max(np.ptp(frequencies, axis=0).max() / 2, *(one.spread_hz for one in turned))),
        level_dbm0=float(np.median([one.level_dbm0 for one in turned])),
        purity_db=min(one.purity_db for one in turned),
        periods=sum(one.periods for one in turned),
        files=sum(one.files for one in turned),
    )


def entry(learned: Learned, meaning: Meaning, text: str, *, released: bool) -> Tone:
    """The entry of a tone plan. Its tolerances are wide enough for what was seen, and for the detector's own."""
    tolerance = max(_tolerance(learned.frequencies), np.ceil(2 * learned.spread_hz))
    percent = 10.0
    for duration, spread in zip(learned.cadence, learned.spread_s, strict=True):
        percent = max(percent, np.ceil(100 * 1.5 * spread / duration))
    return Tone(
        meaning=meaning,
        text=text,
        frequencies=tuple(round(frequency) for frequency in learned.frequencies),
        cadence=tuple(round(duration, 3) for duration in learned.cadence),
        at_least=1.5 if learned.cadence else 2.0,
        tolerance_hz=min(tolerance, 60.0),
        tolerance_percent=min(percent, 40.0),
        quietest=max(-45.0, min(-40.0, np.floor(learned.level_dbm0 - 6))),
        released=released,
    )


def prove(tone: Tone, learned: Learned, samples: Samples) -> Proof:
    """Does the detector find the tone in the recording it was learned from, and nowhere else in it? Raises
    NotLearned("not_found") if it does not find it."""
    plan = TonePlan(country="-", source="-", tones={"learned": tone})
    end = np.zeros(RATE // 2, np.int16)
    heard = progress.Detector(1, plan).feed(np.concatenate([samples, end])[None, :])
    found = [event for event in heard if isinstance(event, progress.Tone)]
    period = sum(learned.cadence) + SLACK / RATE
    here = [one for one in found if learned.start - period <= one.start / RATE <= learned.end]
    if not here:
        raise NotLearned("not_found")
    return Proof(here[0].start / RATE, here[0].declared / RATE, len(found) - len(here))


def doubts(learned: Learned, proofs: Sequence[Proof]) -> list[Doubt]:
    """Why one should not be quite sure; nothing if one may."""
    uneven = any(s > max(0.05 * d, SLACK / RATE) for d, s in zip(learned.cadence, learned.spread_s, strict=True))
    reasons: dict[Doubt, bool] = {
        "few_periods": bool(learned.cadence) and learned.periods < WELL,
        "uneven": uneven or learned.spread_hz > SAME_HZ,
        "noisy": learned.purity_db < CLEAN_DB,
        "quiet": learned.level_dbm0 < LOUD_DBM0,
        "elsewhere": any(proof.elsewhere for proof in proofs),
    }
    return [doubt for doubt, holds in reasons.items() if holds]


def collisions(tone: Tone, plan: TonePlan) -> list[str]:
    """The tones of the plan that would be taken for this one, or this one for them; by name."""
    mine = TonePlan(country="-", source="-", tones={"learned": tone})
    names = list(plan.tones)
    played = [_played(plan.tones[name]) for name in names]
    lines = np.zeros((len(names), max(map(len, played))), np.int16)
    for row, samples in zip(lines, played, strict=True):
        row[: len(samples)] = samples
    taken = {names[event.line] for event in progress.Detector(len(names), mine).feed(lines)}
    taken |= {event.name for event in progress.Detector(1, plan).feed(_played(tone)[None, :])}
    return [name for name in names if name in taken]


def _played(tone: Tone) -> Samples:
    """Long enough to be recognised, and to be lost again."""
    seconds = max(4.0, 2.5 * sum(tone.cadence))
    middle = (tone.quietest + tone.loudest) / 2
    played = generate.sequence(tone.sounds, tone.pattern, seconds, min(middle, -10.0))
    return np.concatenate([played, generate.silence(500)])


def _measured(samples: Samples, rough: tuple[float, ...]) -> Learned:
    """The tone of about these frequencies. Raises NotLearned."""
    if _is_key(rough):
        raise NotLearned("keys")
    bursts = [burst for burst in _bursts(samples, rough) if burst.end - burst.start >= BRIEF]
    if not bursts:
        raise NotLearned("no_tone")
    last = max(bursts, key=lambda burst: burst.end - burst.start)
    hops = [(burst.end - burst.start) // HOP for burst in bursts]  # speech has many bursts, but brief ones
    middle_hz = np.median(np.repeat([burst.frequency for burst in bursts], hops))
    middle_db = np.median(np.repeat([burst.level_dbm0 for burst in bursts], hops))
    alike = [
        burst
        for burst in bursts
        if abs(burst.frequency - middle_hz) <= SAME_HZ and abs(burst.level_dbm0 - middle_db) <= SAME_DB
    ]
    lasting = last.end - last.start >= CONTINUOUS * RATE
    learned = _learned(samples, rough, [last], (), (), 1.0) if lasting else _cadenced(samples, rough, alike)
    if learned.purity_db < PURE_DB:
        raise NotLearned("no_tone")
    return learned


def _is_key(frequencies: tuple[float, ...]) -> bool:
    if len(frequencies) != 2:
        return False
    groups = (generate.LOW, generate.HIGH)
    off = [min(abs(f / tone - 1) for tone in group) for f, group in zip(frequencies, groups, strict=True)]
    return max(off) * 100 <= KEY_PERCENT


def _tolerance(frequencies: Sequence[float]) -> float:
    """Hz; sines that are close to each other leave less room."""
    steps = np.diff(sorted(frequencies))
    return float(min(TOLERANCE_HZ, *(np.floor(step / 5) for step in steps))) if len(steps) else TOLERANCE_HZ


def _bursts(samples: Samples, frequencies: tuple[float, ...]) -> list[Burst]:
    """The steady bursts of this sound as the detector sees them; one that lasts to the end is one too."""
    bank = Bank(1, [Sound(frequencies, _tolerance(frequencies), QUIETEST)])
    bursts = Bursts(1, 1, bank.lead)
    found: list[Burst] = []
    start: int | None = None
    padded = np.concatenate([samples, np.zeros(RATE // 4, np.int16)])
    most = bursts.most * HOP
    for at in range(0, len(padded), most):
        for edge in bursts.add(bank.feed(padded[None, at : at + most])).get(0, []):
            if edge.begins:
                start = bursts.beginning(0, 0, edge.hop) if start is None else start
            elif start is not None:
                burst, steady = bursts.measure(0, 0, start, edge.hop)
                found += [burst._replace(start=max(burst.start, 0), end=min(burst.end, len(samples)))] * steady
                start = None
    return found


def _cadenced(samples: Samples, rough: tuple[float, ...], bursts: list[Burst]) -> Learned:
    """The cadence of the longest run of bursts that repeats itself."""
    edges = np.array([(burst.start, burst.end) for burst in bursts]).ravel()
    run = _repeated(edges)
    if run is None:
        last = bursts[-WHOLE:]
        clean = len(last) == WHOLE and _between(samples, last) <= PAUSE_DB
        clean = clean and refined(samples, rough, last)[1] >= PURE_DB
        raise NotLearned("few_periods" if clean else "no_cadence")
    inside = [b for b in bursts if edges[run.first] <= b.start and b.end <= edges[run.first + run.count]]
    if _between(samples, inside) > PAUSE_DB:
        raise NotLearned("no_cadence")
    turn = max(range(0, len(run.middle), 2), key=lambda at: run.middle[at - 1])  # after the longest pause
    seconds = np.roll(run.middle, -turn) / RATE
    spread = np.roll(run.each, -turn) / RATE
    return _learned(samples, rough, inside, tuple(seconds.tolist()), tuple(spread.tolist()), run.periods)


def _repeated(edges: NDArray[np.int64]) -> _Run | None:
    """The longest run of durations between these edges that repeats itself, with no more parts than it takes."""
    lengths = np.diff(edges)  # on, off, on, ..., on
    runs = [run for parts in range(1, PARTS + 1) if (run := _run(lengths, edges, 2 * parts))]
    whole = [run for run in runs if run.periods >= WHOLE and run.covered >= LASTING]
    if not whole:
        return None
    longest = max(run.covered for run in whole)
    whole = [run for run in whole if run.covered >= COVERED * longest]
    tight = max(SLACK, 3 * min(run.spread for run in whole))
    return next(run for run in whole if run.spread <= tight)


@dataclass(frozen=True)
class _Run:
    """Durations `first` to `first + count` repeat themselves; of a period's, from an on: medians and spread, in
    samples."""

    first: int
    count: int
    covered: int
    middle: NDArray[np.float64]
    each: NDArray[np.float64]

    @property
    def spread(self) -> float:
        return float(self.each.max())

    @property
    def periods(self) -> float:
        return self.count / len(self.middle)


def _run(lengths: NDArray[np.int64], edges: NDArray[np.int64], period: int) -> _Run | None:
    """The longest stretch in which every duration is like the one `period` durations later."""
    if len(lengths) <= period:
        return None
    before, after = lengths[:-period], lengths[period:]
    alike = np.abs(before - after) <= ALIKE * np.maximum(before, after) + SLACK
    ends = np.flatnonzero(~np.concatenate([[False], alike, [False]]))
    at = int(np.diff(ends).argmax())
    first, count = int(ends[at]), int(ends[at + 1] - ends[at] - 1 + period)
    if count == period:
        return None
    kind = np.arange(first, first + count) % period
    part = lengths[first : first + count]
    middle = np.array([np.median(part[kind == k]) for k in range(period)])
    each = np.array([np.abs(part[kind == k] - middle[k]).max() for k in range(period)])
    return _Run(first, count, int(edges[first + count] - edges[first]), middle, each)


def _between(samples: Samples, bursts: Sequence[Burst]) -> float:
    """Power above 200 Hz in the pauses of these bursts over that in the bursts, in dB."""
    on = np.concatenate([samples[burst.start + HOP : burst.end - HOP] for burst in bursts])
    off = np.concatenate([samples[a.end + HOP : b.start - HOP] for a, b in pairwise(bursts)])
    each = []
    for part in (off, on):
        spectrum = np.abs(np.fft.rfft(part * hann(len(part)))) ** 2
        each.append(spectrum[len(part) * 200 // RATE :].sum() / max(len(part), 1) ** 2 + 1e-6)
    return float(10 * np.log10(each[0] / each[1]))


def _learned(
    samples: Samples,
    rough: tuple[float, ...],
    bursts: list[Burst],
    cadence: tuple[float, ...],
    spread_s: tuple[float, ...],
    periods: float,
) -> Learned:
    each = np.array([burst.frequency for burst in bursts])
    frequencies, purity_db = refined(samples, rough, bursts)
    return Learned(
        frequencies=frequencies,
        cadence=tuple(round(duration, 4) for duration in cadence),
        spread_s=tuple(round(spread, 4) for spread in spread_s),
        spread_hz=round(float(np.abs(each - np.median(each)).max()), 1),
        level_dbm0=round(float(np.median([burst.level_dbm0 for burst in bursts])), 1),
        purity_db=purity_db,
        periods=round(periods, 1),
        start=bursts[0].start / RATE,
        end=bursts[-1].end / RATE,
    )


def _turns(learned: Learned) -> Iterator[Learned]:
    """The same cadence from every burst of its period."""
    for at in range(0, max(len(learned.cadence), 1), 2):
        cadence, spread = (x[at:] + x[:at] for x in (learned.cadence, learned.spread_s))
        yield replace(learned, cadence=cadence, spread_s=spread)


def _distance(one: Learned, other: Learned) -> float:
    """How unlike two tones are: 1 is as far apart as one entry can cover."""
    if len(one.frequencies) != len(other.frequencies) or len(one.cadence) != len(other.cadence):
        return np.inf
    hertz = max(abs(a - b) for a, b in zip(one.frequencies, other.frequencies, strict=True))
    slack = SLACK / RATE
    rhythm = (abs(a - b) / (ALIKE * a + slack) for a, b in zip(one.cadence, other.cadence, strict=True))
    return max(hertz / TOLERANCE_HZ, *rhythm, 0.0)
