"""Services whose lines are simulated modems."""

from __future__ import annotations

import pytest
from rig.house import template
from rig.modems import ModemHouse


@pytest.fixture(scope="session")
def demo_state(tmp_path_factory):
    """A state folder with demo data, to be copied."""
    return template(tmp_path_factory.mktemp("demo") / "state")


@pytest.fixture
def modem_house(demo_state, tmp_path):
    """Make a service on simulated modems; keyword arguments are ModemHouse's."""
    made = []

    def make(**options):
        made.append(ModemHouse(demo_state, tmp_path / f"state{len(made)}", **options))
        return made[-1]

    yield make
    for each in made:
        each.stop()
