"""daemon/cli/tones.py: tone plans listed, played, and added to from recordings."""

from __future__ import annotations

import json
import tomllib

import numpy as np
import pytest
import soundfile
from hotline.config import tones
from hotline.daemon.cli import command_line
from hotline.dsp import generate
from hotline.dsp.generate import mix, noise, silence
from hotline.voice import audiofile
from typer.testing import CliRunner

RNG = np.random.default_rng(1)


def run(*arguments):
    return CliRunner().invoke(command_line("tones"), ["tones", *(str(argument) for argument in arguments)])


def record(path, frequencies=(530,), pattern=((0.25, 0.3),), seconds=5, level=-15):
    """Some seconds of a PBX's own busy tone with a little noise."""
    tone = generate.cadence(frequencies, pattern, seconds, level)
    samples = np.concatenate([silence(400), tone])
    audiofile.write(path, mix(samples, noise(len(samples) / 8, level - 25, RNG)))
    return path


def test_plans_are_listed():
    result = run("list")
    assert result.exit_code == 0
    assert all(plan in result.stdout for plan in tones.shipped())
    rows = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
    assert [row["plan"] for row in rows] == tones.shipped()


def test_a_plan_is_listed():
    shown = run("list", "cn").stdout
    for words in ("ringback", "忙音", "0.35 / 0.35", "连续"):
        assert words in shown
    rows = [json.loads(line) for line in run("list", "itu", "--json").stdout.splitlines()]
    assert {row["name"] for row in rows} == set(tones.load("itu").tones)
    assert run("list", "atlantis").exit_code == 1


@pytest.mark.parametrize(("plan", "name"), [("cn", "busy"), ("us", "dial"), ("uk", "ringback"), ("itu", "sit")])
def test_what_is_played_is_what_is_heard(tmp_path, plan, name):
    tone = tones.load(plan).tones[name]
    path = tmp_path / "out.wav"
    assert run("play", name, path, "--plan", plan, "--seconds", "7", "--level", "-20").exit_code == 0
    assert len(audiofile.read_pcm(path)) == 7 * 8000
    heard = CliRunner().invoke(command_line("listen"), ["listen", str(path), "--json", "--tones", plan])
    event = json.loads(heard.stdout.splitlines()[0])
    assert event["name"] == name
    assert min(abs(event["frequency"] - nominal) for nominal in (*tone.sequence, *tone.frequencies)) <= 1


def test_what_cannot_be_played(tmp_path):
    result = run("play", "bsuy", tmp_path / "out.wav")
    assert result.exit_code == 1
    assert "busy" in result.stderr
    assert run("play", "busy", tmp_path / "out.ogg").exit_code == 1


def test_the_entry_is_printed_ready_to_use(tmp_path):
    result = run("learn", record(tmp_path / "a.wav"))
    assert result.exit_code == 0
    entry = tones.Tone.model_validate_json(json.dumps(tomllib.loads(result.stdout)["tones"]["own_busy"]))
    assert entry.frequencies == (530,)
    assert entry.cadence == pytest.approx((0.25, 0.3), abs=0.005)
    assert entry.released
    assert entry.text == "本局忙音"
    assert "很有把握" in result.stderr
    assert "530" in result.stderr


def test_what_is_known_of_it_as_json(tmp_path):
    files = [record(tmp_path / "a.wav"), record(tmp_path / "b.wav", seconds=3)]
    told = json.loads(run("learn", *files, "--json").stdout)
    assert told["files"] == [str(path) for path in files]
    assert told["frequencies"] == pytest.approx([530], abs=0.5)
    assert told["cadence"] == pytest.approx([0.25, 0.3], abs=0.005)
    assert told["purity_db"] == pytest.approx(25, abs=3)
    assert (told["sure"], told["doubts"], told["collides_with"]) == ("high", [], [])
    assert len(told["declared_after_s"]) == 2


def test_a_plan_is_made_and_added_to(tmp_path):
    own = tmp_path / "own.toml"
    assert run("learn", record(tmp_path / "a.wav"), "--out", own).exit_code == 0
    assert set(tones.load(own).tones) == {*tones.load("cn").tones, "own_busy"}
    again = run("learn", tmp_path / "a.wav", "--out", own)
    assert again.exit_code == 1
    assert "own_busy" in again.stderr
    other = record(tmp_path / "b.wav", (400, 600), ((0.5, 0.2), (0.1, 0.4)))
    added = run("learn", other, "--out", own, "--meaning", "congestion", "--text", "占线音")
    assert added.exit_code == 0, added.stderr
    assert tones.load(own).tones["own_congestion"].frequencies == (400, 600)
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".wav"] == ["own.toml"]
    heard = CliRunner().invoke(command_line("listen"), ["listen", str(other), "--json", "--tones", str(own)])
    assert [json.loads(line)["name"] for line in heard.stdout.splitlines()] == ["own_congestion"]


def test_a_tone_the_plan_knows_and_one_it_would_be_taken_for(tmp_path):
    known = run("learn", record(tmp_path / "a.wav", (450,), ((0.35, 0.35),)))
    assert known.exit_code == 0
    assert "不必另加" in known.stderr
    alike = run("learn", record(tmp_path / "b.wav", (450,), ((1.0, 4.0),), seconds=16))
    assert "回铃音" in alike.stderr
    assert "认错" in alike.stderr


def test_doubts_are_told(tmp_path):
    result = run("learn", record(tmp_path / "a.wav", pattern=((0.5, 0.5),), seconds=2.6))
    assert "较有把握" in result.stderr
    assert "周期" in result.stderr


def test_the_channel_with_the_tone_is_taken(tmp_path):
    tone = generate.cadence([530], [(0.25, 0.3)], 5, -15)
    talk = np.resize(generate.dtmf("147"), len(tone))
    soundfile.write(tmp_path / "both.flac", np.stack([talk, tone], axis=1), 8000)
    assert json.loads(run("learn", tmp_path / "both.flac", "--json").stdout)["frequencies"] == [530.0]


def test_files_that_cannot_be_used_are_named_and_the_others_done(tmp_path):
    good = record(tmp_path / "good.wav")
    short = record(tmp_path / "short.wav", seconds=0.7)
    keys = tmp_path / "keys.wav"
    audiofile.write(keys, generate.dtmf("5" * 20, 100, 100))
    text = tmp_path / "text.wav"
    text.write_text("这不是录音")
    other = record(tmp_path / "other.wav", (480,))
    quiet = tmp_path / "quiet.wav"
    audiofile.write(quiet, silence(3000))
    result = run("learn", good, short, keys, text, other, quiet, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["files"] == [str(good)]
    complaints = result.stderr.splitlines()
    wanted = [(short, "太短"), (keys, "按键音"), (text, "不是"), (other, "不是同一种"), (quiet, "没有声音")]
    for (path, word), complaint in zip(wanted, complaints, strict=True):
        assert str(path) in complaint
        assert word in complaint
    assert run("learn", keys).exit_code == 1


@pytest.mark.parametrize("options", [["--meaning", "song"], ["--name", "本局"], ["--plan", "atlantis"]])
def test_options_that_make_no_sense(tmp_path, options):
    result = run("learn", record(tmp_path / "a.wav"), *options)
    assert result.exit_code == 1
    assert options[1] in result.stderr
