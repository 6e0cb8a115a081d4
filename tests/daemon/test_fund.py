"""Every demo case of the fund look-ups, over ODBC, on SQLite and on PostgreSQL."""

from __future__ import annotations

import logging
from decimal import Decimal
from pathlib import Path

import pytest
from hotline.config.settings import Fund, FundSql
from hotline.daemon import demo_fund
from hotline.daemon.fund import COLUMNS, FundDatabase


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def connection(request):
    if request.param == "sqlite":
        return demo_fund.connection(request.getfixturevalue("demo_file"))
    return request.getfixturevalue("running_postgres").connection


@pytest.fixture(scope="module")
def fund(connection):
    database = FundDatabase(Fund(connection=connection, sql=demo_fund.SQL))
    database.check()  # its connection is opened here, so that no test is said to have left it behind
    yield database
    database.close()


@pytest.fixture
def fund_with(connection):
    """Make a database with other settings or SQL; closed at the end."""
    made = []

    def make(sql=None, **settings):
        chosen = demo_fund.SQL.model_copy(update=sql or {})
        made.append(FundDatabase(Fund(connection=connection, sql=chosen, **settings)))
        return made[-1]

    yield make
    for database in made:
        database.close()


def yuan(text):
    return Decimal(text)


ACCOUNTS = [
    ("990101198503070017", "found", ("202610", yuan("1260.00"), yuan("12345.67"), None)),
    ("99010119870316005X", "found", ("202610", yuan("2000.00"), yuan("100000.05"), None)),
    ("990101600101123", "found", ("202610", yuan("960.00"), yuan("86420.10"), None)),
    ("990101196001011237", "found", ("202610", yuan("960.00"), yuan("86420.10"), None)),
    ("990101550505456", "found", ("202610", yuan("1008.00"), yuan("200300.00"), None)),
    ("99010119550505456X", "found", ("202610", yuan("1008.00"), yuan("200300.00"), None)),
    ("99010119830808013X", "found", ("202610", yuan("1200.00"), yuan("20002.20"), None)),  # on file with x
    ("990101198402290117", "found", ("202610", yuan("1440.00"), yuan("45678.90"), None)),  # the other one is closed
    ("990101197511120059", "found", ("202610", yuan("1200.00"), yuan("0.00"), None)),
    ("990101199508080067", "found", ("202406", yuan("1200.00"), yuan("8765.43"), "封存")),
    ("990101197906150121", "found", ("202609", yuan("1200.00"), yuan("50006.00"), "冻结")),
    ("990101198612120140", "found", (None, yuan("1200.00"), yuan("1010.10"), None)),
    ("990101196804200180", "found", ("202610", yuan("1200.00"), yuan("99999.99"), None)),  # wrong check digit on file
    ("99010119820630004X", "empty", ("202610", yuan("1200.00"), None, None)),
    ("990101196001010074", "none", None),
    ("990101197206060221", "none", None),  # only a closed account
    ("990101197809210030", "several", None),
    ("990101198503070018", "typo", None),
    ("99010119850307", "typo", None),
    ("9901011985030700", "typo", None),
    ("99010119850307001", "typo", None),
]


@pytest.mark.parametrize(("number", "name", "expected"), ACCOUNTS)
def test_account(fund, number, name, expected):
    outcome = fund.account("id_number", number)
    assert outcome.name == name
    assert outcome.values["id_number"] == number
    if expected:
        assert tuple(outcome.values[key] for key in ("paid_to", "monthly", "balance", "status")) == expected
        assert all(isinstance(outcome.values[key], Decimal | None) for key in ("monthly", "balance"))


def test_zero_keeps_its_two_places(fund):
    balance = fund.account("id_number", "990101197511120059").values["balance"]
    assert balance.as_tuple() == Decimal("0.00").as_tuple()


def test_account_by_number(fund):
    outcome = fund.account("account_number", "990100000005")
    assert (outcome.name, outcome.values["id_number"]) == ("found", "990101197809210030")
    assert outcome.values["balance"] == Decimal("3000.00")
    assert fund.account("account_number", "990100000099").name == "none"


LOANS = [
    ("990101199005150027", "found", (360, 360, yuan("283456.78"), yuan("1494.52"), 20, False)),
    ("990101198103030198", "found", (318, 318, yuan("205000.50"), yuan("1301.33"), 5, False)),  # the first is repaid
    ("990101199109090102", "found", (120, 120, yuan("0.00"), yuan("0.00"), 8, True)),
    ("990101199304040098", "empty", (300, 300, None, None, 10, False)),
    ("990101198802020087", "several", None),
    ("990101198503070017", "none", None),
    ("990101197409050218", "none", None),  # co-borrower
    ("990101196804200180", "none", None),  # wrong check digit, but on file: no slip of the finger
    ("990101198503070018", "typo", None),
]


@pytest.mark.parametrize(("number", "name", "expected"), LOANS)
def test_loan(fund, number, name, expected):
    outcome = fund.loan("id_number", number)
    assert (outcome.name, outcome.values["id_number"]) == (name, number)
    if expected:
        keys = ("term", "periods", "balance", "monthly", "due_day", "settled")
        assert tuple(outcome.values[key] for key in keys) == expected


def test_repaid_periods(fund_with):
    outcome = fund_with(loan_periods="repaid").loan("id_number", "990101199005150027")
    assert (outcome.values["term"], outcome.values["periods"]) == (360, 96)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("990100000017", "found"),
        ("990100000001", "none"),
        ("990100000019", "none"),  # an account opened with a passport
        ("990100000099", "none"),
    ],
)
def test_loan_by_account_number(fund, number, name):
    assert fund.loan("account_number", number).name == name


def test_unit(fund):
    outcome = fund.unit("9901001")
    assert outcome.name == "found"
    assert outcome.values == {
        "number": "9901001",
        "name": "示范市第一机械厂",
        "people": 286,
        "balance": Decimal("5230817.46"),
        "paid_to": "202610",
        "status": None,
    }
    assert fund.unit("9901009").name == "closed"
    assert fund.unit("9901002").name == "none"


def test_check_finds_nothing_wrong(fund):
    assert fund.check() == []


GOOD = demo_fund.SQL.account
BROKEN = [
    ({"account": GOOD.replace("grzhye", "grzhye AS ye")}, "[fund.sql] account", "没有 grzhye 这一列"),
    ({"account": GOOD.replace("v_ivr_gjj", "v_gone")}, "[fund.sql] account", "v_gone"),
    ({"account": GOOD.replace("jzny", "jzym")}, "[fund.sql] account", "jzym"),
    ({"account": GOOD.partition("WHERE")[0]}, "[fund.sql] account", "没有 ?"),
    ({"loan": "DELETE FROM st_common_person WHERE zjhm = ?"}, "[fund.sql] loan", "SELECT"),
]


@pytest.mark.parametrize(("sql", "place", "text"), BROKEN)
def test_sql_that_does_not_fit(fund_with, sql, place, text):
    [finding] = fund_with(sql).check()
    assert (finding.level, finding.place) == ("error", place)
    assert text in finding.text


def test_too_few_marks_is_a_warning(fund_with):
    [finding] = fund_with({"account": GOOD.replace("IN (?, ?, ?, ?)", "= ?")}).check()
    assert finding.level == "warning"


def test_periods_need_their_column(fund_with):
    sql = {"loan": demo_fund.SQL.loan.replace("yhqs, ", "")}
    assert fund_with(sql).check() == []
    [finding] = fund_with(sql, loan_periods="repaid").check()
    assert "yhqs" in finding.text


def test_column_names_in_any_case(fund_with):
    database = fund_with({"account": GOOD.replace("grzhye", 'grzhye AS "GrZhYe"')})
    assert database.account("id_number", "990101198503070017").values["balance"] == Decimal("12345.67")


def test_padding_and_empty_text(fund_with):
    columns = "'990101198503070017  ' AS zjhm, ' 990100000001  ' AS grzh, '' AS jzny, '  ' AS yjce, '' AS grzhye, '01 '"
    database = fund_with({"account": f"SELECT {columns} AS grzhzt FROM v_ivr_gjj WHERE zjhm IN (?, ?, ?, ?)"})
    outcome = database.account("id_number", "990101198503070017")
    assert outcome.name == "empty"
    assert outcome.values["account_number"] == "990100000001"
    assert outcome.values["paid_to"] is outcome.values["monthly"] is outcome.values["balance"] is None


def test_a_joined_row_is_not_a_second_account(fund_with):
    assert fund_with({"account": f"{GOOD} UNION ALL {GOOD}"}).account("id_number", "990101198503070017").name == "found"


@pytest.mark.parametrize(
    ("value", "month"),
    [
        ("'2026-10'", "202610"),
        ("'20261031'", "202610"),
        ("'2026/10/31'", "202610"),
        ("202610", "202610"),
        ("'202613'", None),
        ("'000000'", None),
        ("NULL", None),
    ],
)
def test_month(fund_with, value, month):
    database = fund_with({"account": GOOD.replace("jzny", f"{value} AS jzny")})
    assert database.account("id_number", "990101198503070017").values["paid_to"] == month


def test_somebody_elses_record_is_not_read_out(fund_with, caplog):
    database = fund_with({"account": GOOD + " OR grzh = '990100000002'"})
    assert database.account("id_number", "990101198503070017").name == "unreachable"
    assert "别人的记录" in caplog.text


def test_no_number_of_a_caller_in_log_or_trouble(fund_with, caplog):
    caplog.set_level(logging.DEBUG)
    database = fund_with({"account": f"{GOOD} AND CAST(zjhm AS INTEGER) / 0 > CAST(? AS INTEGER)", "loan": "SELECT ?"})
    for look_up in (database.account, database.loan):
        look_up("id_number", "990101198503070017")
    assert "19850307" not in caplog.text + str(database.trouble) + str(database.check())


def test_database_stopped_and_started_again(running_postgres):
    database = FundDatabase(Fund(connection=running_postgres.connection, sql=demo_fund.SQL))
    try:
        assert database.account("id_number", "990101198503070017").name == "found"
        running_postgres.stop()
        try:
            for look_up in (database.account, database.loan):
                assert look_up("id_number", "990101198503070017").name == "unreachable"
            assert "连接不上" in str(database.trouble)
            assert [finding.place for finding in database.check()] == ["[fund] connection"]
        finally:
            running_postgres.start()
        assert database.account("id_number", "990101198503070017").name == "found"
        assert database.trouble is None
    finally:
        database.close()


def test_not_set_up():
    database = FundDatabase(Fund())
    assert database.account("id_number", "990101198503070017").name == "unreachable"
    [finding] = database.check()
    assert (finding.level, finding.place) == ("warning", "[fund] connection")
    database.close()


def test_a_missing_file_is_not_made(tmp_path):
    path = tmp_path / "gone.db"
    database = FundDatabase(demo_fund.settings(path))
    assert database.account("id_number", "990101198503070017").name == "unreachable"
    [finding] = database.check()
    assert (finding.level, finding.place) == ("error", "[fund] connection")
    assert not path.exists()
    database.close()


def test_gbk(tmp_path):
    """Old databases send GBK bytes; told utf-8, they are an error that names the setting."""
    path = tmp_path / "gbk.db"
    demo_fund.create(path)
    unit = "SELECT ? AS dwzh, CAST(x'CABEB7B6' AS TEXT) AS dwmc, '01' AS dwzhzt, 1 AS dwjcrs, 0 AS dwzhye, '' AS jzny"
    sql = FundSql(account=demo_fund.SQL.account, loan=demo_fund.SQL.loan, unit=unit)
    for encoding, name in (("gbk", "found"), ("utf-8", "unreachable")):
        database = FundDatabase(Fund(connection=demo_fund.connection(path), sql=sql, encoding=encoding))
        outcome = database.unit("9901001")
        assert outcome.name == name
        assert outcome.values.get("name", "示范") == "示范"
        database.close()


def test_an_encoding_nobody_knows_is_refused_with_the_settings():
    with pytest.raises(ValueError, match="encoding = klingon"):
        Fund(encoding="klingon")


def test_the_page_for_database_people_names_every_column():
    page = (Path(__file__).parents[2] / "docs/fund.md").read_text("utf-8")
    assert [column for columns in COLUMNS.values() for column in columns if column not in page] == []
