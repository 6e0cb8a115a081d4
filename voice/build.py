"""`hotline prompts build`: make the shipped audio from the catalogue, only where something changed.

The manifest beside the audio says for each prompt what it was made from and what came out, so that a test,
and `hotline prompts check`, can prove that text and audio belong together without a synthesiser.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from . import audiofile, synthesis
from .catalogue import PROMPTS, Catalogue, Prompt
from .synthesis import Voice

MANIFEST: Final = "manifest.toml"
# Changes whenever the treatment of the synthesiser's output changes what is heard.
TREATMENT: Final = "1: 200-3400 Hz, -14 dBm0 active, peaks <= -3 dB, ends cut to 15 ms"

# A syllable spoken alone is drawn out; at this pace the pieces of a number keep up with the sentence around them.
PIECE_PACE: Final = 1.35


@dataclass(frozen=True)
class Made:
    """A prompt's line in the manifest: hashes of what was said, and of the file."""

    said: str
    audio: str


def source_hash(prompt: Prompt, voice: Voice) -> str:
    """What the audio is made from: the words as read, the voice, the treatment."""
    return _hash(f"{prompt.aloud}\n{_paced(prompt, voice)}\n{TREATMENT}".encode())


def stale(catalogue: Catalogue, voice: Voice, folder: Path = PROMPTS) -> list[str]:
    """Prompts whose audio is missing, was changed by hand, or was made from another text, voice or treatment."""
    made = _manifest(folder)
    return [key for key, prompt in catalogue.items() if made.get(key) != _seen(folder, key, source_hash(prompt, voice))]


def orphans(catalogue: Catalogue, folder: Path = PROMPTS) -> list[Path]:
    """Audio that no prompt in the catalogue has."""
    return sorted(file for file in folder.glob("*.wav") if file.stem not in catalogue)


def build(
    catalogue: Catalogue,
    voice: Voice,
    folder: Path = PROMPTS,
    progress: Callable[[str], None] = lambda key: None,
) -> list[str]:
    """Make what is stale, drop what is orphaned, write the manifest; returns the keys made.

    `progress` is called with each key that is done. Raises synthesis.SynthesisError; what was made until then counts.
    """
    made = _manifest(folder)
    todo = stale(catalogue, voice, folder)
    try:
        for key in todo:
            prompt, file = catalogue[key], path(key, folder)
            audiofile.write(file, synthesis.speak(prompt.aloud, _paced(prompt, voice)))
            made[key] = Made(source_hash(prompt, voice), _hash(file.read_bytes()))
            progress(key)
    finally:
        _write_manifest(folder, {key: made[key] for key in catalogue if key in made})
    for file in orphans(catalogue, folder):
        file.unlink()
    return todo


def path(key: str, folder: Path = PROMPTS) -> Path:
    """Where a prompt's audio lies."""
    return folder / f"{key}.wav"


def _paced(prompt: Prompt, voice: Voice) -> Voice:
    return replace(voice, rate=round(voice.rate * PIECE_PACE)) if prompt.group == "number" else voice


def _seen(folder: Path, key: str, said: str) -> Made:
    file = path(key, folder)
    return Made(said, _hash(file.read_bytes()) if file.is_file() else "")


def _manifest(folder: Path) -> dict[str, Made]:
    file = folder / MANIFEST
    if not file.is_file():
        return {}
    return {key: Made(**line) for key, line in tomllib.loads(file.read_text("utf-8")).items()}


def _write_manifest(folder: Path, made: dict[str, Made]) -> None:
    head = "# Written by `hotline prompts build`: SHA-256 of what each prompt was made from, and of its file.\n"
    lines = [f'{key} = {{ said = "{line.said}", audio = "{line.audio}" }}\n' for key, line in made.items()]
    (folder / MANIFEST).write_text(head + "".join(lines), "utf-8")


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
