"""Grammars key by key: the table of domain rules, and no sequence of keys that breaks them."""

import pytest
from hotline.daemon.fields import GRAMMARS
from hypothesis import given
from hypothesis import strategies as st

ID_18 = "990101198503070017"
ID_15 = "990101600101123"


def enter(grammar, keys):
    """Key by key until the grammar decides; how many keys it took, its verdict and the value."""
    buffer = ""
    for count, key in enumerate(keys, 1):
        verdict = GRAMMARS[grammar].press(buffer, key)
        if verdict.kind != "more":
            return count, verdict.kind, verdict.value
        buffer += key
    return len(keys), "more", ""


@pytest.mark.parametrize(
    ("grammar", "keys", "expected"),
    [
        ("id_number", ID_18, (18, "done", ID_18)),
        ("id_number", ID_18 + "#", (18, "done", ID_18)),
        ("id_number", "99010119870316005*", (18, "done", "99010119870316005X")),
        ("id_number", ID_15, (15, "more", "")),
        ("id_number", ID_15 + "#", (16, "done", ID_15)),
        ("id_number", ID_15[:14] + "#", (15, "wrong", "")),
        ("id_number", ID_18[:16] + "#", (17, "wrong", "")),
        ("id_number", ID_18[:17] + "#", (18, "wrong", "")),
        ("id_number", "*", (1, "back", "")),
        ("id_number", "#", (1, "wrong", "")),
        ("id_number", "9*", (2, "wrong", "")),
        ("id_number", ID_18[:16] + "*", (17, "wrong", "")),
        ("id_number_18", ID_18, (18, "done", ID_18)),
        ("id_number_18", ID_15 + "#", (16, "wrong", "")),
        ("id_number_18", "*", (1, "back", "")),
        ("pin", "135790", (6, "done", "135790")),
        ("pin", "13579", (5, "more", "")),
        ("pin", "13579#", (6, "wrong", "")),
        ("pin", "*", (1, "back", "")),
        ("pin", "1*", (2, "wrong", "")),
        ("account_number", "1234#", (5, "done", "1234")),
        ("account_number", "123#", (4, "wrong", "")),
        ("account_number", "1" * 20, (20, "done", "1" * 20)),
        ("card_number", "6" * 12 + "#", (13, "done", "6" * 12)),
        ("card_number", "6" * 19, (19, "done", "6" * 19)),
        ("unit_number", "9901001#", (8, "done", "9901001")),
    ],
)
def test_what_keys_make(grammar, keys, expected):
    assert enter(grammar, keys) == expected


@given(st.sampled_from(sorted(GRAMMARS)), st.text("0123456789*#ABCD", max_size=30))
def test_no_sequence_of_keys_escapes_a_grammar(grammar, keys):
    count, kind, value = enter(grammar, keys)
    assert kind in {"more", "done", "back", "wrong"}
    assert count <= 21
    assert set(value) <= set("0123456789X")
    assert (kind == "done") == bool(value)


@pytest.mark.parametrize("grammar", sorted(GRAMMARS))
def test_what_is_private_is_masked(grammar):
    if GRAMMARS[grammar].private:
        shown = GRAMMARS[grammar].masked(ID_18)
        assert len(shown) == 18
        assert shown.count("*") >= 8


def test_a_pin_is_masked_whole():
    assert GRAMMARS["pin"].masked("135790") == "******"
