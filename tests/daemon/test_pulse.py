"""What the engine says of its own ticks."""

from __future__ import annotations

import os
import time

import pytest
from hotline.daemon.pulse import KEPT, TOO_LATE, Pulse


def test_nothing_has_happened_yet() -> None:
    figures = Pulse().figures()
    assert (figures.ticks, figures.tick_ms_p50, figures.tick_ms_most, figures.late_ticks) == (0, 0.0, 0.0, 0)


def test_percentiles_are_of_the_ticks_there_were() -> None:
    pulse = Pulse()
    for _ in range(99):
        pulse.beat(0.002, 0.0)
    pulse.beat(0.030, 0.0)
    figures = pulse.figures()
    assert figures.ticks == 100
    assert figures.tick_ms_p50 == pytest.approx(2.0)
    assert 2.0 < figures.tick_ms_p99 < 30.0
    assert figures.tick_ms_most == pytest.approx(30.0)


def test_a_slow_tick_is_forgotten_after_a_minute() -> None:
    pulse = Pulse()
    pulse.beat(1.0, 0.0)
    for _ in range(KEPT):
        pulse.beat(0.001, 0.0)
    assert pulse.figures().tick_ms_most == pytest.approx(1.0)


def test_only_ticks_later_than_a_far_end_can_bear_are_counted() -> None:
    pulse = Pulse()
    for behind in (0.0, TOO_LATE, TOO_LATE + 0.001, 5.0):
        pulse.beat(0.001, behind)
    assert pulse.figures().late_ticks == 2


def test_what_the_process_costs() -> None:
    figures = Pulse().figures()
    assert figures.pid == os.getpid()
    assert 0 < figures.cpu_seconds <= time.process_time()
    assert figures.memory_bytes is None or figures.memory_bytes > 1 << 20
