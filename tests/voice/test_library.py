"""One pool of clips: loaded whole, grown without moving what plays, replaced while calls go on."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest
from hotline.voice import audiofile, overrides
from hotline.voice.catalogue import Catalogue, CatalogueError
from hotline.voice.library import PAUSES, Library
from hotline.voice.synthesis import SynthesisError

CATALOGUE = Catalogue.load()


@pytest.fixture(scope="module")
def shipped():
    return Library(CATALOGUE)


@pytest.fixture
def library(tmp_path):
    return Library(CATALOGUE, tmp_path)


def sound(library, clip):
    return library.pool[clip.start : clip.end].copy()


def hum(seconds=0.5):
    return (8000 * np.sin(np.arange(round(8000 * seconds)) / 3)).astype(np.int16)


def test_every_prompt_is_the_file_that_ships(shipped):
    for key, prompt in CATALOGUE.items():
        clip = shipped.clip(key)
        assert clip.text == prompt.text
        assert sound(shipped, clip).any()
    assert shipped.faults == []
    assert shipped.pool.dtype == np.int16


def test_pauses_are_silence_of_their_length(shipped):
    for key, milliseconds in PAUSES.items():
        clip = shipped.clip(key)
        assert clip.end - clip.start == 8 * milliseconds
        assert not sound(shipped, clip).any()


def test_clips_do_not_overlap(shipped):
    clips = sorted((shipped.clip(key) for key in [*CATALOGUE, *PAUSES]), key=lambda clip: clip.start)
    assert all(one.end <= other.start for one, other in itertools.pairwise(clips))


def test_an_unknown_key_is_named(shipped):
    with pytest.raises(CatalogueError, match="P99"):
        shipped.clip("P99")


def test_prompts_without_audio_are_refused_at_once():
    catalogue = Catalogue({**CATALOGUE, "P99": CATALOGUE["P01"]})
    with pytest.raises(CatalogueError, match="hotline prompts build"):
        Library(catalogue)


def test_a_free_text_is_spoken_once_and_kept(tmp_path, monkeypatch):
    first = Library(CATALOGUE, tmp_path)
    [clip] = first.text("地址：人民路123号")
    assert clip.text == "地址：人民路123号"
    assert 1.5 < (clip.end - clip.start) / 8000 < 6
    assert first.text("地址：人民路123号") == [clip]
    monkeypatch.setenv("PATH", str(tmp_path))  # no espeak-ng from here on
    second = Library(CATALOGUE, tmp_path)
    [again] = second.text("地址:人民路123号")
    assert np.array_equal(sound(second, again), sound(first, clip))


def test_a_text_is_spoken_sentence_by_sentence(library):
    clips = library.text("周一至周五办理业务。节假日休息！\n电话6512329")
    assert [clip.text for clip in clips] == ["周一至周五办理业务。", "", "节假日休息！", "", "电话6512329"]
    assert {clip.key for clip in clips} == {"text", "gap"}
    assert library.text("节假日休息！")[0] == clips[2]


def test_a_kept_text_that_was_damaged_is_made_again(tmp_path):
    first = Library(CATALOGUE, tmp_path)
    [clip] = first.text("您好")
    [path] = (overrides.folder(tmp_path) / "texts").iterdir()
    path.write_bytes(path.read_bytes()[:100])
    second = Library(CATALOGUE, tmp_path)
    assert np.array_equal(sound(second, second.text("您好")[0]), sound(first, clip))


def test_a_text_with_nothing_to_say_says_so(library):
    assert [clip.key for clip in library.text(" …… ")] == ["text-missing"]


def test_without_a_synthesiser_a_new_text_is_refused_with_what_to_do(tmp_path, monkeypatch):
    library = Library(CATALOGUE, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SynthesisError, match="apt install espeak-ng"):
        library.text("从来没有念过的一句话")


def test_without_a_state_folder_texts_are_spoken_and_nothing_is_replaced(shipped):
    assert shipped.text("您好")[0].end > shipped.text("您好")[0].start
    with pytest.raises(CatalogueError, match="没有状态目录"):
        shipped.replace("P29", hum())


def test_a_replaced_prompt_is_heard_next_and_the_old_one_plays_on(library):
    before = library.clip("P29")
    old = sound(library, before)
    after = library.replace("P29", hum(), "请您讲话")
    assert library.clip("P29") == after
    assert after.text == "请您讲话"
    assert np.array_equal(sound(library, after), hum())
    assert np.array_equal(sound(library, before), old)
    assert library.replace("P29", hum(0.2)).text == "请您讲话"
    assert [version.number for version in library.versions("P29")] == [1, 2]


def test_the_pool_grows_without_moving_what_is_in_it(library):
    clips = [library.clip(key) for key in ("P01", "P29", "n-1")]
    old = [sound(library, clip) for clip in clips]
    pool = library.pool
    for _ in range(5):
        library.put("P29", "", hum(20))
    assert library.pool is not pool
    assert all(np.array_equal(sound(library, clip), was) for clip, was in zip(clips, old, strict=True))
    assert (library.clip("P29").end - library.clip("P29").start) >= 8 * 20000


def test_another_process_is_heard_after_a_refresh(tmp_path, library):
    assert library.refresh() == []
    overrides.add(tmp_path, "P29", hum(), "请您讲话")
    overrides.add(tmp_path, "P29", hum(0.3), "请讲话")
    overrides.add(tmp_path, "unknown", hum(), "不在目录里")
    assert library.clip("P29").text == "请讲"
    assert library.refresh() == ["P29"]
    assert library.clip("P29").text == "请讲话"
    assert library.refresh() == []
    assert Library(CATALOGUE, tmp_path).clip("P29").text == "请讲话"


def test_an_own_prompt_that_cannot_be_read_leaves_the_shipped_one(tmp_path):
    overrides.folder(tmp_path).mkdir()
    path = overrides.folder(tmp_path) / "P29.1.wav"
    path.write_bytes(b"RIFF")
    library = Library(CATALOGUE, tmp_path)
    assert library.clip("P29").text == "请讲"
    assert len(library.faults) == 1
    assert str(path) in library.faults[0]


def test_rewriting_a_prompt_speaks_the_new_words(library):
    clip = library.rewrite("P29", "请在提示音后讲话")
    assert clip.text == "请在提示音后讲话"
    assert 1.2 < (clip.end - clip.start) / 8000 < 4
    with pytest.raises(CatalogueError, match="不能是空的"):
        library.rewrite("P29", " ")


def test_wording_kept_elsewhere_is_put_in_and_taken_out(library):
    shipped = sound(library, library.clip("P29"))
    spoken = library.put("P29", "请您现在讲话", None)
    assert (spoken.text, library.clip("P29")) == ("请您现在讲话", spoken)
    recorded = library.put("P29", "", np.concatenate([np.zeros(8000, np.int16), hum() // 8]))
    assert recorded.text == "请讲"
    assert recorded.end - recorded.start < 5000
    level = audiofile.active_dbm0(sound(library, recorded))
    assert level == pytest.approx(audiofile.SPEECH_DBM0, abs=0.5)
    assert np.array_equal(sound(library, library.put("P29", "", None)), shipped)


def test_many_threads_may_ask_at_once(library):
    texts = [f"第{number}条" for number in range(1, 9)]
    heard = {}
    threads = [threading.Thread(target=lambda text=text: heard.update({text: library.text(text)[0]})) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clips = sorted(heard.values(), key=lambda clip: clip.start)
    assert len(clips) == len(texts)
    assert all(one.end <= other.start for one, other in itertools.pairwise(clips))
    assert all(sound(library, clip).any() for clip in clips)
