"""Databases the daemon's tests talk to over ODBC."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hotline.daemon import demo_fund
from rig.postgres import Server


@pytest.fixture(scope="session")
def running_postgres() -> Iterator[Server]:
    server = Server()
    try:
        server.start()
        server.load(Path(str(demo_fund.SCRIPT)))
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo fund database as an SQLite file."""
    path = tmp_path_factory.mktemp("fund") / "fund.db"
    demo_fund.create(path)
    return path
