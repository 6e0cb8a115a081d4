"""daemon/cli/listen.py: the installed command on files as people have them."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import warnings
import xml.etree.ElementTree
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
import typer
from hotline.daemon.cli import plot, refusals
from hotline.daemon.cli.listen import listen
from hotline.dsp import callerid, generate, keypress
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
    both = ["level_dbm0", "twist_db", "low_dbm0", "high_dbm0", "low_percent", "high_percent"]
    assert list(found[1]) == ["file", "event", "digit", "start", "end", *both]
    assert [found[1][name] for name in both] == pytest.approx([-8, -2, -8, -10, 0, 0], abs=0.1)


def test_a_frequency_that_is_off_is_told(tmp_path):
    path = write(tmp_path / "a.wav", generate.dtmf("5", 70, 200, deviation_percent=(0.2, -1.6)))
    (event,) = records(run(path, "--json"))
    assert (event["low_percent"], event["high_percent"]) == pytest.approx((0.2, -1.6), abs=0.1)
    assert "频率偏 -1.6 %" in run(path).stdout


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
    folder = tmp_path / "folder"
    folder.mkdir()
    result = run(missing, truncated, empty, good, text, nothing, folder, "--json")
    assert result.exit_code == 1
    assert [event["digit"] for event in records(result)] == ["4", "2"]
    complaints = result.stderr.splitlines()
    assert len(complaints) == 6
    for path, complaint in zip([missing, truncated, empty, text, nothing, folder], complaints, strict=True):
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


def test_a_folder_is_all_recordings_in_it(tmp_path):
    folder = tmp_path / "[1]"
    (folder / "below").mkdir(parents=True)
    (folder / "notes.txt").write_text("不是录音")
    write(folder / "b.FLAC", generate.dtmf("42"), generate.dtmf("17"), format="FLAC")
    write(folder / "below" / "a.wav", generate.dtmf("3"))
    alone = write(tmp_path / "busy.wav", call_to_a_busy_line())
    result = run(folder, alone)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout.splitlines()[-4:] == [
        "共 3 个录音：",
        f"  {folder / 'b.FLAC'}：按键 42，17",
        f"  {folder / 'below' / 'a.wav'}：按键 3",
        f"  {alone}：按键 5#；拨号音；忙音",
    ]


def bad_keys():
    """A key 2.8 % off, one too short, one too faint, two of too much twist, one under another tone; and good ones."""
    return np.concatenate(
        [
            silence(300),
            generate.dtmf("12", 70, 70),
            generate.dtmf("3", 70, 330, deviation_percent=2.8),
            generate.dtmf("4", 22, 378),
            generate.dtmf("5", 70, 330, -52),
            generate.dtmf("6", 70, 330, twist_db=12),
            generate.dtmf("7", 70, 330, twist_db=-15),
            generate.mix(generate.dtmf("8", 70, 330, -20), generate.tone(1000, 70, -15)),
            generate.dtmf("9", 70, 70),
        ]
    )


def test_why_keys_were_refused(tmp_path):
    path = write(tmp_path / "a.wav", bad_keys())
    found = records(run(path, "--json", "--why"))
    refused = [event for event in found if event["event"] == "refused"]
    assert list(refused[0]) == ["file", "event", "digit", "start", "end", "check", "value", "limit", "unit"]
    told = {event["digit"]: (event["check"], event["value"], event["unit"]) for event in refused}
    assert len(refused) == len(told) == 6  # one for each press, none for those that were accepted
    assert told["3"] == ("deviation", pytest.approx(2.8, abs=0.1), "%")
    assert told["4"] == ("on", pytest.approx(22, abs=2), "ms")
    assert told["5"] == ("floor", pytest.approx(-52, abs=0.5), "dBm0")
    assert told["6"] == ("twist_high", pytest.approx(12, abs=0.5), "dB")
    assert told["7"] == ("twist_low", pytest.approx(-15, abs=0.5), "dB")
    assert told["8"][0] == "purity"
    assert [event["start"] for event in refused] == pytest.approx([0.58, 0.98, 1.38, 1.78, 2.18, 2.58], abs=0.045)
    assert "".join(event["digit"] for event in found if event["event"] == "dtmf") == "129"


def test_why_for_people(tmp_path):
    path = write(tmp_path / "a.wav", bad_keys())
    shown = run(path, "--why").stdout
    for words in ("未认作 3", "频率偏差 2.8", "须不超过 2.2", "须不低于 31.0 ms", "按键：129"):
        assert words in shown
    without = run(path)
    assert "未认作" not in without.stdout
    assert all(event["event"] == "dtmf" for event in records(run(path, "--json")))


@pytest.mark.usefixtures("fonts_open")
def test_why_keys_far_off_and_half_keys_were_refused(tmp_path):
    """Both tones 5.2 % low, as from a tape; then 941 Hz alone."""
    path = write(
        tmp_path / "a.wav",
        np.concatenate([silence(300), generate.dtmf("1", 80, 300, deviation_percent=-5.2), generate.tone(941, 80)]),
    )
    shown = run(path, "--why", "--plot", tmp_path / "a.svg").stdout
    for words in ("未认作 1 ", "频率偏差 5.", "未认作 *0#D", "只有低频音，高频音比它弱"):
        assert words in shown


def test_every_limit_of_the_detector_has_words():
    measured = {"deviation", "apart", "floor", "twist_high", "twist_low", "on", "steady", "drift"}
    measured |= {"voice", "under", "purity"}
    assert measured <= {field.name for field in dataclasses.fields(keypress.Limits)}
    assert set(refusals.CHECKS) == measured | {"low_missing", "high_missing"}


@pytest.fixture(scope="module")
def fonts_open(tmp_path_factory):
    """matplotlib keeps the fonts it has used open; it shall have done so before a test counts open files."""
    folder = tmp_path_factory.mktemp("fonts")
    run(write(folder / "图.wav", generate.dtmf("1", 70, 200)), "--plot", folder / "a.png")


@pytest.mark.usefixtures("fonts_open")
@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_picture_of_each_file(tmp_path, kind):
    first = write(tmp_path / "一 $x$.wav", call_to_a_busy_line())
    second = write(tmp_path / "two.flac", bad_keys(), silence(100 + len(bad_keys()) // 8)[: len(bad_keys())])
    result = run(first, second, tmp_path / "missing.wav", "--plot", tmp_path / f"out.{kind}", "--json")
    assert result.exit_code == 1
    assert not any(event["event"] == "refused" for event in records(result))
    pictures = sorted(tmp_path.glob(f"*.{kind}"))
    assert [path.name for path in pictures] == [f"out-two.{kind}", f"out-一 $x$.{kind}"]
    for path in pictures:
        data = path.read_bytes()
        if kind == "png":
            assert data.startswith(b"\x89PNG")
        else:
            assert xml.etree.ElementTree.fromstring(data).tag.endswith("svg")


@pytest.mark.usefixtures("fonts_open")
def test_the_picture_of_one_file_has_the_name_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(plot, "FONTS", ())  # a machine without any of them
    path = write(tmp_path / "图.wav", generate.dtmf("1", 70, 200))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of every character the font does not have
        assert run(path, "--plot", tmp_path / "one.png").exit_code == 0
    assert (tmp_path / "one.png").exists()


def test_the_spectrogram_is_in_dbm0():
    level, hop = plot.spectrogram(np.concatenate([silence(500), generate.tone(1000, 500, -20)]))
    assert level.shape == (129, pytest.approx(8000 / hop, abs=2))
    assert level[32, -10] == pytest.approx(-20, abs=0.1)
    assert level[32, 10] < -80


@pytest.mark.parametrize(("out", "word"), [("a.gif", ".svg"), ("a", ".png"), ("nowhere/a.png", "nowhere")])
def test_pictures_that_cannot_be(tmp_path, out, word):
    result = run(write(tmp_path / "a.wav", generate.dtmf("1")), "--plot", tmp_path / out)
    assert result.exit_code == 1
    assert word in result.stderr
    assert result.stdout == ""


def test_without_matplotlib_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = run(write(tmp_path / "a.wav", generate.dtmf("1")), "--plot", tmp_path / "a.png")
    assert result.exit_code == 1
    assert "hotline[plot]" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is a thing of Unix")
def test_the_bar_is_on_the_terminal_and_the_results_in_the_file(tmp_path):
    path = write(tmp_path / "a.wav", call_to_a_busy_line())
    ours, theirs = os.openpty()
    with (tmp_path / "out.jsonl").open("wb") as out:
        command = [Path(sys.executable).with_name("hotline"), "listen", path, "--json"]
        status = subprocess.run(command, stdout=out, stderr=theirs, env={**os.environ, "TERM": "xterm"}).returncode
    os.close(theirs)
    assert status == 0
    assert "听录音" in os.read(ours, 1 << 16).decode(errors="replace")
    os.close(ours)
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("header.wav", b"RIFF\x24\x00\x00\x00WAVEfmt "),
        ("noise.flac", bytes(range(256)) * 40),
        ("page.mp3", b"<html>not found</html>" * 50),
        ("zeros.ogg", bytes(5000)),
    ],
)
def test_what_only_calls_itself_audio(tmp_path, name, content):
    bad = tmp_path / name
    bad.write_bytes(content)
    good = write(tmp_path / "good.wav", generate.dtmf("42"))
    result = run(bad, good, "--json")
    assert result.exit_code == 1
    assert [event["digit"] for event in records(result)] == ["4", "2"]
    (complaint,) = result.stderr.splitlines()
    assert str(bad) in complaint


@pytest.mark.parametrize(("rate", "channels"), [(6000, 1), (11025, 3), (22050, 2), (96000, 6), (192000, 1)])
def test_odd_rates_and_many_channels(tmp_path, rate, channels):
    keys = np.concatenate([generate.dtmf("70"), silence(60)])
    path = write(tmp_path / "a.wav", *[keys] * channels, rate=rate)
    found = records(run(path, "--json"))
    assert "".join(event["digit"] for event in found) == "7" * channels + "0" * channels


@pytest.mark.parametrize("cut", [30, 44, 45, 1000])
def test_a_file_cut_anywhere_is_one_sentence(tmp_path, cut):
    whole = write(tmp_path / "whole.wav", generate.dtmf("42"))
    path = tmp_path / "cut.wav"
    path.write_bytes(whole.read_bytes()[:cut])
    result = run(path)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "cut.wav" in result.stderr


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


def test_caller_id_in_dtmf(tmp_path):
    path = write(tmp_path / "a.wav", np.concatenate([silence(500), generate.dtmf("D09906512329C", 70, 70)]))
    (told,) = [event for event in records(run(path, "--json")) if event["event"] == "caller_id"]
    assert (told["number"], told["start"]) == ("09906512329", pytest.approx(0.5, abs=0.01))


def test_a_plan_of_ones_own_and_one_that_is_not_there(tmp_path):
    path = write(tmp_path / "a.wav", generate.cadence([425], [(0.5, 0.5)], 3))
    assert records(run(path, "--json", "--tones", "itu"))[0]["name"] == "busy"
    result = run(path, "--tones", "atlantis")
    assert result.exit_code == 1
    assert "atlantis" in result.stderr
