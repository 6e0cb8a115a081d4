"""Run the laboratory and write docs/signals.md.

    python -P -m hotline.bench.lab [--seed 14] [--scale 1] [--talk-off 600] [--no-recordings] [--out docs/signals.md]

The default, the whole corpus, ten hours of talk-off sound and all recordings, takes five minutes of a fast processor.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
if __name__ == "__main__":
    os.environ.pop("OPENBLAS_CORETYPE", None)

import numpy as np  # after its BLAS has been told to keep to one core, and to choose its kernel for this processor
from rich.console import Console

from . import keys, others, ours, peers, recordings, report, score, speed, tones, voices
from .pieces import Case, Context, Family
from .report import Entrants
from .score import Scores

SEED, SCALE, TALK_OFF = 14, 1.0, 600.0  # on seeds up to 13 limits were looked at
ROOT = Path(__file__).parents[2]
OUT = ROOT / "docs" / "signals.md"
RECORDINGS = ROOT / ".venv" / "recordings"


def cases(family: Family, seed: int, scale: float) -> list[Case]:
    """A family's cases; each family has a generator of its own, so that no other changes them."""
    rng = np.random.default_rng([seed, zlib.crc32(family.__name__.encode())])
    return list(family(Context(rng, scale, voices.prompts())))


def merge(into: dict[str, Scores], found: dict[str, Scores]) -> None:
    """Add groups; the same group of a later batch is added up."""
    for entrant, scores in found.items():
        for group, curve in scores.items():
            known = into.setdefault(entrant, {}).setdefault(group, {})
            for value, cell in curve.items():
                known[value] = known.get(value, score.Cell()) + cell


def hear_keys(batch: list[Case], spandsp: peers.Spandsp) -> dict[str, Scores]:
    """What every entrant makes of them. Where a prompt is sent, ours also without the canceller."""
    found = {"ours": ours.keys(batch), "spandsp": spandsp.keys(batch), "multimon": peers.multimon_keys(batch)}
    scores = {entrant: score.add_up(batch, digits, score.of_keys) for entrant, digits in found.items()}
    over_prompts = [case for case in batch if case.sent is not None]
    if over_prompts:
        digits = ours.keys(over_prompts, cancel=False)
        scores["not cancelling"] = score.add_up(over_prompts, digits, score.of_keys)
    return scores


def hear_tones(batch: list[Case], spandsp: peers.Spandsp) -> dict[str, Scores]:
    """What every entrant makes of them; multimon-ng knows no such tones."""
    found = {"ours": ours.tones(batch), "spandsp": spandsp.tones(batch)}
    return {entrant: score.add_up(batch, heard, score.of_tones) for entrant, heard in found.items()}


def batches(
    seed: int, scale: float, talk_off: float, recorded: Path | None, spandsp: peers.Spandsp
) -> Iterator[tuple[str, dict[str, Scores], dict[str, Scores]]]:
    """What was run, and its scores of keys and of tones."""
    hear: tuple[tuple[tuple[Family, ...], Callable[[list[Case], peers.Spandsp], dict[str, Scores]]], ...] = (
        (keys.FAMILIES + others.FAMILIES, hear_keys),
        (tones.FAMILIES, hear_tones),
    )
    for families, listen in hear:
        for family in families:
            scores = listen(cases(family, seed, scale), spandsp)
            yield family.__name__, *((scores, {}) if listen is hear_keys else ({}, scores))
    rng = np.random.default_rng([seed, zlib.crc32(b"talk_off")])
    for case in chain(voices.talk_off(rng, talk_off), recordings.cases(rng, recorded) if recorded else ()):
        silent = replace(case, group=f"no tones in {case.group}")
        yield case.group, hear_keys([case], spandsp), hear_tones([silent], spandsp)


def run(seed: int, scale: float, talk_off: float, recorded: Path | None, console: Console) -> report.Run:
    """All of it; recordings from this folder, if there is one. Raises peers.MissingError."""
    peers.require()
    all_keys: dict[str, Scores] = {}
    all_tones: dict[str, Scores] = {}
    with tempfile.TemporaryDirectory() as folder, console.status("the race") as status:
        spandsp = peers.Spandsp(Path(folder))
        race, memory = speed.race(spandsp), speed.bytes_a_line()
        for name, of_keys, of_tones in batches(seed, scale, talk_off, recorded, spandsp):
            status.update(f"{name} done")
            merge(all_keys, of_keys)
            merge(all_tones, of_tones)
    entrants: tuple[Entrants, Entrants] = (all_keys, all_tones)
    return report.Run(seed, scale, talk_off, *entrants, race, memory, peers.versions())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--scale", type=float, default=SCALE)
    parser.add_argument("--talk-off", type=float, default=TALK_OFF, metavar="MINUTES")
    parser.add_argument("--recordings", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    console = Console(stderr=True)
    try:
        if options.recordings:
            with console.status("fetching recordings, 1.1 GB the first time"):
                recordings.fetch(RECORDINGS)
        recorded = RECORDINGS if options.recordings else None
        text = report.document(run(options.seed, options.scale, options.talk_off, recorded, console))
    except peers.MissingError as error:
        sys.exit(str(error))
    options.out.write_text(text, encoding="utf-8")
    console.print(f"{options.out} written")


if __name__ == "__main__":
    main()
