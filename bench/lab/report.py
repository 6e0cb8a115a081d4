"""docs/signals.md from the scores: a pure function of them, without date or machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .score import Cell, Scores, whole
from .table import KEYS, TONES, Row

TICK_MS = 20
Entrants = Mapping[str, Scores]  # scores by entrant: ours, spandsp, multimon
NAMES = {
    "ours": "ours",
    "not cancelling": "ours, not cancelling",
    "spandsp": "libspandsp",
    "multimon": "multimon-ng",
}


@dataclass(frozen=True)
class Run:
    """What was run: sizes and figures."""

    seed: int
    scale: float
    talk_off_minutes: float
    keys: Entrants
    tones: Entrants
    speed: Mapping[str, Mapping[str, float]]  # by contest and entrant
    memory: Mapping[str, float]  # bytes a line
    versions: str  # of the peers


def number(figure: float | None) -> str:
    """Four digits at most; a dash for what there is not."""
    if figure is None:
        return "–"
    return f"{round(figure, 2) + 0.0:.4g}" if abs(figure) < 1000 else f"{figure:.0f}"


def difference(by: float) -> str:
    """With its sign, and none for nothing."""
    return number(by) if by <= 0 else f"+{number(by)}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A Markdown table; the first column is text, the others are figures."""
    head = list(head)
    yield "| " + " | ".join(head) + " |"
    yield "|---|" + "---:|" * (len(head) - 1)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def _cells(row: Row, entrants: Entrants) -> Iterator[str]:
    figures = {name: row.figure(scores) for name, scores in entrants.items()}
    ours = figures["ours"]
    yield f"{row.title}, {row.unit}"
    reached = ours is not None and row.reached(ours)
    yield f"**{number(ours)}**" if reached else number(ours)
    for name in ("spandsp", "multimon"):
        if name in entrants:
            yield number(figures[name])
    yield number(row.target) + ("" if reached else " ✗")
    for name in ("spandsp", "multimon"):
        if name in entrants:
            theirs = figures[name]
            yield "–" if ours is None or theirs is None else difference(row.better_by(ours, theirs))


def families(sections: Mapping[str, tuple[Row, ...]], entrants: Entrants) -> Iterator[str]:
    """The tables of figures against targets."""
    others = [name for name in ("spandsp", "multimon") if name in entrants]
    head = ["", *(NAMES[name] for name in ("ours", *others)), "target", *(f"over {NAMES[name]}" for name in others)]
    for title, rows in sections.items():
        yield f"### {title}"
        yield ""
        yield from table(head, (_cells(row, entrants) for row in rows))


def missed(run: Run) -> Iterator[str]:
    """A line for each target we do not reach."""
    for sections, entrants in ((KEYS, run.keys), (TONES, run.tones)):
        for title, rows in sections.items():
            for row in rows:
                ours = row.figure(entrants["ours"])
                if ours is None or not row.reached(ours):
                    by = "no figure" if ours is None else f"{number(ours)} against {number(row.target)} {row.unit}"
                    yield f"- {title}: {row.title}: {by}"
    for contest, figures in run.speed.items():
        ratio = figures["ours"] / figures["spandsp"]
        if _race_is_on(contest) and ratio < 1:
            yield f"- Speed: {contest}: {ratio:.2g} times {NAMES['spandsp']}, to be ahead"


def _counts(cell: Cell | None) -> str:
    if cell is None:
        return "–"
    if not cell.keyed:
        return f"{cell.extra} found"
    return f"{cell.right_percent:.2f} / {cell.extra_percent:.2f} / {cell.exact_percent:.1f}"


def everything(entrants: Entrants) -> Iterator[str]:
    """Each group with its size and counts."""
    head = ["group", "cases", "keys or tones", "minutes", *(NAMES[name] for name in entrants)]
    rows = []
    for group, curve in entrants["ours"].items():
        cell = whole(curve)
        counts = [_counts(whole(scores[group]) if group in scores else None) for scores in entrants.values()]
        rows.append([group, str(cell.cases), str(cell.keyed), f"{cell.seconds / 60:.1f}", *counts])
    yield from table(head, rows)


def speed(run: Run) -> Iterator[str]:
    """Who is how many times as fast."""
    rows = []
    for contest, figures in run.speed.items():
        ratios = [figures["ours"] / figures[name] if name in figures else None for name in ("spandsp", "multimon")]
        target = "–"
        if _race_is_on(contest):
            target = "1" if ratios[0] is not None and ratios[0] >= 1 else "1 ✗"
        rows.append([contest, *("–" if ratio is None else f"{ratio:.2g}" for ratio in ratios), target])
    head = ["lines, tick by tick", f"over {NAMES['spandsp']}", f"over {NAMES['multimon']}", "target"]
    yield from table(head, rows)
    yield "What a tick of 20 ms costs us, ms of a processor:"
    yield ""
    yield from ticks(run.speed)
    sizes = ", ".join(f"{name} {size / 1024:.1f} KiB" for name, size in run.memory.items())
    yield f"Memory of one more line among a thousand: {sizes}."
    yield ""


def ticks(contests: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """What one tick of so many lines costs, by what is on them."""
    costs: dict[str, dict[int, float]] = {}
    for contest, figures in contests.items():
        kind, lines = contest.split(": ")
        if lines.isdecimal():
            costs.setdefault(kind, {})[int(lines)] = TICK_MS * int(lines) / figures["ours"]
    every = sorted({lines for of_kind in costs.values() for lines in of_kind})
    rows = ([kind, *(number(of_kind.get(lines)) for lines in every)] for kind, of_kind in costs.items())
    yield from table(["lines", *map(str, every)], rows)


FASTER = (": file", ": 128", ": 1024")  # where the target is to be ahead of libspandsp,
UNASKED = "tones, "  # but for its receiver of tones, for which there is none


def _race_is_on(contest: str) -> bool:
    """Whether there is a target for this."""
    return contest.endswith(FASTER) and not contest.startswith(UNASKED)


HEAD = """# The ear, measured

Written by `make bench-dsp`; do not edit. Our detectors (dsp/), Debian's libspandsp and multimon-ng on the same samples
in one run ({versions}).
Seed {seed}, on which nothing was tuned; scale {scale:g} of the full corpus, {minutes:g} minutes of talk-off sound
and {recorded}. The signals and what is right for each are in bench/lab/.

A value is *accepted* with at least 99.5 % of its keys right and at most 0.5 % extra; ranges are neighbouring values all
of which are. Twist is high minus low group. Bold figures reach the target, ✗ marks targets we miss. "over" is by how
much ours is better, in the row's unit; a minus sign means worse. A step of a sweep rests on {least} to {most} keys,
so one key lost moves a range by a step.

Over our own prompt, ours hears what the echo canceller leaves; the others hear the line, for they are not told what was
played. What ours hears without it stands in the last table. libspandsp's tones are its super_tone_rx with China's
cadences, 10 per cent and 24 ms wide. MF R1's 700 + 1500 Hz is the key 3, less than 1.8 % off, and a sweep passes
through keys: what is found in those two groups is no error.

A small run shows less than it says: to find nothing in {minutes:g} minutes of talk-off, two thirds of them speech,
means with 95 % confidence only fewer than {at_most:.1f} an hour of speech, and 100 % of a few dozen keys is no more
than that. How many there were stands in the last tables.

Music and singing, keys from a prompt's first moment and keys by machine over it have no target of their own; they are
held against that of speech and of keys by hand after a second. Recorded people and music come from packages of
Debian's (bench/lab/recordings.py): prompts, dialogue, letters and syllables in two dozen languages, Mandarin's among
them; what games play. `Limits.firm_*` (dsp/keypress.py), DRIFT_DB and FADES_DB (dsp/bursts.py) were chosen on sixteen
hours of other music.
"""


SPEED = """Seconds of audio per processor second, ours over theirs; a file has ten minutes. "calls" are minutes with 27
keys by hand and ten seconds of speech, "keys" is five a second without end on every line, "busy" a busy tone without
end on every line; these two are the dearest there is. libspandsp's receiver of tones is super_tone_rx, which listens
for two frequencies where ours listens for four; it has no target."""


def _recorded(run: Run) -> str:
    """How many hours of recordings."""
    curves = {group: run.keys["ours"].get(group) for group in ("recorded people", "recorded music")}
    hours = [f"{whole(curve).seconds / 3600:.1f} hours of {group}" for group, curve in curves.items() if curve]
    return " and ".join(hours) or "no recordings"


def document(run: Run) -> str:
    """The whole text."""
    least, most = (16 * max(1, int(full * run.scale)) for full in (4, 12))  # the fewest and most times of any sweep
    sizes = {"seed": run.seed, "scale": run.scale, "minutes": run.talk_off_minutes, "least": least, "most": most}
    at_most = 3 / (run.talk_off_minutes / 60 * 2 / 3)  # the rule of three: of none in n, at most 3 / n at 95 %
    lines = [HEAD.format(versions=run.versions, recorded=_recorded(run), at_most=at_most, **sizes)]
    lines += ["## Keys", "", *families(KEYS, run.keys)]
    lines += ["## Tones", "", *families(TONES, run.tones)]
    lines += ["## Speed", "", SPEED, "", *speed(run)]
    lines += ["## Targets missed", "", *(list(missed(run)) or ["None."]), ""]
    lines += ["## All groups", "", "Per cent right / extra / cases exact.", ""]
    lines += [*everything(run.keys), *everything(run.tones)]
    return "\n".join(lines).rstrip() + "\n"
