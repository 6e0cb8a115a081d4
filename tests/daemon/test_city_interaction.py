"""Key 6 of the city flow: complaints, suggestions, the survey; what callers say is kept, and only that."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pytest
from hotline.drivers.line import FRAME, RATE
from hotline.dsp import dtmf, progress
from hotline.voice import wavefile
from hotline.voice.catalogue import PROMPTS
from rig.city import NORMAL, STOP, TEXTS, clip, keyed, last, path, prompts, quick, record, steps, where
from rig.house import NUMBER

WORDS_FILE = PROMPTS / "P36.wav"  # some words in a real voice
SAY = f" say:{WORDS_FILE}"
WORDS = wavefile.read(WORDS_FILE)
COMPLAIN = f"!611{NORMAL}"
SUGGEST = f"!612{NORMAL}"
MASKED = "990101********0017"


def messages(told):
    """The orders a call left."""
    from hotline.desk.models import Message

    return list(Message.objects.filter(call=record(told)))


def votes(told):
    from hotline.desk.models import Vote

    return list(Vote.objects.filter(call=record(told)))


def kept(house, message):
    """The samples of an order's recording."""
    return wavefile.read(house.settings.recordings() / message.path)


@pytest.mark.parametrize(
    ("keys", "prompt"), [("6", "P25"), ("61", "P26"), ("611", "P27"), ("612", "P30"), ("62", "P32")]
)
def test_menus(city, keys, prompt):
    """E01, E02, E03, E06, E10."""
    assert last(quick(city, f"!{keys}{STOP}")) == TEXTS[prompt]


@pytest.mark.parametrize("keys", ["611", "612", "62"])
def test_only_18_characters(city, keys):
    """E04, E10: 15 digits and # are refused here; X is *."""
    told = quick(city, f"!{keys}990101600101123# 99010119870316005*{STOP}")
    assert TEXTS["P06"] in prompts(told)
    assert told.spoken.count(TEXTS["P06"]) == 1
    assert ("key", "990101********005X") in [step[1:] for step in steps(told)]


@pytest.mark.parametrize(("script", "kind", "notice"), [(COMPLAIN, "complaint", "P28"), (SUGGEST, "suggestion", "P31")])
def test_a_message_ended_by_putting_the_receiver_down(house, script, kind, notice):
    """E05 to E09, E14, L06, L07: what was said after the cue is there, whole, and nothing else."""
    city = house()
    told = quick(city, script + SAY + " hangup")
    (order,) = messages(told)
    samples = kept(city, order)

    # The notice and the cue have been heard to the end before the first sample of the recording.
    notice_at = where(told, clip(city, notice))
    cue_at = where(told, clip(city, "P29"), after=notice_at + len(clip(city, notice)))
    assert cue_at > 0
    said = next(said for said in told.said if said.label == "say")
    begins = samples.tobytes().find(WORDS.tobytes()) // 2
    recording_begins = said.start - begins
    assert 0 <= recording_begins - (cue_at + len(clip(city, "P29"))) <= 2 * FRAME

    # All that was said is there, no busy tone after it, and no keys in it.
    assert samples.tobytes().count(WORDS.tobytes()) == 1
    assert len(samples) <= begins + len(WORDS) + RATE // 2
    assert progress.tone_tail(samples, city.service.site.plan) is None
    assert not progress.Detector(1, city.service.site.plan).feed(samples[None, :])
    assert not dtmf.Detector(1).feed(samples[None, :])

    # The order is complete as soon as the call is over, and tied to who left it.
    assert (order.kind, order.state, order.caller_number, order.id_mask) == (kind, "kept", NUMBER, MASKED)
    assert float(order.seconds) == pytest.approx(len(samples) / RATE, abs=0.1)
    assert record(told).cause == "caller"
    (_, note, heard), (_, *ending) = steps(told)[-2:]
    assert note == "note"
    assert heard.startswith("听到忙音")
    assert ending == ["record", f"{len(samples) / RATE:.1f} 秒"]

    # Where it lies: below voice/prop, one folder a day, nothing personal in the name.
    assert city.settings.recordings() == city.state / "voice" / "prop"
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d/{kind}-\d{{6}}-[0-9a-f]{{6}}\.wav", order.path)
    assert NORMAL[-4:] not in order.path.rpartition("-")[0]


def test_the_cue_is_not_in_the_recording(house):
    """E05: on a line that sends our own voice back, the recording still begins after the cue."""
    echoing = house(line={"rings": 1, "hybrid_echo_db": 10.0})
    told = echoing.call(COMPLAIN + SAY + " hangup")
    (order,) = messages(told)
    samples = kept(echoing, order)
    begins = samples.tobytes().find(WORDS[2 * FRAME :].tobytes()) // 2 - 2 * FRAME
    assert 0 <= begins <= 3 * FRAME
    rest = samples.astype(int)
    rest[begins : begins + len(WORDS)] -= WORDS
    assert np.abs(rest).max() < 0.01 * np.abs(clip(echoing, "P29")).max()


def test_the_order_is_on_the_page_at_once(city):
    """E07, E09: the clerk's list shows it, with the masked ID, as soon as the caller has hung up."""
    from django.contrib.auth.models import User
    from django.test import Client

    told = quick(city, COMPLAIN + SAY + " hangup")
    (order,) = messages(told)
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(username="admin"))
    shown = client.get("/desk/message/").content.decode() or client.get("/admin/desk/message/").content.decode()
    assert order.number in shown
    assert MASKED in shown
    assert NORMAL not in shown


def test_two_messages_have_two_files(city):
    """E08: also in the same second of the same call."""
    told = quick(city, COMPLAIN + SAY + f" # !12{NORMAL}" + SAY + " hangup")
    first, second = messages(told)
    assert {first.kind, second.kind} == {"complaint", "suggestion"}
    assert first.path != second.path
    for order in (first, second):
        assert kept(city, order).tobytes().count(WORDS.tobytes()) == 1


def test_hash_ends_the_message(city):
    """E05: who does not hang up hears that it was kept, and is in the menu again; the key is not in the file."""
    told = quick(city, COMPLAIN + SAY + " # wait:4" + STOP)
    (order,) = messages(told)
    assert prompts(told)[-2:] == [TEXTS["message-kept"], TEXTS["P25"]]
    assert order.state == "kept"
    assert kept(city, order).tobytes().count(WORDS.tobytes()) == 1
    assert not [event for event in dtmf.Detector(1).feed(kept(city, order)[None, :]) if isinstance(event, dtmf.Digit)]


def test_star_during_the_notice_goes_back(city):
    """A10, E05: who changes his mind before the cue leaves no order."""
    told = quick(city, f"{COMPLAIN} !*{STOP}")
    assert last(told) == TEXTS["P26"]
    assert messages(told) == []


@pytest.mark.parametrize(
    ("settings", "script", "sentence", "state", "then"),
    [
        ({"recording.longest": 2}, COMPLAIN + SAY + SAY, "message-full", "kept", "P25"),
        ({"recording.silence": 2}, COMPLAIN + SAY, "message-kept", "kept", "P25"),
        ({"recording.silence": 2}, COMPLAIN + " wait:14", "message-short", "too_short", "P26"),
        ({"recording.shortest": 5}, COMPLAIN + SAY + " #", "message-short", "too_short", "P26"),
    ],
)
def test_how_a_message_can_end(house, settings, script, sentence, state, then):
    """E05: the time is used up, the caller has fallen silent, said nothing, or too little."""
    centre = house(**settings)
    told = quick(centre, f"{script} wait:8 {STOP}")
    (order,) = messages(told)
    assert TEXTS[sentence] in prompts(told)
    assert prompts(told)[prompts(told).index(TEXTS[sentence]) + 1] == TEXTS[then]
    assert order.state == state
    assert (centre.settings.recordings() / order.path).is_file() is (state == "kept")


def test_hanging_up_without_a_word(city):
    """E05, E14: the order number is used up, no file is left."""
    told = quick(city, f"{COMPLAIN} wait:15.5 hangup")
    (order,) = messages(told)
    assert order.state == "too_short"
    assert not (city.settings.recordings() / order.path).exists()
    assert not list(city.settings.recordings().rglob("*.part"))


def test_a_disk_that_takes_nothing(house):
    """E05, E08: a file stands where the folder should be; the caller is told, not thanked."""
    broken = house()
    folder = broken.settings.recordings()
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("")
    told = quick(broken, f"{COMPLAIN} wait:20 {STOP}")
    assert TEXTS["message-failed"] in prompts(told)
    assert TEXTS["message-kept"] not in prompts(told)
    assert TEXTS["P29"] not in prompts(told)
    assert messages(told) == []
    assert broken.at_rest()


def test_the_folder_is_a_setting(house, tmp_path):
    """E08."""
    centre = house(**{"recording.folder": str(tmp_path / "elsewhere")})
    told = quick(centre, COMPLAIN + SAY + " hangup")
    (order,) = messages(told)
    assert (tmp_path / "elsewhere" / order.path).is_file()


@pytest.mark.parametrize("option", [1, 2, 3, 4, 5])
def test_votes(city, option):
    """E11, E12: each option is thanked for and on record, with the line and the time."""
    told = quick(city, f"!62{NORMAL} !{option}{STOP}")
    (vote,) = votes(told)
    assert TEXTS["P33"] in prompts(told)
    assert last(told) == TEXTS["vote-thanks"]
    assert (vote.option, vote.id_mask, vote.line) == (option, MASKED, "L01")
    assert record(told).started_at <= vote.at <= record(told).ended_at


def test_no_opinion(city):
    """E11: * leaves no vote and goes back."""
    told = quick(city, f"!62{NORMAL} !*{STOP}")
    assert last(told) == TEXTS["P25"]
    assert votes(told) == []


def test_the_last_word_counts(city):
    """E11: who votes twice in a call has one vote."""
    told = quick(city, f"!62{NORMAL} !1 !2{NORMAL} !5{STOP}")
    (vote,) = votes(told)
    assert vote.option == 5


def test_counts_by_period(house):
    """E12: two votes today, one yesterday."""
    from hotline.desk import selectors

    centre = house()
    for option in (2, 2, 4):
        quick(centre, f"!62{NORMAL} !{option}{STOP}")
        if option == 2:
            centre.service.clock.skip(12 * 3600)
    today, tomorrow = date(2026, 11, 20), date(2026, 11, 21)

    def count(first, until):
        return [each.count for each in selectors.votes_per_option(*selectors.period(first, until))]

    assert count(today, today) == [0, 2, 0, 0, 0]
    assert count(tomorrow, tomorrow) == [0, 0, 0, 1, 0]
    assert count(today, tomorrow) == [0, 2, 0, 1, 0]


def test_a_vote_can_be_traced(city):
    """E13: the whole number, and that somebody asked for it, and why."""
    from hotline.desk import services
    from hotline.desk.models import AuditEntry

    told = quick(city, f"!62{NORMAL} !1{STOP}")
    (vote,) = votes(told)
    number = services.reveal(record=vote, username="审计员", reason="核实投诉", at=city.service.clock())
    assert number == NORMAL
    entry = AuditEntry.objects.first()
    assert (entry.username, entry.action, entry.reason, entry.subject) == (
        "审计员", "see_vote", "核实投诉", f"投票 {vote.pk}",
    )  # fmt: skip


def test_a_message_can_be_traced(city):
    """E07: the ID behind an order, to check the matter."""
    from hotline.desk import services

    told = quick(city, COMPLAIN + SAY + " hangup")
    (order,) = messages(told)
    assert services.reveal(record=order, username="经办", reason="核实", at=city.service.clock()) == NORMAL


def test_a_survey_needs_an_id_first(city):
    """E10: P33 is not heard before 18 characters are keyed; # after them is swallowed."""
    told = quick(city, f"!62{keyed(NORMAL)} !3{STOP}")
    assert path(told)[-3:] == ["survey", "survey-vote", "survey-keep"]
