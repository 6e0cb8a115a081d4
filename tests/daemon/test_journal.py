"""What calls leave on record, also while the database is away; and who watches them."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from hotline import desk
from hotline.daemon import journal as module
from hotline.daemon.journal import Clock, Journal
from hotline.desk.errors import RecordsError
from rig import desk as rig  # before any model: it sets Django up

from hotline.desk.models import Call, Step  # isort: skip

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


@dataclass
class Talk:
    """As much of a call as the journal looks at."""

    line: str = "L1"
    number: str | None = "13900000001"
    node: str = "主菜单"
    steps: int = 0
    cause: str | None = None
    id: UUID = field(default_factory=uuid4)


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "RETRY", 0.001)
    rig.fresh(tmp_path / "state")
    yield tmp_path / "state"
    rig.close()


@pytest.fixture
def clock():
    return Clock(NOON)


@pytest.fixture
def journal(state, clock):
    made = Journal(desk.open_records(), clock)
    made.open()
    yield made
    made.close()


class Away:
    """Records whose database is away until it is told to come back; the real ones behind it."""

    def __init__(self, tries: int) -> None:
        self.tries = tries
        self.real = desk.open_records()

    def __getattr__(self, name):
        return getattr(self.real, name)

    def write(self, batch):
        self.tries -= 1
        if self.tries >= 0:
            raise RecordsError("热线数据库: OperationalError")
        return self.real.write(batch)


def key(journal: Journal, talk: Talk, digit: str) -> None:
    talk.steps += 1
    journal.stepped(talk, "key", digit)


def whole_call(journal: Journal, clock: Clock, digits: str = "123") -> Talk:
    talk = Talk()
    journal.began(talk)
    for digit in digits:
        clock.tick += 50
        key(journal, talk, digit)
    talk.cause = "caller"
    journal.ended(talk, None)
    return talk


def steps(talk: Talk) -> str:
    return "".join(Step.objects.filter(call_id=talk.id).order_by("seq").values_list("detail", flat=True))


def test_a_call_is_on_record_step_by_step(journal, clock):
    talk = whole_call(journal, clock)
    journal.flush()
    call = Call.objects.get()
    assert (call.id, call.line, call.caller_number) == (talk.id, "L1", "13900000001")
    assert (call.started_at, call.answered_at) == (NOON, NOON)
    assert (call.ended_at, call.cause, call.last_node) == (NOON + timedelta(seconds=3), "caller", "主菜单")
    assert steps(talk) == "123"
    assert [step.at for step in Step.objects.all()] == [NOON + timedelta(seconds=n) for n in (1, 2, 3)]


def test_a_step_keeps_the_node_it_was_made_in(journal):
    talk = Talk()
    journal.began(talk)
    key(journal, talk, "1")
    talk.node = "账户"
    key(journal, talk, "2")
    journal.flush()
    assert list(Step.objects.order_by("seq").values_list("node", flat=True)) == ["主菜单", "账户"]


def test_a_call_without_a_cause_failed(journal):
    talk = Talk()
    journal.began(talk)
    journal.ended(talk, RuntimeError())
    journal.flush()
    assert Call.objects.get().cause == "fault"


def test_nothing_is_lost_or_changes_places_while_the_database_is_away(state, clock, caplog):
    journal = Journal(Away(tries=20), clock)
    talks = [whole_call(journal, clock, digits) for digits in ("123", "77", "0")]
    journal.open()
    journal.flush()
    assert [steps(talk) for talk in talks] == ["123", "77", "0"]
    assert Call.objects.exclude(ended_at=None).count() == 3
    assert [record.message for record in caplog.records] == [
        "records cannot be written, will be tried again: 热线数据库: OperationalError",
        "records are written again",
    ]
    journal.close()


def test_a_locked_database_is_waited_for(state, clock, monkeypatch):
    """As above, with a real SQLite file that somebody else holds."""
    from django.db import connections

    connections.settings["default"]["OPTIONS"]["timeout"] = 0.01
    told = module.threading.Event()
    monkeypatch.setattr(module.log, "error", lambda *_: told.set())  # keeps no error, as a real log keeps none
    other = sqlite3.connect(state / "hotline.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    journal = Journal(desk.open_records(), clock)
    journal.open()
    talk = whole_call(journal, clock)
    assert told.wait(10)
    other.execute("ROLLBACK")
    other.close()
    journal.flush()
    assert steps(talk) == "123"
    journal.close()
    gc.collect()  # Django's error wrapper keeps its own traceback alive, and with it the failed statement


@pytest.mark.parametrize(
    "bad",
    [
        lambda records: partial(records.step, uuid4(), 1, NOON, "nowhere", "key", "1"),  # of no call
        lambda records: partial(records.vote_cast, uuid4(), "990101198503070017", 9, NOON, "L1"),  # no such option
        lambda records: partial(records.call_started, "no id", "L1", "", NOON),
    ],
)
def test_a_refused_record_takes_no_other_with_it(state, clock, caplog, bad: Callable):
    records = desk.open_records()
    journal = Journal(records, clock)
    first = whole_call(journal, clock, "1")
    journal._queue.put(bad(records))
    second = whole_call(journal, clock, "2")
    journal.open()
    journal.flush()
    third = whole_call(journal, clock, "3")
    journal.close()
    assert [steps(talk) for talk in (first, second, third)] == ["1", "2", "3"]
    [record] = caplog.records
    assert record.message.startswith("a record was refused: 热线数据库: ")


def test_closing_writes_what_is_left(state, clock):
    journal = Journal(desk.open_records(), clock)
    talks = [whole_call(journal, clock, "12345") for _ in range(100)]  # more than one batch
    journal.open()
    journal.close()
    assert {steps(talk) for talk in talks} == {"12345"}


def test_closing_says_how_much_could_not_be_written(state, clock, caplog):
    journal = Journal(Away(tries=10**9), clock)
    for _ in range(150):
        whole_call(journal, clock)  # started, answered, three steps, ended
    journal.open()
    journal.close()
    assert caplog.records[-1].message == "service stops with 900 records unwritten: 热线数据库: OperationalError"
    assert not Call.objects.exists()


def test_closing_tries_once_more(state, clock, monkeypatch):
    """The database comes back while the journal waits for its next try, and the service is stopped."""
    monkeypatch.setattr(module, "RETRY", 3600)
    records, told = Away(tries=1), module.threading.Event()
    journal = Journal(records, clock)
    wait = journal._closing.wait
    monkeypatch.setattr(journal, "_closing", SimpleNamespace(
        wait=lambda seconds: told.set() or wait(seconds), set=journal._closing.set, is_set=journal._closing.is_set
    ))  # fmt: skip
    talk = whole_call(journal, clock)
    journal.open()
    assert told.wait(10)
    journal.close()
    assert steps(talk) == "123"


def test_watchers_see_the_transcript_of_their_line(journal, clock):
    seen = {"L1": [], "L2": [], None: []}
    for line, entries in seen.items():
        journal.watch(line, entries.append)
    talk = Talk()
    journal.began(talk)
    clock.tick = 75
    journal.told(talk, "系统", "您好")
    journal.ended(talk, None)
    assert [(entry.at, entry.who, entry.text) for entry in seen["L1"]] == [
        (0.0, "来电", "13900000001，已接听"),
        (1.5, "系统", "您好"),
        (1.5, "状态", "通话结束"),
    ]
    assert seen[None] == seen["L1"]
    assert seen["L2"] == []
    assert {(entry.call, entry.line) for entry in seen["L1"]} == {(talk.id, "L1")}


def test_who_stops_watching_sees_no_more(journal):
    ours, theirs = [], []
    stop = journal.watch("L1", ours.append)
    journal.watch("L1", theirs.append)
    talk = Talk(number=None)
    journal.began(talk)
    stop()
    journal.told(talk, "系统", "您好")
    assert [entry.text for entry in ours] == ["未显示号码，已接听"]
    assert len(theirs) == 2


def test_a_watcher_may_leave_while_it_is_shown_something(journal):
    seen = []
    stop = journal.watch("L1", lambda entry: (seen.append(entry), stop()))
    journal.watch("L1", seen.append)
    journal.began(Talk())
    assert len(seen) == 2


def test_a_call_tells_since_when_it_is_up(journal, clock):
    talk = Talk()
    assert journal.since(talk) is None
    clock.tick = 100
    journal.began(talk)
    clock.tick = 500
    assert journal.since(talk) == NOON.timestamp() + 2
    journal.ended(talk, None)
    assert journal.since(talk) is None


def test_alarms_are_known_until_the_line_is_back(journal):
    journal.alarm("L1", "断开了")
    assert journal.alarms == {"L1": "断开了"}
    journal.alarm("L1", None)
    assert journal.alarms == {}


def test_a_ring_is_passed_on(state, clock):
    rings = []
    Journal(desk.open_records(), clock, lambda: rings.append(1)).rang("L1")
    assert rings == [1]


def test_the_clock_follows_ticks_and_skips_what_was_missed(clock):
    assert clock() == NOON
    clock.tick = 125
    assert clock() == NOON + timedelta(seconds=2.5)
    clock.skip(60)
    assert clock() == NOON + timedelta(seconds=62.5)
