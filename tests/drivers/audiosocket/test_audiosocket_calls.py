"""Whole calls over AudioSocket, the real service behind them, in virtual time; and what ends them."""

from __future__ import annotations

import socket
from uuid import uuid4

import numpy as np
import pytest
from hotline.config.settings import Line as Section
from hotline.daemon.caller import parse
from hotline.daemon.remote import RemoteCaller
from hotline.drivers.audiosocket import agi
from hotline.drivers.audiosocket.caller import Caller
from hotline.dsp import generate
from rig.asterisk import Script, arrived, free_port
from rig.house import NUMBER, PIN, House, template

ID = "990101198503070017"
BALANCE = "一万两千三百四十五元六角七分"
SECOND = 50  # ticks


@pytest.fixture(scope="module")
def demo_state(tmp_path_factory):
    return template(tmp_path_factory.mktemp("demo") / "state")


class Hall:
    """A service with AudioSocket lines and those who call it."""

    def __init__(self, original, folder, lines=1, **overrides):
        self.port = free_port()
        rows = {"asterisk": Section(driver="audiosocket", count=lines, port=self.port)}
        self.home = House(original, folder, rows=rows, **overrides)
        self.service = self.home.service
        self.said = []
        for seat in self.service.board.seats:
            self.service.subscribe(seat.line.name, self.said.append)

    @property
    def texts(self):
        return "\n".join(entry.text for entry in self.said)

    def tick(self):
        arrived()
        self.service.tick()
        arrived()

    def call(self, script, number=NUMBER):
        """A caller as he stands after the hand-over."""
        uuid = uuid4()
        announcement = Script(("127.0.0.1", self.port), agi.request("arrive", (str(uuid), ""), number, "12329"))
        while not announcement.over:
            self.tick()
            announcement.step()
        return RemoteCaller(parse(script), Caller("127.0.0.1", self.port, uuid))

    def run(self, *callers, until=None, limit=240):
        for _ in range(limit * SECOND):
            if all(caller.over for caller in callers) or (until is not None and until()):
                return
            self.tick()
            for caller in callers:
                if not caller.over:
                    caller.step()
        raise AssertionError([caller.entries for caller in callers])

    def at_rest(self):
        for _ in range(60 * SECOND):
            if self.home.at_rest():
                break
            self.tick()
        self.service.journal.flush()

    def last_cause(self):
        from hotline.desk.models import Call

        return Call.objects.latest("started_at").cause


@pytest.fixture
def hall(demo_state, tmp_path):
    made = []

    def make(**options):
        made.append(Hall(demo_state, tmp_path / f"state{len(made)}", **options))
        return made[-1]

    yield make
    for each in made:
        each.home.stop()


def test_a_balance_from_the_announcement_to_the_end(hall):
    from hotline.desk.models import Call

    home = hall()
    caller = home.call(f"1 !1 {ID} !{PIN} !*")
    home.run(caller)
    home.at_rest()
    assert BALANCE in home.texts
    assert Call.objects.get().caller_number == NUMBER
    assert caller.over == "hung up"
    assert home.last_cause() == "caller"
    spoken = [entry.at for entry in caller.entries if entry.text == "开始说话"]
    assert len(spoken) >= 5, "the main menu, the account menu, two questions, the read-out"
    assert spoken[0] < 0.2, "answered at once, whatever `rings` says"


def test_busy_tone_in_the_sound_ends_the_call_and_the_dialplan_gets_it_back(hall):
    home = hall()
    caller = home.call("!1 !* wait:60")
    home.run(caller, until=lambda: not caller._script)
    caller.telephone._queue.clear()
    caller.telephone.say(np.tile(np.concatenate((generate.tone(450, 350), np.zeros(2800, np.int16))), 40))
    home.run(caller)
    home.at_rest()
    assert caller.over == "Asterisk 说通话结束"
    assert "忙音" in home.texts
    assert home.last_cause() == "caller"


def test_eight_callers_at_once(hall):
    home = hall(lines=8, **{"identity.pin": "off"})
    callers = [home.call(f"!1 !1 !{ID} wait:1 hangup") for _ in range(8)]
    home.run(*callers)
    home.at_rest()
    assert home.texts.count(BALANCE) == 8


# What the caller is about when his connection is gone: what he keys, and how that is seen at the seat.
SITUATIONS = {
    "main menu": ("wait:20", lambda seat: seat.call is not None),
    "the ID": (
        f"!1 !1 !{ID[:6]} wait:20",
        lambda seat: seat.call and len(seat.call.node or "") and seat.call.waits_for,
    ),
    "a recording": (f"!6 !1 !1 !{ID} wait:40", lambda seat: seat.take is not None),
}


@pytest.mark.parametrize(
    ("situation", "how"),
    [("main menu", "closed"), ("the ID", "half a message"), ("a recording", "reset"), ("a recording", "closed")],
)
def test_gone_in_the_midst(hall, situation, how):
    home = hall()
    script, reached = SITUATIONS[situation]
    caller = home.call(script)
    home.run(caller, until=lambda: len(caller._script) == 0 and reached(home.service.board.seats[0]))
    connection = caller._caller._socket
    if how == "half a message":
        connection.send(b"\x10\x01\x40" + bytes(100))
    if how == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    caller.hang_up()
    home.at_rest()
    assert home.home.at_rest()
    assert home.last_cause() == "caller"
    again = home.call("wait:1 hangup")
    home.run(again)
    home.at_rest()
    assert home.last_cause() == "caller"


def test_the_socket_breaks_in_a_call_and_is_opened_again(hall):
    home = hall(lines=2)
    caller = home.call("wait:30")
    home.run(caller, until=lambda: caller._now > 5 * SECOND)
    home.service.board.seats[0].line.server._listener.shutdown(socket.SHUT_RDWR)
    home.run(caller)
    home.service.journal.flush()
    assert home.last_cause() == "fault"
    assert all(seat.alarm for seat in home.service.board.seats)
    for _ in range(2 * SECOND):
        home.tick()
    assert not any(seat.alarm for seat in home.service.board.seats)
    home.run(home.call("wait:1 hangup"))
    home.at_rest()
    assert home.last_cause() == "caller"


def test_transfer_back_to_the_dialplan(hall):
    """What a dialog does when it hands a caller to people: it names the target and hangs up."""
    home = hall()
    caller = home.call("wait:60")
    home.run(caller, until=lambda: caller._now > 2 * SECOND)
    (seat,) = home.service.board.seats
    seat.line.transfer("agents")
    seat.call.end("exit")
    home.run(caller)
    question = Script(("127.0.0.1", home.port), agi.request("leave", (str(caller._caller.uuid), "")))
    while not question.over:
        home.tick()
        question.step()
    assert question.variable == ("HOTLINE_TARGET", "agents")
