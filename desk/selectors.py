"""Questions to the records. Nothing here writes. Periods are half-open: since <= at < until."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from django.db.models import Count
from django.utils import timezone

from . import sealing
from .models import Branch, Call, Message, Operation, PolicyText, PromptText, Vote


@dataclass(frozen=True)
class Outlet:
    """A branch as callers hear it."""

    name: str
    address: str
    service_phone: str
    complaint_phone: str
    hours: str


@dataclass(frozen=True)
class TextNode:
    """A policy or procedure text and what can be chosen below it."""

    key: str
    title: str
    text: str
    children: tuple[TextNode, ...] = ()


@dataclass(frozen=True)
class PromptOverride:
    """How a centre wants a prompt: its audio if there is one, else its text, else ('' and None) as shipped."""

    key: str
    text: str
    audio: Path | None
    changed_at: datetime


@dataclass(frozen=True)
class OptionCount:
    """`share` of all votes in the period, 0..1; None when there are none."""

    option: int
    label: str
    count: int
    share: float | None


def operation() -> Operation:
    """The row, or how the hotline is run while nobody has said anything about it."""
    return Operation.objects.first() or Operation()


def branches() -> list[Outlet]:
    fields = ("name", "address", "service_phone", "complaint_phone", "hours")
    return [Outlet(**row) for row in Branch.objects.filter(enabled=True).values(*fields)]


def open_recordings(machine: str) -> list[str]:
    return list(Message.objects.filter(state="recording", call__machine=machine).values_list("path", flat=True))


def texts(kind: str, path: Sequence[str] = ()) -> TextNode | None:
    """The node the keys in `path` lead to, with all below it; the top of the tree for no keys at all."""
    below: dict[int | None, list[PolicyText]] = {}
    for row in PolicyText.objects.filter(kind=kind, enabled=True).order_by("key"):
        below.setdefault(row.parent_id, []).append(row)

    def children(parent: int | None) -> tuple[TextNode, ...]:
        return tuple(TextNode(row.key, row.title, row.text, children(row.pk)) for row in below.get(parent, ()))

    node: TextNode | None = TextNode("", "", "", children(None))
    for key in path:
        node = next((child for child in node.children if child.key == key), None) if node else None
    return node


def prompt_overrides(since: datetime | None = None) -> list[PromptOverride]:
    """Prompts changed at or after `since` (None: ever), oldest first; one set back to shipped is among them."""
    changed = PromptText.objects.exclude(changed_at=None).order_by("changed_at")
    if since:
        changed = changed.filter(changed_at__gte=since)
    return [
        PromptOverride(row.key, row.text, Path(row.audio.path) if row.audio else None, row.changed_at)
        for row in changed
        if row.changed_at
    ]


def day_start(day: date) -> datetime:
    """Midnight of the centre's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def period(first: date, last: date) -> tuple[datetime, datetime]:
    """The half-open period of whole days from `first` to `last`, both included."""
    return day_start(first), day_start(last + timedelta(days=1))


def votes_per_option(since: datetime, until: datetime, line: str = "") -> list[OptionCount]:
    """One entry for each of the five options, also those nobody chose."""
    votes = Vote.objects.filter(at__gte=since, at__lt=until, **({"line": line} if line else {}))
    counts = dict(votes.order_by().values_list("option").annotate(Count("pk")))
    total = sum(counts.values())
    return [
        OptionCount(option, label, counts.get(option, 0), counts.get(option, 0) / total if total else None)
        for option, label in Vote.OPTIONS.items()
    ]


def lines_seen() -> list[str]:
    return list(Call.objects.order_by("line").values_list("line", flat=True).distinct())


def left_by(id_number: str) -> tuple[list[Vote], list[Message]]:
    """All votes and messages of one person, newest first."""
    digest = sealing.digest(id_number)
    return list(Vote.objects.filter(id_hash=digest)), list(Message.objects.filter(id_hash=digest))
