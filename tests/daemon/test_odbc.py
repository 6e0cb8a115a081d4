"""The pool against real drivers: SQLite, and a PostgreSQL that is stopped, frozen and started again."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import psutil
import pyodbc
import pytest
from hotline.daemon import demo_fund
from hotline.daemon.odbc import (
    OTHER,
    RENEW_AFTER,
    Lost,
    Pool,
    Refused,
    Unreachable,
    count_parameters,
    habits_of,
    is_query,
    meaning,
)

ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}
PATIENCE = 10.0  # s: how long a test waits for what must happen before it fails


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def connection(kind, request):
    if kind == "sqlite":
        return demo_fund.connection(request.getfixturevalue("demo_file"))
    return request.getfixturevalue("running_postgres").connection


@pytest.fixture
def pool_of():
    """Make pools; at the end they are closed and their threads have ended."""
    pools = []

    def make(connection, **settings):
        pools.append(Pool(connection, **settings))
        return pools[-1]

    before = set(threading.enumerate())
    yield make
    for pool in pools:
        pool.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE)


@pytest.fixture
def postgres(running_postgres) -> Iterator:
    """The server, running again after whatever the test did to it."""
    yield running_postgres
    running_postgres.thaw()
    if not running_postgres.is_running():
        running_postgres.start()


def one(pool, sql="SELECT 1", *parameters):
    return pool.query(sql, parameters).rows[0][0]


def test_columns_are_lower_case_and_values_untouched(pool_of, connection):
    rows = pool_of(connection).query('SELECT zjhm AS "ZJHM" FROM v_ivr_gjj WHERE grzh = ?', ["990100000001"])
    assert rows == (("zjhm",), [("990101198503070017",)])


# Written so that only the database itself can refuse it.
UPDATE = "WITH nobody AS (SELECT 1) UPDATE st_collection_personal_account SET grzhye = 1 WHERE grzh = ?"


def test_nothing_can_be_written(pool_of, connection):
    pool = pool_of(connection)
    with pytest.raises(Refused, match=r"25006|readonly database"):
        pool.query(UPDATE, ["990100000001"])
    balance = one(pool, "SELECT grzhye FROM v_ivr_gjj WHERE grzh = ?", "990100000001")
    assert str(balance) == "12345.67"


def test_the_centres_set_up_does_not_undo_read_only(pool_of, connection, kind):
    undo = {"sqlite": "PRAGMA query_only = 0", "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"}
    with pytest.raises(Refused, match=r"25006|readonly database"):
        pool_of(connection, setup=[undo[kind]]).query(UPDATE, ["990100000001"])


@pytest.mark.parametrize("sql", ["UPDATE t SET a = 1", "", "DROP TABLE t", "-- SELECT\nDELETE FROM t", "selected"])
def test_what_is_no_query_is_not_even_sent(pool_of, sql):
    with pytest.raises(Refused, match="SELECT"):
        pool_of("Driver=none").query(sql)


def test_texts_that_are_queries():
    assert is_query("  select 1")
    assert is_query("/* of the core system */ -- v2\nWITH a AS (SELECT 1) SELECT * FROM a")


def test_parameters_in_literals_and_comments_do_not_count():
    assert count_parameters("SELECT '?' AS \"a?\" -- ?\n FROM t /* ? */ WHERE a IN (?, ?) AND b = ?::text") == 3


def test_a_slow_query_ends_at_its_timeout(pool_of, connection, kind):
    pool = pool_of(connection, size=1, query_timeout=0.5, deadline=PATIENCE)
    began = monotonic()
    with pytest.raises(Unreachable):
        pool.query(ENDLESS[kind])
    assert monotonic() - began < PATIENCE / 2
    assert one(pool) == 1
    assert pool.stuck == 0


def test_a_query_without_condition_is_refused(pool_of, connection):
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n"
    with pytest.raises(Refused, match="100 行"):
        pool_of(connection).query(many)


@pytest.mark.parametrize("sql", ["SELECT a FROM gone", "SELECT gone FROM v_ivr_gjj", "SELECT FROM WHERE"])
def test_sql_the_database_does_not_understand(pool_of, connection, sql):
    pool = pool_of(connection, size=1)
    with pytest.raises(Refused):
        pool.query(sql)
    assert one(pool) == 1


def test_a_wrong_number_of_parameters_is_refused(pool_of, connection):
    with pytest.raises(Refused):
        pool_of(connection).query("SELECT zjhm FROM v_ivr_gjj WHERE zjhm = ?", ["1", "2"])


def test_errors_quote_no_parameter(pool_of, running_postgres):
    with pytest.raises(Refused, match="22003") as caught:
        pool_of(running_postgres.connection).query("SELECT 1 WHERE ?::text::smallint = 1", ["990101198503070017"])
    assert "1985" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_more_callers_than_connections(pool_of, connection):
    pool = pool_of(connection, size=2)
    before = threading.active_count()
    with ThreadPoolExecutor(12) as callers:
        sql = "SELECT grzh FROM v_ivr_gjj WHERE grzh = ?"
        numbers = [f"9901000000{number:02}" for number in range(1, 20)] * 5
        assert list(callers.map(lambda number: one(pool, sql, number), numbers)) == numbers
    assert threading.active_count() - before <= 2


def test_a_connection_idle_for_long_is_renewed(pool_of, running_postgres):
    now = 1000.0
    pool = pool_of(running_postgres.connection, clock=lambda: now)
    first = one(pool, "SELECT pg_backend_pid()")
    now += RENEW_AFTER
    assert one(pool, "SELECT pg_backend_pid()") == first
    now += RENEW_AFTER + 1
    assert one(pool, "SELECT pg_backend_pid()") != first


def test_a_lost_connection_is_replaced_within_the_same_query(pool_of, postgres):
    pool = pool_of(postgres.connection, size=1)
    process = psutil.Process(one(pool, "SELECT pg_backend_pid()"))
    process.terminate()
    process.wait(PATIENCE)
    assert one(pool) == 1


def test_server_stopped_and_started_again(pool_of, postgres):
    pool = pool_of(postgres.connection, deadline=PATIENCE)
    assert one(pool) == 1
    postgres.stop()
    for _ in range(3):
        began = monotonic()
        with pytest.raises(Unreachable):
            pool.query("SELECT 1")
        assert monotonic() - began < PATIENCE / 2
    postgres.start()
    assert one(pool) == 1


def test_server_frozen(pool_of, postgres, demo_file):
    """The deadline holds, hanging workers are bounded, other databases answer, and a thaw is enough."""
    pool = pool_of(postgres.connection, size=2, deadline=1)
    other = pool_of(demo_fund.connection(demo_file))
    assert one(pool) == 1
    postgres.freeze()
    for hanging in (1, 2):
        began = monotonic()
        with pytest.raises(Unreachable, match="1 秒内没有回应"):
            pool.query("SELECT 1")
        assert 1 <= monotonic() - began < PATIENCE / 2
        assert pool.stuck == hanging
        assert one(other) == 1
    with pytest.raises(Unreachable, match="2 个连接都没有回应"):
        pool.query("SELECT 1")
    postgres.thaw()
    with pool.changed:
        assert pool.changed.wait_for(lambda: pool.stuck == 0, PATIENCE)
    assert one(pool) == 1


def test_closing_while_a_worker_hangs(pool_of, postgres):
    pool = pool_of(postgres.connection, size=1, deadline=1)
    pool.query("SELECT 1")
    postgres.freeze()
    with pytest.raises(Unreachable):
        pool.query("SELECT 1")
    pool.close()
    pool.close()
    with pytest.raises(Unreachable, match="停止"):
        pool.query("SELECT 1")
    postgres.thaw()


@pytest.mark.parametrize(
    "broken", ["Driver=/nowhere/lib.so", "DSN=nowhere", "nonsense", "Driver=SQLite3;Database=/no/x"]
)
def test_no_way_to_connect(pool_of, broken):
    with pytest.raises(Unreachable, match="连接不上"):
        pool_of(broken).query("SELECT 1")


def test_set_up_that_does_not_work_is_named(pool_of, connection):
    with pytest.raises(Refused, match="ALTER SESSION SET"):
        pool_of(connection, setup=["ALTER SESSION SET NLS_DATE_FORMAT = 'YYYYMMDD'"]).query("SELECT 1")


def test_what_is_added_to_the_connection_string(pool_of):
    timeouts = {"connect_timeout": 2.5, "query_timeout": 1.5}
    assert pool_of("Driver={SQLite3};Database=x;", **timeouts).connection == (
        "Driver={SQLite3};Database=x;NoCreat=1;Timeout=1500"
    )
    own = "DRIVER=/usr/lib/psqlodbcw.so;pqopt={options='-c a=b;c'};commlog=1"
    assert pool_of(own).connection == own + ";Debug=0"
    assert pool_of("Driver=DM8 ODBC DRIVER;Server=x").connection == "Driver=DM8 ODBC DRIVER;Server=x"
    assert pool_of("Driver=libmaodbc.so", **timeouts).connection == "Driver=libmaodbc.so;READ_TIMEOUT=3"


@pytest.mark.parametrize(
    ("name", "habits"),
    [
        ("SQLite3", "SQLite"),
        ("/usr/lib/odbc/psqlodbcw.so", "PostgreSQL"),
        ("PostgreSQL Unicode", "PostgreSQL"),
        ("MariaDB Unicode", "MariaDB"),
        ("DM8 ODBC DRIVER", OTHER.name),
        ("", OTHER.name),
    ],
)
def test_habits(name, habits):
    assert habits_of(name).name == habits


SQLITE, POSTGRESQL, MARIADB = map(habits_of, ("sqlite", "postgres", "mariadb"))
SAID = [  # as the drivers said it
    (SQLITE, "HY000", "[HY000] [SQLite]interrupted (9) (9) (SQLExecDirectW)", Unreachable),
    (SQLITE, "HY000", "[HY000] [SQLite]no such table: nope (1) (1) (SQLPrepare)", Refused),
    (POSTGRESQL, "57P01", "[57P01] FATAL: terminating connection due to administrator command", Lost),
    (POSTGRESQL, "08S01", "[08S01] SQLExecDirectW unable due to the connection lost (35) (SQLExecDirectW)", Lost),
    (POSTGRESQL, "57014", "[57014] ERROR: canceling statement due to statement timeout", Unreachable),
    (POSTGRESQL, "40001", "[40001] ERROR: canceling statement due to conflict with recovery", Unreachable),
    (POSTGRESQL, "25006", "[25006] ERROR: cannot execute UPDATE in a read-only transaction", Refused),
    (MARIADB, "08S01", "[08S01] [ma-3.1.15]Lost connection to server during query (2013) (SQLExecDirectW)", Lost),
    (MARIADB, "HY000", "[HY000] [ma-3.1.15]Can't connect to server on '127.0.0.1' (115) (2002)", Lost),
    (MARIADB, "HY018", "[HY018] [ma-3.1.15]Query execution was interrupted (1969) (SQLExecDirectW)", Unreachable),
    (MARIADB, "42S22", "[42S22] [ma-3.1.15]Unknown column 'nope' in 'SELECT' (1054)", Refused),
    (OTHER, "HY000", "[HY000] [Unknown driver]communication error (6001) (SQLExecDirectW)", Lost),
    (OTHER, "HYT00", "[HYT00] [Unknown driver]timeout expired (0)", Unreachable),
    (OTHER, "42000", "[42000] [Unknown driver]syntax error (0)", Refused),
]


@pytest.mark.parametrize(("habits", "state", "text", "kind_of_error"), SAID)
def test_what_an_error_means(habits, state, text, kind_of_error):
    assert type(meaning(pyodbc.Error(state, text), habits)) is kind_of_error


def test_a_data_source_name_hides_the_driver_but_not_the_server(pool_of, demo_file, tmp_path, monkeypatch):
    sources = tmp_path / "odbc.ini"
    sources.write_text(f"[fund]\nDriver = SQLite3\nDatabase = {demo_file}\n")
    monkeypatch.setenv("ODBCINI", str(sources))
    pool = pool_of("DSN=fund")
    with pytest.raises(Refused, match="readonly database"):
        pool.query(UPDATE, ["990100000001"])
    assert pool.habits.name == "SQLite"


def test_without_pyodbc_the_rest_still_runs():
    program = (
        "import sys; sys.modules['pyodbc'] = None\n"
        "from hotline.daemon.odbc import Pool, Unreachable\n"
        "pool = Pool('DSN=x')\n"
        "try: pool.query('SELECT 1')\n"
        "except Unreachable as error: print(error)\n"
        "pool.close()"
    )
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert "须安装" in done.stdout
