"""Whole calls over a sound card: PulseAudio, ALSA, PortAudio, the driver's process, the service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hotline.config.settings import Line
from hotline.daemon.call_state import State
from hotline.daemon.rehearsal import Rehearsal
from hotline.daemon.service import Service
from hotline.drivers.line import HookState
from rig.house import EPOCH, NUMBER, PIN, House
from rig.pulse import Interface, SoundServer, running

ID = "990101198503070017"
BALANCE = f"!11{ID} !{PIN}"  # into the prompts: what is not said costs no time, which is half real here
FAST = {"on_ms": 50, "off_ms": 50}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoundServer]:
    yield from running(tmp_path_factory.mktemp("sound"))


class SoundHouse(House):
    """A service with a sound card line before its simulated one; `tick` is one of both worlds."""

    def __init__(self, original: Path, state: Path, server: SoundServer) -> None:
        self.interface = Interface(server)
        super().__init__(original, state)

    def start(self) -> None:
        keys = {"device": "line-in", "output": "line-out", "hook": "exchange://cable", "hears_on_hook": True}
        sound = Line.model_validate({"driver": "sound"} | keys)
        self.settings = self.settings.model_copy(update={"lines": {"声卡": sound} | self.settings.lines})
        self.service = Service(self.settings, virtual=True, epoch=EPOCH)
        self.line = self.interface.line = self.service.board.seats[0].line
        self.line.exchange = self.interface.exchange
        with self.interface.fed():
            self.service.open()

    def stop(self) -> None:
        super().stop()
        self.interface.close()

    def tick(self) -> None:
        """Real time is spent only where there is a device that may say something."""
        self.service.tick()
        if not self.line._device.fault:
            self.interface.tick()

    def calling(self, script: str) -> Rehearsal:
        """A caller on the sound card."""
        rehearsal = Rehearsal(self.service, self.line, script, NUMBER, **FAST)
        self.interface.telephone = rehearsal._telephone
        return rehearsal

    def until_over(self, rehearsal: Rehearsal) -> None:
        for _ in range(120 * 50):
            self.tick()
            rehearsal.step()
            if rehearsal.over:
                self.service.board.work.settle()
                self.service.journal.flush()
                return
        raise AssertionError("the call does not end")


@pytest.fixture
def home(demo_state: Path, tmp_path: Path, server: SoundServer) -> Iterator[SoundHouse]:
    server.start()
    house = SoundHouse(demo_state, tmp_path / "state", server)
    yield house
    house.stop()


def test_a_whole_call(home: SoundHouse) -> None:
    """Ring, number in FSK, menu, ID, PIN, balance, `*` back to the menu, the busy tone after the caller has gone."""
    from hotline.desk.models import Call

    call = home.calling(f"{BALANCE} !* !*")
    home.until_over(call)
    assert "余额" in call.told.spoken
    menus = [entry for entry in call.told.entries if entry.who == "系统" and entry.text.startswith("查询")]
    assert menus
    record = Call.objects.get()
    assert (record.line, record.cause, record.caller_number) == ("声卡", "caller", NUMBER)
    assert record.steps.filter(kind="note", detail__contains="忙音").exists()
    assert home.line.late_frames < 10, "on a busy machine a frame may be late, but the call is not full of holes"


def test_the_sound_server_is_killed_in_a_call(home: SoundHouse, server: SoundServer) -> None:
    """The call ends, its record says why, a call on another line goes on, and the line comes back."""
    from hotline.desk.models import Call

    call = home.calling(f"{BALANCE} wait:60")
    while home.service.board.seats[0].call is None or home.interface.exchange.state.value != "talking":
        home.tick()
        call.step()
    other = Rehearsal(home.service, home.service.phones()[0], BALANCE, NUMBER)
    for _ in range(20):
        home.tick()
        call.step()
        other.step()
    server.kill()
    home.interface.telephone.wait(60)
    home.until_over(other)
    assert "余额" in other.told.spoken
    assert home.service.board.seats[0].state is State.DEAD
    assert home.line.state is HookState.ON_HOOK
    record = Call.objects.get(line="声卡")
    assert record.cause == "fault"
    assert record.steps.filter(kind="note", detail__contains="声卡没有声音传来").exists()
    assert home.service.phones()[0].late_frames == 0

    home.interface.hang_up()
    home.interface.plug()
    while home.service.board.seats[0].alarm is not None:
        home.tick()
    again = home.calling("!7")
    home.until_over(again)
    assert Call.objects.filter(line="声卡").order_by("started_at").last().cause == "exit"
