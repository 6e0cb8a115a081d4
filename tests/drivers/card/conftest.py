"""Fake libraries, compiled once, and boards that are gone after their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rig.card_board import Board, build


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
