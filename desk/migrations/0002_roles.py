"""The roles of a centre as groups. Made once: what an administrator changes afterwards stays changed."""

from __future__ import annotations

from typing import Any

from django.apps import apps as live_apps
from django.contrib.auth.management import create_permissions
from django.db import migrations

ORDERS = ["view_call", "view_step", "view_message", "listen_message"]
TEXTS = ["branch", "policytext", "prompttext"]
EDIT_TEXTS = [f"{verb}_{text}" for verb in ("view", "add", "change") for text in TEXTS]

ROLES = {
    "坐席": [*ORDERS, "change_message", "issue_pin", "view_branch", "view_policytext"],
    "班长": [*ORDERS, "change_message", "issue_pin", "view_vote", "see_voter", "see_statistics", *EDIT_TEXTS],
    "管理员": [
        *ORDERS, "issue_pin", "view_vote", "see_statistics", *EDIT_TEXTS,
        "view_user", "add_user", "change_user", "view_group",
    ],
    "审计员": ["view_call", "view_step", "view_message", "view_vote", "view_auditentry", "view_user", "view_group"],
    "监管只读": ["see_statistics"],
}  # fmt: skip


def make_roles(apps: Any, schema_editor: Any) -> None:
    # Django makes the permissions only after the last migration; the groups need them now.
    for label in ("desk", "auth"):
        create_permissions(
            live_apps.get_app_config(label), verbosity=0, apps=apps, using=schema_editor.connection.alias
        )
    group, permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for name, codenames in ROLES.items():
        found = permission.objects.filter(codename__in=codenames, content_type__app_label__in=("desk", "auth"))
        group.objects.get_or_create(name=name)[0].permissions.add(*found)


class Migration(migrations.Migration):
    dependencies = (
        ("desk", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    )
    operations = (migrations.RunPython(make_roles, migrations.RunPython.noop),)
