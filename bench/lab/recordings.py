"""Recorded sound that holds no key and no tone: people and music, as packages of Debian's have them.

People: prompts of telephone systems in five languages, the dialogue of a game in two, letters and syllables of spelling
games in two dozen, Mandarin's syllables. Music: what games play, some of it by instruments, most of it by machines,
whose notes stand still and are harder on a receiver; and what callers hear who wait. No limit was chosen on
any of it; the last was looked at when some were, but nothing was ever found in it.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...dsp.levels import RATE, ms
from ...voice import audiofile
from .peers import MissingError
from .pieces import Case, Signal, alaw, at_level, band, on_a_line

PACKAGES = {
    "recorded people": (
        *(f"asterisk-core-sounds-{language}-wav" for language in ("en", "es", "fr", "it", "ru")),
        "asterisk-prompt-es-co", "asterisk-prompt-fr-armelle", "fillets-ng-data-cs", "fillets-ng-data-nl", "gcin-voice",
        "klettres-data", "ktuberling-data",
    ),
    "recorded music": (
        "ardentryst", "asc-music", "asterisk-moh-opsound-wav", "colobot-common-sounds", "drascula-music", "enigma-data",
        "flare-game", "freecol", "hyperrogue-music", "lincity-ng-data", "singularity-music", "supertux-data",
        "warmux-data",
    ),
}  # fmt: skip
SUFFIXES = (*audiofile.SUFFIXES, ".gsm")
CASE = 300 * RATE  # samples of a case, or more if a recording ends later
SHORTEST = ms(100)


def fetch(folder: Path) -> None:
    """Download and unpack what is not there yet, 1.1 GB; nothing is installed. Raises MissingError if it cannot be."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in (package for packages in PACKAGES.values() for package in packages):
        if not (folder / package).exists():
            with tempfile.TemporaryDirectory(dir=folder) as place:
                _run("apt-get", "-qq", "download", package, folder=place)
                (archive,) = Path(place).glob("*.deb")
                _run("dpkg-deb", "-x", archive.name, "unpacked", folder=place)
                (Path(place) / "unpacked").rename(folder / package)


def _run(*command: str, folder: str) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise MissingError(f"recordings are unpacked from Debian's packages, and there is no {command[0]}") from error
    if done.returncode:
        raise MissingError(f"{' '.join(command)}: {done.stderr.strip()}")


def cases(rng: np.random.Generator, folder: Path) -> Iterator[Case]:
    """All that has been fetched, at some level each, over a telephone channel and through A-law."""
    for group, packages in PACKAGES.items():
        parts: list[Signal] = []
        for package in packages:
            for sound in _sounds(folder / package):
                parts.append(at_level(band(sound), rng.uniform(-22, -8)))
                if sum(map(len, parts)) >= CASE:
                    yield _case(rng, group, parts)
                    parts = []
        if parts:
            yield _case(rng, group, parts)


def _case(rng: np.random.Generator, group: str, parts: list[Signal]) -> Case:
    return Case(group, 0.0, "", alaw(on_a_line(rng, np.concatenate(parts), -60.0)))


def _sounds(folder: Path) -> Iterator[Signal]:
    """The recordings of a package that can be read and are not silent."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.is_symlink():
            try:
                sound = audiofile.read(path)
            except audiofile.AudioError:
                continue
            if len(sound) >= SHORTEST and sound.any():
                yield sound.astype(float)
