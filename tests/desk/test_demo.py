from __future__ import annotations

import re
from importlib.resources import files

from django.contrib.auth import authenticate
from hotline.desk import demo, pins
from hotline.desk.models import Branch, Pin, PolicyText
from rig.desk import NOON


def test_a_filled_desk(records):
    user = demo.fill(at=NOON)
    assert authenticate(username=user.name, password=user.password).is_superuser
    assert len(records.branches()) == 3
    for kind in ("policy", "procedure"):
        assert [child.key for child in records.texts(kind).children] == ["1", "2", "3"]
    assert len(records.texts("policy", ("2",)).children) == 3
    verdicts = {records.check_pin(kind, login, demo.PIN, "", NOON) for kind, login in demo.LOGINS}
    assert verdicts == {"ok"}


def test_filling_twice_keeps_what_was_edited(state):
    assert demo.fill("a password of the demo", at=NOON).password == "a password of the demo"
    Branch.objects.update(address="搬家了")
    PolicyText.objects.filter(kind="procedure").delete()
    pins.set("id_number", demo.LOGINS[0][1], "802514", "clerk", at=NOON)
    assert demo.fill(at=NOON).password == ""
    assert set(Branch.objects.values_list("address", flat=True)) == {"搬家了"}
    assert not PolicyText.objects.filter(kind="procedure").exists()
    assert Pin.objects.count() == len(demo.LOGINS)


def test_everybody_of_the_demo_fund_database_has_a_pin():
    """Numbers on file with 15 digits or a small x have their PIN under the long form in capitals."""
    sql = (files("hotline.config") / "demo" / "fund.sql").read_text(encoding="utf-8")
    on_file = {number.upper() for number in re.findall(r"'(990101\d{11}[\dXx])'", sql)}
    assert on_file, "no ID number found in the demo data"
    assert on_file - {login for _, login in demo.LOGINS} == set()
