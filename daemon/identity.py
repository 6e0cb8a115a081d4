"""Resident identity numbers (GB 11643-1999): check character, old and new form, spellings, masking.

A number has 18 characters: 6 of area, 8 of birth date, 3 of sequence, 1 check character (0-9 or X).
Before 1999 it had 15: two digits for the year of birth, and no check character. Both forms are on file
in fund databases, X in either case, so a look-up asks for all spellings at once.
"""

from __future__ import annotations

import re
from datetime import date

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643, table 1
CHARACTERS = "10X98765432"  # by weighted sum modulo 11: ISO 7064, MOD 11-2
CENTENARIANS = ("996", "997", "998", "999")  # sequences kept for people born in 18xx
FORM = re.compile(r"[0-9]{17}[0-9X]|[0-9]{15}")
LONG_DIGITS = re.compile(r"[0-9]{6,}[Xx]?")  # identity, account and card numbers, and PINs


def check_character(body: str) -> str:
    """The 18th character for the first 17 digits."""
    return CHARACTERS[sum(weight * int(digit) for weight, digit in zip(WEIGHTS, body, strict=True)) % 11]


def long_form(number: str) -> str:
    """The 18 characters of a number of 15 digits; one of 18 comes back as it is."""
    if len(number) == 18:
        return number
    century = "18" if number.endswith(CENTENARIANS) else "19"
    body = number[:6] + century + number[6:]
    return body + check_character(body)


def short_form(number: str) -> str | None:
    """The 15 digits this person was registered under before 1999, if there can be any.

    None for births of this century, and for a wrong check character: dropping it would turn a slip of
    the finger into the number of somebody else.
    """
    if len(number) == 15:
        return number
    short = number[:6] + number[8:17]
    return short if long_form(short) == number else None


def normal(keyed: str) -> str:
    """The number as this module writes it: capital X. Raises ValueError if it is not 15 or 18 characters long."""
    number = keyed.strip().upper()
    if not FORM.fullmatch(number):
        raise ValueError(f"an identity number has 15 digits, or 17 and a digit or X: {mask(number)}")
    return number


def is_plausible(number: str) -> bool:
    """Whether a number in normal form has a real birth date and, with 18 characters, the right check character.

    Never a reason to refuse a look-up: old ledgers hold numbers with wrong check characters.
    """
    full = long_form(number)
    try:
        date(int(full[6:10]), int(full[10:12]), int(full[12:14]))
    except ValueError:
        return False
    return full[17] == check_character(full[:17])


def spellings(number: str) -> tuple[str, ...]:
    """All ways a number in normal form may stand in a fund database, the likeliest first; one to four.

    The last is the 15 digits in a CHAR(18) column, padded: Oracle compares bound values without padding.
    """
    full = long_form(number)
    forms = [full]
    short = short_form(number)
    if short:
        forms.append(short)
    if full.endswith("X"):
        forms.append(full.lower())
    if short:
        forms.append(short.ljust(18))
    return tuple(forms)


def mask(number: str) -> str:
    """First six and last four of a long number, as on bank statements; at most the last four of a short one."""
    head, tail = (6, 4) if len(number) >= 15 else (0, min(4, len(number) // 2))
    return number[:head] + "*" * (len(number) - head - tail) + number[len(number) - tail :]


def scrub(text: str) -> str:
    """Text from elsewhere (a driver's error) without any run of six or more digits: it may quote what was keyed."""
    return LONG_DIGITS.sub("…", text)
