"""config/tones.py: shipped plans load, bad ones are refused in a sentence that says where, what and what is allowed."""

from __future__ import annotations

import tomllib

import pytest
from hotline.config import tones
from hotline.config.settings import SettingsError

GOOD = """
country = "试验"
source = "measured"
[tones.busy]
meaning = "busy"
text = "忙音"
frequencies = [450]
cadence = [0.35, 0.35]
"""


@pytest.fixture
def plan_file(tmp_path):
    def write(text: str, encoding: str = "utf-8"):
        path = tmp_path / "ours.toml"
        path.write_bytes(text.encode(encoding))
        return path

    return write


@pytest.mark.parametrize("name", tones.shipped())
def test_every_shipped_plan_loads(name):
    plan = tones.load(name)
    assert plan.tones
    for tone in plan.tones.values():
        assert len(tone.sounds) == len(tone.pattern)


def test_china_says_what_the_standard_says():
    plan = tones.load("cn")
    cadences = {name: tone.cadence for name, tone in plan.tones.items() if tone.frequencies == (450.0,)}
    assert cadences == {
        "dial": (),
        "ringback": (1.0, 4.0),
        "busy": (0.35, 0.35),
        "congestion": (0.7, 0.7),
        "unobtainable": (0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.4, 0.4),
        "waiting": (0.4, 4.0),
        "toll": (0.2, 0.2, 0.2, 0.6),
    }
    assert plan.tones["howler"].frequencies == (950.0,)
    gone = {name for name, tone in plan.tones.items() if tone.released}
    assert gone == {"dial", "busy", "congestion", "unobtainable", "howler"}


def test_a_file_of_ones_own(plan_file):
    plan = tones.load(plan_file(GOOD))
    assert plan.tones["busy"].pattern == ((0.35, 0.35),)
    assert plan.tones["busy"].tolerance_hz == 25


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"busy"\ntext', '"engaged"\ntext', ["[tones.busy]", "meaning", "engaged", "congestion"]),
        ("[450]", "[450, 5]", ["[tones.busy]", "frequencies 的第 2 项", "5", "300 到 3400"]),
        ("[450]", "[450, 470]", ["[tones.busy]", "frequencies", "40 Hz"]),
        ("[450]", '"450"', ["[tones.busy]", "frequencies", "450", "列表"]),
        ("[0.35, 0.35]", "[0.35]", ["[tones.busy]", "1 项", "成对"]),
        ("[0.35, 0.35]", "[0.01, 0.35]", ["[tones.busy]", "0.06"]),
        ("frequencies = [450]\n", "", ["[tones.busy]", "frequencies", "sequence"]),
        ("cadence", "cadense", ["[tones.busy]", "cadense", "cadence"]),
        ('text = "忙音"\n', "", ["[tones.busy]", "缺少 text"]),
        ("[tones.busy]", "[tones.busy]\nquietest = 1", ["[tones.busy]", "quietest", "-45 到 0"]),
        ("[tones.busy]", "[tones.busy]\nquietest = -5\nloudest = -10", ["quietest", "小于 loudest"]),
        ('country = "试验"', "", ["缺少 country"]),
        ("[tones.busy]", "[tones.busy", ["第 4 行"]),
    ],
)
def test_a_bad_file_is_refused_with_its_place(plan_file, old, new, words):
    path = plan_file(GOOD.replace(old, new))
    with pytest.raises(SettingsError) as caught:
        tones.load(path)
    for word in [str(path), *words]:
        assert word in str(caught.value)


def test_unknown_name_lists_what_there_is():
    with pytest.raises(SettingsError, match=r"cn.*itu"):
        tones.load("atlantis")


def test_a_file_in_another_encoding_is_refused(plan_file):
    with pytest.raises(SettingsError, match="UTF-8"):
        tones.load(plan_file(GOOD, "gbk"))


@pytest.mark.parametrize("name", tones.shipped())
def test_shipped_plans_name_their_source(name):
    document = tomllib.loads((tones.SHIPPED / f"{name}.toml").read_text("utf-8"))
    assert document["source"]
