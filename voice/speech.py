"""What a dialog says: a list of pieces becomes clips, and the words for the transcript.

A piece is one of

    P08                              a prompt of the catalogue
    {money: balance}                 a value, by its name, in one of KINDS
    {count: periods, unit: 期}       a number with a measure word
    {text: body}                     a free text (the audio may have to be made first, see `blocking`)
    {choices: topics}                a mapping of key to title, read as a menu: TITLE 请按 KEY, ...
    {when: paid_to, say: [...]}      pieces said only where the value is there: not None, not false, not empty
    {when: {state: "02"}, say: [...]}  ... or equals what is written

Names are looked up in the values; `centre.phone` goes into a mapping in them. A value that is None is never
spoken (its piece is left out); a name the values do not have at all is an error in the dialog.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple, Protocol

from . import numbers
from .library import Clip, Library

Piece = str | Mapping[str, Any]
Values = Mapping[str, Any]


class SpeechError(ValueError):
    """A piece cannot be said; the text names the piece and why, never a value that identifies a person."""


class Utterance(NamedTuple):
    """What is played and what was said; `masked` is `text` with ID and account numbers made unreadable."""

    clips: list[Clip]
    text: str
    masked: str


class Manner(Protocol):
    """How values are read; settings.Speech is one, USUAL its default."""

    @property
    def style(self) -> numbers.Style: ...
    @property
    def yao(self) -> bool: ...


class _Manner(NamedTuple):
    style: numbers.Style = "spoken"
    yao: bool = True


USUAL: Final[Manner] = _Manner()


def _digits(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError("not a string of digits")
    return str(value).strip()


def _whole(value: Any) -> int:
    """A count from whatever a database driver gives for it."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise TypeError("not a whole number")
    number = Decimal(value)
    if number != number.to_integral_value():
        raise ValueError("not a whole number")
    return int(number)


def _decimal(value: Any) -> Decimal:
    if not isinstance(value, Decimal):
        raise TypeError("not a Decimal")
    return value


_KINDS: Final[dict[str, Callable[[Any, Manner], str]]] = {
    "digits": lambda value, how: numbers.digits(_digits(value), how.yao),
    "id": lambda value, how: numbers.id_number(_digits(value), how.yao),
    "phone": lambda value, how: numbers.phone(_digits(value), how.yao),
    "agent": lambda value, how: numbers.agent(_digits(value), how.yao),
    "money": lambda value, how: numbers.money(_decimal(value), how.style),
    "percent": lambda value, _: numbers.percent(_decimal(value)),
    "years": lambda value, how: numbers.term(_whole(value), how.style),
    "month": lambda value, _: numbers.year_month(value),
    "date": lambda value, _: numbers.date(value),
    "time": lambda value, _: numbers.time(value),
    "ordinal": lambda value, _: numbers.ordinal(_whole(value)),
}
KINDS: Final = (*_KINDS, "count", "text", "choices")
_SECRET: Final = frozenset({"id"})
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def compose(pieces: Sequence[Piece], values: Values, library: Library, how: Manner = USUAL) -> Utterance:
    """Clips and words for `pieces`. Raises SpeechError; blocks as `blocking` says."""
    spoken = list(_spoken(pieces, values, library, how))
    clips: list[Clip] = []
    for prompt, said, _, _ in spoken:
        if prompt and clips:
            clips.append(library.clip("gap"))
        clips += said
    return Utterance(clips, " ".join(part.text for part in spoken), " ".join(part.masked for part in spoken))


def blocking(pieces: Sequence[Piece]) -> bool:
    """Whether composing these may take long: free texts never heard before are spoken by a synthesiser first."""
    return any(
        not isinstance(piece, str) and ({"text", "choices"} & set(piece) or blocking(piece.get("say", ())))
        for piece in pieces
    )


def holds(condition: str | Mapping[str, Any], values: Values) -> bool:
    """Whether a condition is met. Zero is there, None, false and "" are not; nor is a name the values lack."""

    def get(name: str) -> Any:
        try:
            return _value(values, name)
        except SpeechError:
            return None

    if isinstance(condition, str):
        value = get(condition)
        return not (value is None or value is False or value == "")
    return all(str(get(name)) == str(wanted) for name, wanted in condition.items())


def validate(pieces: object, catalogue: Collection[str]) -> list[str]:
    """What is wrong with `pieces`, a sentence each, in Chinese; an empty list when they can be said."""
    if not isinstance(pieces, list):
        return [f"应当是列表，如 [P01, {{money: balance}}]，不能是 {pieces!r}"]
    return [f"第 {at} 项 {fault}" for at, piece in enumerate(pieces, 1) for fault in _faults(piece, catalogue)]


class _Part(NamedTuple):
    prompt: bool  # a sentence of its own: a gap goes before it
    clips: list[Clip]
    text: str
    masked: str


def _spoken(pieces: Sequence[Piece], values: Values, library: Library, how: Manner) -> Iterator[_Part]:
    for piece in pieces:
        if isinstance(piece, str):
            clip = library.clip(piece)
            yield _Part(True, [clip], clip.text, clip.text)
        elif "when" in piece:
            if holds(piece["when"], values):
                yield from _spoken(piece["say"], values, library, how)
        else:
            kind = next(key for key in piece if key in KINDS)
            value = _value(values, piece[kind])
            if value is not None:
                yield from _said(kind, value, piece, library, how)


def _said(kind: str, value: Any, piece: Mapping[str, Any], library: Library, how: Manner) -> Iterator[_Part]:
    if kind == "text":
        clips = library.text(str(value))
        text = "".join(clip.text for clip in clips)
        yield _Part(True, clips, text, text)
        return
    if kind == "choices":
        for key, title in value.items():
            clips = [*library.text(str(title)), library.clip(f"press-{key}")]
            text = "".join(clip.text for clip in clips)
            yield _Part(True, clips, text, text)
        return
    try:
        words = numbers.count(_whole(value), piece["unit"], how.style) if kind == "count" else _KINDS[kind](value, how)
        clips = [library.clip(key) for key in numbers.clip_keys(words)]
    except (ValueError, TypeError, ArithmeticError):
        # The value itself stays out of the message: it may be somebody's number or balance.
        what = f"{{{kind}: {piece[kind]}}}"
        raise SpeechError(f"{what} 念不出来：值的类型（{type(value).__name__}）、格式或范围不对") from None
    yield _Part(False, clips, words, _mask(str(value)) if kind in _SECRET else words)


def _value(values: Values, name: str) -> Any:
    found: Any = values
    for step in name.split("."):
        if found is None:
            return None
        if not isinstance(found, Mapping) or step not in found:
            raise SpeechError(f"没有名为 {name!r} 的值")
        found = found[step]
    return found


def _mask(number: str) -> str:
    """110105********002X: the area and the last four, as papers print a masked ID; shorter ones keep the last four."""
    head = 6 if len(number) in (15, 18) else 0
    return number[:head] + "*" * (len(number) - head - 4) + number[-4:]


def _faults(piece: object, catalogue: Collection[str]) -> Iterator[str]:
    if isinstance(piece, str):
        if piece not in catalogue:
            yield f"{piece!r}：提示音目录里没有这个名称"
    elif not isinstance(piece, dict):
        yield f"{piece!r}：应当是提示音名称或 {{种类: 值名}}"
    elif "when" in piece or "say" in piece:
        yield from _guard_faults(piece, catalogue)
    else:
        yield from _value_faults(piece)


def _guard_faults(piece: dict[str, Any], catalogue: Collection[str]) -> Iterator[str]:
    if set(piece) != {"when", "say"}:
        yield f"{piece!r}：条件项要有且只有 when 和 say"
        return
    names = piece["when"] if isinstance(piece["when"], dict) else [piece["when"]]
    if not names or not all(map(_is_name, names)):
        yield f"when = {piece['when']!r}：应当是值的名称，或 {{名称: 应有的值}}"
    yield from (f"say {fault}" for fault in validate(piece["say"], catalogue))


def _value_faults(piece: dict[str, Any]) -> Iterator[str]:
    kinds = [key for key in piece if key in KINDS]
    if len(kinds) != 1:
        yield f"{piece!r}：要有且只有一个种类，可用：{'、'.join(KINDS)}"
        return
    allowed = {kinds[0], "unit"} if kinds[0] == "count" else {kinds[0]}
    if unknown := set(piece) - allowed:
        yield f"{piece!r}：不认识 {'、'.join(sorted(map(str, unknown)))}"
    if not _is_name(piece[kinds[0]]):
        yield f"{kinds[0]} = {piece[kinds[0]]!r}：应当是值的名称，如 balance 或 centre.phone"
    if kinds[0] == "count" and piece.get("unit") not in numbers.UNITS:
        yield f"unit = {piece.get('unit')!r}：可用：{'、'.join(numbers.UNITS)}"


def _is_name(name: object) -> bool:
    return isinstance(name, str) and _NAME.fullmatch(name) is not None
