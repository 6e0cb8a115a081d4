"""A whole service in virtual time, on demo data, for tests that call it."""

from __future__ import annotations

import gc
import shutil
from datetime import datetime, timedelta, timezone
from threading import Barrier

from hotline import desk
from hotline.config.settings import Line
from hotline.daemon import demo
from hotline.daemon.rehearsal import Rehearsal, run
from hotline.daemon.service import Service

EPOCH = datetime(2026, 11, 20, 9, 0, tzinfo=timezone(timedelta(hours=8)))
PIN = "135790"
NUMBER = "13900000000"


def template(folder):
    """Demo data made once; every house gets a copy."""
    demo.prepare(folder)
    return folder


class House:
    """A service and as many callers as it has lines."""

    def __init__(self, original, state, lines=1, line=None, rows=None, epoch=EPOCH, **overrides):
        if original != state:  # the same: go on where a service before this one ended
            shutil.copytree(original, state, dirs_exist_ok=True)
        settings = demo.prepare(state, **overrides).settings
        simulated = {"driver": "simulated", "rings": 2} | (line or {})
        rows = rows or {f"L{i:02d}": Line(**simulated) for i in range(1, lines + 1)}
        self.state = state
        self.settings = settings.model_copy(update={"lines": rows})
        self.epoch = epoch
        self.start()

    def start(self):
        self.service = Service(self.settings, virtual=True, epoch=self.epoch)
        self.service.open()

    def stop(self):
        self.service.close()
        self.service.site.records.close()  # the connection of the test's own thread
        gc.collect()  # those of threads that have ended: Django's connections hold on to themselves

    def warm_up(self):
        """Start every thread and connection a call may need: what a test finds running is not what it left."""
        board = self.service.board
        for lane, count in board.work.threads.items():
            everybody = Barrier(count)
            for _ in range(count):
                board.background("thread", everybody.wait, lane=lane)
        board.work.settle()
        self.service.site.fund.account("id_number", "990101198503070017")

    def point(self):
        """Make this the house whose records the process reads, after another one was."""
        desk.point(self.state, recordings=self.settings.recordings())

    def call(self, script, line=0, number=NUMBER, speech=None, **keying):
        """One call to its end; what was said and heard."""
        rehearsal = Rehearsal(self.service, self.service.phones()[line], script, number, speech, **keying)
        run(self.service, [rehearsal])
        return rehearsal.told

    def calls(self, scripts, number=NUMBER):
        """One call on each line, all at once."""
        lines = self.service.phones()
        rehearsals = [
            Rehearsal(self.service, line, script, number) for line, script in zip(lines, scripts, strict=True)
        ]
        run(self.service, rehearsals)
        return [rehearsal.told for rehearsal in rehearsals]

    def at_rest(self):
        """Whether nothing is left of any call."""
        board = self.service.board
        return (
            all(seat.call is None and seat.take is None and seat.state.value == "idle" for seat in board.seats)
            and all(seat.line.state.value == "on-hook" for seat in board.seats)
            and board.work.out == 0
            and not any(board.playout.playing(i) for i in range(len(board.seats)))
        )
