"""What the figures mean, on both sides of every limit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hotline.daemon.technician.examination import Called, Findings
from hotline.daemon.technician.measures import DialTone, Echo, Quiet
from hotline.daemon.technician.verdict import findings, verdict

GOOD = Findings(
    "1",
    "sound",
    connected=True,
    dial_tone=DialTone((450.0,), (), -10.0),
    silent=True,
    quiet=Quiet(-65.0, -70.0, 0.0),
    echo=Echo(20.0, 24.0, ()),
    echo_looked_for=True,
)
TONE = DialTone((450.0,), (), -10.0)
CALLED = Called(2, "13800001234", -20.0, object(), -10.0, "busy")  # only whether there is a tone


def test_a_good_line() -> None:
    assert verdict(GOOD).text == "正常：可以接电话"
    assert {one.level for one in findings(GOOD)} == {"good"}


@pytest.mark.parametrize(
    ("changed", "title", "level", "words"),
    [
        ({"failed": "声卡没有声音传来"}, "设备", "bad", "请先排除故障"),
        ({"connected": False}, "摘机", "bad", "接线"),
        ({"dial_tone": None}, "拨号音", "bad", "普通话机"),
        ({"dial_tone": replace(TONE, level_dbm0=-15.9)}, "拨号音", "good", "450 Hz，-15.9 dBm0"),
        ({"dial_tone": replace(TONE, level_dbm0=-17.2)}, "拨号音", "doubtful", "请把 gain_in_db 改变 +7 dB"),
        ({"dial_tone": replace(TONE, level_dbm0=-1.0)}, "拨号音", "doubtful", "请把 gain_in_db 改变 -9 dB"),
        ({"dial_tone": replace(TONE, level_dbm0=-30.0)}, "拨号音", "bad", "改变 +20 dB"),
        ({"dial_tone": replace(TONE, level_dbm0=-30.0), "driver": "modem"}, "拨号音", "bad", "设备自己的输入增益"),
        ({"silent": False}, "拨号", "doubtful", "--dial"),
        ({"quiet": Quiet(-50.1, -70.0, 0.0)}, "噪声", "good", "-50.1 dBm0"),
        ({"quiet": Quiet(-49.9, -70.0, 0.0)}, "噪声", "doubtful", "接头"),
        ({"quiet": Quiet(-37.0, -70.0, 0.0)}, "噪声", "bad", "换线对"),
        ({"quiet": Quiet(-65.0, -45.1, 0.0)}, "交流声", "good", "-45.1 dBm0"),
        ({"quiet": Quiet(-65.0, -44.0, 0.0)}, "交流声", "doubtful", "接地"),
        ({"echo": None}, "回声", "good", "没有听到"),
        ({"echo": None, "echo_looked_for": False}, "回声", "doubtful", "--dial"),
        ({"echo": Echo(11.9, 24.0, ())}, "回声", "doubtful", "阻抗"),
        ({"echo": Echo(5.9, 24.0, ())}, "回声", "bad", "太强"),
        ({"echo": Echo(20.0, 300.0, ())}, "回声", "doubtful", "太迟"),
        ({"late_frames": 6}, "声音中断", "doubtful", "太忙"),
        ({"nobody_called": True}, "来电", "doubtful", "核对号码"),
        ({"called": CALLED}, "来电号码", "good", "13800001234"),
        ({"called": replace(CALLED, number=None)}, "来电号码", "doubtful", "来电显示"),
        ({"called": replace(CALLED, voice_dbm0=None)}, "来电者的声音", "doubtful", "没有听到"),
        ({"called": CALLED}, "挂机音", "good", "busy"),
        ({"called": replace(CALLED, known_as="")}, "挂机音", "doubtful", "加进信号音方案"),
        ({"called": replace(CALLED, tone=None)}, "挂机音", "bad", "hotline lines record"),
    ],
)
def test_each_figure(changed: dict[str, object], title: str, level: str, words: str) -> None:
    found = replace(GOOD, **changed)
    one = next(one for one in findings(found) if one.title == title)
    assert one.level == level
    assert words in one.text
    told = verdict(found)
    assert told.level == level
    assert level == "good" or told.text.endswith(f"：{title}")


def test_the_worst_comes_first() -> None:
    told = verdict(replace(GOOD, quiet=Quiet(-30.0, -20.0, 0.0), silent=False))
    assert told.text == "不能用：噪声"
