"""Scripted calls against the whole service, in virtual time: `hotline call`, and most tests.

Everything is real but the hardware: sound goes both ways through a simulated exchange line, keys are
recognised by the detector, data come over ODBC, records go into the database.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .. import desk
from ..config.settings import Line, Settings
from ..drivers.line import FRAME, HookState
from ..drivers.simulated.line import SimulatedLine
from ..drivers.simulated.telephone import KeypadTelephone, Said
from .call import ticks
from .caller import ScriptedCaller, parse
from .journal import Entry
from .service import Service

Samples = npt.NDArray[np.int16]

LONGEST = ticks(3600)  # a rehearsed call that has not ended by then never will


@dataclass
class Told:
    """What one rehearsed call left: its transcript, and both directions of sound on one axis of samples."""

    entries: list[Entry] = field(default_factory=list)
    heard: Samples = field(default_factory=lambda: np.zeros(0, np.int16))
    said: list[Said] = field(default_factory=list)
    answered: int = -1  # sample at which the service went off hook; -1: not yet

    @property
    def spoken(self) -> str:
        """All the service said, a line a prompt."""
        return "\n".join(entry.text for entry in self.entries if entry.who == "系统")


class Rehearsal:
    """One call in progress; `step` once after every tick of the service."""

    def __init__(
        self, service: Service, line: SimulatedLine, script: str, number: str | None, speech: Samples | None = None,
        **keying: float,
    ) -> None:  # fmt: skip
        """Raises ScriptError. `keying` is passed to KeypadTelephone.keys: on_ms, off_ms, level_dbm0 ..."""
        self.told = Told()
        self.over = False
        self._line = line
        self._seat = next(seat for seat in service.board.seats if seat.line is line)
        self._telephone = KeypadTelephone()
        if speech is not None:
            self._telephone.say(speech)
        self._caller = ScriptedCaller(parse(script), line.exchange, self._telephone, **keying)
        self._unwatch = service.subscribe(line.name, self.told.entries.append)
        line.exchange.call(self._telephone, number)

    def step(self) -> None:
        """Let the caller act on what this tick brought."""
        if self.over:
            return
        if self._seat.call is not None and self.told.answered < 0:
            self.told.answered = self._telephone.position - FRAME
        self._caller.step(self._seat.call)
        if self.told.answered >= 0 and self._seat.call is None and self._line.state is HookState.ON_HOOK:
            self.over = True
            self.told.heard, self.told.said = self._telephone.heard.copy(), self._telephone.said
            self._line.exchange.hang_up()
            self._unwatch()


def run(service: Service, rehearsals: Sequence[Rehearsal]) -> None:
    """Tick until every call is over. Raises RuntimeError when one does not end within an hour of line time."""
    for _ in range(LONGEST):
        service.tick()
        for rehearsal in rehearsals:
            rehearsal.step()
        if all(rehearsal.over for rehearsal in rehearsals):
            service.board.work.settle()
            service.journal.flush()
            return
    raise RuntimeError("the call does not end")


def call(settings: Settings, script: str, number: str | None, speech: Samples | None, state: Path) -> Told:
    """One call on one simulated line of a service made for it, which works on a copy of the state in `state`: a
    rehearsal is on nobody's record, and disturbs no service that is running.

    Raises ScriptError and what Service raises.
    """
    _copy_state(settings.service.state, state)
    lines = {"电话": Line(driver="simulated", rings=2)}
    ours = {
        "lines": lines,
        "service": settings.service.model_copy(update={"state": state, "engines": 1}),
        "recording": settings.recording.model_copy(update={"folder": Path("recordings")}),
    }
    service = Service(settings.model_copy(update=ours), virtual=True)
    service.open()
    try:
        rehearsal = Rehearsal(service, service.phones()[0], script, number, speech)
        run(service, [rehearsal])
    finally:
        service.close()
    return rehearsal.told


def _copy_state(state: Path, copy: Path) -> None:
    """What calls need of a centre's state: keys, own prompts, and the database as it is at this moment."""
    copy.mkdir(parents=True, exist_ok=True)
    for folder in ("keys", "prompts"):
        if (state / folder).is_dir():
            shutil.copytree(state / folder, copy / folder)
    database = state / desk.DATABASE
    if database.is_file():
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy / desk.DATABASE)) as target:
            source.backup(target)
