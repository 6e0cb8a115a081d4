"""Somebody hangs up: what the other one hears then."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hotline.drivers.line import FRAME
from hotline.drivers.simulated.exchange import Exchange, State
from hotline.drivers.simulated.telephone import KeypadTelephone, Silent, WavTelephone
from hotline.drivers.simulated.tones import Stage, Tones
from rig.exchange_port import SECOND, Port, bursts
from rig.line_contract import level_at, tone


def test_far_end_leaves_and_we_hear_nothing_but_busy_tone() -> None:
    port = Port().talking_to(WavTelephone(tone(700, 10), hang_up=True))
    read = port.run(61)
    assert port.log == [], "no event, whatever happens"
    assert level_at(read[: 10 * FRAME], 700) > 0.9
    assert not read[10 * FRAME : 35 * FRAME].any(), "the gap"
    on = bursts(read[35 * FRAME :])
    assert len(on) > 80
    assert {b - a for a, b in on[:-1]} <= {17, 18}, "0.35 s is 17 frames and a half"
    assert {b - a for (a, _), (b, _) in pairwise(on)} == {35}
    assert port.exchange.state is State.CLEARED


def test_other_exchanges_release_differently() -> None:
    release = (Stage(tone="congestion", seconds=2), Stage(tone="howler", seconds=1), Stage(tone="silence"))
    port = Port(Exchange(release=release)).talking_to(Silent())
    port.run(1)
    port.exchange.hang_up()
    read = port.run(5)
    assert bursts(read[: 2 * SECOND * FRAME])[0] == (0, 35)
    assert bursts(read, 950) == [(100, 150)]
    assert not read[150 * FRAME :].any()


def test_release_without_any_tone() -> None:
    port = Port(Exchange(release=())).talking_to(Silent())
    port.exchange.hang_up()
    assert not port.run(10).any()


def test_we_leave_and_the_far_end_hears_busy_tone() -> None:
    caller = KeypadTelephone()
    port = Port().talking_to(caller)
    port.run(1)
    port.exchange.put_down()
    port.run(5)
    on = bursts(caller.heard)
    assert on[0][0] == 1 * SECOND
    assert len(on) == 8
    port.exchange.hang_up(caller)
    port.run(1)
    assert port.exchange.free


def test_next_caller_need_not_wait_for_the_last_ones_receiver() -> None:
    forgetful, caller = KeypadTelephone(), KeypadTelephone()
    port = Port().talking_to(forgetful)
    port.exchange.put_down()
    port.run(1)
    port.exchange.call(caller)
    heard = len(forgetful.heard)
    port.run(1)
    assert len(forgetful.heard) == heard
    assert bursts(caller.heard)


def test_a_telephone_that_lost_its_place_hangs_up_nobody_else() -> None:
    forgetful = KeypadTelephone()
    port = Port().talking_to(forgetful)
    port.exchange.put_down()
    port.talking_to(Silent())
    port.exchange.hang_up(forgetful)
    assert port.exchange.state is State.TALKING


def test_tones_of_another_exchange() -> None:
    tones = Tones.model_validate({"busy": {"hz": 425, "dbm0": -30, "cadence": [0.38, 0.32]}})
    port = Port(Exchange(tones, release=(Stage(tone="busy"),))).talking_to(Silent())
    port.exchange.hang_up()
    read = port.run(7)
    assert read[: 19 * FRAME].any()
    assert not read[19 * FRAME : 35 * FRAME].any()
    assert np.abs(read.astype(int)).max() == round(32767 * 10 ** ((-30 - 3.14) / 20))
