"""Numbers as a Mandarin speaker says them: pure functions from values to spoken text, and from that to clips.

Two styles: `spoken` says 两 where people do (两千, 两年), `plain` says 二 there as most switches do.
In digit strings 1 is 幺 unless `yao` is off. A space in spoken text is a short pause.

The rules, which the functions below name:

    R1  Cardinals go in groups of four from the right (亿, 万, units); zeros between digits are one 零, at the end none.
    R2  A lower group under 1000, or one after a group of zeros, starts with 零.
    R3  10-19 at the very beginning are 十, 十一 ...; anywhere else 一十.
    R4  两 stands alone before 千, 万, 亿 and measure words; 二 in tens, hundreds, units, ordinals and digit strings.
    R5  Money is rounded half up to 分; 分 without 角 after 元 takes 零; nothing at all is 零元; 整 is never said.
    R6  Digit strings go digit by digit, in the groups people write them in.
    R7  Keys are 一 to 九 (never 幺), 星号键, 井号键.
    R8  A year is read digit by digit (never 幺), month and day are cardinals.
    R9  Times take a part of the day, decimals are read digit by digit after 点.
    R10 NULL is never spoken: None is a TypeError here; whoever composes a sentence leaves the item out.
"""

from __future__ import annotations

import datetime
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Literal

Style = Literal["spoken", "plain"]

DIGITS: Final = "零一二三四五六七八九"
LIMIT: Final = 10**12  # groups above 亿 have no clips; no fund holds a million million

# Spoken pieces that are clips of their own; what is said is cut into the longest of these.
CLIPS: Final[dict[str, str]] = {
    **{digit: f"n-{value}" for value, digit in enumerate(DIGITS)},
    "十": "n-10",
    "百": "n-100",
    "千": "n-1000",
    "万": "n-wan",
    "亿": "n-yi",
    "两": "n-liang",
    "幺": "n-yao",
    "点": "n-point",
    "负": "n-minus",
    "元": "n-yuan",
    "角": "n-jiao",
    "分": "n-fen",
    "年": "n-year",
    "月": "n-month",
    "日": "n-day",
    "期": "n-period",
    "位": "n-place",
    "人": "n-people",
    "号": "n-number",
    "第": "n-ordinal",
    "个月": "n-months",
    "个工作日": "n-workdays",
    "百分之": "n-percent",
    "X": "n-x",
    "星号键": "n-star",
    "井号键": "n-hash",
    "凌晨": "n-dawn",
    "上午": "n-morning",
    "中午": "n-noon",
    "下午": "n-afternoon",
    "晚上": "n-evening",
    " ": "pause",
}
UNITS: Final = ("年", "月", "日", "期", "位", "人", "号", "个月", "个工作日")  # what `count` may count

_PIECE = re.compile("|".join(sorted(map(re.escape, CLIPS), key=len, reverse=True)))
_SCALES = ((10**8, "亿"), (10**4, "万"), (1, ""))
_PLACES = ((1000, "千"), (100, "百"), (10, "十"), (1, ""))
# 二位 and 二点 mean something else or nothing; even the plain style says 两 here.
_ALWAYS_LIANG = frozenset({"位", "点"})
_DAY_PARTS = ((6, "凌晨"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))
_YEAR_MONTH = re.compile(r"(\d{4})-?(\d{2})(?:-?\d{2})?")
_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})?")


def cardinal(number: int, style: Style = "spoken") -> str:
    """A whole number (R1-R4): 10030 -> 一万零三十. ValueError at 10**12 and beyond."""
    if not -LIMIT < number < LIMIT:
        raise ValueError(f"{number} has no spoken form here; allowed is -10**12 < n < 10**12")
    if number == 0:
        return "零"
    if number < 0:
        return "负" + cardinal(-number, style)
    text, skipped = "", False
    for scale, unit in _SCALES:
        group = number // scale % 10_000
        if group == 0:
            skipped = bool(text)
            continue
        if text and (skipped or group < 1000):
            text += "零"
        skipped = False
        alone = group == 2 and unit and style == "spoken"
        text += ("两" if alone else _group(group, style, first=not text)) + unit
    return text


def _group(number: int, style: Style, *, first: bool) -> str:
    """1-9999 without leading zeros; `first` when the spoken number begins here (R3)."""
    text, zero = "", False
    for place, name in _PLACES:
        digit = number // place % 10
        if digit == 0:
            zero = bool(text)
            continue
        if zero:
            text += "零"
            zero = False
        if place == 10 and digit == 1 and first and not text:
            text = "十"
        elif place == 1000 and digit == 2 and style == "spoken":
            text = "两千"
        else:
            text += DIGITS[digit] + name
    return text


def count(number: int, unit: str, style: Style = "spoken") -> str:
    """A number before its measure word: 2, 期 -> 两期; `ordinal` says 第二位."""
    if number == 2 and (style == "spoken" or unit in _ALWAYS_LIANG):
        return "两" + unit
    return cardinal(number, style) + unit


def ordinal(number: int, unit: str = "位") -> str:
    """第二位: ordinals never take 两 (R4)."""
    return "第" + cardinal(number, "plain") + unit


def money(amount: Decimal, style: Style = "spoken") -> str:
    """An amount in yuan, rounded half up to 分 (R5). TypeError for anything but Decimal: floats have no exact 分."""
    if not isinstance(amount, Decimal):
        raise TypeError(f"money takes Decimal, not {type(amount).__name__}")
    fens = int((amount * 100).to_integral_value(ROUND_HALF_UP))
    sign = "负" if fens < 0 else ""
    yuan, fens = divmod(abs(fens), 100)
    jiao, fen = divmod(fens, 10)
    if not (yuan or jiao or fen):
        return "零元"
    # Only what opens the amount can be the bare 2 that is 两: 两角五分, but 五元二角.
    text = count(yuan, "元", style) if yuan else ""
    if jiao:
        text += DIGITS[jiao] + "角" if text else count(jiao, "角", style)
    if fen and jiao:
        text += DIGITS[fen] + "分"
    elif fen:
        text += "零" + DIGITS[fen] + "分" if text else count(fen, "分", style)
    return sign + text


def term(months: int, style: Style = "spoken") -> str:
    """A term given in monthly periods: 360 -> 三十年, 318 -> 二十六年六个月, 5 -> 五个月."""
    if months < 0:
        raise ValueError(f"a term of {months} months does not exist")
    years, rest = divmod(months, 12)
    text = count(years, "年", style) if years or not rest else ""
    return text + (count(rest, "个月", style) if rest else "")


def year_month(value: str | int | datetime.date) -> str:
    """202603, '2026-03', '2026-03-01' or a date -> 二零二六年三月 (R8). ValueError for anything else."""
    if isinstance(value, datetime.date):
        year, month = value.year, value.month
    else:
        match = _YEAR_MONTH.fullmatch(str(value).strip())
        if not match:
            raise ValueError(f"{value!r} is not a year and month; allowed are YYYYMM, YYYY-MM and dates")
        year, month = int(match[1]), int(match[2])
        datetime.date(year, month, 1)
    return f"{_by_digit(f'{year:04}')}年{cardinal(month)}月"


def date(value: str | int | datetime.date) -> str:
    """20261231, '2026-12-31' or a date -> 二零二六年十二月三十一日 (R8). ValueError for anything else."""
    if not isinstance(value, datetime.date):
        match = _DATE.fullmatch(str(value).strip())
        if not match:
            raise ValueError(f"{value!r} is not a date; allowed are YYYYMMDD, YYYY-MM-DD and dates")
        value = datetime.date(int(match[1]), int(match[2]), int(match[3]))
    return f"{year_month(value)}{cardinal(value.day)}日"


def time(value: str | datetime.time) -> str:
    """'14:30' or a time -> 下午两点三十分 (R9); a full hour says no minutes, seconds are dropped."""
    if not isinstance(value, datetime.time):
        match = _TIME.fullmatch(str(value).strip())
        if not match:
            raise ValueError(f"{value!r} is not a time; allowed are HH:MM and HH:MM:SS")
        value = datetime.time(int(match[1]), int(match[2]))
    part = next(name for until, name in _DAY_PARTS if value.hour < until)
    return part + clock(value.hour if value.hour <= 12 else value.hour - 12, value.minute)


def clock(hour: int, minute: int) -> str:
    """Hour and minute without a part of the day: 8, 5 -> 八点零五分."""
    text = count(hour, "点")
    if minute == 0:
        return text
    return text + ("零" if minute < 10 else "") + cardinal(minute) + "分"


def decimal(value: Decimal) -> str:
    """2.85 -> 二点八五: a cardinal, then digit by digit; zeros at the end are not said."""
    whole, _, fraction = format(abs(value), "f").partition(".")
    fraction = fraction.rstrip("0")
    text = cardinal(int(whole), "plain") + ("点" + _by_digit(fraction) if fraction else "")
    return ("负" if value < 0 else "") + text


def percent(value: Decimal) -> str:
    """2.85 (meaning 2.85 %) -> 百分之二点八五."""
    text = decimal(value)
    return "负百分之" + text[1:] if text.startswith("负") else "百分之" + text


def digits(value: str, yao: bool = True) -> str:
    """A string of digits, X allowed (R6): 12329 -> 幺二三二九. ValueError for any other character."""
    if not re.fullmatch(r"[0-9Xx]*", value):
        # The string may be an ID number: the message must not repeat it.
        raise ValueError(f"a string of {len(value)} characters holds more than digits and X")
    text = _by_digit(value.upper())
    return text.replace("一", "幺") if yao else text


def id_number(value: str, yao: bool = True) -> str:
    """An ID number with pauses: 18 characters 6-4-4-4, 15 characters 6-6-3, other lengths in fours."""
    sizes = {18: (6, 4, 4, 4), 15: (6, 6, 3)}.get(len(value), (4,) * -(-len(value) // 4))
    return _grouped(value, sizes, yao)


def phone(value: str, yao: bool = True) -> str:
    """A telephone number with pauses: mobile 3-4-4, area code then number, hyphens and spaces as written."""
    parts = re.split(r"[-\s]+", value.strip())
    if len(parts) > 1:
        return " ".join(digits(part, yao) for part in parts)
    number = parts[0]
    if len(number) == 11 and number[0] == "1":
        return _grouped(number, (3, 4, 4), yao)
    if len(number) >= 10 and number[0] == "0":
        area = 3 if number[1] in "12" else 4  # 010 and 02x are the three-digit area codes
        return _grouped(number, (area, len(number) - area), yao)
    if len(number) == 10:  # 400 and 800 numbers
        return _grouped(number, (3, 3, 4), yao)
    if len(number) == 8:
        return _grouped(number, (4, 4), yao)
    return digits(number, yao)


def agent(number: str, yao: bool = True) -> str:
    """1001 -> 幺零零幺号."""
    return digits(number, yao) + "号"


def key(symbol: str) -> str:
    """A key of the telephone as menus name it (R7): 1 -> 一, * -> 星号键, # -> 井号键."""
    return {"*": "星号键", "#": "井号键"}.get(symbol) or DIGITS[int(symbol)]


def clip_keys(spoken: str) -> list[str]:
    """Cut spoken text into clips: 十元 -> n-10, n-yuan. ValueError names what has no clip."""
    keys, at = [], 0
    while at < len(spoken):
        match = _PIECE.match(spoken, at)
        if not match:
            raise ValueError(f"no clip says {spoken[at]!r}")
        keys.append(CLIPS[match[0]])
        at = match.end()
    return keys


def _by_digit(text: str) -> str:
    return "".join(DIGITS[int(char)] if char.isdigit() else char for char in text)


def _grouped(value: str, sizes: tuple[int, ...], yao: bool) -> str:
    text, parts = digits(value, yao), []
    for size in sizes:
        parts.append(text[:size])
        text = text[size:]
    return " ".join(parts)
