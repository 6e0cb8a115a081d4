"""The fund database goes away and comes back while people call: whole calls, on SQLite and on a real PostgreSQL.

Whoever asks meanwhile hears that the system is busy; the next caller is served, and nobody has had to restart
anything. Calls that ask for nothing notice nothing.
"""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest
from hotline.drivers.line import RATE
from hotline.drivers.simulated.telephone import KeypadTelephone
from hotline.voice.recorder import part
from hotline.voice.wavefile import HEADER, WIDTH
from rig.house import NUMBER

ID = "990101198503070017"
ASK = f"!11{ID} wait:0.2 hangup"
BALANCE, BUSY = "一万两千三百四十五元六角七分", "系统繁忙"
FAST = {"on_ms": 50, "off_ms": 50}
NO_PIN = {"identity.pin": "off"}


@pytest.fixture
def postgres(running_postgres):
    """The server, running at the start and at the end."""
    yield running_postgres
    running_postgres.thaw()
    if not running_postgres.is_running():
        running_postgres.start()


@pytest.fixture
def on_postgres(house, postgres):
    """A service whose fund database is the server."""

    def make(**options):
        return house(**NO_PIN, **{"fund.connection": postgres.connection}, **options)

    return make


def spoken(home, script=ASK):
    return home.call(script, **FAST).spoken


def ring(home, line):
    """Somebody calls this line."""
    telephone = KeypadTelephone()
    home.service.phones()[line].exchange.call(telephone, NUMBER)
    return telephone


def until_answered(home):
    """Tick, work settled, until every line has a call."""
    while not all(seat.call for seat in home.service.board.seats):
        home.service.tick()


def until_waiting(home, telephone):
    """Tick, work settled, until the first line's call waits for this caller."""
    seat = home.service.board.seats[0]
    while not (telephone.idle and seat.call and seat.call.waits_for):
        home.service.tick()


def hang_up(home):
    """Everybody puts the receiver down; tick until all lines are at rest."""
    for line in home.service.phones():
        line.exchange.hang_up()
    while not home.at_rest():
        home.service.tick()


def test_an_sqlite_file_that_is_missing_comes_back(house):
    home = house(**NO_PIN)
    home.stop()
    file = home.state / "fund.sqlite"
    file.rename(away := home.state / "away.sqlite")
    home.start()
    assert BUSY in spoken(home)
    assert not file.exists()  # asking for it has not made an empty one
    away.rename(file)
    assert BALANCE in spoken(home)


def test_an_sqlite_file_that_somebody_keeps_to_himself(house):
    home = house(**NO_PIN, **{"fund.query_timeout": 0.1})
    other = sqlite3.connect(home.state / "fund.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert BUSY in spoken(home)
    other.execute("ROLLBACK")
    other.close()
    assert BALANCE in spoken(home)


def test_postgresql_stopped_during_a_call_and_started_again(on_postgres, postgres):
    home = on_postgres()
    assert BALANCE in spoken(home)

    telephone = ring(home, 0)
    telephone.keys("11", **FAST)
    told = []
    home.service.subscribe("L01", lambda entry: told.append(entry.text))
    until_waiting(home, telephone)
    postgres.stop()
    telephone.keys(ID, **FAST)
    while not any(BUSY in text for text in told):
        home.service.tick()
    until_waiting(home, telephone)  # the call goes on: the main menu
    hang_up(home)

    assert BUSY in spoken(home)
    postgres.start()
    assert BALANCE in spoken(home)


def test_a_frozen_server_holds_up_nobody_else(on_postgres, postgres):
    home = on_postgres(lines=2, **{"fund.deadline": 0.5})
    board, told = home.service.board, []
    home.service.subscribe("L01", lambda entry: told.append(entry.text))
    asking, listening = ring(home, 0), ring(home, 1)
    asking.keys(f"11{ID}", **FAST)
    until_answered(home)
    postgres.freeze()
    waited = 0
    while not any(BUSY in text for text in told):  # ticks go on, as fast as they can
        board.tick()
        waited += board.work.out
    assert waited > 10
    heard = listening.heard
    postgres.thaw()

    hang_up(home)
    undisturbed = ring(home, 1)
    while len(undisturbed.heard) < len(heard):
        home.service.tick()
    assert np.array_equal(heard, undisturbed.heard[: len(heard)])
    hang_up(home)
    assert BALANCE in spoken(home)


def test_a_recording_reaches_the_disk_while_everybody_waits_for_the_fund(on_postgres, postgres):
    lines = 20  # more than there are threads for anything else
    home = on_postgres(lines=lines, **{"fund.deadline": 60, "fund.connect_timeout": 60})
    board = home.service.board
    speaking = ring(home, 0)
    speaking.keys(f"611{ID}", **FAST)
    until_waiting(home, speaking)
    postgres.freeze()
    for line in range(1, lines):
        ring(home, line).keys(f"11{ID}", **FAST)
    until_answered(home)
    speaking.say((np.random.default_rng(1).standard_normal(60 * RATE) * 3000).astype(np.int16))
    while board.work.out < lines - 1:
        board.tick()
    take = board.seats[0].take
    begun = take.samples
    while part(take.path).stat().st_size < HEADER + WIDTH * (begun + RATE):
        board.tick()
    assert board.work.out >= lines - 1  # all of them still wait
    postgres.thaw()
    hang_up(home)
