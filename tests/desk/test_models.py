from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from hotline.desk.models import Branch, Call, Message, PolicyText, PromptText, Vote, audio_name
from rig.desk import NOON


def test_the_migrations_make_these_tables(state):
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_django_finds_nothing_wrong(state):
    call_command("check", fail_level="WARNING")


def test_every_name_a_clerk_reads_is_chinese():
    for model in (Call, Message, Vote, Branch, PolicyText, PromptText):
        names = [model._meta.verbose_name, *(field.verbose_name for field in model._meta.concrete_fields)]
        assert [name for name in names if name.isascii()] in ([], ["ID"])


def test_the_database_itself_refuses_a_sixth_option(call):
    with pytest.raises(IntegrityError), transaction.atomic():
        Vote.objects.create(call_id=call, line="line1", option=6, at=NOON)


def test_a_key_leads_to_one_text(state):
    top = {"kind": "policy", "category": "loan", "key": "3", "title": "贷款政策"}
    PolicyText.objects.create(**top)
    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyText.objects.create(**top)


def test_audio_is_named_after_its_prompt():
    assert audio_name(PromptText(key="P01"), "../../张三 990101198503070017.WAV") == "prompts/P01.wav"
