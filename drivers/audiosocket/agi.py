"""AGI over TCP, as far as a dialplan needs it to tell us of a call and to ask what became of it. No socket, no clock.

Asterisk connects and sends `agi_NAME: VALUE` lines up to an empty one: the caller's number, what was dialled, and the
dialplan's own arguments. We answer with commands, one here, `SET VARIABLE`; Asterisk acknowledges it with a line that
begins with 200, and the script ends when we close. (The AGI application of docs.asterisk.org, res_agi.c.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST = 8192  # bytes of a request; Asterisk's is about 700

NUMBER = re.compile(r"\+?([0-9*#]{1,20})")


@dataclass(frozen=True)
class Request:
    """What the dialplan asks: agi://HOST:PORT/SCRIPT,ARGUMENT,…"""

    script: str
    arguments: tuple[str, ...]
    caller: str | None  # None: withheld or unknown
    dialled: str | None


@dataclass(frozen=True)
class Acknowledged:
    """Asterisk has carried out a command."""


@dataclass(frozen=True)
class Broken:
    """This is no AGI; the text says what was seen."""

    reason: str


Event = Request | Acknowledged | Broken


class Decoder:
    """Our side of one request."""

    def __init__(self) -> None:
        self._rest = b""
        self._variables: dict[str, str] = {}
        self._asked = False
        self._size = 0

    def receive(self, data: bytes) -> list[Event]:
        """What these bytes complete; nothing that follows Broken is to be given in."""
        self._size += len(data)
        if self._size > MOST:
            return [Broken(f"AGI 请求超过 {MOST} 字节")]
        *lines, self._rest = (self._rest + data).split(b"\n")
        events: list[Event] = []
        for line in lines:
            event = self._line(line.decode("utf-8", "replace").rstrip("\r"))
            if event is not None:
                events.append(event)
            if isinstance(event, Broken):
                break
        return events

    def _line(self, line: str) -> Event | None:
        if self._asked:
            return Acknowledged() if line.startswith("200") else None  # HANGUP, and answers of several lines
        if not line:
            self._asked = True
            return _request(self._variables)
        name, colon, value = line.partition(": ")
        if not name.startswith("agi_") or not (colon or line.endswith(":")):
            return Broken(f"{line[:20]!r} 不是 AGI 变量")
        self._variables[name.rstrip(":")] = value
        return None


def _request(variables: Mapping[str, str]) -> Request:
    arguments: list[str] = []
    while f"agi_arg_{len(arguments) + 1}" in variables:
        arguments.append(variables[f"agi_arg_{len(arguments) + 1}"])
    script = variables.get("agi_network_script", "").strip("/")
    # The extension is where the dialplan stands, which is what was dialled only at first.
    dialled = _number(variables.get("agi_dnid")) or _number(variables.get("agi_extension"))
    return Request(script, tuple(arguments), _number(variables.get("agi_callerid")), dialled)


def _number(text: str | None) -> str | None:
    """Digits, or None for `unknown`, `anonymous`, `s` and the like."""
    found = NUMBER.fullmatch(text or "")
    return found[1] if found else None


def set_variable(name: str, value: str) -> bytes:
    """The command; `value` holds no quotation mark and no line end."""
    return f'SET VARIABLE {name} "{value}"\n'.encode()


def request(script: str, arguments: Sequence[str], caller: str | None = None, dialled: str | None = None) -> bytes:
    """What Asterisk sends for AGI(agi://…/SCRIPT,ARGUMENT,…): for callers and tests."""
    variables = {
        "agi_network": "yes",
        "agi_network_script": script,
        "agi_callerid": caller or "unknown",
        "agi_dnid": dialled or "unknown",
        "agi_extension": "s",
    } | {f"agi_arg_{n}": value for n, value in enumerate(arguments, 1)}
    return "".join(f"{name}: {value}\n" for name, value in variables.items()).encode() + b"\n"


ACKNOWLEDGEMENT = b"200 result=1\n"


def variable_set(line: bytes) -> tuple[str, str] | None:
    """Name and value of a SET VARIABLE command, None for any other line: for callers and tests."""
    found = re.fullmatch(rb'SET VARIABLE (\w+) "([^"]*)"', line.strip())
    return (found[1].decode(), found[2].decode()) if found else None
