"""The whole service put together from its settings: lines, switchboard, prompts, databases, records.

One object for the real thing and for tests: `tick` is 20 ms of every line. In virtual time it first
waits for work that is out in threads, so that the same calls end the same way on any machine.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from .. import desk, drivers
from ..config import dialog as dialogs
from ..config import tones
from ..config.settings import Settings
from ..drivers.simulated import SimulatedLine
from ..voice import audiofile, recordings
from ..voice.audiofile import AudioError
from ..voice.catalogue import Catalogue
from ..voice.library import Library
from ..voice.speech import validate
from ..voice.synthesis import SynthesisError, Voice
from . import dialog as interpreter
from .fields import GRAMMARS
from .fund import FundDatabase
from .journal import Clock, Entry, Journal
from .services import SERVICES
from .site import Pins, Site
from .switchboard import Switchboard
from .web_call import LineState

log = logging.getLogger(__name__)


def load_dialog(settings: Settings, catalogue: Catalogue) -> dialogs.Dialog:
    """The dialog of the settings, checked against the prompts, services and grammars there are.

    Raises DialogError.
    """
    outcomes = {name: service.outcomes for name, service in SERVICES.items()}
    return dialogs.load(settings.dialog.file, outcomes, GRAMMARS, lambda items: validate(items, catalogue))


class Service:
    """All of it; `open`, then `tick` fifty times a second, then `close`."""

    def __init__(self, settings: Settings, virtual: bool = False, epoch: datetime | None = None) -> None:
        """Raises SettingsError, DialogError, TonePlanError, CatalogueError: nothing is open then."""
        self.settings = settings
        self._virtual = virtual
        speech = settings.speech
        plan = tones.load(settings.tones)
        ports = [(drivers.make(name, line), line.rings) for name, line in settings.lines.items()]
        catalogue = Catalogue.load()
        library = Library(catalogue, settings.service.state, Voice(speech.voice, speech.rate), speech.style, speech.yao)
        dialog = load_dialog(settings, catalogue)
        self._dialog_read = self._dialog_changed()
        desk.setup(settings.service.state, recordings=settings.recordings())
        records = desk.open_records()
        self.clock = Clock(epoch or datetime.now(UTC))
        self.journal = Journal(records, self.clock, self._on_ring)
        pins = Pins(records, self.clock, settings.identity.wrong_per_day, settings.identity.wrong_per_number)
        self.site = Site(settings, dialog, library, records, pins, FundDatabase(settings.fund), self.clock, plan)
        self.board = Switchboard(ports, plan, library, interpreter.run, self.journal, self.site)
        self._prompts_read: datetime | None = None

    def open(self) -> None:
        """Bring in order what a crash left behind, then take hold of the lines."""
        at, records = self.clock(), self.site.records
        records.messages_repaired(self._left_recordings(), at)
        records.close_unfinished(at)
        records.offer_prompts({key: prompt.text for key, prompt in self.site.library.catalogue.items()})
        self.refresh()
        self.journal.open()
        self.board.open()

    def tick(self) -> None:
        """20 ms of every line."""
        if self._virtual:
            self.board.work.settle()
        self.clock.tick = self.board.now
        self.board.tick()

    def close(self) -> None:
        """End all calls and put everything on record."""
        self.board.close()
        self.journal.close()
        self.site.fund.close()

    def refresh(self) -> None:
        """Take up prompts and a dialog that have changed. What cannot be used is logged; what is in use stays."""
        self._refresh_prompts()
        changed = self._dialog_changed()
        if changed != self._dialog_read:
            self._dialog_read = changed
            try:
                self.site.dialog = load_dialog(self.settings, self.site.library.catalogue)
                log.info("dialog read again")
            except dialogs.DialogError as error:
                log.error("the changed dialog is not used, the one before stays: %s", error)

    # What the pages ask.

    def lines(self) -> Sequence[LineState]:
        """Every line, in the order of the settings."""
        return [
            LineState(
                seat.line.name,
                self.settings.lines[seat.line.name].driver,
                seat.line.state.value,
                self.journal.since(seat.call) if seat.call else None,
                seat.alarm,
            )
            for seat in self.board.seats
        ]

    def phones(self) -> Sequence[SimulatedLine]:
        """The lines a page may call."""
        return [seat.line for seat in self.board.seats if isinstance(seat.line, SimulatedLine) and seat.alarm is None]

    def subscribe(self, line_name: str, callback: Callable[[Entry], None]) -> Callable[[], None]:
        """Give `callback` every transcript entry of this line until the returned function is called."""
        return self.journal.watch(line_name, callback)

    # Inside.

    def _left_recordings(self) -> list[tuple[str, float]]:
        """Path and seconds of what a crash cut off: while it was recorded, or after its file was closed."""
        folder = self.settings.recordings()
        found = {recordings.relative(folder, mended.path): mended.seconds for mended in recordings.repair(folder)}
        for name in self.site.records.open_recordings():
            if name not in found and (folder / name).is_file():
                found[name] = recordings.seconds(folder / name)
        return list(found.items())

    def _on_ring(self) -> None:
        """A call is coming, and there is time until it is answered."""
        self.board.background("refresh", self.refresh)

    def _dialog_changed(self) -> float:
        path = dialogs.find(self.settings.dialog.file)
        return path.stat().st_mtime if path.is_file() else 0.0

    def _refresh_prompts(self) -> None:
        from ..desk.errors import RecordsError

        library = self.site.library
        library.refresh()
        try:
            overrides = self.site.records.prompt_overrides(self._prompts_read)
        except RecordsError as error:
            log.error("own prompts cannot be read: %s", error)
            return
        for override in overrides:
            try:
                samples = audiofile.read(override.audio) if override.audio else None
                library.put(override.key, override.text, samples)
            except (AudioError, SynthesisError) as error:
                log.error("prompt %s stays as it was: %s", override.key, error)
            self._prompts_read = max(override.changed_at, self._prompts_read or override.changed_at)
