"""ID numbers at rest: sealed to be opened with a reason, hashed to be found again, masked to be shown.

All functions take the canonical form: 18 characters, upper-case X. Turning 15 digits into 18 is the
caller's business, before the number gets here.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from . import keys
from .errors import Unsealable


def _box() -> MultiFernet:
    return MultiFernet([Fernet(line) for line in keys.read(settings.KEYS, keys.SEAL).splitlines()])


def seal(number: str) -> str:
    """Encrypt with the first key of seal.key. An empty number stays empty."""
    return _box().encrypt(number.encode()).decode() if number else ""


def unseal(token: str) -> str:
    """Decrypt with whichever key fits."""
    if not token:
        return ""
    try:
        return _box().decrypt(token.encode()).decode()
    except InvalidToken:
        raise Unsealable(f"{settings.KEYS / keys.SEAL}: 没有能打开此记录的密钥") from None


def reseal(token: str) -> str:
    """The same number under the newest key."""
    return _box().rotate(token.encode()).decode() if token else ""


def digest(number: str) -> str:
    """64 hex digits that are the same for the same number; '' for ''."""
    if not number:
        return ""
    return hmac.new(keys.read(settings.KEYS, keys.SEARCH), number.encode(), hashlib.sha256).hexdigest()


def mask(number: str) -> str:
    """990101********0017: first six and last four; shorter than 12 characters only the last two."""
    head, tail = (6, 4) if len(number) >= 12 else (0, 2)
    return number[:head] + "*" * max(len(number) - head - tail, 0) + number[-tail:]


# 14 digits is the shortest mistyped ID the flow speaks of; a telephone number with area code has 12.
_LONG_NUMBER = re.compile(r"\d{13,}[Xx*]?")


def mask_text(text: str) -> str:
    """Mask whatever in a free text could be an ID, account or card number."""
    return _LONG_NUMBER.sub(lambda found: mask(found[0]), text)
