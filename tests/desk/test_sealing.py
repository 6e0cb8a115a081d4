from __future__ import annotations

import pytest
from django.conf import settings
from hotline.desk import keys, sealing
from hotline.desk.errors import Unsealable

NUMBER = "99010119870316005X"


def test_what_is_sealed_opens_and_never_looks_the_same(state):
    first, second = sealing.seal(NUMBER), sealing.seal(NUMBER)
    assert sealing.unseal(first) == sealing.unseal(second) == NUMBER
    assert first != second
    assert NUMBER not in first


def test_nothing_stays_nothing(state):
    assert (sealing.seal(""), sealing.unseal(""), sealing.digest(""), sealing.mask("")) == ("", "", "", "")


def test_a_digest_finds_the_number_again_but_only_with_the_key(state):
    before = sealing.digest(NUMBER)
    assert before == sealing.digest(NUMBER) != sealing.digest("990101198503070017")
    (settings.KEYS / keys.SEARCH).write_text("another")
    assert sealing.digest(NUMBER) != before


def test_old_seals_open_after_a_rotation_and_not_once_their_key_is_gone(state):
    old = sealing.seal(NUMBER)
    keys.rotate_seal(settings.KEYS)
    new = sealing.reseal(old)
    assert sealing.unseal(old) == sealing.unseal(new) == NUMBER
    newest = keys.read(settings.KEYS, keys.SEAL).splitlines()[0]
    (settings.KEYS / keys.SEAL).write_bytes(newest)
    assert sealing.unseal(new) == NUMBER
    with pytest.raises(Unsealable) as caught:
        sealing.unseal(old)
    assert NUMBER not in str(caught.value)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("990101198503070017", "990101********0017"),
        ("99010119870316005X", "990101********005X"),
        ("990101600101123", "990101*****1123"),
        ("9901001", "*****01"),
    ],
)
def test_mask(number, shown):
    assert sealing.mask(number) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("990101198503070017", "990101********0017"),
        ("身份证99010119870316005x，线路1", "身份证990101********005x，线路1"),
        ("99010119870316005*#", "990101********005*#"),
        ("99010119850307", "990101****0307"),
        ("13900000001", "13900000001"),
        ("0990-6512329", "0990-6512329"),
        ("主菜单 1", "主菜单 1"),
    ],
)
def test_long_numbers_in_a_text_are_masked(text, shown):
    assert sealing.mask_text(text) == shown
