"""The examination of a line: what is done to it in which order, and what was found.

on hook     what is heard before anything is done (a line that is not silent on hook is a line in use)
dial tone   four seconds off hook
one digit   breaks the dial tone: the exchange has heard us, and is silent while it waits for the next
quiet       noise and hum in that silence
echo        a second and a half of noise into that silence, and what comes back
a call      only when somebody calls the line: rings, number, the caller's voice, the tone after he has gone
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ...config.tones import Tone, TonePlan
from ...drivers.line import CallerId, Dialled, HookState, Ring
from ...dsp import learn, progress
from ...dsp.levels import RATE, SILENCE_DBM0
from ...dsp.meter import Meter
from ..on_hook import OnHook
from . import measures
from .measures import DialTone, Echo, Quiet, Samples
from .trial import TICKS, Trial

BEFORE = 1.0  # seconds on hook
CONNECTING = 5.0  # seconds a modem may take to carry sound
SETTLING = 0.5  # seconds after going off hook: the relay's click and the exchange's
DIAL_TONE = 4.0  # seconds listened to; a continuous tone is one from three on
BROKEN = 0.5  # seconds the exchange may take to stop its dial tone
QUIET = 0.4  # seconds: 20 periods of hum
AFTER_PROBE = 0.4  # seconds at the end of the stretch with the probe that its echo does not reach
DIALLING = 5.0  # seconds one digit may take
RINGING = 180.0  # seconds somebody has to go and call
ANSWER_AT = 2  # the number comes between the first two rings
TALK = 45.0  # seconds listened to a caller who is asked to speak and then to hang up
BUSY = 8.0  # seconds of the tone that follows, enough for five periods of any


@dataclass(frozen=True)
class Called:
    """A call to the line itself. `tone`: the tone after the caller has gone, for a plan; None if none was learnt."""

    rings: int
    number: str | None  # None: withheld, or not heard
    voice_dbm0: float | None
    tone: Tone | None
    tone_level_dbm0: float | None
    known_as: str  # name of the plan's tone it is, or empty


@dataclass
class Findings:
    """What was measured; None where it was not, or nothing was found. Ticks are those of `received` and `sent`."""

    line: str
    driver: str
    on_hook: Quiet | None = None
    connected: bool = False
    dial_tone: DialTone | None = None
    silent: bool | None = None  # there was no tone any more after the digit
    quiet: Quiet | None = None
    echo: Echo | None = None
    echo_looked_for: bool = False
    called: Called | None = None
    nobody_called: bool = False
    failed: str = ""
    late_frames: int = 0
    marks: list[tuple[float, str]] = field(default_factory=list)  # seconds, what began then
    received: Samples = field(default_factory=lambda: np.zeros(0, np.int16))
    sent: Samples = field(default_factory=lambda: np.zeros(0, np.int16))


def examine(trial: Trial, found: Findings, digit: str) -> None:
    """Everything that needs nobody's help; the line is on hook before and after. Raises LineFailed.

    What is heard is measured only when the line is on hook again: a tick that waits for a measurement loses frames."""
    line = trial.line
    _mark(trial, found, "挂机")
    at_rest = trial.run(BEFORE)
    line.off_hook()
    _mark(trial, found, "摘机")
    found.connected = line.connected or trial.until(lambda _: line.connected, CONNECTING)
    if found.connected:
        stretches = _stretches(trial, found, digit)
    line.on_hook()
    _mark(trial, found, "挂机")
    trial.run(BEFORE)
    found.on_hook = measures.quiet(at_rest)
    if found.connected:
        tone, silence, sent, received = stretches
        found.dial_tone = measures.dial_tone(tone)
        found.silent = not measures.tonal(silence)
        if found.silent:
            found.quiet = measures.quiet(silence)
        found.echo_looked_for = not measures.tonal(received[-round(AFTER_PROBE * RATE) :])
        if found.echo_looked_for:
            found.echo = measures.echo(sent, received)


def _stretches(trial: Trial, found: Findings, digit: str) -> tuple[Samples, Samples, Samples, Samples]:
    """Off hook: the dial tone, the silence after a digit, the probe and what came in meanwhile."""
    line = trial.line
    trial.run(SETTLING)
    late = line.late_frames
    tone = trial.run(DIAL_TONE)
    if digit:
        _mark(trial, found, f"拨 {digit}")
        line.dial(digit)
        trial.until(lambda events: any(isinstance(event, Dialled) for event in events), DIALLING)
        trial.run(BROKEN)
    _mark(trial, found, "安静")
    silence = trial.run(QUIET)
    _mark(trial, found, "测回声")
    since = trial.now
    trial.run(measures.PROBE_SECONDS + measures.LONGEST_ECHO / RATE, sending=measures.probe())
    found.late_frames = line.late_frames - late
    return tone, silence, trial.sent(since), trial.received(since)


def be_called(trial: Trial, found: Findings, plan: TonePlan, say: Callable[[str], None]) -> None:
    """Wait for somebody to call the line, and learn what can be learnt from that. Raises LineFailed."""
    line = trial.line
    say("请用另一部电话拨打这条线")
    caller = _Caller()
    deadline = trial.now + round(RINGING * TICKS)
    while caller.rings < ANSWER_AT:
        if trial.now >= deadline:
            found.nobody_called = True
            return
        caller.hear(trial)
    _mark(trial, found, "应答")
    line.off_hook()
    trial.until(lambda _: line.connected, CONNECTING)
    say("已接通：请说几句话，然后挂机")
    heard = _listen_to_caller(trial, plan)
    line.on_hook()
    _mark(trial, found, "挂机")
    trial.run(BEFORE)
    found.called = _called(heard, caller, plan)


class _Caller:
    """Counts the rings and listens for the number, as events or as sound."""

    def __init__(self) -> None:
        self.rings = 0
        self.number: str | None = None
        self._ear = OnHook()
        self._ear.watch(0)

    def hear(self, trial: Trial) -> None:
        """One tick of a line that is on hook."""
        for event in trial.tick():
            if isinstance(event, Ring):
                self.rings = event.count
            elif isinstance(event, CallerId):
                self.number = event.number
        if trial.line.capabilities.hears_on_hook:
            heard = self._ear.feed(trial.received(trial.now - 1)[None, :], self._off_hook(trial))
            for _, caller in heard:
                self.number = caller.number

    @staticmethod
    def _off_hook(trial: Trial) -> Callable[[int], bool]:
        return lambda _: trial.line.state is HookState.OFF_HOOK


def _listen_to_caller(trial: Trial, plan: TonePlan) -> Samples:
    """All that is heard until a tone the plan knows has followed him for a while, or TALK is over."""
    since, ear = trial.now, progress.Detector(1, plan)
    for _ in range(round(TALK * TICKS)):
        trial.tick()
        tones = ear.feed(trial.received(trial.now - 1)[None, :])
        if any(isinstance(tone, progress.Tone) and plan.tones[tone.name].released for tone in tones):
            trial.run(BUSY)
            break
    return trial.received(since)


def _called(heard: Samples, caller: _Caller, plan: TonePlan) -> Called:
    try:
        learned = learn.learn(heard)
    except learn.NotLearned:
        return Called(caller.rings, caller.number, _voice(heard), None, None, "")
    tone = learn.entry(learned, "busy", "本局忙音", released=True)
    known = learn.collisions(tone, plan)
    before = heard[: round(learned.start * RATE)]
    return Called(caller.rings, caller.number, _voice(before), tone, learned.level_dbm0, known[0] if known else "")


def _voice(samples: Samples) -> float | None:
    """Level of the voice in it; None if nobody speaks."""
    meter = Meter(1)
    meter.feed(samples[None, :])
    return float(meter.talker[0]) if meter.talker[0] > SILENCE_DBM0 else None


def _mark(trial: Trial, found: Findings, text: str) -> None:
    found.marks.append((trial.now / TICKS, text))
