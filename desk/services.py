"""Everything that changes a record. Each function is one transaction, and doing it twice is doing it once,
so a writer whose commit was cut off may simply try again. Times are aware datetimes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db import models, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from . import sealing
from .models import (
    AuditEntry,
    Branch,
    Call,
    DailyNumber,
    Message,
    Operation,
    PolicyText,
    PromptText,
    Step,
    Version,
    Vote,
)

HIDDEN = "******"


@transaction.atomic
def call_started(*, call_id: uuid.UUID, machine: str, line: str, caller_number: str, at: datetime) -> None:
    """Write the call down, or complete what `_expect_call` has put in its place."""
    values = {"machine": machine, "line": line, "caller_number": caller_number, "started_at": at}
    Call.objects.update_or_create(id=call_id, defaults=values)


def _expect_call(call_id: uuid.UUID, machine: str, at: datetime, line: str = "") -> None:
    """Calls and steps reach us through a queue, votes and messages directly: they may be here first."""
    Call.objects.get_or_create(id=call_id, defaults={"machine": machine, "line": line, "started_at": at})


def call_answered(*, call_id: uuid.UUID, at: datetime) -> None:
    Call.objects.filter(id=call_id).update(answered_at=at)


def step_add(*, call_id: uuid.UUID, seq: int, at: datetime, node: str, kind: str, detail: str = "") -> None:
    """Add a step. Kind "secret" keeps six stars whatever `detail` says; long numbers are masked in any kind."""
    detail = HIDDEN if kind == "secret" else sealing.mask_text(detail)[:400]
    step = Step(call_id=call_id, seq=seq, at=at, node=node[:80], kind=kind, detail=detail)
    Step.objects.bulk_create([step], ignore_conflicts=True)


@transaction.atomic
def call_ended(*, call_id: uuid.UUID, at: datetime, cause: str) -> None:
    """Close the call; the first end counts."""
    _close(Call.objects.filter(id=call_id, ended_at=None), at, cause)


@transaction.atomic
def close_unfinished(*, machine: str, at: datetime) -> int:
    """Close what a crashed run of this machine left open; returns how many calls that were."""
    return _close(Call.objects.filter(machine=machine, ended_at=None), at, "crash")


def _close(calls: models.QuerySet[Call], at: datetime, cause: str) -> int:
    last = Step.objects.filter(call=models.OuterRef("pk")).order_by("-seq").values("node")[:1]
    last_node = Coalesce(models.Subquery(last), models.Value(""))
    return calls.update(ended_at=at, cause=cause, last_node=last_node)


@transaction.atomic
def message_started(
    *,
    message_id: uuid.UUID,
    call_id: uuid.UUID,
    machine: str,
    kind: str,
    id_number: str,
    caller_number: str,
    path: str,
    at: datetime,
) -> Message:
    """Open an order for a recording that is about to begin; `path` is relative to the recordings folder."""
    message = Message.objects.filter(path=path).first()
    if message is None:
        _expect_call(call_id, machine, at)
        message = Message.objects.create(
            id=message_id,
            number=_next_number(at),
            call_id=call_id,
            kind=kind,
            caller_number=caller_number,
            path=path,
            at=at,
            **_identity(id_number),
        )
    return message


def _next_number(at: datetime) -> str:
    """YYMMDD and a running number of the day: digits only, so that it can be read out and keyed."""
    day = timezone.localdate(at)
    DailyNumber.objects.get_or_create(day=day)
    DailyNumber.objects.filter(day=day).update(last=models.F("last") + 1)  # also locks the row until commit
    return f"{day:%y%m%d}{DailyNumber.objects.get(day=day).last:03d}"


def _identity(id_number: str) -> dict[str, str]:
    return {
        "id_sealed": sealing.seal(id_number),
        "id_hash": sealing.digest(id_number),
        "id_mask": sealing.mask(id_number),
    }


def message_kept(*, message_id: uuid.UUID, seconds: float) -> None:
    Message.objects.filter(id=message_id).update(state="kept", seconds=round(seconds, 1))


def message_dropped(*, message_id: uuid.UUID) -> None:
    """The caller said nothing worth keeping; the order stays, so that its number is never given twice."""
    Message.objects.filter(id=message_id).update(state="too_short")


@transaction.atomic
def messages_repaired(*, machine: str, files: Mapping[str, float], at: datetime) -> int:
    """At start: `files` (path -> seconds) are recordings a crash cut off and the recorder has mended.

    A file nobody announced becomes an order of its own, so that what was said is heard; an announced
    one that is not among them held nothing. Returns how many orders now have their recording.
    """
    for path, seconds in files.items():
        if not Message.objects.filter(path=path).update(state="repaired", seconds=round(seconds, 1)):
            Message.objects.create(
                number=_next_number(at), kind="unknown", path=path, at=at, seconds=round(seconds, 1), state="repaired"
            )
    cut_off = Message.objects.filter(state="recording", call__machine=machine)
    cut_off.exclude(path__in=list(files)).update(state="too_short")
    return len(files)


@transaction.atomic
def vote_cast(*, call_id: uuid.UUID, machine: str, id_number: str, option: int, at: datetime, line: str) -> int:
    """Keep the vote of a call; a second one in the same call replaces the first."""
    if option not in Vote.OPTIONS:
        raise ValueError(f"survey: option {option} is not one of 1..5")
    _expect_call(call_id, machine, at, line)
    values = {"option": option, "at": at, "line": line, **_identity(id_number)}
    vote, _ = Vote.objects.update_or_create(call_id=call_id, defaults=values)
    return vote.pk


Editable = Branch | Operation | PolicyText | PromptText


def subject_of(text: Editable) -> str:
    return f"{text._meta.model_name}/{text.pk}"


@transaction.atomic
def text_save(*, text: Editable, by: str, at: datetime) -> None:
    """Save an edited text and keep how it reads now; the versions before it stay."""
    if isinstance(text, PromptText):
        text.changed_at = at
    text.save()
    fields = {
        str(field.verbose_name): _shown(text, field.name)
        for field in text._meta.concrete_fields
        if field.editable and not field.primary_key
    }
    Version.objects.create(subject=subject_of(text), at=at, by=by, fields=fields)


def _shown(text: Editable, name: str) -> str:
    """A field's value as its page shows it."""
    value = getattr(text, f"get_{name}_display", lambda: getattr(text, name))()
    return {None: "", True: "是", False: "否"}.get(value, str(value))


@transaction.atomic
def prompts_offer(*, catalogue: Mapping[str, str]) -> None:
    """List the catalogue's prompts (key -> shipped text) on the page; what a centre changed is not touched."""
    PromptText.objects.bulk_create(
        [PromptText(key=key, shipped=text) for key, text in catalogue.items()],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["shipped"],
    )


@transaction.atomic
def audit(*, username: str, action: str, subject: str, reason: str, at: datetime) -> None:
    """Write down who does what and why, in the transaction of the thing itself."""
    AuditEntry.objects.create(username=username, action=action, subject=subject, reason=reason[:200], at=at)


@transaction.atomic
def reveal(*, record: Vote | Message, username: str, reason: str, at: datetime) -> str:
    """The whole ID number behind a vote or a message. No number without an entry in the audit log."""
    action = "see_vote" if isinstance(record, Vote) else "see_message"
    subject = f"投票 {record.pk}" if isinstance(record, Vote) else f"工单 {record.number}"
    audit(username=username, action=action, subject=subject, reason=reason, at=at)
    return sealing.unseal(record.id_sealed)


@transaction.atomic
def reseal() -> int:
    """After `keys.rotate_seal`: put every number under the newest key, so that the old ones may go."""
    rows: list[Vote | Message] = [*Vote.objects.exclude(id_sealed=""), *Message.objects.exclude(id_sealed="")]
    for row in rows:
        row.id_sealed = sealing.reseal(row.id_sealed)
        row.save(update_fields=["id_sealed"])
    return len(rows)
