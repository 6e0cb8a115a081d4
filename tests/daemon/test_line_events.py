"""What a technician is told of a line: its levels in a call, and the last things that happened to it."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hotline.daemon.line_events import described
from hotline.daemon.seat import REMEMBERED
from hotline.drivers.line import Alarm, CallerId, Dialled, Event, FarHangup, HardwareDigit, Restored, Ring, RingStopped
from hotline.drivers.simulated.telephone import KeypadTelephone
from hotline.dsp import generate
from rig.house import EPOCH, NUMBER


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Ring(2), "振铃，第 2 声"),
        (RingStopped(), "没有应答，对方已挂机"),
        (CallerId("13800001234"), "来电号码：13800001234"),
        (CallerId(None), "来电号码：没有"),
        (FarHangup("极性反转"), "设备报告对方挂机：极性反转"),
        (Dialled(), "拨号完毕"),
        (Alarm("拔掉了"), "故障：拔掉了"),
        (Restored(), "恢复"),
        (HardwareDigit("5"), None),
    ],
)
def test_words(event: Event, words: str | None) -> None:
    assert described(event) == words


def test_a_call_seen_from_outside(house) -> None:
    home = house()
    service, line = home.service, home.service.phones()[0]
    (before,) = service.lines()
    assert (before.levels, before.events) == (None, [])
    caller = KeypadTelephone()
    caller.say(generate.noise(20_000, -15, np.random.default_rng(1)))
    line.exchange.call(caller, NUMBER)
    for _ in range(9 * 50):
        service.tick()
    (now,) = service.lines()
    assert now.state == "off-hook"
    assert now.levels is not None
    assert now.levels["level"] == pytest.approx(-15, abs=1.5)
    assert asdict(now)["levels"].keys() == {"level", "talker", "noise", "hum"}
    words = [text for _, text in now.events]
    assert words == ["振铃，第 1 声", f"来电号码：{NUMBER}", "振铃，第 2 声", "应答"]
    assert now.events[0][0] == pytest.approx(EPOCH.timestamp(), abs=0.1)
    assert now.events[3][0] == pytest.approx(EPOCH.timestamp() + 5, abs=0.1)
    line.exchange.fail("拔掉了")
    service.tick()
    (after,) = service.lines()
    assert after.levels is None
    assert after.events[-1][1] == "故障：拔掉了"
    assert len(after.events) == REMEMBERED
