"""Written Chinese as it is read aloud: digits, signs, dates and amounts become words, then polyphones pinyin.

`aloud` is pure and total: any text a clerk types in a page gives something a synthesiser can say. Rules of
voice/numbers.py are kept: hotline and telephone numbers digit by digit, keys 一 to 九, years digit by digit.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final

from . import numbers
from .numbers import Style

READINGS: Final = Path(__file__).parent / "prompts" / "readings.toml"

# Letters as Mandarin speakers spell them, in pinyin.
_LETTERS: Final = {
    "A": "ei1", "B": "bi4", "C": "xi1", "D": "di4", "E": "yi4", "F": "ai2 fu5", "G": "ji4", "H": "ei1 chi5",
    "I": "ai4", "J": "jie4", "K": "kai4", "L": "ai2 lou5", "M": "ai2 mu5", "N": "en1", "O": "ou1", "P": "pi4",
    "Q": "kou4", "R": "a4", "S": "ai2 si5", "T": "ti4", "U": "you4", "V": "wei1", "W": "da2 bu5 liu4",
    "X": "ai2 ke4 si5", "Y": "wai4", "Z": "zei4",
}  # fmt: skip

# Before these a bare 2 is 两; before 月, 日, 号, 楼 and the like it stays 二.
_MEASURES: Final = "万亿元个年期位人天次张份套户笔家种项条倍周点"
_UNITS: Final = _MEASURES + "角分月日号岁%"
_HAN_DIGIT: Final = "零一二三四五六七八九十百千万亿两"


def aloud(text: str, style: Style = "spoken", yao: bool = True) -> str:
    """What a synthesiser is given for `text`: Chinese characters, pauses, and pinyin for polyphones."""
    text = re.sub(r"\d", lambda match: str(unicodedata.decimal(match[0])), unicodedata.normalize("NFKC", text))
    for pattern, words in _rules(style, yao):
        text = pattern.sub(words, text)
    return _with_pinyin(text).strip() if re.search(r"[^，。；！？、]", text) else ""


@cache
def _rules(style: Style, yao: bool) -> list[tuple[re.Pattern[str], Callable[[re.Match[str]], str] | str]]:
    """Substitutions in order; each leaves fewer digits and signs for the next."""

    def year(match: re.Match[str]) -> str:
        return numbers.digits(match[0], yao=False)

    def day(match: re.Match[str]) -> str:
        year_, month, day_ = match.groups()
        return f"{numbers.digits(year_, yao=False)}年{numbers.cardinal(int(month))}月{numbers.cardinal(int(day_))}日"

    def phone(match: re.Match[str]) -> str:
        return numbers.phone(match[0], yao).replace(" ", "，")

    def by_digit(match: re.Match[str]) -> str:
        return numbers.digits(match[0], yao)

    def amount(match: re.Match[str]) -> str:
        return numbers.money(Decimal(match[1]), style)

    def whole(match: re.Match[str]) -> str:
        digits, unit = match[1], match[2] or ""
        if len(digits) > 9 or (len(digits) > 1 and digits[0] == "0"):
            return numbers.digits(digits, yao) + unit
        if unit and unit in _MEASURES:
            return numbers.count(int(digits), unit, style)
        return numbers.cardinal(int(digits), style) + unit

    return [
        (re.compile(r"星号\(\*\)键|\*号键"), "星号键"),
        (re.compile(r"井号\(#\)键|#号?键"), "井号键"),
        (re.compile(r"\*号"), "星号"),
        (re.compile(r"#号"), "井号"),
        (re.compile(r"\*"), "星号键"),
        (re.compile(r"#"), "井号键"),
        (re.compile(r"(?<=\d),(?=\d{3}(?!\d))"), ""),
        (re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)"), day),
        (re.compile(r"(?<!\d)\d{4}(?=\s*年)"), year),
        (
            re.compile(r"(?<!\d)(\d{1,2}):(\d{2})(?::\d{2})?(?!\d)"),
            lambda match: numbers.clock(int(match[1]), int(match[2])),
        ),
        (re.compile(r"(\d{1,9}(?:\.\d+)?)\s*%"), lambda match: numbers.percent(Decimal(match[1]))),
        (
            re.compile(r"(\d{1,9}(?:\.\d+)?)\s*‰"),
            lambda match: "千分之" + numbers.decimal(Decimal(match[1])),
        ),
        (re.compile(r"(?<![\d-])(?:0\d{2,3}-?\d{7,8}|1[3-9]\d{9}|[48]00-?\d{3}-?\d{4})(?![\d-])"), phone),
        # Numbers of services are names: 12329, 95533, 110; so is what follows 拨打 or 电话.
        (re.compile(rf"(?<![\d.-])(?:1[012]\d{{3}}|9[56]\d{{3,4}})(?!\s*[\d.{_UNITS}])"), by_digit),
        (re.compile(r"(?<=拨打|电话|热线|号码|账号|帐号|尾号|编号)(?<!\d)\d{3,}"), by_digit),
        (re.compile(r"(?<=拨打 |电话 |热线 |号码 |账号 |帐号 |尾号 |编号 )\d{3,}"), by_digit),
        (re.compile(r"(?<![\d.])(\d{1,11}\.\d{1,2})\s*元"), amount),
        (re.compile(r"(?<![\d.])\d{1,9}\.\d+(?![\d.])"), lambda match: numbers.decimal(Decimal(match[0]))),
        (re.compile(r"(?<=第)\s*\d{1,9}(?!\d)"), lambda match: numbers.cardinal(int(match[0]), "plain")),
        (re.compile(rf"(\d+)(?:\s*([{_MEASURES}]))?"), whole),
        (re.compile(rf"(?<=[{_HAN_DIGIT}点分日月年元])\s*[-~–—]+\s*(?=[{_HAN_DIGIT}百周星])"), "至"),
        (re.compile(r"(?<=[周期][一二三四五六日])\s*[-~–—]+\s*(?=[周星])"), "至"),
        (re.compile(r"[\"'“”‘’「」『』《》〈〉]"), ""),
        (re.compile(r"[\r\n]+"), "。"),
        (re.compile(r"[,()\[\]【】<>:/\\|—–~…·-]+"), "，"),
        (re.compile(r"[;；]"), "；"),
        (re.compile(r"[.。]"), "。"),
        (re.compile(r"!"), "！"),
        (re.compile(r"\?"), "？"),
        (re.compile(r"[^一-鿿A-Za-z，。；！？、]+"), ""),
        (re.compile(r"[，。；！？、]*([。！？；])[，。；！？、]*|，[，、]*"), lambda match: match[1] or "，"),
    ]


@cache
def readings() -> dict[str, str]:
    """The table of polyphones: word to pinyin."""
    return {str(word): str(pinyin) for word, pinyin in tomllib.loads(READINGS.read_text("utf-8")).items()}


@cache
def _pinyin_pattern() -> re.Pattern[str]:
    words = sorted(readings(), key=len, reverse=True)
    return re.compile("|".join([*map(re.escape, words), "[A-Za-z]"]))


def _with_pinyin(text: str) -> str:
    def pinyin(match: re.Match[str]) -> str:
        return f" {readings().get(match[0]) or _LETTERS[match[0].upper()]} "

    return re.sub(" +", " ", _pinyin_pattern().sub(pinyin, text))
