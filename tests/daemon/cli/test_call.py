"""`hotline call`, as it is installed: the transcript, what was heard, and nobody's records touched."""

import json

import numpy as np
from hotline.daemon import demo_fund
from hotline.dsp import generate
from hotline.voice import audiofile
from rig.installed import free_ports, hotline, running


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


def test_a_running_service_is_called_over_audiosocket(tmp_path):
    port, web, desk = free_ports(3)
    (tmp_path / "hotline.toml").write_text(
        f"[web]\nport = {web}\ndesk_port = {desk}\n"
        f"[lines.asterisk]\ndriver = 'audiosocket'\nport = {port}\ntoken = 'correct-horse'\ncount = 2\n",
        "utf-8",
    )
    heard, to = tmp_path / "heard.wav", f"127.0.0.1:{port}"
    said = hotline("call", "1", "--to", to, folder=tmp_path, status=1)
    assert f"连不上 {to}" in said
    with running("run", folder=tmp_path):
        said = hotline("call", "1", "--to", to, "--token", "guessed-wrong", folder=tmp_path, status=1)
        assert "--token" in said
        said = hotline(
            "call",
            "!1 wait:0.5 hangup",
            "--to",
            to,
            "--token",
            "correct-horse",
            "--heard",
            heard,
            "--json",
            folder=tmp_path,
        )
    entries = [json.loads(line) for line in said.splitlines()]
    assert [entry["text"] for entry in entries] == ["开始说话", "1", "开始说话", "来电人挂机"]
    sound = audiofile.read(heard)
    assert np.abs(sound).max() > 3000


def test_where_to_call_must_be_said_in_full(tmp_path):
    for to in ("127.0.0.1", "host:99999", ":8090", "host:x"):
        assert f"--to {to}：须是 地址:端口" in hotline("call", "1", "--to", to, folder=tmp_path, status=1)
