"""One modem on one port, driven by `tick` fifty times a second: it never waits and never raises.

Whoever owns it says what he wants (`wants_line`, `wish`, `dial`) and takes what it `heard`; the modem works
its way there as the table in life.py allows, one command at a time. What it wants sent travels through `_out`, of
which the port takes as much as it can in each tick.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from contextlib import suppress

from .. import line as lines
from . import aside, at, dle, profiles
from .at import SECOND, Outcome, Result, Script, Step
from .codecs import Offer, choose
from .life import LIFTED, SCRIPTED, Signal, State, after
from .ports import Port, PortLost
from .profiles import PROFILES, Mode
from .recovery import Climb
from .settings import Settings
from .wire import Event, Wire

log = logging.getLogger(__name__)

CHECK_EVERY = 60 * SECOND  # at rest; a modem that has hung should be found before a caller finds it
REFRESH_EVERY = 24 * 60  # checks: once a day it is set up anew
RETRY_EVERY = 60 * SECOND
POWER_EVERY = 10  # retries: the command may touch more than this modem
ENTER_WITHIN = LEAVE_WITHIN = 3 * SECOND
STALLED = 2 * SECOND  # without a sample coming, or a byte being taken
CLOSE_WITHIN = 1.0  # seconds


class Modem:
    """See the module."""

    def __init__(self, name: str, settings: Settings, runner: aside.Runner) -> None:
        self.name = name
        self.state = State.CLOSED
        self.events: list[lines.Event] = []  # Alarm, Restored, Dialled; the owner takes them away
        self.heard: list[Event] = []  # what it said of the line; the owner takes it away
        self.wants_line = False
        self.wish = Mode.DUPLEX  # the stream the owner wants
        self.mode: Mode | None = None  # the stream that is up, or was asked for
        self.hurry = False  # what lies in the device is to be dropped when the stream is left
        self.duplex = settings.duplex != "half"
        self.profile = PROFILES["generic" if settings.profile == "auto" else settings.profile]
        self.codec: Offer | None = None
        self._settings = settings
        self._port = Port(settings.port, settings.flow)
        self.climb = Climb(name, self._port, settings, runner)
        self._wire = Wire()
        self._out = bytearray()
        self._script: Script | None = None
        self._timer = 0  # ticks left in states that count
        self._stalled = 0
        self._checks = 0
        self._retries = 0
        self._alarmed = False
        self._must_drop = False  # this call is over, even if the line is wanted for the next by now
        self._climbing = False  # from the first rung until it is at rest again
        self._trouble = ""
        self._tasks: deque[tuple[Script, bool]] = deque()  # True: `Dialled` follows
        self._missing = False

    # What the owner does.

    def open(self) -> None:
        """Begin to wake it."""
        self._alarmed, self._missing, self._climbing = False, False, True
        self.climb.plan(first=True)
        self.climb.next()
        self._happen(Signal.OPEN)

    def close(self) -> None:
        """Hang up and let go of the port; a modem that hangs may keep a second, and no longer."""
        if self.state in LIFTED and not self.climb.has_port:
            self._put(b"\x00" + dle.DISCARD + self.profile.leave[self.mode or Mode.PLAY] + b"\rAT+VLS=0\rATH\r")
            with suppress(PortLost):
                self._flush()
        self.state, self.wants_line, self.mode, self._script = State.CLOSED, False, None, None
        self._out.clear()
        for left in (self.events, self.heard, self._tasks):
            left.clear()
        try:
            self.climb.let_go().result(timeout=CLOSE_WITHIN)
        except TimeoutError:
            log.warning("%s: %s 关不上，不再等它", self.name, self._settings.port)

    def drop(self) -> None:
        """Hang up as soon as it takes commands; digits not yet sent are forgotten."""
        self.wants_line, self.hurry = False, True
        self._must_drop = self.state in LIFTED
        self._tasks.clear()

    def dial(self, number: str) -> None:
        """Send digits once it is off hook; `Dialled` follows."""
        self._tasks.append((Script(profiles.tones(self.profile, number)), True))

    def flash(self) -> None:
        """Break the loop for as long as the modem thinks right."""
        self._tasks.append((Script([profiles.FLASH]), False))

    def send(self, samples: bytes) -> None:
        """Samples for the stream that is up, coded but not shielded."""
        self._put(dle.shield(samples))

    @property
    def sounding(self) -> Mode | None:
        """The stream that carries sound of this call."""
        return self.mode if self.state is State.STREAMING and not self._ends else None

    @property
    def _ends(self) -> bool:
        return self._must_drop or not self.wants_line

    @property
    def dead(self) -> bool:
        """Whether it has given an Alarm and not yet been Restored."""
        return self._alarmed

    @property
    def congested(self) -> bool:
        """Whether the port takes less than we send; more than a frame waits."""
        return len(self._out) > 2 * lines.FRAME

    def tick(self) -> None:
        """20 ms have passed."""
        if self._port.is_open and not self.climb.has_port:
            try:
                self._receive()
                self._advance()
                self._flush()
            except PortLost:
                self.climb.lose()
                self._fail(Signal.LOST, f"{self._settings.port}：设备不见了，请检查 USB 插头；插好后自动恢复")
        else:
            self._advance()

    # Inside: bytes.

    def _put(self, data: bytes) -> None:
        self._out += data

    def _flush(self) -> None:
        if self._out:
            taken = self._port.send(self._out)
            del self._out[:taken]
            if taken and self.mode is Mode.PLAY:
                self._stalled = 0

    def _receive(self) -> None:
        for event in self._wire.receive(self._port.receive()):
            self.climb.take(event)
            if self._script is not None:
                self._script.take(event)
            if isinstance(event, dle.Audio):
                self._stalled = 0
            if isinstance(event, Result):
                self._answered(event)
            elif event is dle.Report.STREAM_END:
                if self.state is State.STREAMING:
                    self._happen(Signal.ENDED)
            elif not isinstance(event, at.Text):
                self.heard.append(event)

    def _answered(self, result: Result) -> None:
        """A result outside a script."""
        if self.state is State.ENTERING and result is Result.CONNECT:
            self._happen(Signal.DONE)
        elif self.state is State.ENTERING and result not in at.GOOD:
            self._refused()
        elif self.state in (State.LEAVING, State.STREAMING) and result is not Result.CONNECT:
            self._happen(Signal.DONE)

    def _refused(self) -> None:
        """The stream we asked for is not to be had."""
        if self.mode is Mode.DUPLEX and self._settings.duplex != "full":
            log.info("%s: 不支持全双工（AT+VTR 被拒绝），改用半双工", self.name)
            self.duplex, self.wish = False, Mode.PLAY
            self._happen(Signal.REFUSED)
        else:
            self._fail(Signal.SILENT, f"Modem 拒绝 {self._stream}，请拔下再插上；仍不行，把 duplex 改为 auto")

    # Inside: states.

    @property
    def _stream(self) -> str:
        return self.mode.value if self.mode else ""

    def _happen(self, signal: Signal) -> None:
        """Follow the table, and begin what the new state is for: the only place where the state changes."""
        self.state = after(self.state, signal)
        self._script = None
        match self.state:
            case State.SETTING_UP:
                self._script = Script(profiles.setting_up(self._settings.country))
            case State.RESTING:
                self._timer, self._climbing, self._must_drop = CHECK_EVERY, False, False
            case State.CHECKING:
                self._script = Script([Step("AT", optional=True)])
            case State.LIFTING:
                assert self.codec is not None
                self._script = Script(profiles.lifting(self.profile, self.codec.number))
            case State.SETTLING:
                self.hurry = False
                self._timer = round(self._settings.settle * SECOND)
            case State.ENTERING:
                self.mode, self._timer = self.wish, ENTER_WITHIN
                self._wire.listens = self.wish is not Mode.PLAY
                self._put(self.wish.value.encode("ascii") + b"\r")
            case State.STREAMING:
                self._stalled, self.hurry = 0, False
            case State.LEAVING:
                self._timer = LEAVE_WITHIN
                if signal is Signal.LEAVE:
                    self._leave()
            case State.SENDING:
                self._script = self._tasks[0][0]
            case State.DROPPING:
                self._must_drop = False
                self._script = Script(profiles.DROPPING)
            case State.OUT:
                self._timer = RETRY_EVERY
                self._missing = not os.path.exists(self._settings.port)
        if self.state not in (State.ENTERING, State.STREAMING, State.LEAVING):
            self.mode = None

    def _leave(self) -> None:
        assert self.mode is not None
        if self.hurry:  # a NUL spends the half of a pair that may have gone out before its other half was dropped
            self._out.clear()
            self._put(b"\x00" + dle.DISCARD)
        self._put(self.profile.leave[self.mode])

    def _advance(self) -> None:
        """What this tick is for in the state it finds."""
        self._timer -= 1
        if self.state is State.WAKING:
            self._climb()
        elif self.state in SCRIPTED:
            self._follow()
        elif self.state is State.RESTING:
            self._rest()
        elif self.state is State.SETTLING:
            if self._timer <= 0:
                self._happen(Signal.DONE)
        elif self.state is State.READY:
            self._decide()
        elif self.state is State.STREAMING:
            self._watch()
        elif self.state is State.OUT:
            self._look()
        elif self.state in (State.ENTERING, State.LEAVING) and self._timer <= 0:
            what = self._stream if self.state is State.ENTERING else "退出语音状态的命令"
            self._fail(Signal.SILENT, f"Modem 对 {what} 没有回应，正在尝试恢复")

    def _follow(self) -> None:
        """Go on with the script; what it ends with decides."""
        assert self._script is not None
        if self.state is State.SENDING and self._ends and self._script.between:
            self._happen(Signal.DONE)
            return
        self._put(self._script.tick())
        outcome = self._script.outcome
        if outcome is None:
            return
        command = self._script.command
        if outcome is Outcome.SILENT:
            self._fail(Signal.SILENT, f"Modem 对 {command} 没有回应，正在尝试恢复")
        elif outcome is Outcome.REFUSED:
            self._fail(Signal.SILENT, f"Modem 拒绝 {command}：这种型号也许没有语音功能，或者需要断电重来")
        elif self.state is State.SETTING_UP:
            self._is_set_up(self._script.answers)
        else:
            if self.state is State.SENDING and self._tasks and self._tasks[0][0] is self._script:
                _, dialled = self._tasks.popleft()
                if self._script.refused:
                    log.warning("%s: Modem 拒绝 %s，没有拨出", self.name, "、".join(self._script.refused))
                if dialled:
                    self.events.append(lines.Dialled())
            self._happen(Signal.DONE)

    def _is_set_up(self, answers: dict[str, list[str]]) -> None:
        name: str = self._settings.profile
        if name == "auto":
            name = profiles.identify(text for question in profiles.IDENTITY for text in answers[question])
        self.profile = PROFILES[name]
        preferred = self.profile.codecs if self._settings.codec == "auto" else (self._settings.codec,)
        self.codec = choose(answers["AT+VSM=?"], preferred)
        if self.codec is None:
            self._fail(Signal.SILENT, f"Modem 没有可用的语音编码（{'；'.join(answers['AT+VSM=?']) or '没有列出'}）")
            return
        if self._settings.duplex == "auto":
            self.duplex = self.duplex and self.profile.duplex
        log.info("%s: %s，编码 %s（%d）", self.name, self.profile.title, self.codec.codec, self.codec.number)
        if self._alarmed:
            self._alarmed = False
            self.events.append(lines.Restored())
        self._retries = 0
        self._happen(Signal.DONE)

    def _rest(self) -> None:
        if self.wants_line:
            self._happen(Signal.LIFT)
        elif self._timer <= 0:
            self._checks += 1
            self._happen(Signal.REFRESH if self._checks % REFRESH_EVERY == 0 else Signal.CHECK)

    def _decide(self) -> None:
        if self._ends:
            self._happen(Signal.DROP)
        elif self._tasks:
            self._happen(Signal.SEND)
        else:
            self._happen(Signal.STREAM)

    def _watch(self) -> None:
        self._stalled += 1 if self.mode is not Mode.PLAY or self._out else 0
        if self._stalled > STALLED:
            self._fail(Signal.SILENT, "Modem 停住了，两秒没有声音，正在尝试恢复")
        elif self._ends or self._tasks or self.wish is not self.mode:
            self._happen(Signal.LEAVE)

    # Inside: trouble.

    def _fail(self, signal: Signal, reason: str) -> None:
        """Something is wrong: climb the ladder. A call it had is over."""
        log.warning("%s: %s（%s）", self.name, reason, self.state.value)
        self._trouble = reason
        if self.state in LIFTED or signal is Signal.LOST:
            self._alarm()
        self._out.clear()
        self._wire.reset()
        if signal is Signal.LOST or not self._climbing:
            self.climb.plan()
        self._next_rung(signal)

    def _alarm(self) -> None:
        if not self._alarmed:
            self._alarmed = True
            self.drop()
            self.events.append(lines.Alarm(self._trouble))

    def _climb(self) -> None:
        """A tick of the ladder."""
        sent, awake = self.climb.tick()
        self._put(sent)
        if self.climb.stuck:
            self._trouble = f"{self._settings.port}：打不开也关不上，请拔下 Modem 再插上；仍不行，重启计算机"
            self._alarm()
        if awake:
            self._happen(Signal.DONE)
        elif awake is not None:
            self._trouble = self.climb.trouble or self._trouble or "Modem 没有回应：请检查它是否通电，或拔下再插上"
            self.climb.trouble = ""
            self._wire.reset()
            self._out.clear()
            self._next_rung()

    def _next_rung(self, signal: Signal = Signal.SILENT) -> None:
        self._climbing = True
        if self.climb.next():
            self._happen(signal)
        else:
            self._alarm()
            self._happen(Signal.EXHAUSTED)

    def _look(self) -> None:
        """Out of service: once a second whether the device is back, once a minute everything again."""
        back = False
        if self._timer % SECOND == 0:
            missing = not os.path.exists(self._settings.port)
            back, self._missing = self._missing and not missing, missing
        if back or self._timer <= 0:
            self._retries += 1
            self._trouble, self._climbing = "", True
            self.climb.plan(power=self._retries % POWER_EVERY == 0)
            self.climb.next()
            self._happen(Signal.RETRY)
