from __future__ import annotations

import pytest
from hotline.desk.forms import PeriodForm, PersonForm, PinForm


@pytest.mark.parametrize("typed", ["99010119870316005x", " 990101 19870316 005X "])
def test_numbers_are_brought_into_canonical_form(typed):
    form = PersonForm({"id_number": typed, "reason": "核实投诉"})
    assert form.is_valid()
    assert form.cleaned_data["id_number"] == "99010119870316005X"


@pytest.mark.parametrize("typed", ["990101600101123", "9901011987031600", "99010119870316005A", ""])
def test_only_the_long_form_finds_a_person(typed):
    assert "id_number" in PersonForm({"id_number": typed, "reason": "核实投诉"}).errors


@pytest.mark.parametrize(
    ("kind", "login", "good"),
    [("id_number", "990101600101123", False), ("id_number", "990101198503070017", True), ("unit", "9901001", True)],
)
def test_a_pin_is_for_a_login_of_its_kind(kind, login, good):
    assert PinForm({"kind": kind, "login": login, "reason": "本人持证件办理"}).is_valid() is good


@pytest.mark.parametrize("reason", ["", " ", "x"])
def test_a_reason_must_say_something(reason):
    assert "reason" in PersonForm({"id_number": "990101198503070017", "reason": reason}).errors


def test_a_period_ends_after_it_begins(state):
    assert PeriodForm({"first": "2026-11-01", "last": "2026-11-01"}).is_valid()
    assert PeriodForm({}).is_valid()
    assert not PeriodForm({"first": "2026-11-02", "last": "2026-11-01"}).is_valid()
    assert not PeriodForm({"first": "yesterday"}).is_valid()
