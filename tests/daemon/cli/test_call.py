"""`hotline call`, as it is installed: the transcript, what was heard, and nobody's records touched."""

import json

import numpy as np
from hotline.daemon import demo_fund
from hotline.dsp import generate
from hotline.voice import audiofile
from rig.installed import hotline


def test_a_call_on_demo_data_as_json(tmp_path):
    heard = tmp_path / "heard.wav"
    said = hotline("call", "!1 !1 990101198503070017# 135790", "--json", "--heard", heard, folder=tmp_path)
    entries = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert all(set(entry) == {"at", "who", "text"} for entry in entries)
    assert any("一万两千三百四十五元六角七分" in entry["text"] for entry in entries)
    assert "135790" not in said
    sound = audiofile.read(heard)
    assert sound.size / 8000 > entries[-1]["at"]
    assert np.abs(sound).max() > 3000


def test_a_recording_of_keys_calls_too_and_a_centre_s_own_records_stay_as_they_are(tmp_path, demo_file):
    keys = tmp_path / "keys.wav"
    audiofile.write(keys, np.concatenate([np.zeros(8000, np.int16), generate.dtmf("7")]))
    (tmp_path / "hotline.toml").write_text(
        f"[lines.1]\ndriver = 'simulated'\n[fund]\nconnection = '''{demo_fund.connection(demo_file)}'''\n[fund.sql]\n"
        + "".join(f"{name} = '''{sql}'''\n" for name, sql in demo_fund.SQL.model_dump().items()),
        "utf-8",
    )
    said = hotline("call", "", "--wav", keys, "--config", "hotline.toml", folder=tmp_path)
    assert "再见" in said
    assert not (tmp_path / "var").exists()


def test_a_script_nobody_understands_and_a_file_that_is_no_sound(tmp_path):
    said = hotline("call", "1 later 2", folder=tmp_path, status=1)
    assert "'later'" in said
    bad = tmp_path / "bad.wav"
    bad.write_text("no sound")
    said = hotline("call", "1", "--wav", bad, folder=tmp_path, status=1)
    assert str(bad) in said
