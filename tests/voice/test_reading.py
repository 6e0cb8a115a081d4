"""Written Chinese read aloud: what clerks type becomes what a native speaker says."""

from __future__ import annotations

import re

import pytest
from hotline.voice import reading
from hypothesis import given
from hypothesis import strategies as st


def words(text, **how):
    """What is read, without the pinyin's spaces; polyphones stay pinyin."""
    return reading.aloud(text, **how).replace(" ", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("12329 住房公积金", "幺二三二九住房公积金"),
        ("查询请按 1，人工请按0", "查询请按一，人工请按零"),
        ("返回上层请按*", "返回上层请按星号键"),
        ("查询请按*号", "查询请按星号"),
        ("以井号（#）键结束", "以井号键结束"),
        ("以星号（*）键代替", "以星号键代替"),
        ("电话0990-6512329", "电话零九九零，六五幺二三二九"),
        ("手机13800138000", "手机幺三八，零零幺三，八零零零"),
        ("请拨打12345", "请拨打幺二三四五"),
        ("编号 20260017", "编号二零二六零零幺七"),
        ("2026年3月1日", "二零二六年三月一日"),
        ("2026-12-31", "二零二六年十二月三十一日"),
        ("周一至周五 8:30-12:00", "周一至周五八点三十分至十二点"),
        ("14:00—17:05", "十四点至十七点零五分"),
        ("年利率2.85%", "年利率百分之二点八五"),
        ("5%-12%", "百分之五至百分之十二"),
        ("千分比0.5‰", "千分比千分之零点五"),
        ("3,458.50元", "三千四百五十八元五角"),
        ("最高80万元", "最高八十万元"),
        ("1.5万元", "一点五万元"),
        ("15000元", "一万五千元"),
        ("2个工作日、2份、2号、2楼、12个", "两个工作日、两份、二号、二楼、十二个"),
        ("第2步", "第二步"),
        ("3-5年", "三至五年"),
        ("身份证号110105194912310021", "身份证号幺幺零幺零五幺九四九幺二三幺零零二幺"),
        ("１２３２９热线", "幺二三二九热线"),
        ("“请讲”", "请讲"),
        ("第一行\n第二行", "第一行。第二行"),
        ("甲（乙）丙", "甲，乙，丙"),
        ("😀", ""),
        ("  \n", ""),
        ("。，", ""),
        ("٣个", "三个"),
    ],
)
def test_what_is_said(text, said):
    assert words(text) == said


def test_the_style_is_kept():
    assert words("2年，12329", style="plain", yao=False) == "二年，一二三二九"


@pytest.mark.parametrize(
    ("text", "pinyin"),
    [
        ("重听请按一", "chong2 ting1"),
        ("还款期数", "huan2 kuan3"),
        ("建设银行", "yin2 hang2"),
        ("贷款年限", "dai4 kuan3"),
        ("您的余额为", "wei2"),
        ("为您服务", "wei4 nin2"),
        ("提前还款", "huan2"),
        ("末位为 X", "ai2 ke4 si5"),
    ],
)
def test_polyphones_are_given_as_pinyin(text, pinyin):
    assert pinyin in reading.aloud(text)


def test_the_table_of_readings_has_a_syllable_for_each_character():
    for word, pinyin in reading.readings().items():
        assert re.fullmatch(r"[一-鿿]+", word), word
        assert re.fullmatch(r"[a-z]+[1-5]( [a-z]+[1-5])*", pinyin), (word, pinyin)
        assert len(pinyin.split()) == len(word), (word, pinyin)


@given(st.text(max_size=60), st.booleans())
def test_any_text_gives_something_speakable(text, yao):
    said = reading.aloud(text, yao=yao)
    assert re.fullmatch(r"[一-鿿a-z1-5 ，。；！？、]*", said)
    assert not re.search(r"[a-z]", re.sub(r"[a-z]+[1-5]", "", said))


@given(st.text("0123456789.:-%年月日元个第电话,*#/ ", max_size=40))
def test_any_heap_of_numbers_gives_something_speakable(text):
    assert re.fullmatch(r"[一-鿿a-z1-5 ，。；！？、]*", reading.aloud(text))
