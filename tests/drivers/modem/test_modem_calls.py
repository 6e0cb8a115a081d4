"""Whole calls over simulated modems: ring, caller id, menu, ID, balance, back, and gone by busy tone."""

from __future__ import annotations

import pytest
from rig.city import NORMAL, TEXTS, prompts
from rig.house import NUMBER, PIN

FAST = {"on_ms": 70, "off_ms": 70}
# Nothing is heard for the first second; then every prompt is cut short, the read-out after a second.
SCRIPT = f"wait:2 !1 !1{NORMAL}#{PIN} !* wait:0.5 hangup"


@pytest.mark.parametrize(
    ("firmware", "fault"),
    [("conexant", "cut_dle"), ("conexant-half", "triple_digits"), ("usr5637", "cut_dle"), ("generic", "")],
)
def test_a_balance_enquiry(modem_house, firmware, fault):
    """With reads that end behind a DLE, and presses reported three times without beginning and end."""
    from hotline.desk.models import Call

    home = modem_house(firmware=(firmware,))
    line, modem = home.lines[0], home.modems[0]
    if fault:
        setattr(modem.faults, fault, True)
    told = home.call(SCRIPT, **FAST)
    said = prompts(told)
    assert told.entries[0].text.startswith(NUMBER)
    assert said[0] == TEXTS["P01"]
    assert "您的住房公积金已缴至" in said[-2]
    assert said[-1] == said[1], "the account menu, and that again after *"
    assert line.capabilities.full_duplex == (firmware == "conexant")
    assert "忙音" in told.entries[-2].text
    assert Call.objects.get().cause == "caller"
    assert modem.most_queued <= 1600, "never more than 200 ms lie in the device"
    assert set(modem.streams) == ({"VTR"} if firmware == "conexant" else {"VTX", "VRX"})
    assert line.overruns == 0
