from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from hotline import desk
from hotline.desk import database, keys
from hotline.desk.errors import DatabaseUnavailable, DatabaseUrlError, KeyMissing


def test_no_url_is_sqlite_in_the_state_folder(tmp_path):
    entry = database.parse("", tmp_path)
    assert entry["NAME"] == str(tmp_path / "hotline.sqlite3")
    assert entry["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_a_url_names_engine_server_and_options():
    entry = database.parse("postgresql://hot%40line:p%2Fw@db.local:5433/hotline?sslmode=require", Path())
    assert (entry["ENGINE"], entry["NAME"]) == ("django.db.backends.postgresql", "hotline")
    assert (entry["USER"], entry["PASSWORD"], entry["HOST"], entry["PORT"]) == ("hot@line", "p/w", "db.local", 5433)
    assert entry["OPTIONS"] == {"connect_timeout": 3, "sslmode": "require"}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgres://u:secret@h/db", "不认识“postgres”"),
        ("postgresql://u:secret@h", "缺少库名"),
        ("postgresql://u:secret@h:70000/db", "端口"),
    ],
)
def test_a_bad_url_is_refused_without_repeating_its_password(url, said):
    with pytest.raises(DatabaseUrlError, match=said) as caught:
        database.parse(url, Path())
    assert "secret" not in str(caught.value)


def test_sqlite_runs_with_the_promised_options(state):
    desk.setup(state)
    with connection.cursor() as cursor:
        found = [
            cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]


def test_keys_come_with_a_new_database_and_are_never_made_again(state):
    desk.setup(state)
    (state / "keys" / keys.PIN).unlink()
    with pytest.raises(KeyMissing, match=r"pin\.key"):
        desk.setup(state)


def test_a_database_that_cannot_be_opened_is_said_with_its_place(state, tmp_path):
    (tmp_path / "other" / "hotline.sqlite3").mkdir(parents=True)
    with pytest.raises(DatabaseUnavailable, match=r"热线数据库 .*/other/hotline.sqlite3: unable to open"):
        desk.setup(tmp_path / "other")
    with pytest.raises(DatabaseUnavailable, match=r"热线数据库 127.0.0.1:9/hotline: ") as caught:
        desk.setup(tmp_path / "third", "postgresql://u:secret@127.0.0.1:9/hotline")
    assert "secret" not in str(caught.value)


def test_a_process_can_be_pointed_at_another_folder(records, state, tmp_path):
    from datetime import UTC, datetime
    from uuid import uuid4

    from hotline.desk.models import Call

    at = datetime(2026, 11, 20, tzinfo=UTC)
    records.call_started(uuid4(), "line1", None, at)
    desk.setup(tmp_path / "other")
    assert Call.objects.count() == 0
    desk.setup(state)
    assert Call.objects.count() == 1


def test_a_new_process_sets_itself_up(tmp_path):
    """From nothing to usable in one call, with no file outside the state folder."""
    code = (
        "import sys, pathlib; from hotline import desk; desk.setup(pathlib.Path(sys.argv[1]));"
        "print(desk.open_records().branches())"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HOTLINE", "DJANGO"))}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "state")], capture_output=True, text=True, cwd=tmp_path, env=clean
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
