"""A caller changes his PIN on the telephone: the old one no longer counts, a weak one is not taken."""

import pytest
from hotline.voice.catalogue import Catalogue

TEXTS = Catalogue.load()
ID = "990101198503070017"
QUERY = "!2 !1 !1 {id} {pin}"
CHANGE = "!5 {id} {old} {new} {again}"


@pytest.fixture
def guideline(house):
    return house(**{"dialog.file": "guideline.yaml"})


def change(made, old, new, again):
    return made.call(CHANGE.format(id=ID, old=old, new=new, again=again)).spoken


def test_the_new_pin_opens_the_account_and_the_old_one_does_not(guideline):
    assert TEXTS["pin-changed"].text in change(guideline, "135790", "802461", "802461")
    assert "余额为" in guideline.call(QUERY.format(id=ID, pin="802461")).spoken
    old = guideline.call(QUERY.format(id=ID, pin="135790")).spoken
    assert TEXTS["pin-wrong"].text in old
    assert "余额为" not in old


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        ("135790", "802461", "802462", "pin-differs"),
        ("135790", "123456", "123456", "pin-weak"),
        ("135790", "850307", "850307", "pin-weak"),  # his birthday
        ("246801", "802461", "802461", "pin-wrong"),
    ],
)
def test_what_is_refused_changes_nothing(guideline, old, new, again, said):
    spoken = change(guideline, old, new, again)
    assert TEXTS[said].text in spoken
    assert TEXTS["pin-changed"].text not in spoken
    assert "余额为" in guideline.call(QUERY.format(id=ID, pin="135790")).spoken
