"""The catalogue: every prompt is there, says what it should, and a broken file is refused with its place."""

from __future__ import annotations

import pytest
from hotline.voice import numbers
from hotline.voice.catalogue import Catalogue, CatalogueError

CATALOGUE = Catalogue.load()


def test_every_prompt_of_the_flow_is_there():
    assert {f"P{number:02}" for number in range(1, 39)} <= set(CATALOGUE)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("P06", "您输入的身份证号不存在"),
        ("P13", "重听请按 1，返回上层请按*"),
        ("P26", "选择投诉，请按 1。选择建议，请按 2。按星号返回上一层。"),
        ("P29", "请讲"),
        ("P36", "无人接听，稍后再转"),
    ],
)
def test_words_are_as_printed_and_misprints_corrected(key, text):
    assert CATALOGUE[key].text == text


def test_the_loan_help_names_personal_loans():
    assert CATALOGUE["P20"].text.startswith("查询住房公积金个人贷款，")


@pytest.mark.parametrize("key", ["P04", "P05", "P15", "P16"])
def test_a_telephone_number_can_follow(key):
    assert CATALOGUE[key].text.endswith("详情请拨打电话")


def test_a_busy_system_sends_nobody_to_the_counter():
    assert not any(word in CATALOGUE["system-busy"].text for word in ("携带", "办理", "柜台", "中心"))


def test_every_piece_of_a_number_has_its_clip():
    pieces = {prompt.text: key for key, prompt in CATALOGUE.items() if prompt.group == "number"}
    assert pieces == {text: key for text, key in numbers.CLIPS.items() if key != "pause"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[P01\n", "读不出来"),
        ('[P01]\ntext = "您好"\n', r"\[P01\]：text 和 group 必须有文字"),
        ('[P01]\ntext = "您好"\ngroup = "menu"\nvoice = "f3"\n', "不认识 voice"),
        ('[P01]\ntext = 1\ngroup = "menu"\n', "一节文字"),
        ('["../P01"]\ntext = "您好"\ngroup = "menu"\n', "只能用字母、数字和连字符"),
        ('P01 = "您好"\n', "一节文字"),
    ],
)
def test_a_broken_file_is_refused(tmp_path, content, reason):
    path = tmp_path / "texts.toml"
    path.write_text(content, "utf-8")
    with pytest.raises(CatalogueError, match=reason) as failure:
        Catalogue.load(path)
    assert str(path) in str(failure.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CatalogueError, match="nowhere"):
        Catalogue.load(tmp_path / "nowhere.toml")


def test_an_unknown_prompt_is_named():
    with pytest.raises(CatalogueError, match="P99"):
        CATALOGUE["P99"]
    assert "P99" not in CATALOGUE
