"""The catalogue of prompts: what each is called, what it says, how it is read.

One file, voice/prompts/texts.toml, holds them all; a centre's own wording lies in its state folder and is
laid over it by voice/library.py.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from . import reading

PROMPTS: Final = Path(__file__).parent / "prompts"
TEXTS: Final = PROMPTS / "texts.toml"

_KEY = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*")  # it becomes a file name on every system


class CatalogueError(ValueError):
    """A prompt or the file of prompts cannot be used; the text says where and why."""


@dataclass(frozen=True)
class Prompt:
    """One prompt. `text` is what transcripts show, `speak` what is read instead of it ("" for the text itself)."""

    key: str
    text: str
    group: str
    speak: str = ""
    remark: str = ""

    @property
    def aloud(self) -> str:
        """What the synthesiser is given; its own phonemes, in [[ ]], as they are."""
        return self.speak if self.speak.startswith("[[") else reading.aloud(self.speak or self.text)


class Catalogue(Mapping[str, Prompt]):
    """All prompts by key, in the order of the file."""

    def __init__(self, prompts: Mapping[str, Prompt]) -> None:
        self._prompts = dict(prompts)

    @classmethod
    def load(cls, path: Path = TEXTS) -> Catalogue:
        """Read and check the file. CatalogueError names file, prompt and what is wrong."""
        try:
            tables = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise CatalogueError(f"{path}：提示音目录读不出来：{error}") from error
        return cls({key: _prompt(path, key, table) for key, table in tables.items()})

    def __getitem__(self, key: str) -> Prompt:
        try:
            return self._prompts[key]
        except KeyError:
            raise CatalogueError(f"没有名为 {key!r} 的提示音（见 voice/prompts/texts.toml）") from None

    def __contains__(self, key: object) -> bool:
        return key in self._prompts

    def __iter__(self) -> Iterator[str]:
        return iter(self._prompts)

    def __len__(self) -> int:
        return len(self._prompts)


def _prompt(path: Path, key: str, table: object) -> Prompt:
    place = f"{path} [{key}]"
    if not _KEY.fullmatch(key):
        raise CatalogueError(f"{place}：名称只能用字母、数字和连字符")
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise CatalogueError(f"{place}：应当是一节文字，含 text 和 group")
    if unknown := set(table) - {"text", "group", "speak", "remark"}:
        raise CatalogueError(f"{place}：不认识 {'、'.join(sorted(unknown))}，可用 text、group、speak、remark")
    if not table.get("text") or not table.get("group"):
        raise CatalogueError(f"{place}：text 和 group 必须有文字")
    return Prompt(key, **table)
