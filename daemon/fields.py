"""Grammars: what may be keyed into a field, as tables over (how much is keyed, which key).

Each grammar answers one question: given what is in the buffer and the next key, what now?
`more` takes the key in, `done` ends the entry with a value, `back` leaves the field, `wrong` refuses what
was keyed. An entry that is complete without '#' is followed by the caller's habitual
'#' all the same; the interpreter swallows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .identity import mask

DIGITS = "0123456789"


@dataclass(frozen=True)
class Verdict:
    """What a key does to an entry."""

    kind: Literal["more", "done", "back", "wrong"]
    value: str = ""


MORE = Verdict("more")
BACK = Verdict("back")
WRONG = Verdict("wrong")


@dataclass(frozen=True)
class Grammar:
    """One kind of entry. `press` is given the buffer before the key."""

    press: Callable[[str, str], Verdict]
    private: bool = True  # what is keyed appears in no log and no transcript, only its mask
    secret: bool = False  # forgotten as soon as it has been used
    masked: Callable[[str], str] = lambda value: "*" * len(value)


def _id_press(lengths: tuple[int, ...]) -> Callable[[str, str], Verdict]:
    """The entry of an identity number (GB 11643: 18 characters, 15 until 1999; X is keyed as '*').

    | keyed | key  | what it does                      |
    |-------|------|-----------------------------------|
    | < 17  | 0-9  | taken in                          |
    | 17    | 0-9  | completes 18, no '#' needed       |
    | 17    | *    | X, completes 18                   |
    | 0     | *    | back                              |
    | 1-16  | *    | wrong                             |
    | 15    | #    | completes 15, where 15 is allowed |
    | other | #    | wrong                             |
    """

    def press(buffer: str, key: str) -> Verdict:
        count = len(buffer)
        if key == "*":
            return Verdict("done", buffer + "X") if count == 17 else WRONG if count else BACK
        if key == "#":
            return Verdict("done", buffer) if count in lengths and count else WRONG
        if key not in DIGITS:
            return WRONG
        return Verdict("done", buffer + key) if count == 17 else MORE

    return press


def _fixed_press(length: int) -> Callable[[str, str], Verdict]:
    """Exactly `length` digits: the last one completes, '#' earlier is wrong."""

    def press(buffer: str, key: str) -> Verdict:
        if key == "*":
            return WRONG if buffer else BACK
        if key not in DIGITS:
            return WRONG
        return Verdict("done", buffer + key) if len(buffer) == length - 1 else MORE

    return press


def _number_press(shortest: int, longest: int) -> Callable[[str, str], Verdict]:
    """A number of open length: '#' or the longest length completes."""

    def press(buffer: str, key: str) -> Verdict:
        if key == "*":
            return WRONG if buffer else BACK
        if key == "#":
            return Verdict("done", buffer) if len(buffer) >= shortest else WRONG
        if key not in DIGITS:
            return WRONG
        return Verdict("done", buffer + key) if len(buffer) == longest - 1 else MORE

    return press


GRAMMARS: dict[str, Grammar] = {
    "id_number": Grammar(_id_press((15,)), masked=mask),
    "id_number_18": Grammar(_id_press(()), masked=mask),
    # 20 is the width of GRZH and DWZH in the fund data standard JGJ/T 320 (4.0.3, 5.0.2); a card number has 16 to 19.
    "account_number": Grammar(_number_press(4, 20), masked=mask),
    "card_number": Grammar(_number_press(12, 19), masked=mask),
    "unit_number": Grammar(_number_press(4, 20), private=False),
    "pin": Grammar(_fixed_press(6), secret=True),
}
