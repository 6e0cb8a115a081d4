"""`hotline prompts`: list, build, import, write, restore, check, say."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import soundfile
from hotline.daemon.cli import prompts
from hotline.voice import audiofile, overrides
from hotline.voice.catalogue import PROMPTS, Catalogue
from hotline.voice.library import Library
from typer.testing import CliRunner


class Centre:
    """A settings file with its state folder, and the command as its clerk types it."""

    def __init__(self, folder):
        self.folder = folder
        self.state = folder / "state"
        self.config = folder / "hotline.toml"
        self.config.write_text(f'[service]\nstate = "{self.state}"\n', "utf-8")

    def run(self, *words, status=0, config=True):
        arguments = [*map(str, words), *(["--config", str(self.config)] if config else [])]
        result = CliRunner().invoke(prompts.app, arguments, env={"COLUMNS": "300"})
        assert result.exit_code == status, result.output + result.stderr
        return result.stdout + result.stderr

    def clip(self, key):
        library = Library(Catalogue.load(), self.state)
        clip = library.clip(key)
        return clip.text, library.pool[clip.start : clip.end].copy()


@pytest.fixture
def centre(tmp_path):
    return Centre(tmp_path)


def recording(path, rate=44100):
    """Somebody speaking for half a second, in stereo, faintly, with silence around."""
    voice = 0.02 * np.sin(2 * np.pi * 300 * np.arange(rate // 2) / rate)
    quiet = np.zeros(rate)
    soundfile.write(path, np.repeat(np.concatenate([quiet, voice, quiet])[:, None], 2, axis=1), rate)
    return path


def test_the_list_names_every_prompt_or_those_asked_for(centre):
    everything = centre.run("list", config=False)
    assert all(key in everything for key in Catalogue.load())
    assert "…" not in centre.run("list", "您好", config=False)
    some = centre.run("list", "密码", config=False)
    assert "pin-ask" in some
    assert "P01" not in some


def test_an_own_recording_of_any_kind_replaces_a_prompt(centre):
    told = centre.run("import", "P29", recording(centre.folder / "mine.flac"), "--text", "请您讲话")
    assert "P29.1.wav" in told
    text, samples = centre.clip("P29")
    assert text == "请您讲话"
    assert abs(samples.size - 4000) < 400
    assert audiofile.active_dbm0(samples) == pytest.approx(audiofile.SPEECH_DBM0, abs=0.5)
    assert "本中心第 1 版" in centre.run("list", "P29")


def test_an_import_without_text_keeps_the_words(centre):
    centre.run("write", "P29", "请您现在讲")
    centre.run("import", "P29", recording(centre.folder / "mine.wav"))
    assert centre.clip("P29")[0] == "请您现在讲"


def test_new_words_are_spoken_and_old_versions_come_back(centre):
    shipped = centre.clip("P29")
    centre.run("write", "P29", "请在提示音之后讲话")
    first = centre.clip("P29")
    assert first[0] == "请在提示音之后讲话"
    assert first[1].size > 8000
    centre.run("restore", "P29")
    assert centre.clip("P29")[0] == shipped[0]
    assert np.array_equal(centre.clip("P29")[1], shipped[1])
    centre.run("restore", "P29", "--version", 1)
    assert np.array_equal(centre.clip("P29")[1], first[1])
    assert len(overrides.history(centre.state, "P29")) == 3


def test_all_is_well_as_shipped(centre):
    assert "齐全" in centre.run("check", config=False)
    centre.run("write", "P29", "请您讲话")
    assert "本中心自己的 1 条" in centre.run("check")


def test_check_names_what_is_wrong(centre):
    folder = overrides.folder(centre.state)
    folder.mkdir(parents=True)
    (folder / "P29.1.wav").write_bytes(b"RIFF")
    overrides.add(centre.state, "P99", np.ones(80, np.int16), "没有这一条")
    told = centre.run("check", status=1)
    assert "P29.1.wav" in told
    assert "名为 P99" in told


def test_build_makes_what_is_missing(centre):
    out = centre.folder / "prompts"
    shutil.copytree(PROMPTS, out)
    for key in ("P29", "n-1"):
        (out / f"{key}.wav").unlink()
    assert f"{len(Catalogue.load())} 条提示音，新合成 2 条" in centre.run("build", "--out", out, config=False)
    assert "新合成 0 条" in centre.run("build", "--out", out, config=False)
    assert audiofile.read_pcm(out / "P29.wav").any()


@pytest.mark.parametrize(("text", "said"), [("您的余额为2000.5元", "两千元五角"), ("P29", "请讲")])
def test_a_text_can_be_tried(centre, text, said):
    out = centre.folder / "out.wav"
    assert said in centre.run("say", text, out, config=False)
    assert audiofile.read_pcm(out).any()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("import", "P99", "mine.wav"), "没有名为 'P99' 的提示音"),
        (("import", "P29", "nowhere.wav"), "没有这个文件"),
        (("import", "P29", "hotline.toml"), "不是能识别的音频"),
        (("import", "P29", "silence.wav"), "只有静音"),
        (("write", "P29", " "), "文字不能是空的"),
        (("restore", "P29", "--version", "7"), "没有第 7 版，已有：无"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(centre, monkeypatch, words, reason):
    monkeypatch.chdir(centre.folder)
    soundfile.write("silence.wav", np.zeros(8000), 8000)
    assert reason in centre.run(*words, status=1)
    assert overrides.current(centre.state) == {}


def test_nothing_is_written_where_nothing_can_be(centre):
    told = centre.run("say", "您好", centre.folder / "no" / "such" / "out.wav", status=1, config=False)
    assert "No such file" in told
    assert "没有可念的文字" in centre.run("say", "……", "out.wav", status=1, config=False)


def test_a_centre_without_a_synthesiser_is_told_so(centre, monkeypatch):
    monkeypatch.setenv("PATH", str(centre.folder))
    assert "apt install espeak-ng" in centre.run("write", "P29", "请您讲话", status=1)
