"""What a centre changes on its pages is so from the next call on; what cannot be used changes nothing."""

import pytest
from django.utils import timezone
from hotline.config import dialog as dialogs
from hotline.daemon.rehearsal import Rehearsal, run
from hotline.daemon.upkeep import load_dialog
from hotline.drivers.simulated.telephone import KeypadTelephone
from hotline.voice.catalogue import Catalogue
from rig.house import NUMBER


def change(**fields):
    from hotline.desk import services
    from hotline.desk.models import Operation

    row = Operation.objects.first() or Operation()
    for name, value in fields.items():
        setattr(row, name, value)
    services.text_save(text=row, by="班长", at=timezone.now())


@pytest.fixture(scope="module")
def texts():
    return Catalogue.load()


def test_the_page_s_switch_closes_and_opens_the_menu(house, texts):
    made = house()
    assert made.call("!7").spoken.startswith(texts["P01"].text)
    change(open=False)
    assert made.call("").spoken == texts["closed-notice"].text
    change(open=True)
    assert made.call("!7").spoken.startswith(texts["P01"].text)


def test_the_settings_can_keep_the_menu_closed(house, texts):
    made = house(**{"service.open": False})
    assert made.call("").spoken == texts["closed-notice"].text


def test_another_profile_is_for_the_next_call_and_not_for_this_one(house, texts):
    made = house(lines=2)
    lines = made.service.phones()
    first = Rehearsal(made.service, lines[0], "!1 !* !7", NUMBER)
    while not first.told.entries:  # until it is answered
        made.service.tick()
        first.step()
    change(dialog="guideline.yaml")
    second = Rehearsal(made.service, lines[1], "!2 !1 !2 !* !* !* !7", NUMBER)
    run(made.service, [first, second])
    assert first.told.spoken.count(texts["P01"].text) == 2
    assert second.told.spoken.startswith(texts["guideline-main"].text)
    for key in ("guideline-query", "P02", "P12"):
        assert texts[key].text in second.told.spoken
    change(dialog="")
    assert made.call("!7").spoken.startswith(texts["P01"].text)


@pytest.mark.parametrize("script", ["!2 !1 !1 990101198503070017 135790", "!2 !2 !1 990101199005150027 135790"])
def test_the_guideline_profile_reads_out_balances(house, script):
    told = house(**{"dialog.file": "guideline.yaml"}).call(script)
    assert "余额为" in told.spoken


def test_the_guideline_profile_reads_out_a_unit(house):
    told = house(**{"dialog.file": "guideline.yaml"}).call("!2 !3 9901001# 135790")
    assert "单位账户余额为" in told.spoken


@pytest.mark.parametrize("name", sorted(path.name for path in dialogs.SHIPPED.glob("*.yaml")))
def test_shipped_dialogs_are_sound(name, texts):
    assert load_dialog(name, texts).nodes


def test_a_broken_edit_leaves_the_dialog_in_use_and_the_next_good_one_is_taken(house, tmp_path, caplog):
    file = tmp_path / "ours.yaml"
    good = dialogs.find("city.yaml").read_text("utf-8")
    file.write_text(good, "utf-8")
    home = house(**{"dialog.file": str(file)})

    def first_words():
        return home.call("wait:0.2 hangup").entries[1].text

    before = first_words()
    for garbage, reason in [
        ("nodes: [", "第 1 行：YAML 语法错误"),
        (good.replace("{1: account-help}", "{1: nowhere}"), "nowhere"),
        ("", "最外层"),
    ]:
        caplog.clear()
        file.write_text(garbage, "utf-8")
        assert [first_words(), first_words()] == [before] * 2
        [complaint] = [text for text in caplog.messages if str(file) in text]
        assert complaint.startswith(f"the changed dialog is not used, the one before stays: {file}")
        assert reason in complaint
    file.write_text(good.replace("prompt: [P01]", "prompt: [P02]"), "utf-8")
    assert first_words() != before


def test_a_file_that_goes_before_a_shipped_one_is_taken_when_it_appears(house, tmp_path):
    """Beside the centre's own, as what that is based on."""
    own = tmp_path / "ours.yaml"
    own.write_text("based_on: city.yaml\n", "utf-8")
    home = house(**{"dialog.file": str(own)})

    def first_words():
        return home.call("wait:0.2 hangup").entries[1].text

    before = first_words()
    shipped = dialogs.find("city.yaml").read_text("utf-8")
    beside = tmp_path / "city.yaml"
    beside.write_text(shipped.replace("prompt: [P01]", "prompt: [P02]"), "utf-8")
    changed = first_words()
    assert changed != before
    beside.write_text(shipped.replace("prompt: [P01]", "prompt: [P12]"), "utf-8")
    assert first_words() not in (before, changed)
    beside.unlink()
    assert first_words() == before


def test_a_look_that_finds_nothing_new_reads_no_dialog(house, monkeypatch):
    """It would hold up every tick for a tenth of a second of a core."""
    made, read, files = house(), [], dialogs.files
    monkeypatch.setattr(dialogs, "files", lambda name: read.append(name) or files(name))
    for _ in range(3):
        made.call("wait:0.2 hangup")
    assert read == []
    change(dialog="guideline.yaml")
    made.call("wait:0.2 hangup")
    assert read == ["guideline.yaml"]


def test_many_calls_a_second_are_one_look_a_second(house, monkeypatch):
    """And all looks there were wishes for come: none is forgotten because one was just made."""
    made, looks = house(lines=4), []
    monkeypatch.setattr(made.service, "_upkeep", lambda: looks.append(made.service.clock.tick))
    for tick in range(150):
        if tick in (10, 20, 30, 90):
            line = made.service.phones()[(10, 20, 30, 90).index(tick)]
            line.exchange.call(KeypadTelephone(), None)
        made.service.tick()
    made.service.board.work.settle()
    first = looks[0]
    assert len(looks) == 3, "at the start, a second later for three calls, and for the fourth"
    assert looks[1] - first == 50
    assert 90 <= looks[2] - first <= 102
