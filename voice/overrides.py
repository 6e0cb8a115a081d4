"""A centre's own prompts: numbered versions in its state folder, the newest in force, none ever overwritten.

    state/prompts/P01.1.wav   the first own version of P01, mono 16 bit 8000 Hz
    state/prompts/P01.1.txt   what it says, as transcripts show it
    state/prompts/P01.2.wav   the version that replaced it

The text is written first and the audio appears under its name at once, so whatever moment a process
dies, a version is whole or not there. Going back to an older version is adding it again.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import audiofile
from .audiofile import Samples

_NAME = re.compile(r"(?P<key>[A-Za-z0-9-]+)\.(?P<number>\d+)\.(wav|txt)")


@dataclass(frozen=True)
class Version:
    """One recording of a prompt; `text` is empty where its text file is missing."""

    key: str
    number: int
    path: Path

    @property
    def text(self) -> str:
        path = self.path.with_suffix(".txt")
        return path.read_text("utf-8").strip() if path.is_file() else ""


def folder(state: Path) -> Path:
    """Where a service with this state folder keeps them."""
    return state / "prompts"


def history(state: Path, key: str) -> list[Version]:
    """All versions of one prompt, oldest first."""
    return [version for version in _all(state) if version.key == key]


def current(state: Path) -> dict[str, Version]:
    """The version in force of every prompt that has one."""
    return {version.key: version for version in _all(state)}


def add(state: Path, key: str, samples: Samples, text: str) -> Version:
    """Keep `samples` as the newest version, in force from now on. Two processes may add at once."""
    where = folder(state)
    where.mkdir(parents=True, exist_ok=True)
    number = _reserve(where, key, text)
    path = where / f"{key}.{number}.wav"
    write_whole(path, samples)
    return Version(key, number, path)


def write_whole(path: Path, samples: Samples) -> None:
    """Write a WAV that is there completely or not at all, after a power cut too."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        audiofile.write(part, samples)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _reserve(where: Path, key: str, text: str) -> int:
    """Take the next number by creating its text file; whoever creates it owns it."""
    taken = (_NAME.fullmatch(path.name) for path in where.iterdir())
    number = max((int(match["number"]) for match in taken if match and match["key"] == key), default=0) + 1
    while True:
        try:
            with (where / f"{key}.{number}.txt").open("x", encoding="utf-8") as file:
                file.write(text + "\n")
            return number
        except FileExistsError:
            number += 1


def _all(state: Path) -> list[Version]:
    """Every version there is audio of, in the order of their numbers."""
    where = folder(state)
    if not where.is_dir():
        return []
    names = ((_NAME.fullmatch(path.name), path) for path in where.iterdir() if path.suffix == ".wav")
    found = [Version(match["key"], int(match["number"]), path) for match, path in names if match]
    return sorted(found, key=lambda version: version.number)
