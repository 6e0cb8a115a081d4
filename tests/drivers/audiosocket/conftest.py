"""Tests that count ticks need to know when a packet has arrived."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rig.asterisk import one_processor
from rig.line_bank import Bank


@pytest.fixture(autouse=True)
def _wire() -> Iterator[None]:
    with one_processor():
        yield


@pytest.fixture
def house() -> Iterator[type[Bank]]:
    """Makes banks of lines and closes them."""
    made: list[Bank] = []

    class Made(Bank):
        def __init__(self, *args: object, **keys: object) -> None:
            super().__init__(*args, **keys)
            made.append(self)

    yield Made
    for one in made:
        one.close()
