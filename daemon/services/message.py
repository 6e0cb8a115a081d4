"""Complaints and suggestions: a recording, tied to who left it.

The order is on record and the file is open before the cue is heard, so whatever ends the call (putting
the receiver down is the instructed way) or the service, nothing that was said after the cue is lost.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from ...voice import recordings
from ...voice.recorder import Recorder, RecorderError
from ...voice.speech import compose
from ..call import Call, ticks
from ..outcome import Outcome
from ..site import Site

log = logging.getLogger(__name__)

CUE = ["P29"]

OUTCOMES = {"key": "kept", "silence": "kept", "full": "full", "error": "failed"}


async def record(call: Call, fields: Mapping[str, object]) -> Outcome:
    """Record what the caller says until he hangs up, presses '#', falls silent or has used up the time.

    `message` is complaint or suggestion, `id_number` who leaves it. Outcomes: kept, full, too_short, failed.
    """
    site: Site = call.site
    limits = site.settings.recording
    order = await call.work(_begin, site, call, str(fields["message"]), str(fields["id_number"]), whole=True)
    if order is None:
        return Outcome("failed")
    ended = "kept"
    try:
        await call.play(compose(CUE, {}, site.library), barge_in="")
        ended = OUTCOMES[await call.record(order.recorder, ticks(limits.longest), ticks(limits.silence))]
    finally:
        kept = await call.work(_end, site, order, whole=True)
        call.step("record", f"{kept:.1f} 秒" if kept else "太短，没有保存")
    if order.recorder.error is not None:
        return Outcome("failed")
    return Outcome(ended if kept else "too_short")


@dataclass(frozen=True)
class _Order:
    """A recording in progress and its row."""

    id: UUID
    recorder: Recorder


def _begin(site: Site, call: Call, kind: str, id_number: str) -> _Order | None:
    """Open the file, write the row; None when either cannot be done, with the reason in the log."""
    from ...desk.errors import DeskError

    folder, at = site.settings.recordings(), site.clock()
    recorder = Recorder(recordings.new(folder, kind, at.astimezone()))
    try:
        recorder.open()
    except RecorderError as error:
        log.error("%s: a message cannot be recorded: %s", call.line, error)
        return None
    path = recordings.relative(folder, recorder.path)
    try:
        return _Order(site.records.message_started(call.id, kind, id_number, call.number or "", path, at), recorder)
    except DeskError as error:
        log.error("%s: a message cannot be recorded: %s", call.line, error)
        recorder.discard()
        return None


def _end(site: Site, order: _Order) -> float:
    """Cut busy tone and silence off, close the file, complete the row; how many seconds are kept, 0 for none."""
    from ...desk.errors import RecordsError

    recorder, at = order.recorder, site.clock()
    samples = recorder.read()
    cut = recordings.end_of_speech(samples, site.plan)
    seconds = recorder.close(cut)
    if recorder.error is not None:
        log.error("a message was damaged: %s", recorder.error)
    if seconds < site.settings.recording.shortest:
        recorder.discard()
        seconds = 0.0
    try:
        if seconds:
            site.records.message_kept(order.id, seconds, at)
        else:
            site.records.message_dropped(order.id, at)
    except RecordsError as error:  # the row says "recording"; the next start looks at the file and completes it
        log.error("an order was not completed: %s", error)
    return seconds
