"""Callers who know what they should hear: for `hotline load`.

The script is rehearsed once, in virtual time on a copy of the state; what was heard then after each word is what
every caller must hear, frame by frame, for a line without hardware in it carries samples unchanged. A caller keys
each word when he has heard the last frame of the reply before it, `!1` a second after that reply has begun.

Nothing here knows of sockets or clocks: a frame is the message that carries it, times are handed in. Callers who are
themselves late hear late and key unsteadily: what may be their own doing is told apart, and counted all the same.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..config.settings import Settings
from ..drivers.audiosocket.protocol import audio_message
from ..drivers.line import FRAME, Frame
from ..dsp import generate
from . import rehearsal
from .call import ticks
from .caller import ScriptError, Word, parse

SILENCE = audio_message(bytes(2 * FRAME))
KEY_MS = 100  # a caller's key and the pause after it: what people's thumbs do at their fastest
BARGE_IN_AFTER = ticks(1.0)
PATIENCE = ticks(10.0)  # silent frames before a reply that make it a failed call: the fund database may take five
GAP = 0.060  # seconds between two frames of a reply from which a listener hears a hole
STEADY = 0.040  # seconds between two frames of a key from which a detector hears two


@dataclass(frozen=True)
class Step:
    """What is keyed, and what must be heard then."""

    keys: str  # empty: nothing is, this is the greeting
    barge: bool
    reply: tuple[bytes, ...]


def rehearse(settings: Settings, script: str, scratch: Path) -> list[Step]:
    """The steps of a call. Raises ScriptError for a script with more than keys in it or an unanswered word, and what
    Service raises."""
    words = parse(script)
    for word in words:
        if word.kind not in ("keys", "barge"):
            raise ScriptError(f"脚本里的 {word.kind} 不能用于压力测试；可以用：按键（0–9、*、#）、!按键")
    told = rehearsal.call(settings, " ".join(word.value for word in words), None, None, scratch)
    presses = iter(told.said)
    keyed = [[next(presses) for _ in word.value] for word in words]
    begins = [told.answered, *(keys[-1].start for keys in keyed)]
    ends = [*(keys[0].start for keys in keyed), len(told.heard)]
    steps = []
    for word, begin, end in zip([Word("keys"), *words], begins, ends, strict=True):
        reply = _frames(told.heard[begin - begin % FRAME : end - end % FRAME])
        if not reply:
            raise ScriptError(f"脚本里的 {word.value!r} 之后什么也听不到：请去掉它，或检查前面的按键")
        steps.append(Step(word.value, word.kind == "barge", reply))
    return steps


def _frames(samples: Frame) -> tuple[bytes, ...]:
    """Whole frames from the first that is not silent to the last."""
    frames = samples.reshape(-1, FRAME)
    sounding = np.flatnonzero(frames.any(axis=1))
    if not len(sounding):
        return ()
    return tuple(audio_message(frame) for frame in frames[sounding[0] : sounding[-1] + 1])


@lru_cache(maxsize=64)
def _keying(keys: str) -> tuple[bytes, ...]:
    """Frames of these keys and the pauses after them."""
    return tuple(audio_message(frame) for frame in generate.dtmf(keys, KEY_MS, KEY_MS).reshape(-1, FRAME))


LAST_KEY = round(2 * KEY_MS / 20)  # frames left of a keying when its last key begins


@dataclass
class Tally:
    """What all callers met."""

    calls: int = 0  # that heard all they should
    faults: Counter[str] = field(default_factory=Counter)
    delays: list[float] = field(default_factory=list)  # seconds from a word's last key going out to its reply
    gaps: int = 0
    unsure: int = 0  # of them those in which the callers did not listen, so that the frame may have been there
    frames: int = 0  # of replies, heard and right
    lateness: Counter[int] = field(default_factory=Counter)  # how often callers spoke so many milliseconds late


class Caller:
    """One call; `speak` every 20 ms, `hear` each frame as it comes."""

    def __init__(self, steps: Sequence[Step], tally: Tally) -> None:
        self.over = False
        self._steps = steps
        self._tally = tally
        self._step = 0
        self._reply = steps[0].reply
        self._until = self._listen_until()
        self._at = 0  # frames of the reply heard so far
        self._cut_off: deque[bytes] = deque()  # what is left of a reply we have interrupted
        self._keying: deque[bytes] = deque()
        self._keyed_at = 0.0  # when the last key of the word began to go out
        self._spoke_at = 0.0
        self._unsteady = False  # a key of ours may have been heard as two
        self._silent = 0
        self._heard_at = 0.0

    def speak(self, now: float) -> bytes:
        """Our next frame."""
        keying = self._keying
        if not keying:
            return SILENCE
        if now - self._spoke_at >= STEADY and self._spoke_at:
            self._unsteady = True
        if len(keying) == LAST_KEY:
            self._keyed_at = now
        frame = keying.popleft()
        self._spoke_at = now if keying else 0.0
        return frame

    def hear(self, frame: bytes | bytearray, now: float, looked: float) -> None:
        """A frame from the service, which was not there yet when we `looked` last."""
        if self.over:
            return
        if frame == self._reply[self._at] and len(self._keying) < LAST_KEY:
            self._right(now, looked)
        elif self._at == 0 and self._cut_off and frame == self._cut_off[0]:
            self._cut_off.popleft()
        elif self._at == 0 and frame == SILENCE:
            self._silent += 1
            if self._silent > PATIENCE:
                self.fail("没有应答")
        else:
            self.fail("听到的与排练的不同")
        self._heard_at = now

    def fail(self, reason: str) -> None:
        """The call has gone wrong, at this step; said once."""
        if not self.over:
            self.over = True
            done = f"按完第 {self._step} 组键" if self._step else "接通"  # keys may be somebody's ID number
            own = "（呼叫方自己按键时迟了）" if self._unsteady else ""
            self._tally.faults[f"{done}后{reason}{own}"] += 1

    def _right(self, now: float, looked: float) -> None:
        tally = self._tally
        tally.frames += 1
        if self._at == 0:
            if self._step:
                tally.delays.append(now - self._keyed_at)
        elif now - self._heard_at > GAP:
            tally.gaps += 1
            tally.unsure += looked - self._heard_at <= GAP
        self._at += 1
        if self._at < self._until:
            return
        if self._step + 1 < len(self._steps):
            self._next()
        else:
            self.over = True
            tally.calls += 1

    def _listen_until(self) -> int:
        """So many frames of the reply are heard before we go on."""
        following = self._steps[self._step + 1 : self._step + 2]
        barge = bool(following) and following[0].barge
        return min(len(self._reply), BARGE_IN_AFTER) if barge else len(self._reply)

    def _next(self) -> None:
        """Begin to key the next word."""
        self._cut_off = deque(self._reply[self._at :])
        self._step += 1
        self._at = self._silent = 0
        self._reply = self._steps[self._step].reply
        self._until = self._listen_until()
        self._keying.extend(_keying(self._steps[self._step].keys))
