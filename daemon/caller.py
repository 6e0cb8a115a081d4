"""A caller who follows a script: for `hotline call`, for tests, for benches.

    1 1 990101198503070017# 135790        each word is keyed when the prompt before it has ended
    !1                                    keyed one second into the prompt: barge-in
    wait:3                                three seconds of silence
    say:FILE                              speaks a sound file, once the service expects speech
    hangup                                puts the receiver down, at once

After the last word the caller hears the prompt to its end and puts the receiver down. The caller knows
that a prompt has ended because the service says so (`Call.waits_for`); everything else travels as sound.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..drivers.simulated.exchange import Exchange
from ..drivers.simulated.telephone import KeypadTelephone
from ..voice import audiofile
from .call import Call, ticks

BARGE_IN_AFTER = ticks(1.0)
TRAVEL = ticks(0.3)  # by then a key has arrived over any line: the service no longer asks for what it answered


class ScriptError(ValueError):
    """The script cannot be followed; the text names the word and what is allowed."""


@dataclass(frozen=True)
class Word:
    """One word of a script."""

    kind: Literal["keys", "barge", "wait", "say", "hangup"]
    value: str = ""


def parse(script: str) -> list[Word]:
    """Split a script into words. Raises ScriptError."""
    return [_word(word) for word in script.split()]


def _word(word: str) -> Word:
    kind, _, value = word.partition(":")
    if kind == "wait" and re.fullmatch(r"\d+(\.\d+)?", value):
        return Word("wait", value)
    if kind == "say" and value:
        return Word("say", value)
    if word == "hangup":
        return Word("hangup")
    barge, keys = word.startswith("!"), word.removeprefix("!")
    if re.fullmatch(r"[0-9*#A-D]+", keys):
        return Word("barge" if barge else "keys", keys)
    raise ScriptError(f"脚本里的 {word!r} 看不懂；可以用：按键（0–9、*、#）、!按键、wait:秒数、say:文件、hangup")


class ScriptedCaller:
    """Follows a script on one telephone; `step` is called once a tick with the call as it stands."""

    def __init__(self, script: list[Word], exchange: Exchange, telephone: KeypadTelephone, **keying: float) -> None:
        self._script = deque(script)
        self._exchange = exchange
        self._telephone = telephone
        self._keying = keying
        self._speaking_for = 0  # ticks the service has been talking without pause
        self._sounds = False  # what is done last; to wait is none
        self._done_for = TRAVEL  # ticks since what was keyed or said last was out

    def step(self, call: Call | None) -> None:
        """Do what is due in this tick."""
        if call is None or call.cause is not None:
            return
        self._speaking_for = 0 if call.waits_for else self._speaking_for + 1
        busy = not self._telephone.idle
        self._done_for = 0 if busy and self._sounds else self._done_for + 1
        if busy:
            return
        if not self._script:
            if self._asked(call):
                self._exchange.hang_up()
        elif self._due(self._script[0], call):
            self._speaking_for = 0
            self._do(self._script.popleft())

    def _due(self, word: Word, call: Call) -> bool:
        match word.kind:
            case "keys" | "say":
                return self._asked(call)
            case "barge":
                return self._asked(call) or self._speaking_for >= BARGE_IN_AFTER
        return True

    def _asked(self, call: Call) -> bool:
        """Whether the service waits for something new."""
        return call.waits_for is not None and self._done_for >= TRAVEL

    def _do(self, word: Word) -> None:
        self._sounds = word.kind != "wait"
        match word.kind:
            case "keys" | "barge":
                self._telephone.keys(word.value, **self._keying)
            case "wait":
                self._telephone.wait(float(word.value))
            case "say":
                self._telephone.say(audiofile.read(Path(word.value)), label=word.kind)
            case "hangup":
                self._exchange.hang_up()
