"""The demo fund database: config/demo/fund.sql in an SQLite file, and the settings that read it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path

from ..config.settings import Fund, FundSql

SCRIPT = files("hotline.config") / "demo" / "fund.sql"
SQL = FundSql(
    account="SELECT zjhm, grzh, jzny, yjce, grzhye, grzhzt FROM v_ivr_gjj WHERE zjhm IN (?, ?, ?, ?)",
    account_by_number="SELECT zjhm, grzh, jzny, yjce, grzhye, grzhzt FROM v_ivr_gjj WHERE grzh = ?",
    loan="SELECT zjhm, dkzh, dkqs, yhqs, dkye, dqyhje, ydhkr, dkzhzt FROM v_ivr_dk WHERE zjhm IN (?, ?, ?, ?)",
    unit="SELECT dwzh, dwmc, dwzhzt, dwjcrs, dwzhye, jzny FROM v_ivr_dw WHERE dwzh = ?",
)


def create(path: Path) -> None:
    """Make the file anew, in one step: whoever has the old one open keeps reading the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".part")
    fresh.unlink(missing_ok=True)
    with closing(sqlite3.connect(fresh)) as database:
        database.executescript(f"BEGIN; {SCRIPT.read_text('utf-8')} COMMIT;")
    os.replace(fresh, path)


def connection(path: Path) -> str:
    """The ODBC connection string of the file; the driver's name is Debian's libsqliteodbc."""
    return f"Driver=SQLite3;Database={path.absolute()}"


def settings(path: Path) -> Fund:
    """The [fund] section that reads the file."""
    return Fund(connection=connection(path), sql=SQL)
