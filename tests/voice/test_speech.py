"""What dialogs say: pieces and values become clips, a transcript, and a transcript that names nobody."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pytest
from hotline.voice import speech
from hotline.voice.catalogue import Catalogue
from hotline.voice.library import Library
from hotline.voice.speech import SpeechError

ACCOUNT = [
    "P08",
    {"id": "id_number"},
    {"when": "paid_to", "say": ["P09", {"month": "paid_to"}]},
    {"when": "monthly", "say": ["P10", {"money": "monthly"}]},
    "P11",
    {"money": "balance"},
    "P13",
]
ROW = {
    "id_number": "990101198503070017",
    "paid_to": "202610",
    "monthly": Decimal("1260.00"),
    "balance": Decimal("12345.67"),
}
SAID = (
    "您输入的身份证号为 九九零幺零幺 幺九八五 零三零七 零零幺七 您的住房公积金已缴至 二零二六年十月 "
    "月缴存额 一千二百六十元 您的余额为 一万两千三百四十五元六角七分 重听请按 1，返回上层请按*"
)


@pytest.fixture(scope="module")
def library():
    return Library(Catalogue.load())


def said(pieces, values, library, **how):
    return speech.compose(pieces, values, library, **how).text


def test_a_balance_is_read_out(library):
    utterance = speech.compose(ACCOUNT, ROW, library)
    assert utterance.text == SAID
    assert "".join(clip.text for clip in utterance.clips).replace(" ", "") == SAID.replace(" ", "")
    assert all(0 <= clip.start < clip.end <= library.pool.size for clip in utterance.clips)
    assert np.any(np.concatenate([library.pool[clip.start : clip.end] for clip in utterance.clips]))


def test_the_masked_transcript_names_nobody(library):
    masked = speech.compose(ACCOUNT, ROW, library).masked
    assert "990101********0017" in masked
    assert "九九零" not in masked


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("99010119870316005X", "990101********005X"),
        ("990101600101123", "990101*****1123"),
        ("6222021234", "******1234"),
        ("0017", "0017"),
        ("17", "17"),
    ],
)
def test_masks(library, number, masked):
    assert speech.compose([{"id": "n"}], {"n": number}, library).masked == masked


def test_null_is_never_spoken_and_zero_is(library):
    text = said(ACCOUNT, ROW | {"paid_to": None, "monthly": Decimal("0.00"), "balance": Decimal("0.00")}, library)
    assert "已缴至" not in text
    assert "月缴存额 零元 您的余额为 零元" in text


def test_a_value_that_is_none_leaves_only_its_own_piece_out(library):
    assert said(["P11", {"money": "balance"}], {"balance": None}, library) == "您的余额为"


class Settings(NamedTuple):
    style: str
    yao: bool


@pytest.mark.parametrize(
    ("piece", "value", "words"),
    [
        ({"digits": "v"}, "12329", "幺二三二九"),
        ({"digits": "v"}, 12329, "幺二三二九"),
        ({"phone": "v"}, "0990-6512329", "零九九零 六五幺二三二九"),
        ({"agent": "v"}, "1001", "幺零零幺号"),
        ({"money": "v"}, Decimal("2000"), "两千元"),
        ({"percent": "v"}, Decimal("2.85"), "百分之二点八五"),
        ({"years": "v"}, 318, "二十六年六个月"),
        ({"years": "v"}, Decimal(360), "三十年"),
        ({"month": "v"}, "202603", "二零二六年三月"),
        ({"date": "v"}, "2026-12-31", "二零二六年十二月三十一日"),
        ({"time": "v"}, "14:30", "下午两点三十分"),
        ({"ordinal": "v"}, 2, "第二位"),
        ({"count": "v", "unit": "期"}, 360, "三百六十期"),
        ({"count": "v", "unit": "人"}, "2", "两人"),
    ],
)
def test_every_kind_of_value(library, piece, value, words):
    assert said([piece], {"v": value}, library) == words
    assert speech.validate([piece], library.catalogue) == []


def test_the_centres_manner_is_kept(library):
    plain = Settings("plain", False)
    assert said([{"money": "v"}], {"v": Decimal("2000")}, library, how=plain) == "二千元"
    assert said([{"digits": "v"}], {"v": "110"}, library, how=plain) == "一一零"


def test_names_reach_into_mappings(library):
    values = {"centre": {"phone": "6512329"}, "empty": None}
    assert said(["P04", {"phone": "centre.phone"}], values, library).endswith("详情请拨打电话 六五幺二三二九")
    assert said([{"phone": "empty.phone"}], values, library) == ""


def test_free_text_and_menus_made_from_data(library):
    values = {"titles": {"1": "购房提取", "2": "租房提取"}, "body": " 二零二六年调整 "}
    utterance = speech.compose([{"choices": "titles"}, "press-star", {"text": "body"}], values, library)
    assert utterance.text == "购房提取请按 1 租房提取请按 2 返回上层查询请按*号 二零二六年调整"


def test_a_pause_stands_before_each_sentence_and_none_before_a_value(library):
    keys = [clip.key for clip in speech.compose(["P10", {"money": "v"}, "P13"], {"v": Decimal(2)}, library).clips]
    assert keys == ["P10", "n-liang", "n-yuan", "gap", "P13"]


@pytest.mark.parametrize(
    ("condition", "values", "met"),
    [
        ("v", {"v": "x"}, True),
        ("v", {"v": 0}, True),
        ("v", {"v": Decimal("0.00")}, True),
        ("v", {"v": True}, True),
        ("v", {"v": False}, False),
        ("v", {"v": None}, False),
        ("v", {"v": ""}, False),
        ("v", {}, False),
        ("a.b", {"a": {"b": 1}}, True),
        ("a.b", {"a": 1}, False),
        ({"v": "02"}, {"v": "02"}, True),
        ({"v": "02"}, {"v": "01"}, False),
        ({"v": "02"}, {}, False),
        ({"v": 2, "w": True}, {"v": "2", "w": True}, True),
    ],
)
def test_conditions(condition, values, met):
    assert speech.holds(condition, values) is met


@pytest.mark.parametrize(
    ("pieces", "blocks"),
    [
        (["P01", {"money": "v"}], False),
        ([{"text": "body"}], True),
        ([{"choices": "titles"}], True),
        ([{"when": "v", "say": [{"text": "body"}]}], True),
        ([{"when": "v", "say": ["P09"]}], False),
    ],
)
def test_what_may_take_long_is_known_beforehand(pieces, blocks):
    assert speech.blocking(pieces) is blocks


@pytest.mark.parametrize(
    ("piece", "value"),
    [
        ({"money": "v"}, 12345.67),
        ({"money": "v"}, Decimal(10**12)),
        ({"money": "v"}, Decimal("NaN")),
        ({"month": "v"}, "202613"),
        ({"id": "v"}, "99010119850307001A"),
        ({"years": "v"}, "30.5"),
        ({"count": "v", "unit": "期"}, "many"),
        ({"digits": "v"}, 1.5),
        ({"time": "v"}, 1430),
    ],
)
def test_what_cannot_be_said_is_named_without_its_value(library, piece, value):
    with pytest.raises(SpeechError, match="念不出来") as failure:
        speech.compose([piece], {"v": value}, library)
    assert str(value) not in str(failure.value)


def test_a_name_the_values_lack_is_an_error(library):
    with pytest.raises(SpeechError, match="balance"):
        speech.compose([{"money": "balance"}], {}, library)


@pytest.mark.parametrize(
    ("pieces", "fault"),
    [
        ("P01", "应当是列表"),
        (["P99"], "第 1 项 'P99'：提示音目录里没有这个名称"),
        (["P01", 5], "第 2 项 5"),
        ([{"cash": "v"}], "要有且只有一个种类"),
        ([{"money": "v", "digits": "v"}], "要有且只有一个种类"),
        ([{"money": "v", "unit": "元"}], "不认识 unit"),
        ([{"money": "3x"}], "money = '3x'"),
        ([{"money": None}], "money = None"),
        ([{"count": "v"}], "unit = None"),
        ([{"count": "v", "unit": "斤"}], "unit = '斤'：可用：年、月"),
        ([{"when": "v"}], "有且只有 when 和 say"),
        ([{"when": [], "say": ["P01"]}], r"when = \[\]"),
        ([{"when": "v", "say": "P01"}], "say 应当是列表"),
        ([{"when": "v", "say": ["P01", {"text": 1}]}], "第 1 项 say 第 2 项 text = 1"),
    ],
)
def test_a_wrong_piece_is_refused_with_its_place(library, pieces, fault):
    faults = speech.validate(pieces, library.catalogue)
    assert len(faults) == 1
    assert re.search(fault, faults[0]), faults


def test_good_pieces_have_no_faults(library):
    assert speech.validate(ACCOUNT, library.catalogue) == []
    assert speech.validate([{"when": {"state": "02"}, "say": ["status-sealed"]}], library.catalogue) == []
