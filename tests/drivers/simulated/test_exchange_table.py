"""The exchange's table of states, faults, and everybody doing anything at any time."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hotline.drivers.line import FRAME, Alarm, CallerId, Dialled, Event, HookState, Restored, Ring
from hotline.drivers.simulated import exchange as module
from hotline.drivers.simulated.exchange import TABLE, Exchange, IllegalSignal, Signal, State, Station
from hotline.drivers.simulated.line import SimulatedLine
from hotline.drivers.simulated.telephone import KeypadTelephone, WavTelephone
from rig.exchange_port import Port, bursts
from rig.line_contract import tone


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("signal", Signal)
def test_only_the_table_changes_the_state(state: State, signal: Signal) -> None:
    exchange = Exchange()
    exchange.state = state
    if signal in TABLE[state]:
        exchange._happen(signal)
        assert exchange.state is TABLE[state][signal]
    else:
        with pytest.raises(IllegalSignal, match=signal.value):
            exchange._happen(signal)
        assert exchange.state is state


def test_every_state_is_reached_and_left() -> None:
    assert set(TABLE) == set(State)
    assert {after for row in TABLE.values() for after in row.values()} == set(State)
    assert all(Signal.FAIL in TABLE[state] for state in State if state is not State.FAULT)
    assert all(Signal.PUT_DOWN in TABLE[state] for state in set(State) - module.ON_HOOK)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_both_ends_do_nothing_breaks(seed: int) -> None:
    """Five minutes of everybody doing anything at any time."""
    chance = random.Random(seed)
    line = SimulatedLine("mad")
    line.open()
    line.exchange.stations["1"] = Station("answer", after=1)
    frame = np.zeros(FRAME, np.int16)

    def call() -> None:
        if line.exchange.free:
            line.exchange.call(WavTelephone(tone(700, chance.randrange(200)), hang_up=chance.random() < 0.5))

    deeds: list[Callable[[], object]] = [
        call,
        line.exchange.hang_up,
        lambda: line.exchange.fail("x"),
        line.exchange.repair,
        line.off_hook,
        line.on_hook,
        line.flash,
        lambda: line.dial("1"),
    ]
    seen: list[Event] = []
    for _ in range(15_000):
        while chance.random() < 0.02:
            chance.choice(deeds)()
        line.read(frame)
        seen += line.events()
        assert (line.state is HookState.OFF_HOOK) == line.exchange.loop_closed
        if chance.random() < 0.9:
            line.write(frame)
    faults = [event for event in seen if isinstance(event, Alarm | Restored)]
    assert all(isinstance(event, Alarm) == (number % 2 == 0) for number, event in enumerate(faults))
    counts = [event.count for event in seen if isinstance(event, Ring)]
    assert all(after in (1, before + 1) for before, after in pairwise(counts))
    assert {type(event) for event in seen} >= {Alarm, Restored, Ring, CallerId, Dialled}


# Faults.


def test_fault_in_a_call() -> None:
    caller = KeypadTelephone()
    port = Port().talking_to(caller)
    port.run(1)
    port.exchange.fail("断线")
    port.exchange.fail("断线")
    assert not port.run(2).any()
    assert port.log == [(50, Alarm("断线"))]
    assert bursts(caller.heard)
    port.exchange.repair()
    port.exchange.repair()
    port.run(1)
    assert port.log[1:] == [(150, Restored())]
    assert port.exchange.free
