"""Spoken numbers: every vector of the rules, both styles, and properties judged by a slow reader."""

from __future__ import annotations

import datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hotline.voice import numbers
from hypothesis import given
from hypothesis import strategies as st


def _money(text):
    return lambda style: numbers.money(Decimal(text), style)


# Number of the vector, what is said, spoken, plain (None: the same words).
VECTORS = [
    (1, _money("0.00"), "零元", None),
    (2, _money("0.01"), "一分", None),
    (3, _money("0.02"), "两分", "二分"),
    (4, _money("0.05"), "五分", None),
    (5, _money("0.20"), "两角", "二角"),
    (6, _money("0.25"), "两角五分", "二角五分"),
    (7, _money("0.50"), "五角", None),
    (8, _money("1.00"), "一元", None),
    (9, _money("2.00"), "两元", "二元"),
    (10, _money("2.02"), "两元零二分", "二元零二分"),
    (11, _money("5.20"), "五元二角", None),
    (12, _money("10.00"), "十元", None),
    (13, _money("10.05"), "十元零五分", None),
    (14, _money("10.50"), "十元五角", None),
    (15, _money("12.00"), "十二元", None),
    (16, _money("100.05"), "一百元零五分", None),
    (17, _money("105.00"), "一百零五元", None),
    (18, _money("112.30"), "一百一十二元三角", None),
    (19, _money("200.00"), "二百元", None),
    (20, _money("1005.00"), "一千零五元", None),
    (21, _money("1011.00"), "一千零一十一元", None),
    (22, _money("1050.00"), "一千零五十元", None),
    (23, _money("1234.56"), "一千二百三十四元五角六分", None),
    (24, _money("2000.00"), "两千元", "二千元"),
    (25, _money("2222.22"), "两千二百二十二元二角二分", "二千二百二十二元二角二分"),
    (26, _money("10030.00"), "一万零三十元", None),
    (27, _money("10500.00"), "一万零五百元", None),
    (28, _money("12000.00"), "一万两千元", "一万二千元"),
    (29, _money("20000.00"), "两万元", "二万元"),
    (30, _money("100000.00"), "十万元", None),
    (31, _money("105000.00"), "十万五千元", None),
    (32, _money("200000.00"), "二十万元", None),
    (33, _money("1005000.00"), "一百万五千元", None),
    (34, _money("10010000.00"), "一千零一万元", None),
    (35, _money("22000000.00"), "两千二百万元", "二千二百万元"),
    (36, _money("100001000.00"), "一亿零一千元", None),
    (37, _money("200000002.00"), "两亿零二元", "二亿零二元"),
    (38, _money("999999999.99"), "九亿九千九百九十九万九千九百九十九元九角九分", None),
    (39, _money("-3.20"), "负三元二角", None),
    (40, _money("12345.675"), "一万两千三百四十五元六角八分", "一万二千三百四十五元六角八分"),
    (41, lambda style: numbers.term(24, style), "两年", "二年"),
    (42, lambda style: numbers.term(360, style), "三十年", None),
    (43, lambda style: numbers.term(318, style), "二十六年六个月", None),
    (44, lambda style: numbers.count(360, "期", style), "三百六十期", None),
    (45, lambda style: numbers.year_month("202603"), "二零二六年三月", None),
    (46, lambda style: numbers.year_month("2000-12"), "二零零零年十二月", None),
    (47, lambda style: numbers.date("2026-12-31"), "二零二六年十二月三十一日", None),
    (48, lambda style: numbers.digits("11010519491231002X"), "幺幺零幺零五幺九四九幺二三幺零零二X", None),
    (49, lambda style: numbers.digits("110105491231002", yao=False), "一一零一零五四九一二三一零零二", None),
    (50, lambda style: numbers.phone("0376-6512329"), "零三七六 六五幺二三二九", None),
    (51, lambda style: numbers.digits("12329"), "幺二三二九", None),
    (52, lambda style: numbers.agent("1001"), "幺零零幺号", None),
    (53, lambda style: numbers.percent(Decimal("2.85")), "百分之二点八五", None),
    (54, lambda style: numbers.time("14:30"), "下午两点三十分", None),
    (55, lambda style: numbers.count(2, "位", style) + numbers.ordinal(2, "位"), "两位第二位", None),
    (56, lambda style: "".join(map(numbers.key, "1*#")), "一星号键井号键", None),
]


def test_every_vector_is_here():
    assert [row[0] for row in VECTORS] == list(range(1, 57))


@pytest.mark.parametrize(("number", "say", "spoken", "plain"), VECTORS)
def test_vector(number, say, spoken, plain):
    assert say("spoken") == spoken
    assert say("plain") == (plain or spoken)
    assert numbers.clip_keys(spoken)


def read(text: str) -> int:
    """The number a listener understands: slow, and knowing only what 千, 万 and 亿 mean."""
    for unit, scale in (("亿", 10**8), ("万", 10**4)):
        high, found, low = text.partition(unit)
        if found:
            return read(high) * scale + read(low)
    total, digit = 0, 0
    for char in text:
        if char == "零":
            continue
        if char in "十百千":
            total += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[char]
            digit = 0
        else:
            digit = {"两": 2}.get(char) or numbers.DIGITS.index(char)
    return total + digit


WHOLE = st.one_of(
    st.integers(0, numbers.LIMIT - 1),
    st.lists(st.sampled_from("0001259"), min_size=1, max_size=12).map(lambda chars: int("".join(chars))),
)
STYLES = st.sampled_from(["spoken", "plain"])


@given(WHOLE, STYLES)
def test_a_listener_understands_the_number(number, style):
    assert read(numbers.cardinal(number, style)) == number


@given(WHOLE)
def test_zeros_are_said_once_and_never_at_the_end(number):
    text = numbers.cardinal(number)
    assert "零零" not in text
    assert number == 0 or not text.endswith("零")
    assert not any(wrong in text for wrong in ("零千", "零百", "零十", "零万", "零亿"))


@given(WHOLE)
def test_the_styles_differ_in_liang_only(number):
    spoken, plain = numbers.cardinal(number), numbers.cardinal(number, "plain")
    assert spoken.replace("两", "二") == plain
    assert all(spoken[at + 1] in "千万亿" for at, char in enumerate(spoken) if char == "两")


@given(st.decimals(-(10**11), 10**11, places=4), STYLES)
def test_an_amount_is_understood_to_the_fen(amount, style):
    text = numbers.money(amount, style)
    sign = -1 if text.startswith("负") else 1
    yuan, found, rest = text.removeprefix("负").partition("元")
    if not found:
        yuan, rest = "零", yuan
    jiao = read(rest[: rest.index("角")]) if "角" in rest else 0
    fen = read(rest[rest.find("角") + 1 : rest.index("分")]) if "分" in rest else 0
    heard = sign * (Decimal(read(yuan)) + Decimal(jiao) / 10 + Decimal(fen) / 100)
    assert heard == amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert numbers.clip_keys(text)


@given(st.integers(0, 1200), STYLES)
def test_a_term_is_understood(months, style):
    text = numbers.term(months, style)
    years, found, rest = text.partition("年")
    if not found:
        years, rest = "零", text
    assert read(years) * 12 + read(rest.removesuffix("个月")) == months


@given(st.text("0123456789X", max_size=24), st.booleans())
def test_digit_strings_keep_every_character(value, yao):
    back = {char: str(at) for at, char in enumerate(numbers.DIGITS)} | {"幺": "1", "X": "X", " ": ""}
    for say in (numbers.digits, numbers.id_number):
        assert "".join(back[char] for char in say(value, yao)) == value
        assert ("幺" in say(value, yao)) == (yao and "1" in value)


@given(st.dates())
def test_a_date_is_understood(day):
    year, month = numbers.date(day).split("年")
    month, rest = month.split("月")
    assert "".join(str(numbers.DIGITS.index(char)) for char in year) == f"{day.year:04}"
    assert (read(month), read(rest.removesuffix("日"))) == (day.month, day.day)
    assert numbers.date(day.isoformat()) == numbers.date(day) == numbers.date(day.strftime("%Y%m%d").zfill(8))


@pytest.mark.parametrize(
    ("say", "text"),
    [
        (lambda: numbers.id_number("11010519491231002X"), "幺幺零幺零五 幺九四九 幺二三幺 零零二X"),
        (lambda: numbers.id_number("110105491231002", yao=False), "一一零一零五 四九一二三一 零零二"),
        (lambda: numbers.id_number("0017"), "零零幺七"),
        (lambda: numbers.id_number("123456"), "幺二三四 五六"),
        (lambda: numbers.phone("13800138000"), "幺三八 零零幺三 八零零零"),
        (lambda: numbers.phone("09906512329"), "零九九零 六五幺二三二九"),
        (lambda: numbers.phone("01012345678"), "零幺零 幺二三四五六七八"),
        (lambda: numbers.phone("4008012329"), "四零零 八零幺 二三二九"),
        (lambda: numbers.phone("65123290"), "六五幺二 三二九零"),
        (lambda: numbers.phone("12329"), "幺二三二九"),
        (lambda: numbers.time("09:00"), "上午九点"),
        (lambda: numbers.time("8:05"), "上午八点零五分"),
        (lambda: numbers.time(datetime.time(0, 30)), "凌晨零点三十分"),
        (lambda: numbers.time("12:30"), "中午十二点三十分"),
        (lambda: numbers.time("18:10:59"), "晚上六点十分"),
        (lambda: numbers.percent(Decimal("3.10")), "百分之三点一"),
        (lambda: numbers.percent(Decimal("-2")), "负百分之二"),
        (lambda: numbers.cardinal(110), "一百一十"),
        (lambda: numbers.cardinal(10010), "一万零一十"),
        (lambda: numbers.cardinal(120000), "十二万"),
        (lambda: numbers.cardinal(2_0002_0002), "两亿零两万零二"),
        (lambda: numbers.money(Decimal("-0.004")), "零元"),
        (lambda: numbers.money(Decimal("0.22")), "两角二分"),
        (lambda: numbers.term(2), "两个月"),
        (lambda: numbers.term(0), "零年"),
        (lambda: numbers.year_month(202610), "二零二六年十月"),
        (lambda: numbers.year_month(datetime.date(2026, 10, 1)), "二零二六年十月"),
    ],
)
def test_by_hand(say, text):
    assert say() == text


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: numbers.cardinal(numbers.LIMIT),
        lambda: numbers.term(-1),
        lambda: numbers.year_month("202613"),
        lambda: numbers.year_month("26-03"),
        lambda: numbers.date("2026-02-30"),
        lambda: numbers.date("tomorrow"),
        lambda: numbers.time("24:00"),
        lambda: numbers.time("noon"),
        lambda: numbers.clip_keys("三块"),
    ],
)
def test_what_cannot_be_said_is_refused(wrong):
    with pytest.raises(ValueError, match=r"."):
        wrong()


@pytest.mark.parametrize("value", [1.5, None, "2.00", 2])
def test_money_is_decimal_or_nothing(value):
    with pytest.raises(TypeError, match="Decimal"):
        numbers.money(value)


def test_a_refused_id_number_is_not_repeated_in_the_message():
    with pytest.raises(ValueError, match="18 characters") as failure:
        numbers.digits("99010119850307001A")
    assert "9901" not in str(failure.value)
