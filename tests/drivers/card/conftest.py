"""Fake libraries, compiled once, and boards that are gone after their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hotline.config.settings import Line as LineSettings
from rig.card_board import Board, build
from rig.house import House, template


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("libraries")
    return {driver: build(driver, folder) for driver in ("synway", "donjin")}


@pytest.fixture
def board(libraries: dict[str, Path], tmp_path: Path) -> Iterator[Callable[..., Board]]:
    """Make a board: its driver's name, and how many lines."""
    made: list[Board] = []

    def make(driver: str, lines: int = 1) -> Board:
        made.append(Board(driver, libraries[driver], tmp_path / f"{driver}{len(made)}", lines))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="session")
def demo_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with demo data, to be copied."""
    return template(tmp_path_factory.mktemp("demo") / "state")


@pytest.fixture
def house(demo_state: Path, tmp_path: Path, board: Callable[..., Board]) -> Iterator[Callable[..., House]]:
    """Make a whole service with these sections of lines; it is gone before the boards are."""
    made: list[House] = []

    def make(rows: dict[str, LineSettings], **overrides: object) -> House:
        made.append(House(demo_state, tmp_path / f"state{len(made)}", rows=rows, **overrides))
        return made[-1]

    yield make
    for each in made:
        each.stop()
