"""Look-ups in the centre's fund database, each ending in one outcome that is never taken for another.

    found        one account; its values are ready to be spoken, None where the centre has none
    none         nothing on file under this number
    several      more than one account: the caller has to see the counter
    empty        the account is there, its balance is NULL; 0.00 is a balance
    typo         nothing on file, and the number cannot be right: a slip of the finger
    closed       a unit that has closed its account
    unreachable  the database did not answer in time, or the settings do not fit it: nobody's number is wrong

The centre's SQL is in the settings; its output columns have fixed names, in any case: see COLUMNS.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from itertools import cycle, islice
from typing import Literal, NamedTuple, TypeVar

from ..config.settings import Fund
from . import identity
from .odbc import OTHER, DatabaseError, Pool, Refused, count_parameters, is_query
from .outcome import Outcome

log = logging.getLogger(__name__)

Login = Literal["id_number", "account_number", "card_number"]
Record = Mapping[str, object]
T = TypeVar("T")

CENT = Decimal("0.01")

# What each query must return: JGJ/T 320-2014's names, in pinyin initials.
ACCOUNT = ("zjhm", "grzh", "jzny", "yjce", "grzhye", "grzhzt")
COLUMNS = {
    "account": ACCOUNT,
    "account_by_number": ACCOUNT,
    "account_by_card": ACCOUNT,
    "loan": ("zjhm", "dkzh", "dkqs", "dkye"),  # and yhqs where it is spoken; dqyhje, ydhkr, dkzhzt if there are
    "unit": ("dwzh", "dwmc", "dwzhzt", "dwjcrs", "dwzhye", "jzny"),
}
QUERY: dict[Login, str] = {
    "id_number": "account",
    "account_number": "account_by_number",
    "card_number": "account_by_card",
}
# JGJ/T 320-2014, annexes A.6 and A.4: the states worth a sentence.
PERSON_STATES: dict[str | None, str] = {"02": "封存", "06": "冻结"}
UNIT_STATES: dict[str | None, str] = {"03": "缓缴", "05": "封存"}
NOBODY = "0" * 18  # matches no record; what `check` asks for


class Misfit(Exception):
    """The settings do not fit the database; the text names the query and the column."""


class Finding(NamedTuple):
    """One thing `check` saw: what is wrong and what to do, for whoever runs `hotline check`."""

    level: Literal["error", "warning"]
    place: str  # "[fund] connection", "[fund.sql] loan"
    text: str


class FundDatabase:
    """The look-ups. Each blocks, until the deadline of the settings at most; any thread may call them."""

    def __init__(self, settings: Fund) -> None:
        self.trouble: str | None = None  # why the last look-up failed; None when it did not
        self._settings = settings
        self._pool = Pool(
            settings.connection,
            size=settings.connections,
            connect_timeout=settings.connect_timeout,
            query_timeout=settings.query_timeout,
            deadline=settings.deadline,
            setup=settings.setup,
            encoding=settings.encoding,
        )

    def account(self, login: Login, number: str) -> Outcome:
        """The personal account of an identity, account or card number.

        found, with id_number, last_four (of what was keyed) and account_number (str), paid_to ("YYYYMM"),
        monthly and balance (Decimal), status ("封存", "冻结", None when normal); none, several, empty, typo,
        unreachable.
        """
        return self._outcome("account", lambda until: self._account(login, number, until))

    def loan(self, login: Login, number: str) -> Outcome:
        """The loan of a person; account and card numbers are looked up as accounts first.

        found, with id_number and last_four (str), term (int, months), periods (int, total or repaid as set),
        balance and monthly (Decimal), due_day (int), settled (bool); none, several, empty, typo, unreachable.
        """
        return self._outcome("loan", lambda until: self._loan(login, number, until))

    def unit(self, number: str) -> Outcome:
        """The account of an employer.

        found, with number and name (str), people (int), balance (Decimal), paid_to ("YYYYMM"), status
        ("缓缴", "封存", None when normal); closed, with number and name; none, several, empty, unreachable.
        """
        return self._outcome("unit", lambda until: self._unit(number, until))

    def check(self) -> list[Finding]:
        """Everything that is wrong with connection, queries and columns; an empty list when all fits."""
        if not self._settings.connection:
            return [Finding("warning", "[fund] connection", "没有写连接串：查询余额的来电者只会听到系统忙")]
        findings: list[Finding] = []
        for name in COLUMNS:
            try:
                findings += self._check_query(name) if self._sql(name) else []
            except DatabaseError as error:  # unreachable: the other queries would only say so again
                return [*findings, Finding("error", "[fund] connection", str(error))]
        if self._pool.habits is OTHER:
            text = "这种驱动不能强制只读：请给本服务一个只有查询权限的数据库用户"
            findings.append(Finding("warning", "[fund] connection", text))
        return findings

    def close(self) -> None:
        """Let all connections go."""
        self._pool.close()

    # One look-up each.

    def _account(self, login: Login, number: str, until: float) -> Outcome:
        spellings: tuple[str, ...] = (number,)
        if login == "id_number":
            try:
                number = identity.normal(number)
            except ValueError:
                return Outcome("typo", {login: number})
            spellings = identity.spellings(number)
        rows = self._rows(QUERY[login], spellings, until)
        if login == "id_number":
            self._same_person(rows, spellings)
        asked: dict[str, object] = {login: number}
        open_ones = [row for row in rows if _text(row, "grzhzt") not in self._settings.closed_states]
        row, outcome = _single(open_ones, "grzh")
        if row is None:
            slip = login == "id_number" and not rows and not identity.is_plausible(number)
            return Outcome("typo" if slip else outcome, asked)
        balance = _money(row, "grzhye")
        values = {
            "id_number": _text(row, "zjhm"),
            "last_four": number[-4:],
            "account_number": _text(row, "grzh"),
            "paid_to": _month(row, "jzny"),
            "monthly": _money(row, "yjce"),
            "balance": balance,
            "status": PERSON_STATES.get(_text(row, "grzhzt")),
        } | asked
        return Outcome("found" if balance is not None else "empty", values)

    def _loan(self, login: Login, number: str, until: float) -> Outcome:
        if login != "id_number":
            person = self._account(login, number, until)
            if person.name not in ("found", "empty"):
                return person
            number = str(person.values["id_number"] or "")
        try:
            number = identity.normal(number)
        except ValueError:  # typed: no such number; from an account: a passport, which no loan is found by
            return Outcome("typo" if login == "id_number" else "none", {"id_number": number})
        spellings = identity.spellings(number)
        rows = self._rows("loan", spellings, until)
        self._same_person(rows, spellings)
        asked: dict[str, object] = {"id_number": number}
        running = [row for row in rows if _text(row, "dkzhzt") not in self._settings.closed_loans]
        # Who paid off one loan and took another has one loan; who paid off his only one hears that it is 0.
        row, outcome = _single(running or rows, "dkzh")
        if row is None:
            slip = not rows and not identity.is_plausible(number) and not self._rows("account", spellings, until)
            return Outcome("typo" if slip else outcome, asked)
        balance = _money(row, "dkye")
        values = {
            "term": _whole(row, "dkqs"),
            "periods": _whole(row, "yhqs" if self._settings.loan_periods == "repaid" else "dkqs"),
            "balance": balance,
            "monthly": _money(row, "dqyhje"),
            "due_day": _whole(row, "ydhkr"),
            "settled": not running,
            "last_four": number[-4:],
        } | asked
        return Outcome("found" if balance is not None else "empty", values)

    def _unit(self, number: str, until: float) -> Outcome:
        row, outcome = _single(self._rows("unit", (number,), until), "dwzh")
        if row is None:
            return Outcome(outcome, {"number": number})
        values: dict[str, object] = {"number": number, "name": _text(row, "dwmc")}
        if _text(row, "dwzhzt") in self._settings.closed_units:
            return Outcome("closed", values)
        balance = _money(row, "dwzhye")
        values |= {
            "people": _whole(row, "dwjcrs"),
            "balance": balance,
            "paid_to": _month(row, "jzny"),
            "status": UNIT_STATES.get(_text(row, "dwzhzt")),
        }
        return Outcome("found" if balance is not None else "empty", values)

    # What they share.

    def _outcome(self, what: str, look_up: Callable[[float], Outcome]) -> Outcome:
        try:
            outcome = look_up(self._pool.until())
        except (DatabaseError, Misfit) as error:
            self.trouble = str(error)
            log.error("公积金数据库：%s 查询失败：%s", what, error)
            return Outcome("unreachable")
        self.trouble = None
        return outcome

    def _sql(self, name: str) -> str:
        return str(getattr(self._settings.sql, name, ""))

    def _rows(self, name: str, spellings: tuple[str, ...], until: float) -> list[Record]:
        """The records a query returns; each `?` takes the next spelling, over and over."""
        if not self._settings.connection:
            raise Misfit("[fund] connection：没有写连接串")
        sql = self._sql(name)
        if not sql:
            raise Misfit(f"[fund.sql] {name}：没有写语句")
        try:
            columns, rows = self._pool.query(sql, tuple(islice(cycle(spellings), count_parameters(sql))), until)
        except Refused as error:
            raise Misfit(f"[fund.sql] {name}：数据库不接受：{error}") from None
        for column in self._columns(name):
            if column not in columns:
                raise Misfit(f"[fund.sql] {name}：结果里没有 {column} 这一列（只有 {'、'.join(columns)}）")
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def _columns(self, name: str) -> Iterable[str]:
        extra = ("yhqs",) if name == "loan" and self._settings.loan_periods == "repaid" else ()
        return COLUMNS[name] + extra

    def _same_person(self, rows: list[Record], spellings: tuple[str, ...]) -> None:
        """A query with a wrong condition must not read one person's money to another."""
        own = {spelling.strip().upper() for spelling in spellings}
        if any((_text(row, "zjhm") or "").upper() not in own for row in rows):
            raise Misfit("[fund.sql]：按身份证号查到了别人的记录，条件写错了")

    def _check_query(self, name: str) -> list[Finding]:
        place = f"[fund.sql] {name}"
        sql = self._sql(name)
        if not is_query(sql):
            return [Finding("error", place, "不是查询语句：须以 SELECT 或 WITH 开头")]
        marks = count_parameters(sql)
        if marks == 0:
            return [Finding("error", place, "没有 ?：不管谁来电，查到的都一样")]
        try:
            self._rows(name, (NOBODY,), self._pool.until())
        except Misfit as error:
            return [Finding("error", place, str(error).removeprefix(f"{place}："))]
        if name in ("account", "loan") and marks < 4:
            text = f"只有 {marks} 个 ?：15 位、小写 x 或补空格的身份证号会查不到，请写 zjhm IN (?, ?, ?, ?)"
            return [Finding("warning", place, text)]
        return []


def _single(rows: list[Record], key: str) -> tuple[Record | None, str]:
    """The one record, or why there is none. A join may show the same account twice."""
    accounts = {_text(row, key) or place: row for place, row in enumerate(rows)}
    if len(accounts) == 1:
        return next(iter(accounts.values())), "found"
    return None, "several" if accounts else "none"


def _text(row: Record, column: str) -> str | None:
    """A value as text without CHAR's padding; None for NULL, for '' (Oracle's NULL) and for a column not there."""
    value = row.get(column)
    return str(value).strip() or None if value is not None else None


def _money(row: Record, column: str) -> Decimal | None:
    """An amount to 0.01. Drivers return str, float or Decimal for the same column; str() keeps their digits."""
    return _number(row, column, lambda text: Decimal(text).quantize(CENT, ROUND_HALF_UP))


def _whole(row: Record, column: str) -> int | None:
    return _number(row, column, lambda text: int(Decimal(text)))


def _number(row: Record, column: str, read: Callable[[str], T]) -> T | None:
    text = _text(row, column)
    if text is None:
        return None
    try:
        return read(text)
    except (InvalidOperation, ValueError, OverflowError):
        raise Misfit(f"[fund.sql]：列 {column} 里有不是数的值") from None


def _month(row: Record, column: str) -> str | None:
    """A month as "YYYYMM", of YYYYMM, YYYY-MM, YYYYMMDD or a date; None for what is no month: it is not spoken."""
    value = row.get(column)
    if isinstance(value, date):
        return f"{value:%Y%m}"
    found = re.match(r"(\d{4})[-/.年]?(0[1-9]|1[0-2])", _text(row, column) or "")
    return found[1] + found[2] if found else None
