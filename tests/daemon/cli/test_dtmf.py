"""daemon/cli/dtmf.py: what `hotline dtmf make` makes is what `hotline listen` measures."""

from __future__ import annotations

import json

import pytest
from hotline.daemon.cli import command_line
from hotline.voice import audiofile
from typer.testing import CliRunner


def run(*arguments):
    return CliRunner().invoke(command_line(arguments[0]), [str(argument) for argument in arguments])


def heard(path):
    result = run("listen", path, "--json")
    assert result.exit_code == 0
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("options", "level", "twist", "on"),
    [
        ([], -10, 0, 70),
        (["--level", "-24", "--twist", "5"], -24, 5, 70),
        (["--level", "-6", "--twist", "-8", "--law", "mulaw"], -6, -8, 70),
        (["--deviation", "1.8", "--on", "45", "--off", "35", "--law", "alaw"], -10, 0, 45),
        (["--deviation", "-1.5,1.5", "--on", "200", "--noise", "-30"], -10, 0, 200),
    ],
)
def test_what_is_made_is_what_is_heard(tmp_path, options, level, twist, on):
    path = tmp_path / "keys.wav"
    made = run("dtmf", "make", "159d 0*#a", path, *options)
    assert made.exit_code == 0, made.stderr
    assert "159D0*#A" in made.stdout
    keys = heard(path)
    assert "".join(key["digit"] for key in keys) == "159D0*#A"
    for key in keys:
        assert key["level_dbm0"] == pytest.approx(level, abs=0.7)
        assert key["twist_db"] == pytest.approx(twist, abs=0.8)
        assert key["end"] - key["start"] == pytest.approx(on / 1000, abs=0.008)
    assert keys[0]["start"] == pytest.approx(0.3, abs=0.005)


def test_the_same_seed_makes_the_same_noise(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run("dtmf", "make", "1", tmp_path / f"{name}.wav", "--noise", "-40", "--seed", str(seed))
    a, b, c = (audiofile.read_pcm(tmp_path / f"{name}.wav") for name in "abc")
    assert (a == b).all()
    assert not (a == c).all()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["12x", "out.wav"], "X"),
        (["  ", "out.wav"], "可用"),
        (["12", "out.mp3"], ".wav"),
        (["12", "nowhere/out.wav"], "写不进"),
        (["12", "out.wav", "--deviation", "much"], "--deviation"),
        (["12", "out.wav", "--deviation", "1,2,3"], "--deviation"),
        (["12", "out.wav", "--deviation", "nan"], "--deviation"),
    ],
)
def test_what_cannot_be_made(tmp_path, monkeypatch, arguments, word):
    monkeypatch.chdir(tmp_path)
    result = run("dtmf", "make", *arguments)
    assert result.exit_code == 1
    assert word in result.stderr
    assert list(tmp_path.iterdir()) == []
