"""The daemon's side of the desk: desk/records.py over desk/services.py and a real SQLite file."""

from __future__ import annotations

import gc
import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from hotline import desk
from hotline.desk.models import Call, Message, PromptText, Step, Vote
from hotline.desk.records import RecordsError
from rig.desk import NOON, SOMEBODY


def steps_of(call):
    return list(Step.objects.filter(call_id=call).order_by("seq").values_list("seq", "node", "kind", "detail"))


def test_a_call_step_by_step(records, call):
    records.call_answered(call, NOON + timedelta(seconds=3))
    records.step(call, 1, NOON, "main", "prompt", "P01")
    records.step(call, 2, NOON, "account", "key", "1")
    records.call_ended(call, NOON + timedelta(seconds=63), "caller")
    row = Call.objects.get()
    assert (row.line, row.caller_number, row.cause, row.last_node) == ("line1", "13900000001", "caller", "account")
    assert (row.started_at, row.answered_at, row.ended_at) == tuple(NOON + timedelta(seconds=s) for s in (0, 3, 63))
    assert steps_of(call) == [(1, "main", "prompt", "P01"), (2, "account", "key", "1")]


def test_no_pin_and_no_id_number_reaches_the_disk(records, call, state):
    records.step(call, 1, NOON, "pin", "secret", "135790")
    records.step(call, 2, NOON, "account", "key", f"{SOMEBODY}#")
    records.vote_cast(call, SOMEBODY, 1, NOON, "line1")
    records.message_started(call, "complaint", SOMEBODY, None, "2026-11-20/a.wav", NOON)
    assert steps_of(call) == [(1, "pin", "secret", "******"), (2, "account", "key", "990101********0017#")]
    for path in state.glob("hotline.sqlite3*"):
        content = path.read_bytes()
        assert SOMEBODY.encode() not in content
        assert b"135790" not in content


def test_a_withheld_number_is_empty(records):
    records.call_started(uuid4(), "line1", None, NOON)
    assert Call.objects.get().caller_number == ""


def test_doing_everything_twice_is_doing_it_once(records, call):
    batch = [
        partial(records.call_started, call, "line1", "13900000001", NOON),
        partial(records.call_answered, call, NOON),
        partial(records.step, call, 1, NOON, "main", "key", "6"),
        partial(records.message_started, call, "complaint", SOMEBODY, None, "2026-11-20/a.wav", NOON),
        partial(records.vote_cast, call, SOMEBODY, 2, NOON, "line1"),
        partial(records.call_ended, call, NOON, "caller"),
    ]
    first, second = records.write(batch), records.write(batch)
    assert first == second
    assert [model.objects.count() for model in (Call, Step, Message, Vote)] == [1, 1, 1, 1]


def test_the_first_end_of_a_call_counts(records, call):
    records.call_ended(call, NOON, "caller")
    records.call_ended(call, NOON + timedelta(seconds=9), "shutdown")
    assert Call.objects.get().cause == "caller"


def test_the_last_vote_of_a_call_counts(records, call):
    first = records.vote_cast(call, SOMEBODY, 1, NOON, "line1")
    assert records.vote_cast(call, SOMEBODY, 5, NOON, "line1") == first
    assert [vote.option for vote in Vote.objects.all()] == [5]


@pytest.mark.parametrize("option", [0, 6, -1])
def test_there_are_five_options(records, call, option):
    with pytest.raises(ValueError, match=r"1\.\.5"):
        records.vote_cast(call, SOMEBODY, option, NOON, "line1")


def test_a_vote_may_be_here_before_its_call(records):
    call = uuid4()
    records.vote_cast(call, SOMEBODY, 3, NOON, "line2")
    records.call_started(call, "line2", "13900000002", NOON)
    assert Vote.objects.get().call == Call.objects.get(caller_number="13900000002")


def test_a_message_is_an_order_from_its_first_sample(records, call):
    kept = records.message_started(call, "complaint", SOMEBODY, "13900000001", "2026-11-20/a.wav", NOON)
    dropped = records.message_started(call, "suggestion", "", "13900000001", "2026-11-20/b.wav", NOON)
    assert Message.objects.get(id=kept).state == "recording"
    records.message_kept(kept, 12.34, NOON)
    records.message_dropped(dropped, NOON)
    rows = Message.objects.order_by("number").values_list("number", "kind", "id_mask", "state")
    assert list(rows) == [
        ("261120001", "complaint", "990101********0017", "kept"),
        ("261120002", "suggestion", "", "too_short"),
    ]


def test_order_numbers_follow_the_centres_day(records, call):
    late = NOON.replace(hour=16, minute=30)  # half past midnight in Shanghai
    records.message_started(call, "complaint", "", None, "a.wav", late)
    assert Message.objects.get().number == "261121001"


def test_a_crash_is_put_in_order_at_the_next_start(records, call):
    records.step(call, 1, NOON, "complaint.record", "record", "")
    records.message_started(call, "complaint", SOMEBODY, None, "2026-11-20/spoken.wav", NOON)
    records.message_started(call, "complaint", SOMEBODY, None, "2026-11-20/empty.wav", NOON)
    later = NOON + timedelta(hours=1)
    found = [("2026-11-20/spoken.wav", 7.5), ("2026-11-20/unannounced.wav", 3.0)]
    assert records.messages_repaired(found, later) == 2
    assert records.close_unfinished(later) == 1
    assert records.close_unfinished(later) == 0
    assert set(Message.objects.values_list("path", "kind", "state")) == {
        ("2026-11-20/spoken.wav", "complaint", "repaired"),
        ("2026-11-20/empty.wav", "complaint", "too_short"),
        ("2026-11-20/unannounced.wav", "unknown", "repaired"),
    }
    row = Call.objects.get()
    assert (row.cause, row.last_node, row.ended_at) == ("crash", "complaint.record", later)


def test_a_machine_closes_only_its_own_calls(state):
    for machine in ("east", "west"):
        desk.open_records(machine).call_started(uuid4(), "line1", None, NOON)
    assert desk.open_records("east").close_unfinished(NOON) == 1
    assert Call.objects.get(ended_at=None).machine == "west"


def test_a_bad_record_takes_no_good_one_with_it(records, call):
    stranger = uuid4()
    results = records.write(
        [
            partial(records.step, call, 1, NOON, "main", "key", "1"),
            partial(records.step, stranger, 1, NOON, "main", "key", "1"),
            partial(records.step, call, 2, NOON, "main", "key", "2"),
        ]
    )
    assert isinstance(results[1], RecordsError)
    assert [seq for seq, *_ in steps_of(call)] == [1, 2]


def test_an_error_says_nothing_about_the_row(records, call):
    with pytest.raises(RecordsError) as caught:
        records.step(uuid4(), 1, NOON, "main", "key", SOMEBODY)
    assert str(caught.value) == "热线数据库: IntegrityError"


def test_a_locked_database_is_an_error_and_the_next_try_works(records, call, state):
    from django.db import connection

    connection.settings_dict["OPTIONS"]["timeout"] = 0.05
    connection.close()
    batch = [partial(records.step, call, 1, NOON, "main", "key", "1")]
    other = sqlite3.connect(state / "hotline.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RecordsError, match="OperationalError"):
        records.write(batch)
    other.execute("COMMIT")
    other.close()
    assert records.write(batch) == [None]
    assert len(steps_of(call)) == 1
    gc.collect()  # Django's error wrapper keeps its own traceback alive, and with it the failed statement


def test_threads_write_at_once(records, state):
    """Eight lines' worth of calls, each from its own thread, with pages reading in between."""

    def one_call(number: int) -> str:
        call = uuid4()
        records.call_started(call, f"line{number}", None, NOON)
        for seq in range(10):
            records.write([partial(records.step, call, seq, NOON, "main", "key", "1")])
            records.branches()
        message = records.message_started(call, "complaint", SOMEBODY, None, f"{number}.wav", NOON)
        records.vote_cast(call, SOMEBODY, 1 + number % 5, NOON, f"line{number}")
        records.close()
        return str(message)

    with ThreadPoolExecutor(8) as pool:
        messages = list(pool.map(one_call, range(16)))
    assert len(set(messages)) == 16
    assert [model.objects.count() for model in (Call, Step, Message, Vote)] == [16, 160, 16, 16]
    numbers = sorted(Message.objects.values_list("number", flat=True))
    assert numbers == [f"261120{n:03d}" for n in range(1, 17)], "an order number was given twice or skipped"


WRITER = """
import sys, uuid
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from hotline import desk
desk.setup(Path(sys.argv[1]))
records, call, at = desk.open_records(), uuid.uuid4(), datetime(2026, 11, 20, tzinfo=UTC)
records.call_started(call, "line1", None, at)
for batch in range(10**6):
    seqs = range(batch * 20, batch * 20 + 20)
    records.write([partial(records.step, call, seq, at, "main", "key", "1") for seq in seqs])
    print(seqs[-1], flush=True)
"""


def test_what_was_acknowledged_survives_sigkill(state):
    """The process is killed wherever it happens to be; whole batches are there, the acknowledged ones all."""
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(state)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline()) for _ in range(5)][-1]
    os.kill(child.pid, signal.SIGKILL)
    acknowledged = max([acknowledged, *(int(line) for line in child.stdout if line.endswith("\n"))])
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL
    kept = list(Step.objects.order_by("seq").values_list("seq", flat=True))
    assert kept == list(range(len(kept)))
    assert len(kept) % 20 == 0, "half a transaction was kept"
    assert len(kept) > acknowledged
    assert desk.open_records().close_unfinished(NOON) == 1


def test_offered_prompts_do_not_undo_what_a_centre_changed(records):
    records.offer_prompts({"P01": "您好", "P02": "余额"})
    PromptText.objects.filter(key="P01").update(text="欢迎", changed_at=NOON)
    records.offer_prompts({"P01": "您好，热线", "P02": "余额"})
    found = list(PromptText.objects.values_list("key", "shipped", "text"))
    assert found == [("P01", "您好，热线", "欢迎"), ("P02", "余额", "")]
    assert [(row.key, row.text) for row in records.prompt_overrides()] == [("P01", "欢迎")]
    assert records.prompt_overrides(NOON + timedelta(seconds=1)) == []


def test_resealing_keeps_every_number(records, call, state):
    from hotline.desk import keys, sealing, services

    records.vote_cast(call, SOMEBODY, 1, NOON, "line1")
    keys.rotate_seal(state / "keys")
    assert services.reseal() == 1
    newest = keys.read(state / "keys", keys.SEAL).splitlines()[0]
    (state / "keys" / keys.SEAL).write_bytes(newest)
    assert sealing.unseal(Vote.objects.get().id_sealed) == SOMEBODY
