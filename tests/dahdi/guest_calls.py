"""In the virtual machine: whole calls over real DAHDI channels, and what is left of them when line or card goes."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from hotline.config.settings import Line
from hotline.daemon.caller import ScriptedCaller, parse
from hotline.drivers.dahdi import abi
from hotline.drivers.line import HookState
from hotline.dsp import callerid
from rig import dahdi
from rig.house import PIN, House
from rig.line_contract import SECOND

NORMAL = "990101198503070017"
NUMBER = "13912345678"
BALANCE = "一万两千三百四十五元六角七分"
SENDTONE = abi.request(1, 21, abi.INT)
TONE_BUSY = 1
LONGEST = 120 * SECOND
TICK = 0.02  # seconds


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A service on two exchange lines, kewl start and loop start; its demo data were made by the host."""
    rows = {"外线1": Line(driver="dahdi", rings=2, channel=1), "外线3": Line(driver="dahdi", rings=2, channel=3)}
    made = House(Path(os.environ["OUT"]) / "state", tmp_path_factory.mktemp("house") / "state", rows=rows)
    made.warm_up()
    yield made
    made.stop()


class Call:
    """A caller on one line, keying a script; the exchange's clock paces the service."""

    def __init__(self, house, line, channel, script):
        self.service = house.service
        self.seat = self.service.board.seats[line]
        self.party = dahdi.Exchange(channel)
        self.entries = []
        self.slowest = 0.0  # seconds the line's `read` took at most
        self._script = parse(script)
        self._caller = None
        self._unwatch = self.service.subscribe(self.seat.line.name, self.entries.append)

        self._read = self.seat.line.read

    def _timed_read(self, frame):
        began = time.monotonic()
        self._read(frame)
        self.slowest = max(self.slowest, time.monotonic() - began)

    def __enter__(self):
        self.seat.line.read = self._timed_read
        message = callerid.mdmf(NUMBER)
        self.party.ring(NUMBER, np.clip(callerid.modulate(message), -32768, 32767).astype(np.int16))
        return self

    def __exit__(self, *_):
        del self.seat.line.read
        self._unwatch()
        self.party.close()

    def tick(self):
        self.service.tick()
        if self.party.connected:
            if self._caller is None:
                self._caller = ScriptedCaller(self._script, self.party, self.party.telephone, on_ms=60, off_ms=60)
            self._caller.step(self.seat.call)
        self.party.tick()

    def until(self, condition):
        for _ in range(LONGEST):
            if condition():
                return
            self.tick()
        raise AssertionError(f"it never happened; said so far: {self.entries}")

    def until_over(self):
        self.until(lambda: self.seat.call is not None)
        self.until(lambda: self.seat.call is None and self.seat.line.state is HookState.ON_HOOK)
        self.service.board.work.settle()
        self.service.journal.flush()

    @property
    def record(self):
        """Its row in the records."""
        from hotline.desk.models import Call

        return Call.objects.get(pk=self.entries[0].call)

    def key_was_heard(self):
        return any(entry.who == "按键" for entry in self.entries)

    @property
    def spoken(self):
        return "\n".join(entry.text for entry in self.entries if entry.who == "系统")


def test_a_balance_enquiry_over_kewl_start(house):
    """Rings, who calls, menu, ID, PIN, balance, one level up, and the receiver is put down."""
    with Call(house, 0, 5, f"!1 !1 {NORMAL}# !{PIN} !* wait:1 hangup") as call:
        call.until_over()
        heard = call.spoken.splitlines()
        assert BALANCE in heard[-2]
        assert heard[-1] == heard[1], "the menu it was asked from"
        assert call.record.caller_number == NUMBER
        assert call.record.cause == "caller"


def test_over_loop_start_busy_tone_ends_the_call(house):
    with Call(house, 1, 7, "!1 wait:60") as call:
        call.until(lambda: call.key_was_heard())
        call.party.connected = False  # what a telephone writes would break the tone off
        call.party.port._call(SENDTONE, struct.pack("i", TONE_BUSY))
        call.until_over()
        assert call.record.caller_number == NUMBER
        assert call.record.cause == "caller"


SCRIPT = f"!1 !1 {NORMAL}# !{PIN} wait:60"
# Where a call stands, by the words it has heard and keyed.
STATES = {
    "ringing": lambda call: call.seat.line.state is HookState.RINGING,
    "menu": lambda call: call.spoken,
    "keying": lambda call: call.seat.call is not None and call.seat.call.waits_for,
    "read-out": lambda call: BALANCE in call.spoken,
}


@pytest.mark.parametrize(
    ("lost", "state"),
    [
        ("line", "ringing"),
        ("line", "menu"),
        ("line", "keying"),
        ("line", "read-out"),
        ("card", "ringing"),
        ("card", "menu"),
    ],
)
def test_a_line_that_is_lost_ends_its_call_and_comes_back(house, lost, state):
    with Call(house, 0, 5, SCRIPT) as call:
        call.until(lambda: STATES[state](call))
        talking = call.seat.call is not None
        if lost == "line":
            call.party.unplug()
        else:
            card = dahdi.remove_card()
        call.until(lambda: call.seat.alarm is not None)
        call.until(lambda: call.seat.call is None)
        house.service.board.work.settle()
        house.service.journal.flush()
        assert call.seat.line.state is HookState.ON_HOOK
        assert (call.record.cause == "fault") if talking else not call.entries
        if lost == "line":
            call.party.plug()
        else:
            dahdi.put_card_back(card)
        call.until(lambda: call.seat.alarm is None)
        # The kernel lets who touches a card that has gone sleep, and this one's clock ticks every 4 ms.
        assert call.slowest < TICK, "no other line may miss a tick"
