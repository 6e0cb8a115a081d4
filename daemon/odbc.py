"""Read-only queries over ODBC that end in time, whatever the driver or the server does.

Each worker thread owns one connection; `Pool.query` hands it a query and waits until an outer deadline.
A frozen server blocks its driver inside the call, where nothing reaches it: such a worker is abandoned
and another takes its place. As many as the pool has connections may hang like that; then queries fail
at once until one of them comes back. A connection that was lost never recovers, so it is thrown away
and the query is tried once more on a fresh one, within the same deadline.

No error text of this module carries a parameter: drivers quote values in theirs, so theirs are scrubbed.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue
from threading import Condition, Lock, Thread
from typing import NamedTuple

from .identity import scrub
from .work import give_way

try:
    import pyodbc

    # The driver manager's own pool hands out dead connections after a server has been restarted.
    pyodbc.pooling = False
    MISSING = ""
except ImportError as error:  # no pyodbc, or no unixODBC below it: everything but fund data still works
    MISSING = str(error)

ROWS = 100  # nobody has as many accounts: a query that returns more has lost its condition
RENEW_AFTER = 300.0  # s; firewalls forget idle connections after 5 minutes and more, and forgotten ones hang

LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
KEYWORD = re.compile(r"([^=;]+?)\s*=\s*(\{(?:[^}]|\}\})*\}|[^;]*)")


class DatabaseError(Exception):
    """A query brought no answer; the text is for a log or a clerk and carries no parameter."""


class Unreachable(DatabaseError):
    """The database is down, too slow, or all connections hang: try again later."""


class Lost(Unreachable):
    """The connection is gone; a fresh one may work."""


class Refused(DatabaseError):
    """The database does not accept the query itself: somebody has to correct it."""


class Rows(NamedTuple):
    """What a query returned; column names are lower case."""

    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]


class Habits(NamedTuple):
    """How one driver is made read-only and impatient, and how it says what went wrong.

    `keywords` join the connection string unless it has them; `setup` runs on each new connection.
    Both know {connect} and {query}, the time-outs in whole seconds, {later}, a second after the query's, and
    {ms}, the query's in ms.
    """

    name: str
    marks: tuple[str, ...]  # in the driver's or the server's name, lower case
    read_only: bool  # whether `keywords` and `setup` really prevent writing
    keywords: tuple[tuple[str, str], ...] = ()
    setup: tuple[str, ...] = ()
    cancels: bool = False  # cursor.cancel() from another thread ends a query, and never blocks itself
    timeout: bool = False  # the driver obeys the statement's query time-out
    lost: tuple[int, ...] | None = ()  # native codes of HY states that mean Lost; None: not known, so any HY000
    busy: tuple[int, ...] = ()  # native codes of HY states that mean Unreachable


# Each row but the last was tried against the driver named; what others do is the last row's guess.
HABITS = (
    Habits(
        "SQLite",  # libsqliteodbc 0.9998
        ("sqlite",),
        read_only=True,
        keywords=(("NoCreat", "1"), ("Timeout", "{ms}")),  # NoCreat: a wrong path is an error, not a new file
        setup=("PRAGMA query_only = 1",),
        cancels=True,
        busy=(5, 6, 9),  # SQLITE_BUSY, SQLITE_LOCKED, SQLITE_INTERRUPT
    ),
    Habits(
        "PostgreSQL",  # psqlodbc 13; cancel() would ask a frozen server and block with it
        ("psqlodbc", "postgres"),
        read_only=True,
        # The driver's own ReadOnly=1 would refuse the set-up; the server's word is also the stronger one.
        # Its log would hold every query with its parameters, in /tmp.
        keywords=(
            ("pqopt", "{{connect_timeout={connect} tcp_user_timeout={ms}}}"),
            ("CommLog", "0"),
            ("Debug", "0"),
        ),
        setup=("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET statement_timeout = {ms}"),
    ),
    Habits(
        "MariaDB",  # maodbc 3.1.15
        ("maodbc", "mariadb"),
        read_only=True,
        keywords=(("READ_TIMEOUT", "{later}"),),  # after the server's own, which leaves the connection whole
        setup=("SET SESSION TRANSACTION READ ONLY", "SET SESSION max_statement_time = {query}"),
        lost=(2002, 2006, 2013),  # cannot connect, gone away, lost during query
        busy=(1205, 1969),  # lock wait time-out, max_statement_time (as HY018)
    ),
)
OTHER = Habits("ODBC", (), read_only=False, timeout=True, lost=None)


def habits_of(name: str) -> Habits:
    """The row for a driver's or a server's name, OTHER for one that is not in the table."""
    return next((row for row in HABITS if any(mark in name.lower() for mark in row.marks)), OTHER)


def is_query(sql: str) -> bool:
    """Whether the text begins as a query does. Drivers that cannot enforce it would run anything."""
    return re.match(r"\s*(SELECT|WITH)\b", LITERAL.sub(" ", sql), re.IGNORECASE) is not None


def count_parameters(sql: str) -> int:
    """How many `?` the text has outside of literals, quoted names and comments."""
    return LITERAL.sub(" ", sql).count("?")


class Pool:
    """A few connections to one database. `query` may be called from any thread."""

    def __init__(
        self,
        connection: str,
        *,
        size: int = 4,
        connect_timeout: float = 3.0,
        query_timeout: float = 2.0,
        deadline: float = 5.0,
        setup: Sequence[str] = (),
        encoding: str = "utf-8",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.query_timeout = query_timeout
        self.connect_timeout = connect_timeout
        self.setup = setup
        self.encoding = encoding
        self.clock = clock
        self.changed = Condition()
        self.stuck = 0  # workers abandoned in a driver's call
        keywords = {key.strip().lower(): value.strip("{} ") for key, value in KEYWORD.findall(connection)}
        self.habits = habits_of(keywords.get("driver", ""))
        added = [(key, value) for key, value in self.habits.keywords if key.lower() not in keywords]
        self.connection = ";".join([connection.rstrip("; "), *(f"{key}={self.fill(value)}" for key, value in added)])
        self._deadline = deadline
        self._size = size
        self._working = 0
        self._idle: list[_Worker] = []
        self._closed = False

    def until(self) -> float:
        """When queries that begin now must have ended, by the pool's clock."""
        return self.clock() + self._deadline

    def query(self, sql: str, parameters: Sequence[object] = (), until: float | None = None) -> Rows:
        """Run one query and return at most ROWS rows.

        Blocks until its own deadline at most, or `until`, which several queries may share. Raises
        Unreachable, or Refused for a text that is no query, that the database does not understand, or
        that returns more.
        """
        if not is_query(sql):
            raise Refused("不是查询语句：须以 SELECT 或 WITH 开头")
        until = self.until() if until is None else until
        worker = self._take(until)
        answer = worker.ask(sql, parameters)
        try:
            return self._wait(worker, answer, until)
        finally:
            self._give_back(worker, answer)

    def close(self) -> None:
        """Close what is idle now and what is busy when it is done. Quiet, also twice."""
        with self.changed:
            self._closed = True
            idle, self._idle = self._idle, []
            self.changed.notify_all()
        for worker in idle:
            worker.stop()

    def fill(self, text: str) -> str:
        """Put the time-outs into a text of the table of habits."""
        return text.format(
            connect=math.ceil(self.connect_timeout),
            query=math.ceil(self.query_timeout),
            later=math.ceil(self.query_timeout) + 1,
            ms=round(self.query_timeout * 1000),
        )

    def _take(self, until: float) -> _Worker:
        with self.changed:
            while not self._closed:
                if self._idle:
                    return self._idle.pop()  # the one used last: its connection is the likeliest to be alive
                if self.stuck >= self._size:
                    raise Unreachable(f"{self.stuck} 个连接都没有回应")
                if self._working < self._size:
                    self._working += 1
                    return _Worker(self)
                if not self.changed.wait(until - self.clock()):
                    raise Unreachable(f"{self._size} 个连接都在忙")
        raise Unreachable("已停止服务")

    def _wait(self, worker: _Worker, answer: Future[Rows], until: float) -> Rows:
        if self.habits.cancels:
            try:
                return answer.result(min(self.query_timeout, until - self.clock()))
            except TimeoutError:
                worker.cancel()
        try:
            return answer.result(until - self.clock())
        except TimeoutError:
            raise Unreachable(f"{self._deadline:g} 秒内没有回应") from None

    def _give_back(self, worker: _Worker, answer: Future[Rows]) -> None:
        with self.changed:
            if not answer.done():
                worker.abandoned = True
                self._working -= 1
                self.stuck += 1
            elif not self._closed:
                self._idle.append(worker)
                self.changed.notify()
                return
        if not worker.abandoned:
            worker.stop()


class _Worker:
    """A thread with a connection of its own. Its pool lends it to one caller at a time."""

    def __init__(self, pool: Pool) -> None:
        self.abandoned = False  # guarded by pool.changed
        self._pool = pool
        self._connection: pyodbc.Connection | None = None
        self._used = 0.0
        self._cursor: pyodbc.Cursor | None = None
        self._cursor_lock = Lock()  # a cursor must not be freed while another thread cancels it
        self._questions: SimpleQueue[tuple[str, Sequence[object], Future[Rows]] | None] = SimpleQueue()
        # A thread that hangs in a driver must not keep the process from ending.
        self._thread = Thread(target=self._run, name="odbc", daemon=True)
        self._thread.start()

    def ask(self, sql: str, parameters: Sequence[object]) -> Future[Rows]:
        """Give the worker a query."""
        answer: Future[Rows] = Future()
        self._questions.put((sql, parameters, answer))
        return answer

    def cancel(self) -> None:
        """Interrupt the query that runs, if one does."""
        with self._cursor_lock, suppress(pyodbc.Error):
            if self._cursor is not None:
                self._cursor.cancel()

    def stop(self) -> None:
        """Close the connection and end the thread; only for a worker that has nothing to do."""
        self._questions.put(None)
        self._thread.join(self._pool.connect_timeout)  # closing talks to the server too, and that may hang

    def _run(self) -> None:
        give_way()
        while (question := self._questions.get()) is not None:
            sql, parameters, answer = question
            try:
                result, error = self._answer(sql, parameters), None
            except Exception as failure:  # whatever it is, it belongs to whoever asked
                result, error = None, failure
            with self._pool.changed:
                if error is not None:
                    answer.set_exception(error)
                elif result is not None:
                    answer.set_result(result)
                if self.abandoned:
                    self._pool.stuck -= 1
                    self._pool.changed.notify_all()
                    break
        self._drop()

    def _answer(self, sql: str, parameters: Sequence[object]) -> Rows:
        if self._pool.clock() - self._used > RENEW_AFTER:
            self._drop()
        kept = self._connection is not None
        try:
            return self._execute(sql, parameters)
        except Lost:
            if not kept or self.abandoned:
                raise
        return self._execute(sql, parameters)

    def _execute(self, sql: str, parameters: Sequence[object]) -> Rows:
        self._connection = self._connection or self._connect()
        try:
            with self._cursor_lock:
                self._cursor = self._connection.cursor()
            self._cursor.execute(sql, *parameters)
            columns = tuple(str(column[0]).lower() for column in self._cursor.description or ())
            rows = [tuple(row) for row in self._cursor.fetchmany(ROWS + 1)]
            failure: DatabaseError | None = None
            if len(rows) > ROWS:
                failure = Refused(f"返回了 {ROWS} 行以上：语句缺少条件")
        except pyodbc.Error as error:
            failure = meaning(error, self._pool.habits)
        except UnicodeError:
            failure = Refused(f"返回的文字不是 {self._pool.encoding} 编码：请改 [fund] encoding")
        except (ValueError, OverflowError) as error:  # a value Python has no form for, such as a date in year 0
            failure = Refused(f"返回的值读不了：{type(error).__name__}")
        with self._cursor_lock:
            self._cursor = None
        self._used = self._pool.clock()
        if failure is not None:  # raised here, not in the except clause: no trace of the driver's own text
            self._drop()
            raise failure
        return Rows(columns, rows)

    def _connect(self) -> pyodbc.Connection:
        if MISSING:
            raise Unreachable(f"不能使用 ODBC，须安装 unixODBC 和 pyodbc：{MISSING}")
        pool = self._pool
        try:
            connection = pyodbc.connect(
                pool.connection, autocommit=True, readonly=True, timeout=math.ceil(pool.connect_timeout)
            )
        except pyodbc.Error as error:
            failure = Unreachable(f"连接不上：{_text(error)}")
        else:
            return self._prepared(connection)
        raise failure

    def _prepared(self, connection: pyodbc.Connection) -> pyodbc.Connection:
        """The centre's own set-up first, so that read-only is the last word."""
        pool = self._pool
        statement = ""
        try:
            if pool.habits is OTHER:  # a DSN does not name its driver; the server says what it is
                pool.habits = habits_of(str(connection.getinfo(pyodbc.SQL_DBMS_NAME)))
            connection.setdecoding(pyodbc.SQL_CHAR, encoding=pool.encoding)
            if pool.habits.timeout:
                connection.timeout = math.ceil(pool.query_timeout)
            for statement in (*pool.setup, *map(pool.fill, pool.habits.setup)):
                connection.execute(statement).close()
        except pyodbc.Error as error:
            cause = meaning(error, pool.habits)
            failure = type(cause)(f"新连接上执行不了 {statement}：{cause}")
        else:
            return connection
        connection.close()
        raise failure

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(pyodbc.Error):
                connection.close()


def meaning(error: pyodbc.Error, habits: Habits) -> DatabaseError:
    """What a driver's error means, by SQLSTATE (ISO 9075 classes, ODBC's HY and HYT) and native code."""
    state = str(error.args[0]) if error.args else ""
    text = _text(error)
    codes = {int(code) for code in re.findall(r"\((-?\d+)\)", str(error.args[-1:]))} if state[:2] == "HY" else set()
    if state.startswith(("08", "57P")) or codes & set(habits.lost or ()):
        return Lost(f"连接已断开：{text}")
    # 40: rolled back, as by a standby server; 53: out of resources; 57, 58: the server's own trouble
    if state[:2] in ("40", "53", "57", "58") or state in ("HYT00", "HYT01", "HY008") or codes & set(habits.busy):
        return Unreachable(f"没有及时回应：{text}")
    if state == "HY000" and habits.lost is None:
        return Lost(f"连接可能已断开：{text}")
    return Refused(text)


def _text(error: pyodbc.Error) -> str:
    return scrub(" ".join(str(error.args[-1]).split())) if error.args else type(error).__name__
