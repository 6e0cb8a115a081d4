"""Databases the daemon's tests talk to over ODBC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hotline.daemon import demo_fund
from rig.house import House, template
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


@pytest.fixture(scope="session")
def demo_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with demo data, to be copied."""
    return template(tmp_path_factory.mktemp("demo") / "state")


@pytest.fixture
def house(demo_state: Path, tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Make a service on demo data; keyword arguments are House's."""
    made: list[House] = []

    def make(**options: object) -> House:
        made.append(House(demo_state, tmp_path / f"state{len(made)}", **options))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture(scope="module")
def shared_house(demo_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A service for all tests of a module. It answers at once, so it never learns who calls."""
    house = House(demo_state, tmp_path_factory.mktemp("city") / "state", line={"rings": 1})
    house.warm_up()
    yield house
    house.stop()


@pytest.fixture
def city(shared_house: House) -> House:
    """The city flow on demo data, for tests that change nothing others rely on."""
    shared_house.point()
    return shared_house
