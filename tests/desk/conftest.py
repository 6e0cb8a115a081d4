"""What tests of the desk start from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from rig import desk as rig  # first: it sets Django up

from django.contrib.auth.models import Group, User  # isort: skip
from django.test.client import Client, ClientHandler  # isort: skip

from hotline import desk
from hotline.desk.records import Records

HANDLER = ClientHandler(enforce_csrf_checks=False)  # one for all: a new one looks up every static file again


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """The folder of an empty desk, where hashing a PIN costs next to nothing."""
    from django.conf import settings

    folder = tmp_path / "state"
    rig.fresh(folder)
    cost, settings.PIN_WORK_FACTOR = settings.PIN_WORK_FACTOR, 2**4
    yield folder
    settings.PIN_WORK_FACTOR = cost
    rig.close()


@pytest.fixture
def records(state: Path) -> Records:
    return desk.open_records()


@pytest.fixture
def call(records: Records) -> UUID:
    """A call in progress on line1."""
    call_id = uuid4()
    records.call_started(call_id, "line1", "13900000001", rig.NOON)
    return call_id


@pytest.fixture
def login(state: Path) -> Callable[[str], Client]:
    """A browser in which somebody of this role is logged in; "superuser" is one without a role."""

    def login(role: str) -> Client:
        user = User.objects.create_user(f"user-{role}", is_staff=True, is_superuser=role == "superuser")
        if role != "superuser":
            user.groups.add(Group.objects.get(name=role))
        client = Client(SERVER_NAME="localhost")
        client.handler = HANDLER
        client.force_login(user)
        return client

    return login
