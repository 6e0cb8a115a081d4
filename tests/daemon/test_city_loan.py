"""Key 2 of the city flow: the loan."""

from __future__ import annotations

import pytest
from rig.city import LOAN, STOP, TEXTS, keyed, last, loan, path, prompts, quick
from rig.house import PIN

PHONE = "零九九零 六五幺二三二九"  # centre.phone of the demo, digit by digit


def read_out(number, term, periods, balance):
    """P08 and P17 to P19 as the city flow orders them, then P13."""
    return (
        f"{TEXTS['P08']} {number} {TEXTS['P17']} {term} {TEXTS['P18']} {periods}"
        f" {TEXTS['P19']} {balance} {TEXTS['P13']}"
    )


def test_key_2_leads_to_the_loan_menu(city):
    """C01."""
    assert last(quick(city, "!2" + STOP)) == TEXTS["P14"]


def test_then_1_asks_for_the_id_number(city):
    """C02."""
    assert last(quick(city, "!21" + STOP)) == TEXTS["P03"]


@pytest.mark.parametrize(
    ("number", "heard"),
    [
        (LOAN, ("九九零幺零幺 幺九九零 零五幺五 零零二七", "三十年", "三百六十期", "二十八万三千四百五十六元七角八分")),
        (
            "990101199109090102",
            ("九九零幺零幺 幺九九幺 零九零九 零幺零二", "十年", "一百二十期", "零元"),
        ),  # C06: repaid
        (
            "990101198103030198",  # one repaid, one running
            ("九九零幺零幺 幺九八幺 零三零三 零幺九八", "二十六年六个月", "三百一十八期", "二十万五千元五角"),
        ),
    ],
)
def test_read_out(city, number, heard):
    """C07: the ID, years, periods and balance."""
    assert last(quick(city, loan(number))) == read_out(*heard)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("990101198503070017", f"{TEXTS['P15']} {PHONE}"),  # C03: an account, no loan
        ("990101197409050218", f"{TEXTS['P15']} {PHONE}"),  # C03: borrows with somebody else
        ("990101198802020087", f"{TEXTS['P16']} {PHONE}"),  # C04: two loans
        ("990101199304040098", TEXTS["P07"]),  # C06: the balance is NULL
        ("990101198503070018", TEXTS["P06"]),  # a slip of the finger
    ],
)
def test_what_is_said_instead_of_a_balance(city, number, sentence):
    told = quick(city, loan(number))
    assert last(told) == sentence
    assert "loan-found" not in path(told)


def test_a_wrong_number_of_digits(city):
    """C05: P06, and the number is asked for again."""
    told = quick(city, f"!21{LOAN[:16]}# 1{STOP}")
    assert prompts(told)[3:] == [TEXTS["P06"], TEXTS["P03"]]


def test_the_same_entry_rules_as_for_the_account(city):
    """C02: * on nothing goes back, 18 digits are complete, 15 need #, X is *."""
    assert path(quick(city, "!21*" + STOP))[-1] == "loan"
    assert last(quick(city, f"!21{LOAN} !{PIN}{STOP}")).startswith(TEXTS["P08"])
    assert last(quick(city, f"!2199010119870316005* !{PIN}{STOP}")) == f"{TEXTS['P15']} {PHONE}"
    assert prompts(quick(city, f"!21990101900515002 wait:6{STOP}"))[3] == TEXTS["no-input"]
    assert path(quick(city, f"!21{keyed('990101900515002')}{PIN}{STOP}"))[-1] == "loan-found"


def test_hear_it_again_and_back(city):
    """C07, A11: 1 repeats the read-out, * leads to the loan menu."""
    told = quick(city, f"!21{keyed(LOAN)}{PIN} !1 !*{STOP}")
    assert path(told)[-3:] == ["loan-found", "loan-found", "loan"]
    assert prompts(told)[-2] == prompts(told)[-3]


def test_help(city):
    """C08: P20, 1 repeats it, * returns to the loan menu."""
    told = quick(city, f"!22 !1 !*{STOP}")
    assert prompts(told)[2:] == [TEXTS["P20"], TEXTS["P20"], TEXTS["P14"]]


def test_periods_already_repaid(house):
    """C07: where a centre takes 还款期数 as those already paid."""
    repaid = house(**{"fund.loan_periods": "repaid"})
    assert f"{TEXTS['P18']} 九十六期" in last(quick(repaid, loan()))
