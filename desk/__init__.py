"""What people at the centre see and keep: records, votes, messages, PINs and the pages over them.

`setup` is the only way in. The daemon then asks `open_records()` for the one object it writes through,
the web process imports `hotline.desk.asgi`; both find their folder and database in the environment
that `setup` leaves behind, so a child process needs no arguments.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .records import Records

DATABASE = "hotline.sqlite3"  # in the state folder, unless a URL names another


def setup(state: Path, database: str = "", recordings: Path | None = None) -> None:
    """Point Django at `state` and bring the database up to date, making what is missing.

    state       folder of the hotline's own data; made when missing
    database    empty for SQLite in `state`, else a URL, see `database.parse`
    recordings  folder message paths are relative to; default `state`/voice/prop

    A second call with another folder re-points the process (tests do this); threads that still
    write for the first folder must have finished. Raises `errors.DeskError`: `KeyMissing` when the
    database's keys are gone, `DatabaseUrlError` for a URL nobody understands, `DatabaseUnavailable`.
    """
    point(state, database, recordings)

    from .database import migrate

    migrate()


def point(state: Path, database: str = "", recordings: Path | None = None) -> None:
    """`setup` for a folder known to be up to date: nothing is looked at or made but the folder and web.key."""
    state = state.resolve()
    os.environ["DJANGO_SETTINGS_MODULE"] = "hotline.desk.settings"
    os.environ["HOTLINE_STATE"] = str(state)
    os.environ["HOTLINE_DATABASE"] = database
    os.environ["HOTLINE_RECORDINGS"] = str(recordings.resolve() if recordings else state / "voice" / "prop")
    state.mkdir(parents=True, exist_ok=True)

    import django
    from django.apps import apps

    from .pointing import point_again

    if apps.ready:
        point_again()
    else:
        django.setup()


def open_records(machine: str = "") -> Records:
    """The daemon's side of the desk. `machine` tells apart machines that share one database."""
    from .records import Records

    return Records(machine)
