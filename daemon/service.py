"""The whole service put together from its settings: lines, switchboard, prompts, databases, records.

One object for the real thing and for tests: `tick` is 20 ms of every line. In virtual time it first
waits for work that is out in threads, so that the same calls end the same way on any machine.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from .. import desk, drivers
from ..config import tones
from ..config.settings import Settings, SettingsError
from ..drivers import Share
from ..drivers.simulated.line import SimulatedLine
from ..voice import recordings
from ..voice.catalogue import Catalogue
from ..voice.library import Library
from ..voice.synthesis import Voice
from . import dialog as interpreter
from . import engines, menu_page
from .call import TICKS_PER_SECOND, ticks
from .claim import claim
from .fund import FundDatabase
from .journal import Clock, Entry, Journal
from .pulse import Figures, Pulse
from .site import Pins, Site
from .switchboard import Switchboard
from .upkeep import Upkeep, load_dialog
from .web_call import LineState

log = logging.getLogger(__name__)

LOOK_EVERY = ticks(10)  # ticks between two looks whether somebody has changed a prompt or a menu
LOOK_APART = ticks(1)  # and at least so many, however many calls come: a look asks the database some questions


class Service:
    """All of it; `open`, then `tick` fifty times a second, then `close`."""

    def __init__(
        self, settings: Settings, virtual: bool = False, epoch: datetime | None = None, share: Share | None = None
    ) -> None:
        """`share`: which lines are ours; if it is not given we are the first of as many processes as are set.

        Raises SettingsError, DialogError, TonePlanError, CatalogueError: nothing is open then."""
        self.settings = settings
        self.pulse = Pulse()
        self.others: dict[int, engines.Report] = {}  # what the other processes said last
        self._virtual = virtual
        speech = settings.speech
        plan = tones.load(settings.tones)
        share = share or Share(0, settings.service.engines)
        made = [(line, row) for name, row in settings.lines.items() for line in drivers.make(name, row, share)]
        self._drivers = {line.name: row.driver for line, row in made}
        catalogue = Catalogue.load()
        library = Library(catalogue, settings.service.state, Voice(speech.voice, speech.rate), speech.style, speech.yao)
        dialog = load_dialog(settings.dialog.file, catalogue)
        desk.setup(settings.service.state, recordings=settings.recordings())
        engines.check(settings)
        self._share = share
        # A machine of its own to the records: what a crash of this process left open is this process's to close.
        records = desk.open_records(f"engine {share.index + 1}" if share.index else "")
        self.clock = Clock(epoch or datetime.now(UTC))
        self._looked = -LOOK_EVERY  # tick
        self._ringing = False  # since the last look
        self.journal = Journal(records, self.clock, self._rang)
        pins = Pins(records, self.clock, settings.identity.wrong_per_day, settings.identity.wrong_per_number)
        self.site = Site(settings, dialog, library, records, pins, FundDatabase(settings.fund), self.clock, plan)
        ports = [(line, row.rings) for line, row in made]
        self.board = Switchboard(ports, plan, library, interpreter.run, self.journal, self.site, settings.hangup)
        self._upkeep = Upkeep(self.site)

    def open(self) -> None:
        """Bring in order what a crash left behind, then take hold of the lines.

        Raises SettingsError when the SQL does not fit the fund database, StateTaken when another service works on
        the same folder; nothing is open then.
        """
        self._check_fund()
        self._claim = claim(self.settings.service.state, self._share.index)
        for fault in self.site.library.faults:
            log.error("the shipped prompt is played: %s", fault)
        at, records = self.clock(), self.site.records
        if self._share.index == 0:  # it starts before the others: they are recording by the time they would look
            records.messages_repaired(self._left_recordings(), at)
            records.offer_prompts({key: prompt.text for key, prompt in self.site.library.catalogue.items()})
        records.close_unfinished(at)
        self._upkeep()
        self.journal.open()
        self.board.open()

    def tick(self) -> None:
        """20 ms of every line."""
        if self._virtual:
            self.board.work.settle()
        self.clock.tick = self.board.now
        if self.board.now - self._looked >= (LOOK_APART if self._ringing else LOOK_EVERY):
            self._look_for_changes()
        self.board.tick()

    def close(self) -> None:
        """End all calls and put everything on record."""
        self.board.close()
        self.journal.close()
        self.site.fund.close()
        self._claim.close()

    # What the pages ask.

    def lines(self) -> Sequence[LineState]:
        """Every line, in the order of the settings."""
        now, tick = self.clock().timestamp(), self.board.now
        ours = [
            LineState(
                seat.line.name,
                self._drivers[seat.line.name],
                seat.line.state.value,
                self.journal.since(seat.call) if seat.call else None,
                seat.alarm,
                self.board.levels(index),
                [(now - (tick - at) / TICKS_PER_SECOND, words) for at, words in seat.happened],
            )
            for index, seat in enumerate(self.board.seats)
        ]
        return ours + [line for engine in self.others.values() for line in engine.lines]

    def figures(self) -> Sequence[Figures]:
        """What each process that carries lines says of itself."""
        return [self.pulse.figures(), *(engine.figures for engine in self.others.values())]

    def menu(self) -> str:
        """The menu tree in use, as a page."""
        return menu_page.render(self.site.dialog, self.site.library.catalogue)

    def phones(self) -> Sequence[SimulatedLine]:
        """The lines a page may call."""
        return [seat.line for seat in self.board.seats if isinstance(seat.line, SimulatedLine) and seat.alarm is None]

    def subscribe(self, line_name: str, callback: Callable[[Entry], None]) -> Callable[[], None]:
        """Give `callback` every transcript entry of this line until the returned function is called."""
        return self.journal.watch(line_name, callback)

    # Inside.

    def _check_fund(self) -> None:
        """SQL that does not fit is refused; a database that does not answer may come up later."""
        misfits = []
        database = FundDatabase(self.settings.fund)
        try:
            found = database.check()
        finally:
            database.close()
        for level, place, text in found:
            if level == "error" and place != "[fund] connection":
                misfits.append(f"{place}：{text}")
            else:
                log.log(logging.ERROR if level == "error" else logging.WARNING, "%s：%s", place, text)
        if misfits:
            raise SettingsError("\n".join(misfits))

    def _left_recordings(self) -> list[tuple[str, float]]:
        """Path and seconds of what a crash cut off: while it was recorded, or after its file was closed."""
        folder = self.settings.recordings()
        found = {recordings.relative(folder, mended.path): mended.seconds for mended in recordings.repair(folder)}
        for name in self.site.records.open_recordings():
            if name not in found and (folder / name).is_file():
                found[name] = recordings.seconds(folder / name)
        return list(found.items())

    def _rang(self) -> None:
        """A call is coming: there is time to look until it is answered."""
        self._ringing = True

    def _look_for_changes(self) -> None:
        """When a call is coming; and now and then for lines answered at the first ring."""
        self._looked, self._ringing = self.board.now, False
        self.board.background("upkeep", self._upkeep)
