"""A desk for tests: real SQLite files, migrated once a run and copied.

Import this before any model: Django lets itself be imported only once it has been set up.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hotline import desk

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)  # noon in Shanghai
SOMEBODY = "990101198503070017"

_empty = Path(tempfile.mkdtemp(prefix="hotline-desk-"))
atexit.register(shutil.rmtree, _empty, ignore_errors=True)
desk.setup(_empty)


def close() -> None:
    """Close this thread's connection to the database."""
    from django.db import connections

    connections.close_all()


def fresh(state: Path) -> None:
    """Make `state` the folder of an empty desk and point the process at it; some 10 ms."""
    from django.db import connections

    shutil.copytree(_empty, state)
    desk.point(state)
    # No test cuts the power, and a disk shared with other tests takes its time over every fsync.
    connections.settings["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"


close()
