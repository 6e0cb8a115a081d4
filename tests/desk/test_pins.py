from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connections
from hotline.desk import keys, pins
from hotline.desk.models import Failure, Pin
from rig.desk import NOON, SOMEBODY

NOBODY = "990101196001010074"
RIGHT, WRONG = "135790", "246801"
TOMORROW = NOON + timedelta(days=1)


@pytest.fixture(autouse=True)
def somebody(state):
    pins.set("id_number", SOMEBODY, RIGHT, "clerk", at=NOON)


def check(pin, login=SOMEBODY, caller="", at=NOON, kind="id_number", limits=pins.LIMITS):
    return pins.check(kind, login, pin, caller, at=at, limits=limits)


def test_right_and_wrong():
    assert [check(RIGHT), check(WRONG), check(RIGHT)] == ["ok", "wrong", "ok"]


def test_a_pin_belongs_to_one_kind_of_login():
    assert check(RIGHT, kind="account_number") == "wrong"


def test_a_login_is_locked_for_the_day_right_pin_or_not():
    assert [check(WRONG) for _ in range(6)] == ["wrong"] * 4 + ["locked"] * 2
    assert check(RIGHT) == "locked"
    assert check(RIGHT, at=TOMORROW) == "ok"


def test_a_right_pin_clears_the_login():
    assert [check(WRONG) for _ in range(4)] == ["wrong"] * 4
    assert check(RIGHT) == "ok"
    assert [check(WRONG) for _ in range(4)] == ["wrong"] * 4


def test_a_login_nobody_has_answers_and_locks_just_the_same():
    tries = [WRONG] * 4 + [RIGHT, RIGHT]
    assert [check(pin, login=NOBODY) for pin in tries] == ["wrong"] * 4 + ["locked"] * 2


def test_a_login_nobody_has_costs_the_same_hashing(monkeypatch):
    """Counted, not timed: one scrypt of the same cost whether the login exists, the PIN fits, or neither."""
    import hashlib

    check(WRONG, login=NOBODY)  # the dummy hash is made once
    costs = []
    scrypt = hashlib.scrypt
    monkeypatch.setattr(
        hashlib, "scrypt", lambda *args, **kw: costs.append((kw["n"], kw["r"], kw["p"])) or scrypt(*args, **kw)
    )
    for pin, login in ((RIGHT, SOMEBODY), (WRONG, SOMEBODY), (RIGHT, NOBODY), (WRONG, NOBODY)):
        check(pin, login=login)
    assert costs == [(settings.PIN_WORK_FACTOR, 8, 1)] * 4


def test_a_calling_number_is_locked_whatever_logins_it_tries():
    limits = pins.Limits(login=5, caller=3)
    tried = [check(WRONG, login=f"99010119600101{n:04d}", caller="13900000001", limits=limits) for n in range(4)]
    assert tried == ["wrong", "wrong", "locked", "locked"]
    assert check(RIGHT, caller="13900000001", limits=limits) == "locked"
    assert check(RIGHT, caller="13900000002", limits=limits) == "ok"


def test_a_good_login_does_not_clear_the_calling_number():
    limits = pins.Limits(login=5, caller=3)
    assert check(WRONG, login=NOBODY, caller="13900000001", limits=limits) == "wrong"
    assert check(WRONG, login=NOBODY, caller="13900000001", limits=limits) == "wrong"
    assert check(RIGHT, caller="13900000001", limits=limits) == "ok"
    assert check(WRONG, login=NOBODY, caller="13900000001", limits=limits) == "locked"


def test_a_locked_attempt_counts_for_nobody_else():
    """A number that is locked out must not lock other people's logins by going on."""
    limits = pins.Limits(login=5, caller=1)
    check(WRONG, login=NOBODY, caller="13900000001", limits=limits)
    for _ in range(9):
        assert check(WRONG, caller="13900000001", limits=limits) == "locked"
    assert check(RIGHT, limits=limits) == "ok"


def test_withheld_numbers_do_not_lock_each_other_out():
    limits = pins.Limits(login=5, caller=1)
    for n in range(5):
        assert check(WRONG, login=f"99010119600101{n:04d}", limits=limits) == "wrong"
    assert check(RIGHT, limits=limits) == "ok"


def test_guessing_on_all_lines_at_once_gets_no_more_tries():
    def attempt(_):
        verdict = check(WRONG, caller="13900000001")
        connections.close_all()
        return verdict

    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(attempt, range(24)))
    assert Failure.objects.get(scope="login").count == 5
    assert 19 <= verdicts.count("locked") <= 24
    assert check(RIGHT) == "locked"


def test_a_clerk_unlocks_and_issues():
    for _ in range(6):
        check(WRONG)
    pins.unlock("id_number", SOMEBODY)
    assert check(RIGHT) == "ok"
    for _ in range(6):
        check(WRONG)
    issued = pins.issue("id_number", SOMEBODY, "clerk", at=NOON)
    assert pins.weakness(issued, SOMEBODY) == ""
    assert check(issued) == "ok"
    assert pins.must_change("id_number", SOMEBODY)
    pins.set("id_number", SOMEBODY, "802514", "caller", at=NOON)
    assert not pins.must_change("id_number", SOMEBODY)


def test_issued_pins_are_drawn_again_while_weak(monkeypatch):
    drawn = iter([111111, 123456, 198503, 802514])
    monkeypatch.setattr(pins.secrets, "randbelow", lambda _: next(drawn))
    assert pins.issue("id_number", SOMEBODY, "clerk", at=NOON) == "802514"


@pytest.mark.parametrize(
    "pin",
    ["000000", "777777", "123456", "345678", "890123", "987654", "321098", "850307", "198503", "070017", "030785",
     "070385", "001700", "990101", "12345", "1234567", "12345a", "１３５７９０", ""],
)  # fmt: skip
def test_weak_pins_are_refused(pin):
    with pytest.raises(pins.WeakPin) as caught:
        pins.set("id_number", SOMEBODY, pin, "caller", at=NOON)
    assert not pin or pin not in str(caught.value)
    assert check(RIGHT) == "ok", "the PIN before is still good"


def test_a_pin_out_of_ones_telephone_number_is_refused():
    with pytest.raises(pins.WeakPin):
        pins.set("id_number", SOMEBODY, "902468", "caller", at=NOON, known=["13902468135"])


@pytest.mark.parametrize("pin", [RIGHT, "802514", "112358", "100000"])
def test_other_pins_are_taken(pin):
    pins.set("id_number", SOMEBODY, pin, "caller", at=NOON)
    assert check(pin) == "ok"


def test_the_table_gives_nothing_away(state):
    row = Pin.objects.get()
    pins.set("account_number", SOMEBODY, RIGHT, "clerk", at=NOON)
    other = Pin.objects.get(kind="account_number")
    assert row.pin_hash != other.pin_hash
    assert row.login_hash != other.login_hash
    check(WRONG)
    connections.close_all()
    with sqlite3.connect(state / "hotline.sqlite3") as raw:
        dump = "\n".join(raw.iterdump())
    raw.close()
    assert SOMEBODY not in dump
    assert RIGHT not in dump


def test_without_the_key_file_the_right_pin_is_wrong(state):
    (state / "keys" / keys.PIN).write_text("another key")
    assert check(RIGHT) == "wrong"


def test_a_stolen_row_fits_no_other_login():
    pins.set("id_number", NOBODY, "802514", "clerk", at=NOON)
    Pin.objects.filter(pin_hash=Pin.objects.first().pin_hash).update()
    hashes = dict(Pin.objects.values_list("login_hash", "pin_hash"))
    mine, other = hashes.items()
    Pin.objects.filter(login_hash=other[0]).update(pin_hash=mine[1])
    assert check(RIGHT, login=NOBODY) == "wrong"


def test_an_unknown_kind_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match="not one of id_number, account_number, card_number, unit"):
        pins.set("passport", SOMEBODY, RIGHT, "clerk", at=NOON)


def test_shipped_cost():
    from hotline.desk import settings as shipped

    assert shipped.PIN_WORK_FACTOR == 2**14
