"""Callers' PINs: six digits that must survive a stolen database and a patient guesser.

`kind` is one of `Pin.KINDS`. `login` is the canonical number: an ID number has 18 characters and an
upper-case X; turning 15 digits into 18 is done before it gets here.

A stolen table: what scrypt sees is an HMAC of kind, login and PIN under a key from outside the
database, so a row neither gives its million candidates away nor works for another login.

A guesser: an attempt is counted before it is looked at, so sixteen lines guessing at once get no
more tries than one. Logins nobody has are counted, hashed and answered just the same. A withheld
number has no count of its own, for all withheld numbers would share it; the login's count still holds.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Literal

from django.conf import settings
from django.contrib.auth.hashers import ScryptPasswordHasher
from django.db import models, transaction
from django.utils import timezone

from . import keys
from .models import Failure, Pin

Verdict = Literal["ok", "wrong", "locked"]


@dataclass(frozen=True)
class Limits:
    """Wrong PINs a day (Asia/Shanghai) after which a login, or a calling number, is locked till the next."""

    login: int = 5
    caller: int = 10


LIMITS = Limits()


class WeakPin(ValueError):
    """The PIN is too easy to guess; the text says why, in words for the person choosing it."""


class Hasher(ScryptPasswordHasher):
    parallelism = 1  # Django's 5 is for passwords typed once a day; this one is waited for on the telephone


def check(
    kind: str, login: str, pin: str, caller: str, *, at: datetime | None = None, limits: Limits = LIMITS
) -> Verdict:
    """Judge one attempt; blocks for one scrypt. The attempt that reaches a limit is already "locked"."""
    day = timezone.localdate(at)
    subject = _digest("login", kind, login)
    counted = [("login", subject, limits.login)] + ([("caller", caller, limits.caller)] if caller else [])
    with transaction.atomic():
        if not all(_take(scope, who, day, limit) for scope, who, limit in counted):
            transaction.set_rollback(True)
            return "locked"
    row = Pin.objects.filter(kind=kind, login_hash=subject).first()
    if _verify(_digest("pin", kind, login, pin), row.pin_hash if row else _dummy(settings.PIN_WORK_FACTOR)):
        _give_back(subject, caller, day)
        return "ok"
    spent = any(_count(scope, who, day) >= limit for scope, who, limit in counted)
    return "locked" if spent else "wrong"


def set(kind: str, login: str, pin: str, by: str, *, at: datetime | None = None, known: Iterable[str] = ()) -> None:
    """Give `login` this PIN. Raises `WeakPin`; `known` are further numbers it must not be taken from."""
    if reason := weakness(pin, login, *known):
        raise WeakPin(reason)
    _store(kind, login, pin, by, at, must_change=False)


def issue(kind: str, login: str, by: str, *, at: datetime | None = None) -> str:
    """Give `login` a random PIN and return it, the only time it can be seen. Unlocks the login too."""
    pin = "000000"
    while weakness(pin, login):
        pin = f"{secrets.randbelow(10**6):06d}"
    with transaction.atomic():
        _store(kind, login, pin, by, at, must_change=True)
        unlock(kind, login)
    return pin


def unlock(kind: str, login: str) -> None:
    """Forget the wrong attempts on a login."""
    Failure.objects.filter(scope="login", subject=_digest("login", kind, login)).delete()


def must_change(kind: str, login: str) -> bool:
    """Whether the PIN came from a clerk and its owner has not chosen one yet."""
    return Pin.objects.filter(kind=kind, login_hash=_digest("login", kind, login), must_change=True).exists()


def weakness(pin: str, *numbers: str) -> str:
    """Why a PIN is too easy, '' when it is not. `numbers`: the login and others its owner is known by."""
    if not (len(pin) == 6 and pin.isascii() and pin.isdigit()):
        return "密码必须是六位数字"
    if pin in "0123456789012345" or pin in "9876543210987654":
        return "密码不能是连续的数字"
    if len({*pin}) == 1:
        return "密码不能是六个相同的数字"
    for number in numbers:
        if pin in number or pin in _derived(number):
            return "密码不能取自本人的证件号码、账号、电话或生日"
    return ""


def _derived(number: str) -> list[str]:
    """What people and other centres make of a number: last four and 00, last six with the letter as 0, birthday."""
    digits = number.upper().replace("X", "0")
    made = [digits[-4:] + "00", "00" + digits[-4:], digits[-6:]]
    if len(number) == 18:
        year, month, day = number[8:10], number[10:12], number[12:14]
        made += [year + month + day, month + day + year, day + month + year]
    return made


def _take(scope: str, subject: str, day: date, limit: int) -> bool:
    """Count an attempt; false, and nothing counted, when the limit is reached already."""
    row, _ = Failure.objects.get_or_create(scope=scope, subject=subject, day=day)
    below = Failure.objects.filter(pk=row.pk, count__lt=limit)
    return below.update(count=models.F("count") + 1) == 1


def _give_back(subject: str, caller: str, day: date) -> None:
    """A right PIN clears the login; a calling number gets back only this attempt, or one good account would
    open the way to guess at others."""
    with transaction.atomic():
        Failure.objects.filter(scope="login", subject=subject).delete()
        used = Failure.objects.filter(scope="caller", subject=caller, day=day)
        used.update(count=models.F("count") - 1)
        used.filter(count=0).delete()


def _count(scope: str, subject: str, day: date) -> int:
    return sum(Failure.objects.filter(scope=scope, subject=subject, day=day).values_list("count", flat=True))


def _store(kind: str, login: str, pin: str, by: str, at: datetime | None, *, must_change: bool) -> None:
    if kind not in Pin.KINDS:
        raise ValueError(f"PIN: kind {kind!r} is not one of {', '.join(Pin.KINDS)}")
    values = {
        "pin_hash": _encode(_digest("pin", kind, login, pin)),
        "must_change": must_change,
        "updated_at": at or timezone.now(),
        "updated_by": by,
    }
    Pin.objects.update_or_create(kind=kind, login_hash=_digest("login", kind, login), defaults=values)


def _digest(*parts: str) -> str:
    """HMAC under pin.key; a zero byte between the parts keeps 'ab','c' apart from 'a','bc'."""
    return hmac.new(keys.read(settings.KEYS, keys.PIN), "\0".join(parts).encode(), hashlib.sha256).hexdigest()


def _encode(secret: str) -> str:
    hasher = Hasher()
    return hasher.encode(secret, hasher.salt(), n=settings.PIN_WORK_FACTOR)


def _verify(secret: str, encoded: str) -> bool:
    return Hasher().verify(secret, encoded)


@lru_cache(maxsize=1)
def _dummy(work_factor: int) -> str:
    """A hash no PIN fits, as dear to verify as a real one."""
    return Hasher().encode(secrets.token_hex(16), "0" * 22, n=work_factor)
