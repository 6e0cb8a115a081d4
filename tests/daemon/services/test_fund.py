"""The fund services: who may hear data at all. The look-ups themselves are in tests/daemon/test_fund.py."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections
from hotline import desk
from hotline.config.settings import Identity
from hotline.daemon import demo_fund
from hotline.daemon.fund import FundDatabase
from hotline.daemon.services import SERVICES
from hotline.daemon.services import fund as services
from hotline.daemon.site import Pins

NORMAL = "990101198503070017"
PIN = "135790"
NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


@dataclass
class Caller:
    """As much of a call as these services use; work is done on the spot."""

    site: Any
    number: str | None = "13900000001"
    line: str = "1"

    async def work(self, fn, *args, lane="records"):
        return fn(*args)


@pytest.fixture
def fund(demo_file):
    database = FundDatabase(demo_fund.settings(demo_file))
    yield database
    database.close()


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """A state folder with a PIN for some, to be copied."""
    folder = tmp_path_factory.mktemp("pins") / "state"
    desk.setup(folder)
    from hotline.desk import pins

    for kind, login in [
        ("id_number", NORMAL),
        ("id_number", "990101196001011237"),
        ("id_number", "990101196001010074"),
        ("account_number", "990100000001"),
        ("unit", "9901001"),
    ]:
        pins.set(kind, login, PIN, "test")
    connections.close_all()
    return folder


@pytest.fixture
def pins(state, tmp_path):
    """Real PINs in a real database: three wrong ones a login, five a telephone."""
    desk.setup(shutil.copytree(state, tmp_path / "state"))
    yield Pins(desk.open_records(), lambda: NOW, 3, 5)
    connections.close_all()


@pytest.fixture
def caller(fund, pins):
    return Caller(SimpleNamespace(settings=SimpleNamespace(identity=Identity()), fund=fund, pins=pins))


@pytest.fixture
def open_caller(fund):
    """Where the centre asks for no PIN. Nobody judges them: a look at one would fail."""
    return Caller(SimpleNamespace(settings=SimpleNamespace(identity=Identity(pin="off")), fund=fund, pins=None))


def run(program):
    """The coroutine's result; nothing here ever waits."""
    with pytest.raises(StopIteration) as ended:
        program.send(None)
    return ended.value.value


def account(caller, **fields):
    return run(services.account(caller, fields))


def test_right_pin(caller):
    outcome = account(caller, id_number=NORMAL, pin=PIN)
    assert outcome.name == "found"
    assert str(outcome.values["balance"]) == "12345.67"


@pytest.mark.parametrize("number", [NORMAL, "990101198708080008", "990101198503070018"])
def test_wrong_pin_and_unknown_number_sound_the_same(caller, number):
    assert account(caller, id_number=number, pin="246801") == ("denied", {})


@pytest.mark.parametrize("fields", [{}, {"pin": ""}, {"pin": None}, {"pin": "13579"}])
def test_no_pin_no_data(caller, fields):
    assert account(caller, id_number=NORMAL, **fields).name == "denied"


def test_locked_even_with_the_right_pin(caller):
    for _ in range(2):
        assert account(caller, id_number=NORMAL, pin="246801").name == "denied"
    assert account(caller, id_number=NORMAL, pin="246801").name == "locked"
    assert account(caller, id_number=NORMAL, pin=PIN) == ("locked", {})
    assert run(services.loan(caller, {"id_number": NORMAL, "pin": PIN})).name == "locked"


def test_one_pin_for_both_forms_of_a_number(caller):
    for number in ("990101600101123", "990101196001011237"):
        outcome = account(caller, id_number=number, pin=PIN)
        assert (outcome.name, outcome.values["id_number"]) == ("found", number)


def test_a_pin_but_no_account(caller):
    assert account(caller, id_number="990101196001010074", pin=PIN).name == "none"


def test_a_pin_belongs_to_one_kind_of_number(caller):
    assert account(caller, account_number="990100000001", pin=PIN).name == "found"
    assert account(caller, account_number="990100000002", pin=PIN).name == "denied"


def test_unit(caller):
    assert run(services.unit(caller, {"unit_number": "9901001", "pin": PIN})).name == "found"
    assert run(services.unit(caller, {"unit_number": "9901001", "pin": "246801"})).name == "denied"


def test_a_number_that_is_none_costs_no_attempt(caller):
    for _ in range(5):
        assert account(caller, id_number="9901011985030700", pin=PIN).name == "typo"
    assert account(caller, id_number=NORMAL, pin=PIN).name == "found"


def test_without_pins_the_look_up_is_made_at_once(open_caller):
    assert account(open_caller, id_number=NORMAL).name == "found"
    assert account(open_caller, id_number="990101198503070018").name == "typo"
    assert run(services.loan(open_caller, {"id_number": "990101199005150027"})).name == "found"
    assert run(services.unit(open_caller, {"unit_number": "9901009"})).name == "closed"


def test_a_form_without_a_number_is_a_mistake_of_the_dialog(open_caller):
    with pytest.raises(KeyError, match="id_number"):
        services.account(open_caller, {}).send(None)


def test_pins_that_cannot_be_checked(caller):
    """The hotline's own database is damaged: that is nobody's wrong PIN."""
    with connections["default"].cursor() as database:
        database.execute("DROP TABLE desk_pin")
    assert account(caller, id_number=NORMAL, pin=PIN).name == "unreachable"


def test_every_outcome_is_announced():
    """The dialog check relies on the table."""
    assert {"typo", "denied", "locked"} <= SERVICES["fund.account"].outcomes == SERVICES["fund.loan"].outcomes
    assert {"closed", "denied", "locked"} <= SERVICES["fund.unit"].outcomes
