"""The lists and forms, through Django's test client, as somebody of each role sees them."""

from __future__ import annotations

import io
import re
import wave
from datetime import timedelta
from uuid import uuid4

import pytest
from rig.desk import NOON, SOMEBODY

from django.contrib.auth.models import Group, User  # isort: skip
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from hotline.desk.models import AuditEntry, Branch, Call, Message, PolicyText, PromptText, Version, Vote

LISTS = ("call", "message", "vote", "auditentry", "branch", "policytext", "prompttext")
MASK = "990101********0017"


@pytest.fixture
def filled(records, call):
    """A call with steps, a vote and a complaint; the day before, a call on another line with a vote."""
    for seq, (node, kind, detail) in enumerate([("main", "prompt", "P01"), ("pin", "secret", "135790")], 1):
        records.step(call, seq, NOON + timedelta(seconds=seq), node, kind, detail)
    records.vote_cast(call, SOMEBODY, 2, NOON, "line1")
    message = records.message_started(call, "complaint", SOMEBODY, "13900000001", "2026-11-20/a.wav", NOON)
    records.message_kept(message, 12.5, NOON)
    records.call_ended(call, NOON + timedelta(seconds=75), "caller")
    other, before = uuid4(), NOON - timedelta(days=1)
    records.call_started(other, "line2", "13900000002", before)
    records.vote_cast(other, "990101196001010074", 5, before, "line2")
    return call


def page(client, name, *args, **query):
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200, (name, response.status_code)
    return response.content.decode()


def rows(client, model, **query):
    """The records a list shows, in its order."""
    shown = page(client, f"admin:desk_{model}_changelist", **query)
    keys = re.findall(rf'href="/desk/{model}/([^/"]+)/change/', shown)
    return [apps.get_model("desk", model).objects.get(pk=key) for key in dict.fromkeys(keys)]


def test_nobody_gets_in_without_logging_in(state):
    for name in ("admin:index", "statistics", "find", "pin", "admin:desk_call_changelist"):
        response = Client(SERVER_NAME="localhost").get(reverse(name))
        assert response.status_code == 302
        assert "/login/" in response["Location"]


def test_other_hosts_are_refused(login):
    assert login("superuser").get("/", SERVER_NAME="example.com").status_code == 400


@pytest.mark.parametrize("model", LISTS)
def test_every_list_and_form_opens_in_chinese_and_shows_no_number(filled, login, model):
    """Not even the superuser finds a whole ID number on them: it takes the page that asks for a reason."""
    client = login("superuser")
    shown = page(client, f"admin:desk_{model}_changelist")
    assert 'lang="zh-hans"' in shown
    assert SOMEBODY not in shown
    for row in rows(client, model):
        assert SOMEBODY not in page(client, f"admin:desk_{model}_change", row.pk)


def test_a_calls_page_tells_its_steps_in_order(filled, login):
    shown = page(login("坐席"), "admin:desk_call_change", filled)
    assert "1:15" in shown
    assert "来电人挂机" in shown
    assert shown.index("12:00:01.000") < shown.index("12:00:02.000")
    assert "******" in shown
    assert "135790" not in shown


def test_filters_by_time_option_and_line(filled, login):
    client = login("班长")
    assert len(rows(client, "vote")) == 2
    assert [vote.option for vote in rows(client, "vote", at__from="2026-11-20")] == [2]
    assert [vote.option for vote in rows(client, "vote", at__to="2026-11-19")] == [5]
    assert rows(client, "vote", at__from="2026-11-21", at__to="2026-11-30") == []
    assert [vote.option for vote in rows(client, "vote", option__exact="5")] == [5]
    assert [vote.option for vote in rows(client, "vote", line="line1")] == [2]
    assert [vote.option for vote in rows(client, "vote", line="line1", at__from="2026-11-20")] == [2]
    assert [call.line for call in rows(client, "call", started_at__to="2026-11-19")] == ["line2"]
    assert [order.kind for order in rows(client, "message", kind__exact="complaint", call__line="line1")] == [
        "complaint"
    ]


def test_the_time_filter_keeps_the_other_choices_and_shows_its_own(filled, login):
    shown = page(login("班长"), "admin:desk_vote_changelist", at__from="2026-11-01", line="line1")
    assert '<input type="hidden" name="line" value="line1">' in shown
    assert 'name="at__from" value="2026-11-01"' in shown


def test_a_date_nobody_can_read_leads_back_to_the_list(filled, login):
    response = login("班长").get(reverse("admin:desk_vote_changelist"), {"at__from": "yesterday"})
    assert response.status_code == 302
    assert response["Location"].endswith("?e=1")


def test_an_order_shows_mask_caller_player_and_state_and_takes_a_note(filled, login):
    client, order = login("坐席"), Message.objects.get()
    address = reverse("admin:desk_message_change", args=(order.pk,))
    shown = client.get(address).content.decode()
    for expected in (order.number, MASK, "13900000001", "<audio", reverse("recording", args=(order.pk,)), "已保存"):
        assert expected in shown
    client.post(address, {"note": "已电话答复", "state": "too_short", "caller_number": "1"})
    order.refresh_from_db()
    assert (order.note, order.state, order.caller_number) == ("已电话答复", "kept", "13900000001")


def test_what_a_role_may_not_follow_is_not_offered(filled, login):
    order = Message.objects.get()
    clerk = page(login("坐席"), "admin:desk_message_change", order.pk)
    auditor = page(login("审计员"), "admin:desk_message_change", order.pk)
    lead = page(login("班长"), "admin:desk_message_change", order.pk)
    assert [MASK in shown for shown in (clerk, auditor, lead)] == [True, True, True]
    assert ["/reveal/" in shown for shown in (clerk, auditor, lead)] == [False, False, True]
    assert ["<audio" in shown for shown in (clerk, auditor, lead)] == [True, False, True]


@pytest.mark.parametrize("model", ["call", "vote", "message", "auditentry"])
@pytest.mark.parametrize("verb", ["add", "delete"])
def test_nobody_adds_or_deletes_records(filled, login, model, verb):
    client = login("superuser")
    AuditEntry.objects.create(at=NOON, username="a", action="see_vote", subject="投票 1", reason="r")
    row = {"call": Call, "vote": Vote, "message": Message, "auditentry": AuditEntry}[model].objects.first()
    args = () if verb == "add" else (row.pk,)
    assert client.post(reverse(f"admin:desk_{model}_{verb}", args=args), {"post": "yes"}).status_code == 403


def test_audit_entries_cannot_be_changed_from_code_either(state):
    entry = AuditEntry.objects.create(at=NOON, username="a", action="see_vote", subject="投票 1", reason="r")
    entry.reason = "another"
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()


MAY_SEE = {
    "坐席": {"call", "message", "branch", "policytext"},
    "班长": {"call", "message", "vote", "branch", "policytext", "prompttext"},
    "管理员": {"call", "message", "vote", "branch", "policytext", "prompttext"},
    "审计员": {"call", "message", "vote", "auditentry"},
    "监管只读": set(),
}


@pytest.mark.parametrize("role", MAY_SEE)
def test_roles_see_their_lists_and_no_more(filled, login, role):
    client = login(role)
    opened = {m for m in LISTS if client.get(reverse(f"admin:desk_{m}_changelist")).status_code == 200}
    assert opened == MAY_SEE[role]
    statistics = {"班长", "管理员", "监管只读"}
    assert client.get(reverse("statistics")).status_code == (200 if role in statistics else 403)
    assert client.get(reverse("pin")).status_code == (200 if role in {"坐席", "班长", "管理员"} else 403)
    assert client.get(reverse("find")).status_code == (200 if role == "班长" else 403)
    assert client.get(reverse("admin:index")).status_code == 200


def test_an_edited_text_keeps_and_shows_what_it_was(login, records):
    client = login("班长")
    form = {"name": "中心", "address": "人民路1号", "order": 1, "enabled": "on"}
    assert client.post(reverse("admin:desk_branch_add"), form).status_code == 302
    address = reverse("admin:desk_branch_change", args=(Branch.objects.get().pk,))
    for street in ("东湖路8号", "东湖路8号"):  # saving what has not changed makes no version
        assert client.post(address, form | {"address": street}).status_code == 302
    assert [outlet.address for outlet in records.branches()] == ["东湖路8号"]
    assert [version.fields["地址"] for version in Version.objects.order_by("pk")] == ["人民路1号", "东湖路8号"]
    shown = client.get(address).content.decode()
    assert "启用：是" in shown
    assert shown.index("地址：东湖路8号") < shown.index("地址：人民路1号")
    assert "user-班长" in shown


def test_a_third_level_is_added_on_the_page(login, records):
    client = login("班长")
    node = {
        "kind": "policy",
        "category": "loan",
        "key": "3",
        "title": "贷款政策",
        "text": "甲",
        "enabled": "on",
        "parent": "",
    }
    client.post(reverse("admin:desk_policytext_add"), node)
    top = PolicyText.objects.get()
    below = node | {"parent": top.pk, "key": "1", "title": "贷款额度", "text": "乙"}
    assert client.post(reverse("admin:desk_policytext_add"), below).status_code == 302
    assert records.texts("policy", ("3", "1")).text == "乙"
    assert "3-1" in page(client, "admin:desk_policytext_changelist")
    for wrong in (below, below | {"key": "0"}, below | {"key": "2", "category": "deposit"}, node):
        assert client.post(reverse("admin:desk_policytext_add"), wrong).status_code == 200, "refused with a message"
    address = reverse("admin:desk_policytext_change", args=(top.pk,))
    loop = client.post(address, node | {"parent": PolicyText.objects.get(key="1").pk})
    assert "上级不能是自己" in loop.content.decode()
    assert PolicyText.objects.count() == 2


def wav() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(1600))
    return buffer.getvalue()


def test_a_prompt_gets_other_words_or_a_recording(login, records, state):
    records.offer_prompts({"P01": "您好"})
    client, address = login("班长"), reverse("admin:desk_prompttext_change", args=("P01",))
    assert "您好" in client.get(address).content.decode()
    upload = SimpleUploadedFile("大厅录音.wav", wav())
    assert client.post(address, {"text": "欢迎致电", "audio": upload}).status_code == 302
    (override,) = records.prompt_overrides()
    assert (override.key, override.text) == ("P01", "欢迎致电")
    assert override.audio.read_bytes() == wav()
    assert override.audio.is_relative_to(state / "uploads")
    assert 'href="/uploads/prompts/P01.wav"' in client.get(address).content.decode()
    assert client.get("/uploads/prompts/P01.wav").content == wav()
    assert client.get("/uploads/../keys/pin.key").status_code == 404
    assert login("坐席").get("/uploads/prompts/P01.wav").status_code == 403


@pytest.mark.parametrize(("name", "content"), [("a.wav", b"not audio"), ("a.exe", wav())])
def test_a_file_that_cannot_be_played_is_refused(login, records, name, content):
    records.offer_prompts({"P01": "您好"})
    address = reverse("admin:desk_prompttext_change", args=("P01",))
    response = login("班长").post(address, {"text": "", "audio": SimpleUploadedFile(name, content)})
    assert response.status_code == 200
    assert 'class="errorlist"' in response.content.decode()
    assert PromptText.objects.get().changed_at is None


def test_who_manages_people_cannot_help_himself_to_more(login):
    client = login("管理员")
    me, boss = User.objects.get(), User.objects.create_superuser("boss")
    form = {
        "username": me.username,
        "is_staff": "on",
        "is_active": "on",
        "groups": [Group.objects.get(name="管理员").pk],
    }
    more = {"is_superuser": "on", "user_permissions": [1, 2, 3]}
    assert client.post(reverse("admin:auth_user_change", args=(me.pk,)), form | more).status_code == 302
    me.refresh_from_db()
    assert not me.is_superuser
    assert not me.user_permissions.exists()
    assert client.post(reverse("admin:auth_user_change", args=(boss.pk,)), {"username": "mine"}).status_code == 403
    password = {"password1": "a new password", "password2": "a new password"}
    assert client.post(reverse("admin:auth_user_password_change", args=(boss.pk,)), password).status_code == 403
