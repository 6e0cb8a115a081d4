"""The records on a real PostgreSQL: what could differ from SQLite, and what only a server can do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import uuid4

import psycopg
import pytest
from hotline import desk
from hotline.desk import pins
from hotline.desk.errors import KeyMissing
from hotline.desk.models import Call, Failure, Message, Step, Vote
from hotline.desk.records import RecordsError
from rig import desk as rig
from rig.desk import NOON, SOMEBODY
from rig.postgres import Server


@pytest.fixture(scope="module")
def server():
    server = Server()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def url(server):
    """An empty database."""
    if not server.is_running():
        server.start()
    address, name = f"postgresql://postgres@127.0.0.1:{server.port}", f"desk_{uuid4().hex}"
    with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{address}/{name}"


@pytest.fixture
def state(url, tmp_path):
    """The folder of an empty desk whose records live on the server."""
    from django.conf import settings

    desk.setup(tmp_path / "state", url)
    cost, settings.PIN_WORK_FACTOR = settings.PIN_WORK_FACTOR, 2**4
    yield tmp_path / "state"
    settings.PIN_WORK_FACTOR = cost
    rig.close()


def test_everything_twice_is_once_and_threads_may_write(records):
    def one_call(number):
        call = uuid4()
        batch = [
            partial(records.call_started, call, "line1", None, NOON),
            *(partial(records.step, call, seq, NOON, "main", "key", "1") for seq in range(10)),
            partial(records.message_started, call, "complaint", SOMEBODY, None, f"{number}.wav", NOON),
            partial(records.vote_cast, call, SOMEBODY, 2, NOON, "line1"),
            partial(records.call_ended, call, NOON, "caller"),
        ]
        same = records.write(batch) == records.write(batch)
        records.close()
        return same

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one_call, range(16)))
    assert [model.objects.count() for model in (Call, Step, Message, Vote)] == [16, 160, 16, 16]
    numbers = sorted(Message.objects.values_list("number", flat=True))
    assert numbers == [f"261120{n:03d}" for n in range(1, 17)]


def test_a_bad_record_takes_no_good_one_with_it(records, call):
    results = records.write([partial(records.step, id_, 1, NOON, "main", "key", "1") for id_ in (uuid4(), call)])
    assert isinstance(results[0], RecordsError)
    assert results[1] is None
    assert Step.objects.get().call_id == call


def test_lock_outs_hold_against_many_at_once(records):
    def attempt(_):
        verdict = records.check_pin("id_number", SOMEBODY, "246801", "13900000001", NOON)
        records.close()
        return verdict

    pins.set("id_number", SOMEBODY, "135790", "clerk", at=NOON)
    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(attempt, range(24)))
    assert Failure.objects.get(scope="login").count == 5
    assert verdicts.count("wrong") <= 4


def test_a_server_that_went_away_is_an_error_and_coming_back_is_enough(records, call, server):
    write = [partial(records.step, call, 1, NOON, "main", "key", "1")]
    server.stop()
    for _ in range(2):
        with pytest.raises(RecordsError, match="OperationalError"):
            records.write(write)
    server.start()
    assert records.write(write) == [None]


def test_a_second_machine_needs_the_first_ones_keys(state, url, tmp_path):
    with pytest.raises(KeyMissing, match="另一台机器"):
        desk.setup(tmp_path / "second", url)
