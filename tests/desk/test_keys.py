from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from hotline.desk import keys
from hotline.desk.errors import KeyMissing


def test_a_key_file_is_its_owners_only(tmp_path):
    keys.make_lasting(tmp_path / "keys")
    assert {path.name for path in (tmp_path / "keys").iterdir()} == {"seal.key", "search.key", "pin.key"}
    for path in (tmp_path / "keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_existing_keys_stay(tmp_path):
    keys.make_lasting(tmp_path)
    before = keys.read(tmp_path, keys.PIN)
    keys.make_lasting(tmp_path)
    assert keys.read(tmp_path, keys.PIN) == before


def test_everybody_who_makes_a_key_at_once_gets_the_same_one(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: keys.make(tmp_path, keys.WEB), range(64)))
    assert len(set(made)) == 1
    assert [path.name for path in tmp_path.iterdir()] == [keys.WEB], "a draft was left behind"


def test_a_missing_key_names_the_file_and_what_to_do(tmp_path):
    with pytest.raises(KeyMissing, match=r"pin\.key: 密钥文件不存在.*备份"):
        keys.read(tmp_path, keys.PIN)
