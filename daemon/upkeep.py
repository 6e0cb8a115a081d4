"""Takes up what people at the centre change while the service runs: prompts, the menus, whether they are open.

It is run in a worker thread when a call begins to ring, so a change is heard on the next call. What cannot be
used is logged once, and what is in use stays.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from ..config import dialog as dialogs
from ..config.dialog import DialogError
from ..voice import audiofile
from ..voice.audiofile import AudioError
from ..voice.catalogue import Catalogue
from ..voice.speech import validate
from ..voice.synthesis import SynthesisError
from .fields import GRAMMARS
from .services import SERVICES
from .site import Site

log = logging.getLogger(__name__)

Stamp = tuple[str, dict[Path, int]]


def load_dialog(name: str, catalogue: Catalogue) -> dialogs.Dialog:
    """A dialog, checked against the prompts, services and grammars there are.

    Raises DialogError.
    """
    outcomes = {service: entry.outcomes for service, entry in SERVICES.items()}
    return dialogs.load(name, outcomes, GRAMMARS, lambda items: validate(items, catalogue))


class Upkeep:
    """Keeps one site as its centre wants it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._prompts_read: dict[str, datetime] = {}  # prompt to when the version in use was written
        self._dialog_read = _stamp(site.settings.dialog.file)
        self._seen: Stamp | None = None  # what `_signs` said last
        self._lock = threading.Lock()

    def __call__(self) -> None:
        """Look for changes; blocks. Two calls that ring at once look once."""
        if self._lock.acquire(blocking=False):
            try:
                self._prompts()
                self._menus()
            finally:
                self._lock.release()

    def _menus(self) -> None:
        from ..desk.errors import RecordsError

        site = self._site
        try:
            is_open, chosen = site.records.operation()
        except RecordsError as error:
            log.error("how the hotline is to be run cannot be read: %s", error)
            return
        site.open = is_open and site.settings.service.open
        name = chosen or site.settings.dialog.file
        signs = self._signs(name)
        if signs == self._seen:
            return
        self._seen = signs
        stamp = _stamp(name)
        if stamp != self._dialog_read:
            self._dialog_read = stamp
            try:
                site.dialog = load_dialog(stamp[0], site.library.catalogue)
                log.info("dialog %s read again", stamp[0])
            except DialogError as error:
                log.error("the changed dialog is not used, the one before stays: %s", error)

    def _signs(self, name: str) -> Stamp:
        """What differs when a dialog may have changed; as long as it does not, no file is read, which would take a core
        150 ms. In a folder a file may have appeared that goes before a shipped one."""
        files = [dialogs.find(name), *self._dialog_read[1]]
        return name, _times({path for file in files for path in (file, file.parent)})

    def _prompts(self) -> None:
        from ..desk.errors import RecordsError

        library = self._site.library
        library.refresh()
        try:
            overrides = self._site.records.prompt_overrides(max(self._prompts_read.values(), default=None))
        except RecordsError as error:
            log.error("own prompts cannot be read: %s", error)
            return
        for override in overrides:
            if self._prompts_read.get(override.key) == override.changed_at:
                continue  # taking it again would add its samples to the pool once more
            self._prompts_read[override.key] = override.changed_at
            try:
                samples = audiofile.read(override.audio) if override.audio else None
                library.put(override.key, override.text, samples)
            except (AudioError, SynthesisError) as error:
                log.error("prompt %s stays as it was: %s", override.key, error)


def _stamp(name: str) -> Stamp:
    """The dialog's name, and when each file of it was changed last; a broken one is watched by itself."""
    try:
        paths = dialogs.files(name)
    except DialogError:
        paths = [dialogs.find(name)]
    return name, _times(paths)


def _times(paths: Iterable[Path]) -> dict[Path, int]:
    """When those that are there were changed last."""
    return {path: path.stat().st_mtime_ns for path in paths if path.exists()}
