"""Scripts: what each word does, and what is said of a word that means nothing."""

from types import SimpleNamespace

import numpy as np
import pytest
from hotline.daemon.caller import TRAVEL, ScriptedCaller, ScriptError, Word, parse
from hotline.drivers.simulated.telephone import KeypadTelephone
from hotline.dsp import generate
from hotline.voice import audiofile
from hotline.voice.catalogue import Catalogue

TEXTS = Catalogue.load()


def test_every_kind_of_word():
    assert parse("1 9901# !* wait:2.5 say:a.wav hangup") == [
        Word("keys", "1"),
        Word("keys", "9901#"),
        Word("barge", "*"),
        Word("wait", "2.5"),
        Word("say", "a.wav"),
        Word("hangup"),
    ]
    assert parse("") == []


@pytest.mark.parametrize("word", ["x", "1x", "!", "wait:", "wait:soon", "say:", "hang-up", "!hangup", "１"])
def test_a_word_that_means_nothing_is_named(word):
    with pytest.raises(ScriptError, match="看不懂；可以用"):
        parse(f"1 {word} 2")


def test_a_question_that_stands_until_the_key_has_arrived_is_not_answered_twice():
    """A line may take a quarter of a second: until then the service asks what has just been answered."""
    phone, call = KeypadTelephone(), SimpleNamespace(waits_for="menu", cause=None)
    caller, busy = ScriptedCaller(parse("1 !2 wait:9"), None, phone), []
    for _ in range(100):
        caller.step(call)
        busy.append(not phone.idle)
        phone.speak()
    first_is_out = busy.index(False)
    assert busy.index(True) == 0
    assert busy.index(True, first_is_out) == first_is_out + TRAVEL - 1


@pytest.fixture(scope="module")
def made(shared_house):
    return shared_house


def at(told, who, text):
    return next(entry.at for entry in told.entries if entry.who == who and text in entry.text)


def test_a_plain_word_waits_for_the_end_of_the_prompt_and_barge_in_does_not(made):
    patient, hasty = made.call("1 hangup"), made.call("!1 hangup")
    assert at(hasty, "按键", "1") == pytest.approx(1.0, abs=0.15)
    assert at(patient, "按键", "1") > 20  # P01 is half a minute long


def test_waiting_and_hanging_up_at_once(made):
    told = made.call("wait:2 hangup")
    assert at(told, "状态", "忙音") == pytest.approx(2 + 0.5 + 1.1, abs=0.6)


def test_to_wait_takes_no_longer_than_it_says():
    phone, call = KeypadTelephone(), SimpleNamespace(waits_for="menu", cause=None)
    caller, began = ScriptedCaller(parse("wait:1 1 wait:9"), None, phone), []
    for tick in range(60):
        caller.step(call)
        phone.speak()
        began += [tick] if phone.said else []
    assert began[0] == 50


def test_a_file_is_spoken_as_it_is(made, tmp_path):
    path = tmp_path / "7.wav"
    audiofile.write(path, generate.dtmf("7"))
    told = made.call(f"say:{path}")
    assert TEXTS["goodbye"].text in told.spoken
    assert [said.label for said in told.said] == ["say"]


def test_keys_can_be_keyed_badly(made):
    told = made.call("!7", on_ms=60, level_dbm0=-30.0, twist_db=-6.0, deviation_percent=1.5)
    assert TEXTS["goodbye"].text in told.spoken


def test_after_the_last_word_the_prompt_is_heard_to_its_end(made):
    told = made.call("!1")
    clip = made.service.site.library.clip("P02")
    wanted = made.service.site.library.pool[clip.start : clip.end]
    starts = np.flatnonzero(told.heard == wanted[0])
    assert any(np.array_equal(told.heard[start : start + wanted.size], wanted) for start in starts)
