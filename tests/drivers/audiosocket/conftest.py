"""Tests that count ticks need to know when a packet has arrived."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rig.asterisk import one_processor


@pytest.fixture(autouse=True)
def _wire() -> Iterator[None]:
    with one_processor():
        yield
