"""Whether the caller has gone: one decision for each line, with its reason in words.

A public exchange does not tell an analog line that the far end has hung up. What there is to go by:

    released tones     busy, congestion ... in the tone plan; unless they are our own prompt's echo
    the hardware       a break of the loop current, the far end's protocol; a reversal of polarity if the centre's
                       exchange sends it for that (some reverse for metering or caller id)
    silence            nobody spoke or keyed for so long; longer while it is not his turn

The settings say which of these count. What was seen and does not count is said too, so that the record of a call
explains why it ended, and why it did not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ..config.settings import Hangup
from ..config.tones import TonePlan
from ..drivers.line import FRAME, RATE, FarHangup
from ..dsp import progress

Flags = npt.NDArray[np.bool_]

REMEMBERED = 4 * RATE // FRAME  # ticks of our own sound: a period of the slowest released tone and a half, and its echo
ECHO = 15  # ticks, 300 ms, after our last sound: until then a voice may be our own, back from as far as a satellite


class Verdict(NamedTuple):
    """What was decided and why; `cause` None: the call goes on, but the record should say what was noticed."""

    cause: Literal["caller", "silence"] | None
    reason: str


class Supervision:
    """Watches the calls of `lines` lines; its state is arrays over them."""

    def __init__(self, lines: int, plan: TonePlan, rules: Hangup) -> None:
        self._plan = plan
        self._rules = rules
        self._own = np.zeros((REMEMBERED, lines, FRAME), np.int16)
        self._at = 0  # in `_own`: where the next tick's frames go
        self._echo = np.zeros(lines, np.int64)  # ticks for which what is heard may still be our own
        self._alive = np.zeros(lines, np.bool_)  # the caller was heard since `silence` was last asked
        self._silent = np.zeros(lines, np.int64)  # seconds since the caller was heard
        self._awaited = np.zeros(lines, np.int64)  # how many of these it was his turn

    def reset(self, line: int) -> None:
        """A new call begins on this line."""
        self._own[:, line] = 0
        for state in (self._echo, self._alive, self._silent, self._awaited):
            state[line] = 0

    def sent(self, frames: npt.NDArray[np.int16]) -> None:
        """What we send in this tick, shape (lines, 160)."""
        self._own[self._at] = frames
        self._at = (self._at + 1) % REMEMBERED
        self._echo = np.where(frames.any(axis=1), ECHO, np.maximum(self._echo - 1, 0))

    def heard(self, voice: Flags) -> None:
        """On which lines somebody is speaking in this tick, as dsp.meter says."""
        self._alive |= voice & (self._echo == 0)

    def keyed(self, line: int) -> None:
        """The caller has pressed a key."""
        self._alive[line] = True

    def reported(self, event: FarHangup) -> Verdict:
        """The hardware says that the far end has gone."""
        if event.polarity and not self._rules.polarity:
            return Verdict(None, f"{event.reason}，按设置不算挂机")
        return Verdict("caller", event.reason)

    def tone(self, tone: progress.Tone) -> Verdict | None:
        """A tone of the plan was recognised; None if it means nothing in a call."""
        known = self._plan.tones[tone.name]
        if not known.released:
            return None
        seconds = (tone.declared - tone.start) / RATE
        heard = f"听到{known.text}（{tone.frequency:.0f} Hz，{tone.level_dbm0:.0f} dBm0，{seconds:.1f} 秒）"
        if known.meaning in self._rules.ignored_tones:
            return Verdict(None, f"{heard}，按设置不算挂机")
        if self._is_ours(tone):
            return Verdict(None, f"{heard}，是自己播放的声音的回声，不算挂机")
        return Verdict("caller", f"{heard}，对方已挂机")

    def silence(self, talking: Flags, expected: Flags) -> Iterator[tuple[int, Verdict]]:
        """Once a second: the lines that have been silent for too long. `talking`: which have a call; `expected`: where
        it is the caller's turn to key or speak."""
        going_on = talking & ~self._alive
        self._silent = np.where(going_on, self._silent + 1, 0)
        self._awaited = np.where(going_on, self._awaited + expected, 0)
        self._alive[:] = False
        rules = (
            (self._awaited, self._rules.silence, "等了来电者"),
            (self._silent, self._rules.silence_listening, "已有"),
        )
        ended = np.zeros(len(talking), np.bool_)
        for seconds, limit, what in rules:
            too_long = (seconds >= limit) & talking & ~ended if limit else np.zeros_like(ended)
            for line in np.flatnonzero(too_long).tolist():
                yield line, Verdict("silence", f"{what} {seconds[line]} 秒，没有按键也没有声音")
            ended |= too_long

    def _is_ours(self, tone: progress.Tone) -> bool:
        """Whether the same ear finds this tone in what we sent; asked only when a tone has been recognised."""
        sent = np.roll(self._own[:, tone.line], -self._at, axis=0).reshape(-1)
        if not sent.any():
            return False
        found = progress.Detector(1, self._plan).feed(sent[None, :])
        return any(event.name == tone.name for event in found if isinstance(event, progress.Tone))
