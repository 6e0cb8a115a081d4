"""What a centre would have typed in: branches, texts, PINs and a first user, for `hotline demo`.

Filling twice changes nothing, so what was edited on the pages of the demo survives its next start.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from . import pins, services
from .models import Branch, Pin, PolicyText

PIN = "135790"
USER = "admin"

# Everybody of the demo fund database in canonical form, and two numbers that are not in it: without
# a PIN nobody would ever hear what is said to somebody who is not on file.
LOGINS: tuple[tuple[str, str], ...] = (
    *(
        ("id_number", number)
        for number in (
            "990101198503070017",
            "99010119870316005X",
            "990101196001011237",
            "99010119550505456X",
            "990101197809210030",
            "990101198402290117",
            "99010119820630004X",
            "990101197511120059",
            "990101199508080067",
            "990101197906150121",
            "990101198612120140",
            "99010119830808013X",
            "990101196804200180",
            "990101197206060221",
            "990101199005150027",
            "990101197409050218",
            "990101198802020087",
            "990101199304040098",
            "990101199109090102",
            "990101198103030198",
            "990101196001010074",
            "990101198503070018",
        )
    ),
    ("account_number", "990100000001"),
    ("unit", "9901001"),
    ("unit", "9901009"),
)

BRANCHES = (
    ("市中心营业部", "示范市人民路12号", "0990-6512329", "0990-6512300", "工作日九点到十七点"),
    ("城东管理部", "示范市东湖路88号一楼", "0990-6512331", "0990-6512300", "工作日九点到十七点"),
    ("铁路分中心", "示范市站前街6号", "0990-6512345", "0990-6512300", "工作日九点到十七点"),
)

# kind, keys that lead there, category, title, text; a parent stands before its children.
TEXTS = (
    (
        "policy", "1", "deposit", "缴存政策",
        "住房公积金由单位和职工按月共同缴存，单位和个人的缴存比例均为百分之五至百分之十二，"
        "缴存基数每年七月按上年度月平均工资核定一次。",
    ),
    ("policy", "2", "withdrawal", "提取政策", "符合规定情形的职工，可以申请提取本人账户内的住房公积金。"),
    ("policy", "21", "withdrawal", "租房提取", "连续足额缴存满三个月，在本市无房而租房居住的，可以提取支付房租。"),
    ("policy", "22", "withdrawal", "购房提取", "购买自住住房的，可以在购房合同备案之日起一年内申请提取。"),
    ("policy", "23", "withdrawal", "退休提取", "离休、退休的职工可以提取账户全部余额，并同时办理销户。"),
    (
        "policy", "3", "loan", "贷款政策",
        "连续足额缴存满六个月的职工，购买、建造、翻建、大修自住住房时可以申请住房公积金贷款，"
        "贷款期限最长三十年。",
    ),
    (
        "procedure", "1", "deposit", "缴存流程",
        "单位新开户请持营业执照到任一网点办理登记，三十日内为职工设立账户，以后每月通过网上业务大厅汇缴。",
    ),
    (
        "procedure", "2", "withdrawal", "提取流程",
        "请本人持身份证、联名卡和证明材料到任一网点申请，材料齐全的当场受理，三个工作日内到账。",
    ),
    (
        "procedure", "3", "loan", "贷款流程",
        "贷款分为申请、审批、签约、抵押登记、放款五步，自受理之日起十个工作日内作出是否准予贷款的决定。",
    ),
)  # fmt: skip


class FirstUser(NamedTuple):
    """`password` is empty when the user was there already: nobody can know it then."""

    name: str
    password: str


def fill(password: str = "", at: datetime | None = None) -> FirstUser:
    """Fill in what is missing; a random password is made when none is given. Takes about 2 s the first time."""
    at = at or timezone.now()
    with transaction.atomic():
        _branches(at)
        _texts(at)
    _pins(at)
    if User.objects.filter(username=USER).exists():
        return FirstUser(USER, "")
    password = password or secrets.token_urlsafe(9)
    User.objects.create_superuser(USER, password=password, first_name="演示")
    return FirstUser(USER, password)


def _branches(at: datetime) -> None:
    if Branch.objects.exists():
        return
    for order, (name, address, service, complaint, hours) in enumerate(BRANCHES, 1):
        branch = Branch(
            name=name, address=address, service_phone=service, complaint_phone=complaint, hours=hours, order=order
        )
        services.text_save(text=branch, by="demo", at=at)


def _texts(at: datetime) -> None:
    if PolicyText.objects.exists():
        return
    made: dict[tuple[str, str], PolicyText] = {}
    for kind, keys, category, title, text in TEXTS:
        node = PolicyText(
            kind=kind, category=category, parent=made.get((kind, keys[:-1])), key=keys[-1], title=title, text=text
        )
        services.text_save(text=node, by="demo", at=at)
        made[kind, keys] = node


def _pins(at: datetime) -> None:
    if Pin.objects.exists():
        return
    with transaction.atomic():
        for kind, login in LOGINS:
            pins.set(kind, login, PIN, "demo", at=at)
