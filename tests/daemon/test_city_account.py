"""Key 1 of the city flow: the account, from the first key to the last digit of the balance."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hotline.daemon.odbc import Pool
from hotline.drivers.line import FRAME, RATE
from rig.city import FAST, NORMAL, STOP, TEXTS, account, clip, keyed, last, path, prompts, quick, where
from rig.house import PIN

OCTOBER = "二零二六年十月"
PHONE = "零九九零 六五幺二三二九"  # centre.phone of the demo, digit by digit


def read_out(number, paid_to, monthly, balance):
    """P08 to P13 as the city flow orders them."""
    month = f" {TEXTS['P09']} {paid_to}" if paid_to else ""
    return f"{TEXTS['P08']} {number}{month} {TEXTS['P10']} {monthly} {TEXTS['P11']} {balance} {TEXTS['P13']}"


# As keyed, and what is heard of the ID, the month paid up to, the monthly amount and the balance.
ROWS = {
    "normal": (
        NORMAL,
        "九九零幺零幺 幺九八五 零三零七 零零幺七",
        OCTOBER,
        "一千二百六十元",
        "一万两千三百四十五元六角七分",
    ),
    "X": ("99010119870316005X", "九九零幺零幺 幺九八七 零三幺六 零零五X", OCTOBER, "两千元", "十万元零五分"),
    "15 on file": (
        "990101600101123",
        "九九零幺零幺 六零零幺零幺 幺二三",
        OCTOBER,
        "九百六十元",
        "八万六千四百二十元一角",
    ),
    "15 on file, keyed as 18": (
        "990101196001011237",
        "九九零幺零幺 幺九六零 零幺零幺 幺二三七",
        OCTOBER,
        "九百六十元",
        "八万六千四百二十元一角",
    ),
    "18 on file, keyed as 15": (
        "990101550505456",
        "九九零幺零幺 五五零五零五 四五六",
        OCTOBER,
        "一千零八元",
        "二十万零三百元",
    ),
    "18 on file": (
        "99010119550505456X",
        "九九零幺零幺 幺九五五 零五零五 四五六X",
        OCTOBER,
        "一千零八元",
        "二十万零三百元",
    ),
    "zero": ("990101197511120059", "九九零幺零幺 幺九七五 幺幺幺二 零零五九", OCTOBER, "一千二百元", "零元"),
    "one open, one closed": (
        "990101198402290117",
        "九九零幺零幺 幺九八四 零二二九 零幺幺七",
        OCTOBER,
        "一千四百四十元",
        "四万五千六百七十八元九角",
    ),
    "sealed": (
        "990101199508080067",
        "九九零幺零幺 幺九九五 零八零八 零零六七",
        "二零二四年六月",
        "一千二百元",
        "八千七百六十五元四角三分",
    ),
    "frozen": (
        "990101197906150121",
        "九九零幺零幺 幺九七九 零六幺五 零幺二幺",
        "二零二六年九月",
        "一千二百元",
        "五万零六元",
    ),
    "month not known": (
        "990101198612120140",
        "九九零幺零幺 幺九八六 幺二幺二 零幺四零",
        None,
        "一千二百元",
        "一千零一十元一角",
    ),
    "small x on file": (
        "99010119830808013X",
        "九九零幺零幺 幺九八三 零八零八 零幺三X",
        OCTOBER,
        "一千二百元",
        "两万零二元二角",
    ),
    "wrong check digit on file": (
        "990101196804200180",
        "九九零幺零幺 幺九六八 零四二零 零幺八零",
        OCTOBER,
        "一千二百元",
        "九万九千九百九十九元九角九分",
    ),
}


def test_key_1_leads_to_the_account_menu(city):
    """B01."""
    told = quick(city, "!1" + STOP)
    assert last(told) == TEXTS["P02"]


def test_then_1_asks_for_the_id_number(city):
    """B02."""
    told = quick(city, "!11" + STOP)
    assert last(told) == TEXTS["P03"]


@pytest.mark.parametrize("row", ROWS)
def test_read_out(city, row):
    """B05, B10 (zero), B11, L05: what is on file is what is heard, in the order of the flow."""
    number, *heard = ROWS[row]
    told = quick(city, account(number))
    assert last(told) == read_out(*heard)


def test_read_out_is_what_the_line_carries(city):
    """B11 by ear: the clips of the sentence, one after the other, nothing else, and then P13 to its end."""
    told = quick(city, f"!11{keyed(NORMAL)} !{PIN} *{STOP}")
    at = where(told, clip(city, "P08"))
    for key in (
        "n-9",
        "n-9",
        "n-0",
        "n-yao",
        "P09",
        "n-2",
        "n-0",
        "P10",
        "n-1",
        "n-1000",
        "P11",
        "n-wan",
        "n-fen",
        "P13",
    ):
        found = where(told, clip(city, key), after=at)
        assert found > 0, key
        at = found + len(clip(city, key))


def test_plain_style(house):
    """B11 in the other style: 二 where the spoken style says 两, and 一 for 幺."""
    plain = house(**{"speech.style": "plain", "speech.yao": False})
    told = quick(plain, account())
    assert last(told) == read_out(
        "九九零一零一 一九八五 零三零七 零零一七", OCTOBER, "一千二百六十元", "一万二千三百四十五元六角七分"
    )


def test_only_the_last_four_digits(house):
    """B11 where a centre does not want whole numbers spoken."""
    discreet = house(**{"identity.read_back": "last_four"})
    told = quick(discreet, account("99010119870316005X"))
    assert last(told).startswith(f"{TEXTS['last-four-is']} 零零五X {TEXTS['P09']}")
    assert "九九零" not in told.spoken


def test_15_digits_are_closed_with_hash(city):
    """B03: without # nothing is looked up; the caller is asked again, and # then makes it complete."""
    told = quick(city, f"!11990101600101123 wait:6 !990101600101123# !{PIN}{STOP}")
    assert prompts(told)[3] == TEXTS["no-input"]
    assert path(told)[-2:] == ["account-query", "account-found"]
    assert "八万六千四百二十元一角" in last(told)


def test_18_digits_need_no_hash(city):
    """B04: the look-up begins with the 18th key."""
    told = quick(city, f"!11{NORMAL} !{PIN}{STOP}")
    assert last(told).startswith(TEXTS["P08"])


def test_one_query_with_parameters(city, monkeypatch):
    """B06, L01: one parameterised query for 18 digits and #, asking for every spelling at once."""
    asked = []

    def query(pool, sql, parameters=(), until=None):
        asked.append((sql, parameters))
        return real(pool, sql, parameters, until)

    real = Pool.query
    monkeypatch.setattr(Pool, "query", query)
    quick(city, account())
    ((sql, parameters),) = asked
    assert sql.count("?") == len(parameters) == 4
    assert NORMAL not in sql
    assert set(parameters) == {NORMAL, "990101850307001", "990101850307001   "}


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("990101196001010074", f"{TEXTS['P04']} {PHONE}"),  # B07, B12: nobody has this number
        ("990101197206060221", f"{TEXTS['P04']} {PHONE}"),  # B07: a closed account is none
        ("990101197809210030", f"{TEXTS['P05']} {PHONE}"),  # B08, B12: two open accounts
        ("99010119820630004X", TEXTS["P07"]),  # B10: the balance is NULL
        ("990101198503070018", TEXTS["P06"]),  # a slip of the finger sends nobody to the counter
    ],
)
def test_what_is_said_instead_of_a_balance(city, number, sentence):
    told = quick(city, account(number))
    assert last(told) == sentence
    assert "account-found" not in path(told)


@pytest.mark.parametrize("digits", [14, 16, 17])
def test_a_wrong_number_of_digits(city, digits):
    """B09: P06, and the number is asked for again."""
    told = quick(city, f"!11{NORMAL[:digits]}# 1{STOP}")
    assert prompts(told)[3:] == [TEXTS["P06"], TEXTS["P03"]]


def test_three_wrong_lengths_lead_back(city):
    """B09: a caller who cannot do it is not kept for ever."""
    told = quick(city, "!11" + " !1#" * 3 + " wait:3.5" + STOP)
    assert prompts(told)[3:] == [TEXTS["P06"]] * 3 + [TEXTS["P02"]]


def test_the_centres_own_number_is_spoken(house):
    """B12: the telephone number is a setting."""
    told = quick(house(**{"centre.phone": "0376-12329"}), account("990101196001010074"))
    assert last(told) == f"{TEXTS['P04']} 零三七六 幺二三二九"


def test_help(city):
    """B13: P12, 1 repeats it, * returns to the account menu."""
    told = quick(city, f"!12 !1 !*{STOP}")
    assert prompts(told)[2:] == [TEXTS["P12"], TEXTS["P12"], TEXTS["P02"]]


@pytest.mark.parametrize("off_ms", [80, 85, 93])  # the keys fall differently into ticks
def test_from_the_last_key_to_the_first_sound(house, off_ms):
    """The answer begins within 60 ms of line time after the last key of the ID, data over ODBC included."""
    open_house = house(**{"identity.pin": "off"})
    told = open_house.call(f"!11{NORMAL} wait:1 hangup", on_ms=80, off_ms=off_ms)
    key = told.said[-1]
    begins = where(told, clip(open_house, "P08")[: 30 * FRAME])
    from_onset, from_end = ((begins - at) / RATE * 1000 for at in (key.start, key.end))
    print(f"last key to first sample: {from_onset:.1f} ms from its onset, {from_end:.1f} ms from its end")
    assert key.label == NORMAL[-1]
    assert 0 < from_onset <= 80
    assert from_end < 60


BUSY = TEXTS["system-busy"]
COUNTER = (TEXTS["P04"], TEXTS["P06"], TEXTS["P07"])


def test_a_database_that_is_away(house):
    """L04: nobody is sent to the counter because a server is down; the next call works by itself."""
    closed = house()
    fund, aside = closed.state / "fund.sqlite", closed.state / "fund.aside"
    fund.rename(aside)
    told = quick(closed, account())
    assert prompts(told)[-1] == BUSY
    assert not any(sentence in told.spoken for sentence in COUNTER)
    assert closed.service.site.fund.trouble
    aside.rename(fund)
    assert "一万两千三百四十五元六角七分" in last(quick(closed, account()))
    assert closed.service.site.fund.trouble is None


@pytest.mark.parametrize("script", [account(), account("990101196001010074"), f"!21{NORMAL}#{PIN}{STOP}"])
def test_a_database_that_does_not_answer(house, script):
    """L04: locked by somebody else, with a connection of ours already open; free again, the next call works."""
    slow = house(**{"fund.query_timeout": 0.1})
    assert last(quick(slow, account())).startswith(TEXTS["P08"])
    with closing(sqlite3.connect(slow.state / "fund.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        told = quick(slow, script)
    assert last(told) == BUSY
    assert not any(sentence in told.spoken for sentence in COUNTER)
    assert last(quick(slow, account())).startswith(TEXTS["P08"])


def test_after_the_busy_sentence_the_menu(house):
    """L04: the call goes on in the main menu."""
    away = house()
    (away.state / "fund.sqlite").unlink()
    told = away.call(f"!11{NORMAL}#{PIN} wait:7{STOP}", **FAST)
    assert prompts(told)[-2:] == [BUSY, TEXTS["P01"]]
