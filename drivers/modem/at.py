"""The modem's text: commands and result codes, and what it says unasked (V.250, V.253).

`Decoder` makes events of bytes, however they are cut. `Script` says a list of commands, one at a time, and
waits for each result; its time is ticks of 20 ms. Neither owns a port.

A result may be lost. A command that got none is said once more, for all we send may be said twice; the result
of the first may then still come, so after a repeated command the script waits a little and drops what comes.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from . import dle

SECOND = 50  # ticks

LONGEST_LINE = 256  # bytes; what is longer is noise, or audio that lost its frame
STRAY = 10  # ticks in which the result of a command said twice may still come


class Result(Enum):
    """How a command ended."""

    OK = "OK"
    ERROR = "ERROR"
    CONNECT = "CONNECT"
    VCON = "VCON"
    NO_CARRIER = "NO CARRIER"
    NO_DIALTONE = "NO DIALTONE"
    NO_DIAL_TONE = "NO DIAL TONE"
    NO_ANSWER = "NO ANSWER"
    BUSY = "BUSY"


GOOD = frozenset({Result.OK, Result.CONNECT, Result.VCON})
RESULTS = {result.value: result for result in Result}


@dataclass(frozen=True)
class Text:
    """A line that is no result: the answer to a question, an echo, noise."""

    text: str


@dataclass(frozen=True)
class RingText:
    """The exchange rings, once for each burst."""


@dataclass(frozen=True)
class CallerIdPart:
    """One line of a caller id record: DATE, TIME, NMBR, NAME, MESG or DDN_NMBR."""

    tag: str
    value: str


Event = Result | Text | RingText | CallerIdPart

CALLER_ID = re.compile(r"(DATE|TIME|NMBR|NAME|MESG|DDN_NMBR)\s*=\s*(.*)")
NUMBER = re.compile(r"\+?[0-9*#]{1,20}")  # anything else in NMBR is a reason there is none (P, O, PRIVATE), or noise


def line_event(text: str) -> Event:
    """What one line of the modem's says."""
    if text in RESULTS:
        return RESULTS[text]
    if text.startswith("CONNECT "):
        return Result.CONNECT
    if text == "RING":
        return RingText()
    if known := CALLER_ID.fullmatch(text):
        return CallerIdPart(known[1], known[2].strip())
    return Text(text)


class Decoder:
    """Lines of text; between them a modem in voice mode puts DLE reports."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._escaped = False

    def receive(self, data: bytes) -> tuple[list[Event | dle.Event], bytes]:
        """The events in `data`, and what follows CONNECT: a stream may have begun, its bytes are not ours."""
        events: list[Event | dle.Event] = []
        for at, byte in enumerate(data):
            if self._escaped:
                self._escaped = False
                if byte in dle.EVENTS:
                    events.append(dle.EVENTS[byte])
            elif byte == dle.DLE:
                self._escaped = True
            elif byte != ord("\n"):
                if len(self._line) < LONGEST_LINE:
                    self._line.append(byte)
            elif text := self._take():
                events.append(line_event(text))
                if events[-1] is Result.CONNECT:
                    return events, data[at + 1 :]
        return events, b""

    def _take(self) -> str:
        text = self._line.decode("ascii", "replace").strip()
        self._line.clear()
        return text


@dataclass(frozen=True)
class Step:
    """One command and what becomes of its result. `within` and `pause` are ticks."""

    command: str
    within: int = 2 * SECOND
    optional: bool = False  # ERROR does no harm: not every modem knows the command
    pause: int = 0  # to wait after the result, before the next command


class Outcome(Enum):
    """How a script ended."""

    DONE = "done"
    REFUSED = "refused"
    SILENT = "silent"


class Script:
    """Commands one after the other. `tick` is called once a tick, `take` with every event meanwhile."""

    def __init__(self, steps: Iterable[Step], repeat: bool = True) -> None:
        self.outcome: Outcome | None = None
        self.command = ""  # the one under way, or the last one
        self.answers: dict[str, list[str]] = {}  # by command: the lines between it and its result
        self.refused: list[str] = []  # commands
        self._steps = deque(steps)
        self._repeat = repeat
        self._asked: Step | None = None
        self._said = 0  # how often the command under way was said
        self._left = 0  # ticks until its result is given up, or until the next one may be said

    @property
    def between(self) -> bool:
        """Whether no command is under way."""
        return self._asked is None

    def tick(self) -> bytes:
        """20 ms have passed; what to send."""
        if self.outcome is not None:
            return b""
        self._left -= 1
        if self._asked is None:
            if self._left > 0:
                return b""
            if self._steps:
                self._said = 0
                return self._say(self._steps.popleft())
            self.outcome = Outcome.DONE
        elif self._left <= 0:
            if self._repeat and self._said == 1:
                return self._say(self._asked)
            self.outcome = Outcome.SILENT
        return b""

    def take(self, event: Event | dle.Event) -> None:
        """Something the modem said."""
        if self._asked is None or self.outcome is not None:
            return
        if isinstance(event, Text):
            if event.text != self._asked.command and len(self.answers[self.command]) < LONGEST_LINE:
                self.answers[self.command].append(event.text)
        elif isinstance(event, Result):
            if event not in GOOD:
                self.refused.append(self.command)
            if event not in GOOD and not self._asked.optional:
                self.outcome = Outcome.REFUSED
            elif not self._steps and self._asked.pause == 0 and self._said == 1:
                self.outcome = Outcome.DONE
            self._left = max(self._asked.pause, 1 if self._said == 1 else STRAY)
            self._asked = None

    def _say(self, step: Step) -> bytes:
        self._asked, self.command = step, step.command
        self._said += 1
        self._left = step.within
        self.answers[step.command] = []
        return step.command.encode("ascii") + b"\r"
