"""When bursts of the bell are a call, and what a serial port's own control lines do."""

from __future__ import annotations

import pytest
from hotline.drivers.line import Event, Ring, RingStopped
from hotline.drivers.sound.hook import BELL, SOUND, TICKS, Cadence, Ringing, SerialHook


def heard(cadence: Cadence, pattern: list[tuple[bool, int]]) -> list[tuple[int, Event]]:
    """Tick and event of spans of (active, ticks)."""
    ringing = Ringing(cadence)
    ticks = [active for active, count in pattern for _ in range(count)]
    return [(at, event) for at, active in enumerate(ticks) if (event := ringing.feed(active)) is not None]


def test_a_bell_rings_until_the_caller_gives_up() -> None:
    burst = [(True, TICKS), (False, 4 * TICKS)]
    events = heard(BELL, [*burst, *burst, (False, 5 * TICKS)])
    assert [event for _, event in events] == [Ring(1), Ring(2), RingStopped()]
    assert [at for at, _ in events] == [5, 5 * TICKS + 5, 6 * TICKS + BELL.lost - 1]


def test_the_bell_may_be_seen_as_pulses() -> None:
    """16 Hz without a capacitor: on for 31 ms, off for 31 ms."""
    pulses = [(True, 2), (False, 1)] * 16
    assert [event for _, event in heard(BELL, [*pulses, (False, TICKS)])] == [Ring(1)]


def test_a_click_of_the_relay_is_no_bell() -> None:
    assert heard(BELL, [(True, 4), (False, 30)] * 5) == []


def test_nothing_counts_before_it_has_been_quiet_after_hanging_up() -> None:
    ringing = Ringing(SOUND)
    ringing.hung_up()
    busy = ([True] * 18 + [False] * 18) * 40
    assert [ringing.feed(active) for active in busy] == [None] * len(busy)
    assert [ringing.feed(False) for _ in range(SOUND.rest)] == [None] * SOUND.rest
    assert [event for _ in range(SOUND.begin) if (event := ringing.feed(True))] == [Ring(1)]


def test_sound_that_goes_on_rings_on() -> None:
    events = heard(SOUND, [(True, 3 * TICKS), (False, 4 * TICKS)])
    assert [event for _, event in events] == [Ring(1), Ring(2), Ring(3), RingStopped()]


@pytest.fixture
def looped() -> SerialHook:
    """A port of pyserial whose RTS is joined to its CTS."""
    hook = SerialHook("loop://", "CTS")
    hook.open()
    yield hook
    hook.close()


def test_the_port_is_opened_on_hook_and_follows(looped: SerialHook) -> None:
    assert looped.fault == ""
    assert not looped.active(None)
    looped.set(True)
    assert looped._rang.wait(1.0)
    looped.set(False)
    assert looped.active(None)


def test_a_port_that_is_not_there_is_a_sentence() -> None:
    hook = SerialHook("/dev/no-such-port", "RI")
    hook.open()
    assert hook.fault.startswith("串口 /dev/no-such-port 不能用（")
    hook.close()
