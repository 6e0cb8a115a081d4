"""What is held against which target: one row of the report for each figure, read off the scores.

Targets are those the project set itself before its detectors were written, from ITU-T Q.24 table A-1 (the hardest of
its columns), GB/T 3380 and from what the best open receivers were measured to reach. Rows of a
harder or a neighbouring case borrow the target of the case beside them: keys from a prompt's first moment, keys by
machine over a prompt, music.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .score import EXTRA, Cell, Scores, accepted

Figure = Callable[[Scores], float | None]  # None: this entrant has no such figure


@dataclass(frozen=True)
class Row:
    """One figure. `more`: more of it is better."""

    title: str
    unit: str
    target: float
    more: bool
    figure: Figure

    def reached(self, figure: float) -> bool:
        return figure >= self.target if self.more else figure <= self.target

    def better_by(self, ours: float, theirs: float) -> float:
        """How much ours is better than theirs, in the row's unit; negative if it is worse."""
        return ours - theirs if self.more else theirs - ours


def _over(group: str, take: Callable[[list[float]], float]) -> Figure:
    """Something of the range of values that is accepted."""

    def figure(scores: Scores) -> float | None:
        run = accepted(scores[group]) if group in scores else []
        return take(run) if run else None

    return figure


def highest(group: str) -> Figure:
    """The end of what is accepted."""
    return _over(group, lambda run: run[-1])


def lowest(group: str) -> Figure:
    """The beginning of what is accepted."""
    return _over(group, lambda run: run[0])


def either_way(group: str) -> Figure:
    """How far from zero all is accepted, up and down."""
    return _over(group, lambda run: max(min(-run[0], run[-1]), 0.0))


def from_the_first(group: str) -> Figure:
    """How far everything is accepted from the smallest value on."""

    def figure(scores: Scores) -> float | None:
        if group not in scores:
            return None
        run, first = accepted(scores[group]), min(scores[group])
        return run[-1] if run and run[0] == first else 0.0

    return figure


def none_up_to(group: str) -> Figure:
    """The value up to which nothing is accepted."""

    def figure(scores: Scores) -> float | None:
        if group not in scores:
            return None
        values = sorted(scores[group])
        some = [value for value in values if scores[group][value].right_percent > EXTRA]
        none = [value for value in values if not some or value < some[0]]
        return none[-1] if none else 0.0

    return figure


def part(
    prefix: str | Sequence[str], measure: Callable[[Cell], float], where: Callable[[float], bool] = lambda _: True
) -> Figure:
    """A measure of all groups whose names begin so, of those values."""
    prefixes = (prefix,) if isinstance(prefix, str) else tuple(prefix)

    def figure(scores: Scores) -> float | None:
        chosen = {
            (group, value): cell
            for group, curve in scores.items()
            if group.startswith(prefixes)
            for value, cell in curve.items()
            if where(value)
        }
        return measure(sum(chosen.values(), Cell())) if chosen else None

    return figure


def right(cell: Cell) -> float:
    return cell.right_percent


def extra(cell: Cell) -> float:
    return cell.extra_percent


def exact(cell: Cell) -> float:
    return cell.exact_percent


def per_hour(cell: Cell) -> float:
    return cell.extra_per_hour


def found(cell: Cell) -> float:
    return float(cell.extra)


SPOKEN = ("talk-off: Mandarin", "talk-off: English", "talk-off: digits")
AFTER = "barge-in after a second: by hand"
QUICK = "barge-in after a second: 60/60 ms"

KEYS: Mapping[str, tuple[Row, ...]] = {
    "Frequency": (
        Row("both tones off, all accepted within ±", "%", 1.8, True, either_way("deviation: both")),
        Row("one or both tones 3 % off or more, accepted", "% of keys", 0, False,
            part("deviation", right, lambda off: abs(off) >= 3)),
    ),
    "Level": (
        Row("high group weaker, all accepted down to", "dB twist", -10, False, lowest("twist")),
        Row("high group stronger, all accepted up to", "dB twist", 6, True, highest("twist")),
        Row("all accepted down to", "dBm0", -42, False, lowest("level")),
        Row("all accepted up to", "dBm0", 0, True, highest("level")),
        Row("under -50 dBm0, accepted", "% of keys", 0, False, part("level", right, lambda dbm0: dbm0 < -50)),
    ),
    "Time": (
        Row("all accepted from a length of", "ms", 40, False, lowest("duration")),
        Row("none accepted up to a length of", "ms", 23, True, none_up_to("duration")),
        Row("the same key twice, all split from a pause of", "ms", 30, False, lowest("pause: same")),
        Row("different keys, all split from a pause of", "ms", 30, False, lowest("pause: different")),
        Row("a break with 40 ms either side, bridged up to", "ms", 20, True,
            from_the_first("break: 40 ms either side")),
        Row("a break with 60 ms either side, bridged up to", "ms", 20, True,
            from_the_first("break: 60 ms either side")),
    ),
    "Company": (
        Row("white noise, keys of 50/50 ms, all accepted from S/N", "dB", 3, False, lowest("noise: 50/50 ms")),
        Row("dial tone 450 Hz over each tone, all accepted up to", "dB", 10, True, highest("dial tone: 450 Hz")),
        Row("hum, all accepted up to", "dBm0", -15, True, highest("hum")),
        Row("clipping, all accepted up to", "dB", 9, True, highest("clipping")),
        Row("DC, all accepted up to", "of 32768", 12000, True, highest("DC")),
        Row("impulses, keys right", "%", 99.5, True, part("impulses", right)),
    ),
    "Over our own prompt": (
        Row("10 dB over the echo, after a second, right", "%", 99.5, True, part(AFTER, right, lambda db: db == 10)),
        Row("10 dB over the echo, after a second, extra", "%", 0, False, part(AFTER, extra, lambda db: db == 10)),
        Row("as strong as the echo, after a second, right", "%", 98, True, part(AFTER, right, lambda db: db == 0)),
        Row("as strong as the echo, after a second, extra", "%", 0, False, part(AFTER, extra, lambda db: db == 0)),
        Row("0 to 7 dB over the echo, after a second, right", "%", 98, True,
            part(AFTER, right, lambda db: 0 <= db <= 7)),
        Row("as strong as the echo, 60/60 ms by machine, right", "%", 98, True, part(QUICK, right, lambda db: db == 0)),
        Row("as strong as the echo, 60/60 ms by machine, extra", "%", 0, False, part(QUICK, extra, lambda db: db == 0)),
        Row("0 to 10 dB over it, from its first moment, right", "%", 98, True,
            part("barge-in from", right, lambda db: 0 <= db <= 10)),
        Row("0 to 10 dB over it, from its first moment, extra", "%", 0, False,
            part("barge-in from", extra, lambda db: 0 <= db <= 10)),
    ),
    "Whole strings": (
        Row("ID numbers by hand, exact", "%", 100, True, part("ID numbers: by hand", exact)),
        Row("ID numbers with barge-in, exact", "%", 99.5, True, part("ID numbers: barge-in", exact)),
        *(Row(f"ID numbers, {speed} ms, exact", "%", 100, True, part(f"ID numbers: {speed} ms", exact))
          for speed in ("100/100", "70/70", "50/50", "40/40")),
        Row("all at once, exact", "%", 97, True, part("all at once", exact)),
    ),
    "Where there are no keys": (
        Row("speech and spoken digits (espeak-ng)", "an hour", 0.4, False, part(SPOKEN, per_hour)),
        Row("singing and music, computed", "an hour", 0.4, False,
            part(("talk-off: sung", "talk-off: music"), per_hour)),
        Row("people, recorded", "an hour", 0.05, False, part("recorded people", per_hour)),
        Row("music, recorded", "an hour", 0.05, False, part("recorded music", per_hour)),
        Row("noise", "found", 0, False, part("no keys: noise", found)),
        Row("single tones, fax, modem and progress tones, blips", "found", 0, False, part(
            [f"no keys: {name}" for name in ("one", "three", "single", "fax", "V.25", "test", "howler", "dial",
                                             "progress", "special", "FSK", "blips")], found)),
    ),
}  # fmt: skip

TONES: Mapping[str, tuple[Row, ...]] = {
    "China's progress tones": (
        Row("clean, the right one and no other", "%", 100, True, part("tones, clean", exact)),
        Row("after speech", "%", 100, True, part("tones, after speech", exact)),
        Row("up to 25 Hz off", "%", 100, True, part("tones, up to 25 Hz off", exact)),
        Row("cadence up to 10 % off", "%", 100, True, part("tones, cadence", exact)),
        Row("from -40 dBm0 on", "%", 100, True, part("tones, level", exact)),
        Row("from 10 dB S/N on", "%", 100, True, part("tones, noise", exact, lambda snr: snr >= 10)),
        Row("busy of 380/320 and 320/380 ms", "%", 100, True, part("tones, busy of unlike halves", exact)),
        Row("busy at -30 dBm0", "%", 100, True, part("tones, busy at -30 dBm0", exact)),
        Row("busy, latest declared after", "s", 1.4, False,
            part(("tones, clean: busy", "tones, busy"), lambda cell: cell.latest)),
    ),
    "Where there are no tones": (
        Row("speech and spoken digits (espeak-ng)", "an hour", 0, False, part(
            [f"no tones in {name}" for name in SPOKEN], per_hour)),
        Row("singing and music, computed", "an hour", 0, False, part(
            ("no tones in talk-off: sung", "no tones in talk-off: music", "no tones: music"), per_hour)),
        Row("people, recorded", "an hour", 0, False, part("no tones in recorded people", per_hour)),
        Row("music, recorded", "an hour", 0, False, part("no tones in recorded music", per_hour)),
        Row("speech in a tone's rhythm", "found", 0, False, part("no tones: speech", found)),
    ),
}  # fmt: skip
