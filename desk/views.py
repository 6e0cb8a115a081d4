"""The pages beyond the lists: statistics, recordings, and what needs a reason."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from . import chart, pins, sealing, selectors, services
from .errors import Unsealable
from .forms import PeriodForm, PersonForm, PinForm, ReasonForm
from .models import Message, Vote

SOUNDS = {".mp3": "audio/mpeg", ".flac": "audio/flac", ".ogg": "audio/ogg"}


def _page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    return render(request, f"desk/{template}.html", admin.site.each_context(request) | {"title": title} | context)


@require_GET
@permission_required("desk.see_statistics", raise_exception=True)
def statistics(request: HttpRequest) -> HttpResponse:
    """Votes for each option over a period: chart, table, or with ?format=csv a file for a spreadsheet."""
    form = PeriodForm(request.GET)
    if not form.is_valid():
        return _page(request, "statistics", "满意度统计", form=form)
    asked = form.cleaned_data
    counts = selectors.votes_per_option(*selectors.period(asked["first"], asked["last"]), asked["line"])
    if request.GET.get("format") == "csv":
        return _csv(f"votes-{asked['first']}-{asked['last']}.csv", counts)
    rows = [(entry.label, entry.count, chart.percent(entry.share)) for entry in counts]
    total = sum(entry.count for entry in counts)
    return _page(
        request, "statistics", "满意度统计", form=form, rows=rows, total=total, bars=chart.bars(counts),
        height=chart.ROW_HEIGHT * len(counts), query=request.GET.urlencode(),
    )  # fmt: skip


def _csv(name: str, counts: list[selectors.OptionCount]) -> HttpResponse:
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")  # the mark makes Excel read UTF-8
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    writer.writerow(("评价", "票数", "占比"))
    writer.writerows((entry.label, entry.count, chart.percent(entry.share)) for entry in counts)
    return response


@require_http_methods(["GET", "POST"])
@permission_required("desk.see_voter", raise_exception=True)
def reveal(request: HttpRequest, kind: str, pk: str) -> HttpResponse:
    """The whole ID number behind a vote or a message: asks for a reason, writes it down, then shows."""
    record: Vote | Message = get_object_or_404(Vote, pk=pk) if kind == "vote" else get_object_or_404(Message, pk=pk)
    form = ReasonForm(request.POST or None)
    number = ""
    if form.is_valid():
        name, reason = request.user.get_username(), form.cleaned_data["reason"]
        try:
            number = services.reveal(record=record, username=name, reason=reason, at=timezone.now())
        except Unsealable as error:
            form.add_error(None, str(error))
    return _page(request, "reveal", "查看证件号码", form=form, record=record, number=number)


@require_http_methods(["GET", "POST"])
@permission_required("desk.see_voter", raise_exception=True)
def find(request: HttpRequest) -> HttpResponse:
    """What one person has left here. A POST, so that the number stands in no address and no log."""
    form = PersonForm(request.POST or None)
    if not form.is_valid():
        return _page(request, "find", "按证件号码查找", form=form)
    number = form.cleaned_data["id_number"]
    _audit(request, "find_person", sealing.mask(number), form.cleaned_data["reason"])
    votes, messages = selectors.left_by(number)
    return _page(request, "find", "按证件号码查找", form=form, done=True, votes=votes, orders=messages)


@require_http_methods(["GET", "POST"])
@permission_required("desk.issue_pin", raise_exception=True)
def pin(request: HttpRequest) -> HttpResponse:
    """Issue a PIN, shown on this page and never again, or unlock a login."""
    form = PinForm(request.POST or None)
    if not form.is_valid():
        return _page(request, "pin", "查询密码", form=form)
    kind, login, reason = (form.cleaned_data[name] for name in ("kind", "login", "reason"))
    if "unlock" in request.POST:
        _audit(request, "unlock_pin", sealing.mask(login), reason)
        pins.unlock(kind, login)
        return _page(request, "pin", "查询密码", form=PinForm(), unlocked=sealing.mask(login))
    _audit(request, "issue_pin", sealing.mask(login), reason)
    issued = pins.issue(kind, login, request.user.get_username())
    return _page(request, "pin", "查询密码", form=PinForm(), issued=issued, login=sealing.mask(login))


def _audit(request: HttpRequest, action: str, subject: str, reason: str) -> None:
    name = request.user.get_username()
    services.audit(username=name, action=action, subject=subject, reason=reason, at=timezone.now())


@require_GET
@permission_required("desk.listen_message", raise_exception=True)
def recording(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What was said in a message."""
    return _sound(request, settings.RECORDINGS, get_object_or_404(Message, pk=pk).path)


@require_GET
@permission_required("desk.view_prompttext", raise_exception=True)
def upload(request: HttpRequest, name: str) -> HttpResponse:
    """A recording the centre has put in place of a prompt."""
    return _sound(request, settings.MEDIA_ROOT, name)


def _sound(request: HttpRequest, folder: Path, name: str) -> HttpResponse:
    """A file of `folder`. Players ask for parts of it (RFC 9110, section 14) to be able to jump."""
    folder = folder.resolve()
    path = (folder / name).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        raise Http404("录音文件不存在")
    size = path.stat().st_size
    part = byte_range(request.headers.get("Range", ""), size)
    if part == (0, 0):
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    start, stop = part or (0, size)
    with path.open("rb") as file:
        file.seek(start)
        content = file.read(stop - start)
    kind = SOUNDS.get(path.suffix, "audio/wav")
    response = HttpResponse(content, content_type=kind, status=206 if part else 200)
    response["Accept-Ranges"] = "bytes"
    if part:
        response["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return response


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """start, stop of a Range header's single part; (0, 0) when no byte of it exists; None to send everything."""
    found = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", header)
    if not found or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
    return (start, stop) if start < stop else (0, 0)
