"""A crowd of callers against the whole service over AudioSocket, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hotline.config.settings import Line
from hotline.daemon import crowd, demo, load
from hotline.daemon.crowd import Crowd
from hotline.daemon.load import Step
from hotline.drivers.audiosocket.caller import CallError
from rig.asterisk import arrived, free_port, one_processor
from rig.house import House

TICK = 0.02
SECOND = 50  # ticks
SCRIPT = "!1 !1 990101198503070017 135790"


@pytest.fixture(scope="module")
def steps(demo_state: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    return load.rehearse(demo.prepare(demo_state).settings, SCRIPT, tmp_path_factory.mktemp("rehearsed"))


class Hall:
    """A service with two Asterisk lines, and a crowd that calls it."""

    def __init__(self, steps: list[Step], original: Path, folder: Path, callers: int = 2) -> None:
        self.port = free_port()
        row = Line.model_validate({"driver": "audiosocket", "count": 2, "port": self.port})
        self.home = House(original, folder, rows={"trunk": row})
        self.crowd = Crowd([("127.0.0.1", self.port)], steps, callers)
        self.now = 0.0

    def tick(self, new_calls: bool) -> None:
        for quarter in range(crowd.QUARTERS):
            self.crowd.speak(quarter, self.now, new_calls)
        arrived()
        self.home.service.tick()
        arrived()
        self.crowd.listen(self.now)
        self.now += TICK


@pytest.fixture
def hall(steps: list[Step], demo_state: Path, tmp_path: Path) -> Iterator[Callable[..., Hall]]:
    made: list[Hall] = []

    def make(**options: int) -> Hall:
        made.append(Hall(steps, demo_state, tmp_path / "state", **options))
        return made[0]

    with one_processor():
        yield make
        for each in made:
            each.crowd.close(each.now)
            each.home.stop()


def test_everybody_hears_what_was_rehearsed(hall: Callable[..., Hall], steps: list[Step]) -> None:
    here = hall()
    while here.crowd.tally.calls < 3:
        here.tick(new_calls=True)
    while here.crowd.up:
        here.tick(new_calls=False)
    tally = here.crowd.tally
    assert not tally.faults
    assert tally.gaps == 0
    assert here.crowd.most == 2
    assert tally.calls >= 3
    assert len(tally.delays) == tally.calls * (len(steps) - 1)
    assert max(tally.delays) <= 0.12


def test_who_finds_no_line_is_a_failed_call(hall: Callable[..., Hall]) -> None:
    here = hall(callers=3)
    while not here.crowd.tally.faults:
        here.tick(new_calls=True)
    assert dict(here.crowd.tally.faults) == {"接通后掉线": 1}
    assert here.crowd.most == 3


def test_a_service_that_ends_fails_every_call_that_is_up(hall: Callable[..., Hall]) -> None:
    here = hall()
    for _ in range(3 * SECOND):
        here.tick(new_calls=True)
    for seat in here.home.service.board.seats:
        seat.line.close()
    arrived()
    while here.crowd.up:
        here.crowd.listen(here.now)
    assert here.crowd.tally.faults.total() == 2
    for seat in here.home.service.board.seats:
        seat.line.open()


def test_a_call_still_up_at_the_end_has_failed(hall: Callable[..., Hall]) -> None:
    here = hall()
    for _ in range(SECOND):
        here.tick(new_calls=True)
    here.crowd.close(here.now)
    assert dict(here.crowd.tally.faults) == {"接通后没有按时结束": 2}


def test_nobody_listens_there(steps: list[Step]) -> None:
    nobody = Crowd([("127.0.0.1", free_port())], steps, 1)
    with pytest.raises(CallError, match="连不上"):
        nobody.speak(0, 0.0, new_calls=True)
    nobody.close(0.0)


def test_pages_that_cannot_be_reached_say_nothing() -> None:
    assert crowd.engines("127.0.0.1", free_port()) == []
