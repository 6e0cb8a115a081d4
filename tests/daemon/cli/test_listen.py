"""daemon/cli/listen.py: the installed command on files as people have them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
import soxr
import typer
from hotline.daemon.cli.listen import listen
from hotline.dsp import callerid, generate
from hotline.dsp.generate import silence
from hotline.dsp.levels import ms
from typer.testing import CliRunner

APP = typer.Typer()
APP.command()(listen)


def run(*arguments):
    return CliRunner().invoke(APP, [str(argument) for argument in arguments])


def call_to_a_busy_line():
    """Dial tone for 2 s, two keys, then busy to the end."""
    return np.concatenate(
        [
            silence(300),
            generate.tone(450, 2000),
            silence(200),
            generate.dtmf("5#", 100, 100, -8, twist_db=-2),
            generate.cadence([450], [(0.35, 0.35)], 2.8),
        ]
    )


def at_rate(samples, rate):
    return samples / 32768 if rate == 8000 else soxr.resample(samples / 32768, 8000, rate)


def write(path, *channels, rate=8000, **form):
    soundfile.write(path, np.stack([at_rate(channel, rate) for channel in channels], axis=1), rate, **form)
    return path


def records(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("name", "rate", "form"),
    [
        ("a.wav", 8000, {}),
        ("b.wav", 44100, {"subtype": "FLOAT"}),
        ("c.wav", 8000, {"subtype": "ALAW"}),
        ("d.flac", 16000, {}),
        ("e.ogg", 48000, {}),
        ("f.mp3", 32000, {}),
    ],
)
def test_any_format_and_rate(tmp_path, name, rate, form):
    path = write(tmp_path / name, call_to_a_busy_line(), rate=rate, **form)
    result = run(path, "--json")
    assert result.exit_code == 0
    found = records(result)
    assert [event.get("digit") or event["name"] for event in found] == ["dial", "5", "#", "busy"]
    assert {event["file"] for event in found} == {str(path)}
    dial, five, _, busy = found
    assert dial["start"] == pytest.approx(0.3, abs=0.04)  # an MP3 begins with its codec's delay
    assert dial["end"] - dial["start"] == pytest.approx(2.0, abs=0.01)
    assert five["end"] - five["start"] == pytest.approx(0.1, abs=0.015)
    assert busy["start"] < busy["declared"] <= busy["start"] + 1.4
    assert dial["frequency"] == pytest.approx(450, abs=1)


def test_every_event_has_exactly_the_promised_keys(tmp_path):
    found = records(run(write(tmp_path / "a.wav", call_to_a_busy_line()), "--json"))
    assert list(found[0]) == ["file", "event", "name", "start", "end", "declared", "frequency"]
    assert list(found[1]) == ["file", "event", "digit", "start", "end", "level_dbm0", "twist_db"]
    assert found[1]["level_dbm0"] == pytest.approx(-8, abs=0.5)
    assert found[1]["twist_db"] == pytest.approx(-2, abs=0.5)


def test_channels_are_heard_apart(tmp_path):
    left = np.concatenate([generate.dtmf("12"), silence(1000)])
    right = np.concatenate([silence(500), generate.dtmf("9")])
    path = write(tmp_path / "both.wav", left, np.pad(right, (0, len(left) - len(right))))
    found = records(run(path, "--json"))
    assert [(event["channel"], event["digit"]) for event in found] == [(1, "1"), (1, "2"), (2, "9")]


def test_a_key_held_to_the_very_end_is_told(tmp_path):
    path = write(tmp_path / "cut.wav", np.concatenate([silence(100), generate.dtmf("7", 80, 0)]))
    (event,) = records(run(path, "--json"))
    assert event["digit"] == "7"
    assert event["end"] <= 0.18


def test_bad_files_are_named_and_the_others_done(tmp_path):
    good = write(tmp_path / "good.wav", generate.dtmf("42"))
    truncated = tmp_path / "truncated.wav"
    truncated.write_bytes(good.read_bytes()[: ms(100)])
    empty = tmp_path / "empty.wav"
    empty.touch()
    text = tmp_path / "text.wav"
    text.write_text("这不是录音")
    nothing = write(tmp_path / "nothing.wav", silence(0))
    missing = tmp_path / "missing.wav"
    result = run(missing, truncated, empty, good, text, nothing, tmp_path, "--json")
    assert result.exit_code == 1
    assert [event["digit"] for event in records(result)] == ["4", "2"]
    complaints = result.stderr.splitlines()
    assert len(complaints) == 6
    for path, complaint in zip([missing, truncated, empty, text, nothing, tmp_path], complaints, strict=True):
        assert str(path) in complaint
        assert "good.wav" not in complaint
        assert "Traceback" not in complaint


def test_for_people(tmp_path):
    path = write(tmp_path / "a.wav", call_to_a_busy_line())
    quiet = write(tmp_path / "quiet.wav", silence(500))
    result = run(path, quiet)
    assert result.exit_code == 0
    for words in ("拨号音", "忙音", "按键 5", "按键：5#", "没有按键"):
        assert words in result.stdout


def test_caller_id(tmp_path):
    told = generate.to_int16(callerid.modulate(callerid.mdmf("09906512329", when="11211805")))
    withheld = generate.to_int16(callerid.modulate(callerid.sdmf("P")))
    path = write(tmp_path / "a.wav", np.concatenate([silence(500), told, silence(500), withheld, silence(100)]))
    first, second = records(run(path, "--json"))
    assert list(first) == ["file", "event", "number", "reason", "name", "when", "start", "end"]
    assert (first["event"], first["number"], first["when"]) == ("caller_id", "09906512329", "11211805")
    assert (second["number"], second["reason"]) == (None, "withheld")
    shown = run(path).stdout
    assert "09906512329" in shown
    assert "不显示号码" in shown


def test_a_plan_of_ones_own_and_one_that_is_not_there(tmp_path):
    path = write(tmp_path / "a.wav", generate.cadence([425], [(0.5, 0.5)], 3))
    assert records(run(path, "--json", "--tones", "itu"))[0]["name"] == "busy"
    result = run(path, "--tones", "atlantis")
    assert result.exit_code == 1
    assert "atlantis" in result.stderr
