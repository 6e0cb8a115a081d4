"""We seize the line and dial: tones of the exchange, and stations that answer or do not."""

from __future__ import annotations

import pytest
from hotline.drivers.line import FRAME, Dialled
from hotline.drivers.simulated.exchange import State, Station
from hotline.drivers.simulated.telephone import KeypadTelephone, Silent, WavTelephone
from rig.exchange_port import SECOND, Port, bursts
from rig.line_contract import level_at, tone


def dialling(number: str, station: Station | None) -> Port:
    """Seized and dialled; all digits are out."""
    port = Port()
    if station is not None:
        port.exchange.stations["8001"] = station
    port.exchange.lift()
    assert bursts(port.run(1)) == [(0, 50)], "dial tone"
    port.exchange.dial(number)
    assert not port.run(len(number) * 0.2).any(), "dial tone ends with the first digit"
    assert port.log == [(port.now - 1, Dialled())]
    return port


def test_station_answers() -> None:
    colleague = KeypadTelephone()
    port = dialling("8001", Station("answer", lambda: colleague, after=6))
    colleague.say(tone(700, 50))
    read = port.run(10, sending=tone(1700, 1))
    assert bursts(read) == [(48, 98), (298, 348)], "about a second of routing, then ring-back"
    assert level_at(read[348 * FRAME : 398 * FRAME], 700) > 0.9
    assert level_at(colleague.heard, 1700) > 0.9


def test_station_leaves() -> None:
    port = dialling("8001", Station("answer", lambda: WavTelephone(tone(700, 5), hang_up=True)))
    port.run(10)
    assert port.exchange.state is State.CLEARED


def test_station_does_not_answer() -> None:
    port = dialling("8001", Station("no answer"))
    on = bursts(port.run(70))
    assert len([1 for a, b in on if b - a == 50]) == 12, "a minute of ring-back"
    assert on[-2][1] - on[-2][0] in (17, 18), "then busy tone"


@pytest.mark.parametrize(("number", "first"), [("8001", (48, 66)), ("8002", (48, 53))])
def test_station_refuses(number: str, first: tuple[int, int]) -> None:
    """Busy is 0.35/0.35; a number that does not exist 0.1/0.1."""
    port = dialling(number, Station("busy"))
    assert bursts(port.run(3))[0] == first


def test_number_in_two_parts() -> None:
    port = dialling("80", Station("busy"))
    port.exchange.dial(",01")
    port.run(2)
    assert port.exchange.state is State.DIALLING
    port.run(1)
    assert port.exchange.state is State.REFUSED


def test_nobody_dials() -> None:
    port = Port()
    port.exchange.lift()
    read = port.run(20)
    assert bursts(read)[0] == (0, 15 * SECOND)
    assert len(bursts(read)) > 5


def test_digits_in_a_call_are_only_sent() -> None:
    port = Port().talking_to(Silent())
    port.exchange.dial("12")
    port.run(1)
    assert port.log == [(19, Dialled())]
    assert port.exchange.state is State.TALKING
