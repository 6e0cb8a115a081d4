"""docs/requirements.md has every row, and says of each which tests show it: those that say so themselves."""

from __future__ import annotations

from rig.requirements import TABLE, filled, rows, shown_by

# Rows of the guideline and of the city flow by group, and those both imply (L): 122 in all.
GROUPS = {"A": 13, "B": 13, "C": 10, "D": 8, "E": 14, "F": 7, "G": 14, "H": 4, "I": 6, "J": 7, "K": 14, "L": 12}
EXPECTED = [f"{group}{number:02d}" for group, count in GROUPS.items() for number in range(1, count + 1)]


def test_every_row_is_in_the_table_once() -> None:
    assert len(EXPECTED) == 122
    assert rows(TABLE.read_text("utf-8")) == EXPECTED


def test_no_test_names_a_row_there_is_not() -> None:
    assert not shown_by().keys() - set(EXPECTED)


def test_the_table_names_the_tests_that_show_each_row() -> None:
    text = TABLE.read_text("utf-8")
    assert text == filled(text), "run: python tests/rig/requirements.py"
