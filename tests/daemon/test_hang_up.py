"""Receivers put down at any instant: nothing of the call is left behind, and nothing that was said is lost."""

from __future__ import annotations

import random
import sqlite3
import threading
from contextlib import contextmanager

import numpy as np
import psutil
import pytest
from hotline.daemon.rehearsal import Rehearsal
from hotline.drivers.line import RATE, HookState
from hotline.drivers.simulated.telephone import KeypadTelephone
from hotline.voice import wavefile
from rig.house import NUMBER, PIN

LINES, CALLS = 20, 100
ANSWERED, LATEST = 5.1, 25.0  # seconds after the first ring; every script below is deep in its matter by then
FAST = {"on_ms": 50, "off_ms": 50}
ID = "990101198503070017"

# Eight seconds of something a meter takes for voice.
VOICE = (np.random.default_rng(1).standard_normal(8 * RATE) * 3000).astype(np.int16)

SCRIPTS = [
    f"!11{ID} !{PIN} wait:30",  # the balance, read out
    f"11{ID} wait:6 {PIN} wait:30",
    f"!11{ID} !000000 {ID} {PIN} wait:30",  # a wrong PIN first
    f"!11{ID[:9]} wait:30",  # half an ID
    f"!21990101199005150027 !{PIN} wait:30",  # the loan
    f"!611{ID} wait:30",  # a complaint: notice, cue, recording
    f"!611{ID} say:WORDS wait:30",
    f"!612{ID} say:WORDS # wait:30",  # a suggestion, ended by key
    f"!62{ID} !1 wait:20",  # the survey
    f"!62{ID} 5 !62{ID} 4 wait:30",  # twice
    "!31 wait:30",  # branches
    "!411 wait:30",  # policies
    "wait:40",  # nothing but the main menu
    "!9 !8 !9 wait:9",  # keys that lead nowhere
]

# Where calls must have been seen to stand when they learnt that nobody listens: menu, ID and PIN entry, read-out,
# notice, cue, recording, survey. A look-up takes no time here; the test with work out has those.
SITUATIONS = {
    ("主菜单", "prompt"),
    ("查询个人账户", "key"),
    ("查询个人账户", "pin"),
    ("播报个人账户", "prompt"),
    ("播报个人贷款", "prompt"),
    ("投诉", "key"),
    ("投诉", "prompt"),
    ("投诉", "cue"),
    ("投诉", "speech"),
    ("满意度", "prompt"),
}


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """The voice as a sound file."""
    path = tmp_path_factory.mktemp("words") / "words.wav"
    path.write_bytes(wavefile.header(len(VOICE)) + VOICE.astype("<i2").tobytes())
    return path


class Ears:
    """Notes where each call stood when it was told that the far end had gone."""

    def __init__(self, service):
        self.situations = []
        self._prompts = service.site.library.catalogue
        self._words = {}
        for seat in service.board.seats:
            service.subscribe(seat.line.name, lambda entry, seat=seat: self.hear(entry, seat.call))

    def hear(self, entry, call):
        if entry.who == "系统":
            self._words[entry.line] = entry.text
        elif entry.text.startswith("听到"):
            last = self._words.get(entry.line, "")
            what = call.waits_for or ("cue" if last == self._prompts["P29"].text else "prompt")
            if what in ("prompt", "key") and last == self._prompts["pin-ask"].text:
                what = "pin"
            self.situations.append((call.node, what))


def until_rest(house, ticks=60 * 50):
    """Tick until every line is at rest."""
    for _ in range(ticks):
        if house.at_rest() and all(line.exchange.free for line in house.service.phones()):
            house.service.journal.flush()
            return
        house.service.tick()
    raise AssertionError([(seat.line.name, seat.state, seat.call) for seat in house.service.board.seats])


def nothing_left(house):
    """Files, threads and records; lines and work are `until_rest`'s matter."""
    from hotline.desk.models import Call, Message

    recordings = house.settings.recordings()
    assert not list(recordings.glob("**/*.part"))
    assert not [file.path for file in psutil.Process().open_files() if str(recordings) in file.path]
    known = ("MainThread", "journal", "odbc", "records", "fund", "recording")
    assert not [thread.name for thread in threading.enumerate() if not thread.name.startswith(known)]
    assert not Call.objects.filter(ended_at=None).exists()
    assert not Message.objects.exclude(state__in=["kept", "too_short"]).exists()
    kept = set(Message.objects.filter(state="kept").values_list("path", flat=True))
    assert kept == {path.relative_to(recordings).as_posix() for path in recordings.glob("*/*.wav")}


def test_a_hundred_calls_hung_up_at_random_instants(house, words):
    from hotline.desk.models import Call

    chance = random.Random(12329)
    service = (home := house(lines=LINES)).service
    ears = Ears(service)
    for _ in range(CALLS // LINES):
        callers = []
        for line in service.phones():
            script = chance.choice(SCRIPTS).replace("WORDS", str(words))
            caller = Rehearsal(service, line, script, NUMBER, **FAST)
            callers.append((caller, line, round(chance.uniform(ANSWERED, LATEST) * 50)))
        for tick in range(round(LATEST * 50) + 1):
            service.tick()
            for caller, line, instant in callers:
                caller.step()
                if tick == instant:
                    line.exchange.hang_up()
        until_rest(home)
    nothing_left(home)
    assert Call.objects.count() == CALLS
    assert set(Call.objects.values_list("cause", flat=True)) <= {"caller", "silence", "exit"}

    assert set(ears.situations) >= SITUATIONS


@contextmanager
def held(path):
    """Somebody else keeps an SQLite file to himself: whoever asks it waits."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


OURS, FUND = "hotline.sqlite3", "fund.sqlite"
# The keys that lead there, the keys that ask, the database that keeps the answer waiting, and what is kept in the end.
ASKED = {
    "pin": (f"11{ID}", PIN, OURS, (0, [])),
    "look-up": ("11", ID, FUND, (0, [])),
    "order": ("611", ID, OURS, (0, ["too_short"])),
    "recording": (f"611{ID}", "#", OURS, (0, ["kept"])),
    "vote": (f"62{ID}", "5", OURS, (1, [])),
}


@pytest.mark.parametrize("asked", ASKED)
def test_hung_up_while_work_is_out(house, asked):
    """The database answers only after the caller has gone and his line is down."""
    from hotline.desk.models import Call, Message, Vote

    way, question, database, kept = ASKED[asked]
    home = house(**{"identity.pin": "off" if asked == "look-up" else "required"})
    service, line = home.service, home.service.phones()[0]
    seat, telephone = service.board.seats[0], KeypadTelephone()
    line.exchange.call(telephone, NUMBER)
    telephone.keys(way, **FAST)
    while not (telephone.idle and seat.call and seat.call.waits_for):
        service.tick()
    with held(home.state / database):
        if asked == "recording":
            telephone.say(VOICE)
        telephone.keys(question, **FAST)
        while not service.board.work.out or seat.take is not None:
            service.board.tick()
        line.exchange.hang_up()
        while line.state is HookState.OFF_HOOK:
            service.board.tick()
        assert service.board.work.out
    until_rest(home)
    nothing_left(home)
    assert (Vote.objects.count(), list(Message.objects.values_list("state", flat=True))) == kept
    assert Call.objects.get().cause == "caller"
