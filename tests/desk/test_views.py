"""Statistics, recordings, and the pages that ask for a reason."""

from __future__ import annotations

import csv
import re
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from django.urls import reverse
from hotline.desk import pins, views
from hotline.desk.models import AuditEntry, Message, Vote
from rig.desk import NOON, SOMEBODY

NOVEMBER = {"first": "2026-11-01", "last": "2026-11-30"}
SOUND = bytes(range(256)) * 4


@pytest.fixture
def votes(records):
    for option, line in ((1, "line1"), (1, "line2"), (2, "line2"), (5, "line2")):
        call = uuid4()
        records.call_started(call, line, None, NOON)
        records.vote_cast(call, SOMEBODY, option, NOON, line)


@pytest.fixture
def order(records, call, state):
    """A kept complaint with its recording."""
    message = records.message_started(call, "complaint", SOMEBODY, "13900000001", "2026-11-20/a.wav", NOON)
    records.message_kept(message, 3, NOON)
    path = state / "voice" / "prop" / "2026-11-20" / "a.wav"
    path.parent.mkdir(parents=True)
    path.write_bytes(SOUND)
    return Message.objects.get()


def test_counts_for_each_option_as_chart_and_table(votes, login):
    shown = login("监管只读").get(reverse("statistics"), NOVEMBER).content.decode()
    table = re.findall(r"<tr><td>(.*?)</td><td>(\d+)</td><td>(.*?)</td></tr>", shown)
    assert table == [
        ("非常满意", "2", "50.0%"), ("满意", "1", "25.0%"), ("一般", "0", "0.0%"),
        ("不满意", "0", "0.0%"), ("非常不满意", "1", "25.0%"),
    ]  # fmt: skip
    assert [int(width) for width in re.findall(r'<rect [^>]*width="(\d+)"', shown)] == [420, 210, 0, 0, 210]
    assert "990101" not in shown


def test_counts_of_another_period_or_line(votes, login):
    client = login("监管只读")
    october = client.get(reverse("statistics"), {"first": "2026-10-01", "last": "2026-10-31"}).content.decode()
    assert "<th>合计</th><th>0</th>" in october
    line1 = client.get(reverse("statistics"), NOVEMBER | {"line": "line1"}).content.decode()
    assert "<th>合计</th><th>1</th>" in line1
    assert "结束日期不能早于开始日期" in client.get(
        reverse("statistics"), {"first": "2026-11-02", "last": "2026-11-01"}
    ).content.decode()  # fmt: skip


def test_counts_as_a_file(votes, login):
    response = login("监管只读").get(reverse("statistics"), NOVEMBER | {"format": "csv"})
    assert response["Content-Disposition"] == 'attachment; filename="votes-2026-11-01-2026-11-30.csv"'
    text = response.content.decode("utf-8-sig")
    assert list(csv.reader(text.splitlines()))[:2] == [["评价", "票数", "占比"], ["非常满意", "2", "50.0%"]]


@pytest.mark.parametrize("kind", ["vote", "message"])
def test_a_number_is_shown_for_a_reason_and_every_look_is_written_down(votes, order, login, kind):
    client, record = login("班长"), Vote.objects.first() if kind == "vote" else order
    address = reverse("reveal", args=(kind, record.pk))
    assert SOMEBODY not in client.get(address).content.decode()
    assert SOMEBODY not in client.post(address, {"reason": ""}).content.decode()
    assert AuditEntry.objects.count() == 0
    for reason in ("核实投诉内容", "再次核实"):
        response = client.post(address, {"reason": reason})
        assert SOMEBODY in response.content.decode()
        assert "no-store" in response["Cache-Control"]
    subject = f"投票 {record.pk}" if kind == "vote" else f"工单 {record.number}"
    assert list(AuditEntry.objects.order_by("pk").values_list("username", "action", "subject", "reason")) == [
        ("user-班长", f"see_{kind}", subject, "核实投诉内容"),
        ("user-班长", f"see_{kind}", subject, "再次核实"),
    ]


@pytest.mark.parametrize("role", ["坐席", "管理员", "审计员", "监管只读"])
def test_without_the_permission_there_is_no_number_and_no_entry(votes, order, login, role):
    client = login(role)
    for address in (
        reverse("reveal", args=("vote", Vote.objects.first().pk)),
        reverse("reveal", args=("message", order.pk)),
    ):
        response = client.post(address, {"reason": "核实投诉内容"})
        assert response.status_code == 403
        assert SOMEBODY not in response.content.decode()
    assert AuditEntry.objects.count() == 0


def test_no_number_when_the_look_cannot_be_written_down(order, login, monkeypatch):
    from django.db import DatabaseError

    def refuse(*args, **kwargs):
        raise DatabaseError

    monkeypatch.setattr(AuditEntry.objects, "create", refuse)
    client = login("班长")
    client.raise_request_exception = False
    response = client.post(reverse("reveal", args=("message", order.pk)), {"reason": "核实投诉内容"})
    assert response.status_code == 500
    assert SOMEBODY not in response.content.decode()


def test_a_number_whose_key_is_gone_is_said_so(order, login, state):
    (state / "keys" / "seal.key").write_bytes(Fernet.generate_key())
    shown = (
        login("班长").post(reverse("reveal", args=("message", order.pk)), {"reason": "核实投诉内容"}).content.decode()
    )
    assert "没有能打开此记录的密钥" in shown


def test_finding_what_a_person_left(votes, order, login):
    client = login("班长")
    shown = client.post(reverse("find"), {"id_number": SOMEBODY, "reason": "本人来访"}).content.decode()
    assert order.number in shown
    assert shown.count("满意</li>") == 4
    assert SOMEBODY not in shown
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.reason) == ("find_person", "990101********0017", "本人来访")


def test_a_pin_is_issued_shown_once_and_good(login, state):
    client = login("坐席")
    form = {"kind": "id_number", "login": SOMEBODY, "reason": "本人持证件办理"}
    shown = client.post(reverse("pin"), form | {"issue": "1"}).content.decode()
    (issued,) = re.findall(r">(\d{6})<", shown)
    assert pins.check("id_number", SOMEBODY, issued, "", at=NOON) == "ok"
    assert SOMEBODY not in shown
    assert issued not in client.get(reverse("pin")).content.decode()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject) == ("issue_pin", "990101********0017")


def test_unlocking_leaves_the_pin_as_it_is(login, state):
    pins.set("id_number", SOMEBODY, "135790", "clerk", at=NOON)
    for _ in range(5):
        pins.check("id_number", SOMEBODY, "246801", "", at=NOON)
    form = {"kind": "id_number", "login": SOMEBODY, "reason": "本人持证件办理", "unlock": "1"}
    assert "已解锁" in login("坐席").post(reverse("pin"), form).content.decode()
    assert pins.check("id_number", SOMEBODY, "135790", "", at=NOON) == "ok"
    assert AuditEntry.objects.get().action == "unlock_pin"


def test_a_recording_is_played_whole_or_in_parts(order, login):
    client, address = login("坐席"), reverse("recording", args=(order.pk,))
    whole = client.get(address)
    assert (whole.status_code, whole["Content-Type"], whole["Accept-Ranges"]) == (200, "audio/wav", "bytes")
    assert whole.content == SOUND
    part = client.get(address, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part["Content-Range"]) == (206, "bytes 100-199/1024")
    assert part.content == SOUND[100:200]
    beyond = client.get(address, headers={"Range": "bytes=2000-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, "bytes */1024")


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-", (0, 1000)), ("bytes=0-0", (0, 1)), ("bytes=999-", (999, 1000)), ("bytes=990-5000", (990, 1000)),
        ("bytes=-10", (990, 1000)), ("bytes=-5000", (0, 1000)), ("bytes=1000-", (0, 0)), ("bytes=-0", (0, 0)),
        ("bytes=5-4", (0, 0)), ("bytes=-", None), ("", None), ("bytes=0-1,5-6", None), ("seconds=0-1", None),
    ],
)  # fmt: skip
def test_byte_range(header, part):
    assert views.byte_range(header, 1000) == part


def test_recordings_are_for_those_who_may_listen(order, login):
    assert login("审计员").get(reverse("recording", args=(order.pk,))).status_code == 403


@pytest.mark.parametrize("path", ["../../keys/pin.key", "/etc/passwd", "2026-11-20/missing.wav", "2026-11-20"])
def test_only_files_of_the_recordings_folder_are_played(order, login, path):
    Message.objects.update(path=path)
    assert login("坐席").get(reverse("recording", args=(order.pk,))).status_code == 404
