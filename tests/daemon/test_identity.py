"""Identity numbers: GB 11643's own specimens, both forms, spellings, masking."""

from __future__ import annotations

from datetime import date

import pytest
from hotline.daemon import identity
from hypothesis import given
from hypothesis import strategies as st

# The two specimens printed in the standard, then fictional people.
VALID = ["11010519491231002X", "440524188001010014", "990101198503070017", "99010119870316005X", "990101200002290206"]

born_19xx = st.builds(
    lambda area, day, sequence: f"{area:06}{day:%Y%m%d}{sequence:03}",
    st.integers(0, 999999),
    st.dates(min_value=date(1900, 1, 1), max_value=date(1999, 12, 31)),
    st.integers(0, 995),
).map(lambda body: body + identity.check_character(body))


@pytest.mark.parametrize("number", VALID)
def test_check_character_of_the_specimens(number):
    assert identity.check_character(number[:17]) == number[17]
    assert identity.is_plausible(number)


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("990101600101123", "990101196001011237"),
        ("990101550505456", "99010119550505456X"),
        ("990101050505997", "990101180505059975"),  # 996-999: people who were over a hundred when it was issued
    ],
)
def test_old_and_new_form(short, full):
    assert identity.long_form(short) == full
    assert identity.short_form(full) == short


@pytest.mark.parametrize(
    "number",
    [
        "990101200002290206",  # born in this century: 15 digits were not issued any more
        "440524188001010014",  # 1880 without a centenarian's sequence: 15 digits would mean 1980
        "990101198503070018",  # wrong check digit: the other 17 cannot be trusted either
    ],
)
def test_no_short_form_that_would_be_somebody_else(number):
    assert identity.short_form(number) is None
    assert identity.spellings(number) == (number,)


def test_spellings_likeliest_first():
    forms = ("99010119550505456X", "990101550505456", "99010119550505456x", "990101550505456   ")
    assert identity.spellings("99010119550505456X") == forms
    assert identity.spellings("990101550505456") == forms


@given(born_19xx)
def test_both_forms_ask_for_the_same(number):
    short = identity.short_form(number)
    assert short is not None
    assert identity.spellings(short) == identity.spellings(number)
    assert len(identity.spellings(number)) <= 4


@given(born_19xx, st.integers(0, 17), st.integers(1, 9))
def test_every_single_wrong_digit_is_noticed(number, place, by):
    if number[place] == "X":
        wrong = number[:place] + str(by)
    else:
        wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    assert not identity.is_plausible(wrong)


@pytest.mark.parametrize("number", ["990101198513070017", "990101850230001", "99010119850307001X"])
def test_implausible(number):
    assert not identity.is_plausible(number)


def test_normal():
    assert identity.normal(" 99010119870316005x ") == "99010119870316005X"


@pytest.mark.parametrize("keyed", ["", "99010119850307", "9901011985030700", "99010119850307001", "99010185030700X"])
def test_not_a_number_and_the_error_does_not_repeat_it(keyed):
    with pytest.raises(ValueError, match="15 digits") as caught:
        identity.normal(keyed)
    assert not keyed or keyed not in str(caught.value)


def test_mask():
    assert identity.mask("990101198503070017") == "990101********0017"
    assert identity.mask("990101850307001") == "990101*****7001"
    assert identity.mask("990100000001") == "********0001"
    assert identity.mask("9901") == "**01"
    assert identity.mask("") == ""


@given(st.text("12 Xx号", max_size=6), born_19xx, st.text("12 Xx号", max_size=6))
def test_scrub(before, number, after):
    assert number not in identity.scrub(before + number + after)
    assert identity.scrub("第 2 行：列 grzhye，42P01 (1054)") == "第 2 行：列 grzhye，42P01 (1054)"
