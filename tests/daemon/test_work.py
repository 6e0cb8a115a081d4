"""Blocking work: order, errors, and what waits for what."""

from __future__ import annotations

import logging
import os
import sys
import threading

import pytest
from hotline.daemon.work import NICE, RECORDS, Work, logged


@pytest.fixture
def work():
    made = Work(lines=4)
    yield made
    made.close()


@pytest.fixture
def gate():
    """Work waits for it; opened at the end whatever the test did."""
    event = threading.Event()
    yield event
    event.set()


def keep(results):
    return lambda result, error: results.append((result, error))


def test_results_come_back_in_the_order_they_finish(work):
    results, gates = [], [threading.Event() for _ in range(3)]

    def wait(number):
        gates[number].wait()
        return number

    for number in range(3):
        work.submit(keep(results), wait, number)
    for number in (2, 0, 1):
        gates[number].set()
        before = len(results)
        while len(results) == before:
            work.collect()
    assert results == [(2, None), (0, None), (1, None)]
    assert work.out == 0


def test_an_error_comes_back_instead_of_a_result(work):
    results = []
    work.submit(keep(results), int, "x")
    work.settle()
    [(result, error)] = results
    assert result is None
    assert isinstance(error, ValueError)


def test_results_are_brought_back_by_the_thread_that_asks(work):
    threads = []
    work.submit(lambda result, error: threads.extend([result, threading.get_ident()]), threading.get_ident)
    work.settle()
    assert threads[0] != threads[1] == threading.get_ident()


def test_collecting_never_waits(work, gate):
    results = []
    work.collect()
    work.submit(keep(results), gate.wait)
    work.collect()
    assert (results, work.out) == ([], 1)


def test_settling_waits_for_what_results_start(work):
    results = []

    def again(result, error):
        results.append(result)
        if result < 5:
            work.submit(again, lambda: result + 1)

    work.submit(again, lambda: 1)
    work.settle()
    assert results == [1, 2, 3, 4, 5]


def test_closing_drops_nothing_that_was_submitted():
    work, results = Work(lines=1), []
    for number in range(3 * RECORDS):
        work.submit(keep(results), lambda number=number: number)
    work.close()
    assert sorted(results) == [(number, None) for number in range(3 * RECORDS)]


def test_more_work_than_threads_waits_its_turn(work, gate):
    results = []
    for _ in range(2 * RECORDS):
        work.submit(keep(results), gate.wait)
    gate.set()
    work.settle()
    assert len(results) == 2 * RECORDS


@pytest.mark.parametrize(
    ("hangs", "goes_on"),
    [("fund", "recording"), ("fund", "records"), ("records", "recording"), ("records", "fund")],
)
def test_one_lane_does_not_wait_for_another(work, gate, hangs, goes_on):
    """A frozen database keeps every thread of its lane; the next half second of a recording is written all the same."""
    results = []
    for _ in range(2 * work.threads[hangs]):
        work.submit(logged("look-up"), gate.wait, lane=hangs)
    work.submit(keep(results), lambda: "written", lane=goes_on)
    while not results:
        work.collect()
    assert results == [("written", None)]
    assert work.out == 2 * work.threads[hangs]


def test_every_caller_can_ask_the_fund_at_once(work):
    together = threading.Barrier(4, timeout=10)
    results = []
    for _ in range(4):
        work.submit(keep(results), together.wait, lane="fund")
    work.settle()
    assert [error for _, error in results] == [None] * 4


def test_an_error_nobody_waits_for_is_logged(work, caplog):
    work.submit(logged("refresh"), int, "x")
    work.submit(logged("refresh"), int, "1")
    work.settle()
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.message.startswith("refresh failed: invalid literal")


def test_threads_give_way_to_the_tick(work):
    """Linux knows priorities of threads; elsewhere all are alike."""
    results = []
    work.submit(keep(results), lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
    work.settle()
    ours = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert results == [(max(NICE, ours) if sys.platform == "linux" else ours, None)]
