"""A port of a DAHDI card: an exchange line (FXO port) or a telephone plugged into the card (FXS port).

Which of the two a channel is stands in /etc/dahdi/system.conf, under the name of what is at the other end:
`fxsks` or `fxsls` for an exchange line, `fxoks` for a telephone. A telephone calls by being lifted: that is a
`Ring`, again every RING_EVERY until we answer, and putting it down is `RingStopped` or `FarHangup`. Seizing such a port
(`off_hook` without a call) rings the telephone. Both may have to wait for the kernel: `connected` says when it is done.

What the kernel says, and what we make of it:

- It does not report a ring within 2 s after opening or hanging up, and never that the caller gave up: no further
  burst within RING_LOST means that.
- Kewl start: the far end's hanging up is an interruption of the current and comes as ON_HOOK, unless it begins in
  the 600 ms after our answer: those the kernel does not judge. So until ANSWERING is over we look at the current
  ourselves, and take what lasts INTERRUPTED for a hang-up; that of an exchange lasts longer, a card's answering less.
- RING_OFF_HOOK while off hook is the end of the burst in which we answered, or the kernel's late notice of an
  interruption in those 600 ms: it is not counted.
- Loop start: never reported. Busy tone and silence are the only signs.
- A flash is refused in those 600 ms, so it waits.
- After our hanging up the kernel interrupts a telephone's current for 500 ms. Until 800 ms are over it refuses to lift
  or to ring (EBUSY), so both wait. Most receivers that are put down and lifted in that time, or so soon after that it
  could be a flash, it never reports: so it is asked in every tick whether the receiver is down.
"""

from __future__ import annotations

import errno
from contextlib import suppress
from typing import Literal

import numpy as np
from pydantic import Field

from ...config.settings import Section
from ..line import (
    FRAME,
    Alarm,
    Capabilities,
    Dialled,
    Event,
    FarHangup,
    Frame,
    HookState,
    Line,
    LineError,
    LineMisuse,
    Restored,
    Ring,
    RingStopped,
    check_frame,
    check_number,
)
from . import port as kernel
from .abi import FLUSH_READ
from .port import Hook, Port

SECOND = 50  # ticks
RING_LOST = 7 * SECOND  # longer than any ring and its pause (1 s + 4 s in China, 2 s + 4 s elsewhere)
RING_EVERY = 5 * SECOND  # what a lifted telephone counts as, in the rhythm of Chinese ringing
ANSWERING = 1 * SECOND
INTERRUPTED = 10  # ticks: DAHDI's own ports interrupt the current for 500 ms (kernel.h, DAHDI_KEWLTIME)
PUT_DOWN = 3  # ticks a receiver is down at least before it is lifted anew; contacts bounce for less
RETRY = 1 * SECOND  # between two looks whether a card is back

NO_CURRENT = "线路没有电（DAHDI 告警）：请检查电话线是否插好、运营商的线路是否正常；恢复后自动接回"
LONGEST = 120  # digits: the kernel keeps 255 characters, and a pause is two
SILENCE: Frame = np.zeros(FRAME, np.int16)


class Settings(Section):
    """DAHDI 板卡的一个端口。"""

    channel: int = Field(
        ge=1, le=1023, description="DAHDI 通道号，和 /etc/dahdi/system.conf 里的一样；用 lsdahdi 查看。"
    )
    law: Literal["driver", "mu", "a"] = Field(
        "driver", description="driver：用板卡驱动的编码律；只有声音刺耳失真时才写 mu 或 a。"
    )
    echo_cancel_taps: Literal[0, 32, 64, 128, 256, 512, 1024] = Field(
        0, description="由 DAHDI 消除多少个采样的回声；0：只由本服务自己消除。板卡有硬件回声消除时写 128。"
    )
    gain_in_db: float = Field(0.0, ge=-20, le=20, description="对方传来的声音增减几 dB。")
    gain_out_db: float = Field(0.0, ge=-20, le=20, description="传给对方的声音增减几 dB。")
    flash_ms: int = Field(500, ge=80, le=1500, description="拍叉簧断开多少毫秒。")


class DahdiLine(Line):
    """One channel. Every tick costs a read, and a write while off hook."""

    settings_model = Settings
    capabilities = Capabilities(reports_hangup=True, hears_on_hook=True)  # until `open` has seen the signalling
    _interrupted: int  # set by `_rest`, as are these
    _left: bool
    _down: int
    _seizing: Hook | None

    def __init__(self, name: str, settings: Settings) -> None:
        super().__init__(name)
        self.settings = settings
        self._is_open = False
        self._port: Port | None = None  # None while open: the card is gone, and looked for
        self._alarmed = False
        self._station = False
        self._events: list[Event] = []
        self._now = 0  # ticks since `open`
        self._since_lost = 0
        self._rest()

    @property
    def connected(self) -> bool:
        """Whether the kernel has done what `off_hook` asked for."""
        return self.state is HookState.OFF_HOOK and self._seizing is None

    def open(self) -> None:
        """Raises LineError, also when no line is plugged in."""
        self._take_hold()
        self._is_open, self._alarmed, self._events, self._now = True, False, [], 0

    def close(self) -> None:
        """Hang up and let the channel go."""
        if self._port is not None:
            self._port.close()
            self._port = None
        self._is_open = False
        self._events = []
        self._rest()

    def off_hook(self) -> None:
        """Answer or seize; a lifted telephone is answered, one at rest is rung. A dead line stays on hook."""
        self._check_open()
        port = self._port
        if port is None or self._alarmed or self.state is HookState.OFF_HOOK:
            return
        seizing = Hook.RING if self._station and self.state is HookState.ON_HOOK else Hook.OFF
        self._rest()
        self.state, self._seizing = HookState.OFF_HOOK, seizing
        try:
            self._seize(port, seizing)
        except OSError as error:
            self._lose(error)

    def on_hook(self) -> None:
        """Hang up; the kernel empties its buffers."""
        self._check_open()
        if self.state is HookState.OFF_HOOK:
            self._hang_up()

    def flash(self) -> None:
        """As soon as the kernel takes it. A telephone has no use for it."""
        self._check_open()
        self._flash_due = self.state is HookState.OFF_HOOK and not self._station

    def dial(self, number: str) -> None:
        """The kernel makes the tones; nothing we write is heard until they are out."""
        self._check_open()
        check_number(number)
        if len(number) > LONGEST:
            raise LineMisuse(f"cannot dial {len(number)} digits: only {LONGEST}")
        if self.state is HookState.OFF_HOOK and self._port is not None:
            with suppress(OSError):  # the next read meets the same fault, and may say so
                self._port.dial(number.replace(",", "WW"))
                self._dialling = True

    def read(self, frame: Frame) -> None:
        """One frame from the card, and whatever it has to report."""
        self._check_open()
        check_frame(frame)
        self._now += 1
        got = 0
        if self._port is None:
            self._look_for_the_card()
        else:
            got = self._listen(self._port, frame)
        if self.state is HookState.OFF_HOOK:
            self._flowing |= got > 0
            if self._flowing and got < FRAME:
                self.late_frames += 1
        elif self._alarmed or not self.capabilities.hears_on_hook:
            got = 0
        frame[got:] = 0
        self._keep_time()

    def write(self, frame: Frame) -> None:
        """Queue the frame; while we dial it is dropped, for it would break the dialling off."""
        self._check_open()
        check_frame(frame)
        if self.connected and not self._dialling and self._port is not None:
            with suppress(OSError):  # the next read meets the same fault, and may say so
                self._port.write(frame)

    def events(self) -> list[Event]:
        """What happened since the last call."""
        self._check_open()
        events, self._events = self._events, []
        return events

    # What the card says.

    def _listen(self, port: Port, frame: Frame) -> int:
        """Read, then act on what was reported meanwhile; how many samples there are."""
        try:
            got = port.read(frame)
            while port.happened:
                self._follow(port, port.happened.pop(0))
            if self._seizing is not None:
                self._seize(port, self._seizing)
            elif self._flash_due and not self._dialling:
                self._flash(port)
            if self._station:
                if self.state is HookState.ON_HOOK and not self._alarmed:
                    self._look_at_the_receiver(port)
            elif self.state is HookState.OFF_HOOK and self._now - self._since <= ANSWERING:
                self._look_at_the_current(port)
        except OSError as error:
            self._lose(error)
            return 0
        return got

    def _follow(self, port: Port, event: kernel.Event) -> None:
        match event:
            case kernel.Event.REMOVED:
                raise OSError(errno.ENODEV, "REMOVED")
            case kernel.Event.ALARM:
                self._hang_up()
                self._alarm(NO_CURRENT)
            case kernel.Event.NO_ALARM:
                self._restore()
            case kernel.Event.DIALLED if self._dialling:
                self._dialling = False
                self._events.append(Dialled())
            case kernel.Event.POLARITY if self.state is HookState.OFF_HOOK:
                self._events.append(FarHangup("线路极性反转", polarity=True))
            case kernel.Event.RING_BEGIN if self.state is not HookState.OFF_HOOK and not self._alarmed:
                self._ring()
            case kernel.Event.RING_OFF_HOOK if self._station:
                self._lifted(port)
            case kernel.Event.ON_HOOK if self.state is HookState.OFF_HOOK:
                self._far_end_left()
            case kernel.Event.ON_HOOK if self._station and self.state is HookState.RINGING:
                self._stop_ringing()

    def _look_at_the_receiver(self, port: Port) -> None:
        if port.far_end_rests():
            self._down += 1
        else:
            if self._down >= PUT_DOWN:
                self._lifted(port)
            self._down = 0

    def _look_at_the_current(self, port: Port) -> None:
        self._interrupted = self._interrupted + 1 if port.far_end_rests() else 0
        if self._interrupted == INTERRUPTED:
            self._far_end_left()

    def _far_end_left(self) -> None:
        if not self._left:
            self._left = True
            self._events.append(FarHangup("话机已挂好" if self._station else "线路馈电中断"))

    def _lifted(self, port: Port) -> None:
        """The telephone: it calls, or answers our ringing. Perhaps we know already."""
        if self.connected:
            port.hook(Hook.OFF)
        elif self.state is HookState.ON_HOOK and not self._alarmed:
            self._ring()

    def _ring(self) -> None:
        self._rings += 1
        self._since = self._now
        self.state = HookState.RINGING
        self._events.append(Ring(self._rings))

    def _stop_ringing(self) -> None:
        self._rest()
        self._events.append(RingStopped())

    def _keep_time(self) -> None:
        """What the kernel leaves to us: a caller who gave up, and the further rings of a lifted telephone."""
        if self.state is not HookState.RINGING:
            return
        if self._station:
            if self._now - self._since >= RING_EVERY:
                self._ring()
        elif self._now - self._since > RING_LOST:
            self._stop_ringing()

    def _seize(self, port: Port, how: Hook) -> None:
        """Go off hook, unless the kernel does not let us yet."""
        try:
            port.hook(how)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            return
        port.flush(FLUSH_READ)  # what was heard on hook is no part of the call
        if self.settings.echo_cancel_taps:
            port.cancel_echo(self.settings.echo_cancel_taps)
        port.write(SILENCE)  # a frame ahead of the ticks: one that is some milliseconds late leaves no gap
        self._seizing, self._since = None, self._now

    def _flash(self, port: Port) -> None:
        try:
            port.hook(Hook.FLASH)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
        else:
            self._flash_due = False

    # Where the line stands.

    def _rest(self) -> None:
        """As after hanging up."""
        self.state = HookState.ON_HOOK
        self._rings = 0
        self._seizing = None  # what the kernel has not yet let us do
        self._down = 0  # ticks the receiver of a telephone has been down
        self._since = 0  # the tick of the last ring, or of going off hook
        self._dialling = False
        self._flash_due = False
        self._flowing = False  # whether any sound of this call has arrived
        self._interrupted = 0  # ticks without current
        self._left = False  # whether the far end's leaving has been told

    def _hang_up(self) -> None:
        self._rest()
        if self._port is not None:
            try:
                self._port.hook(Hook.ON)
            except OSError as error:
                self._lose(error)

    def _alarm(self, reason: str) -> None:
        self._rest()
        if not self._alarmed:
            self._alarmed = True
            self._events.append(Alarm(reason))

    def _restore(self) -> None:
        if self._alarmed:
            self._alarmed = False
            self._events.append(Restored())

    def _lose(self, error: OSError) -> None:
        """The card does not answer any more."""
        if self._port is not None:
            self._port.close()
            self._port = None
        self._since_lost = self._now
        self._alarm(
            f"DAHDI 通道 {self.settings.channel} 不见了（{error.strerror}）：请检查板卡和它的内核模块"
            "（lsdahdi、dmesg）；恢复并运行 dahdi_cfg 后，线路自动接回"
        )

    def _look_for_the_card(self) -> None:
        if (self._now - self._since_lost) % RETRY == 0:
            try:
                self._take_hold()
            except LineError:
                return
            self._restore()

    def _take_hold(self) -> None:
        """Open and set up the channel. Raises LineError."""
        wanted = self.settings
        port = Port(wanted.channel, wanted.law)
        try:
            if port.alarms:
                raise LineError(NO_CURRENT)
            if wanted.echo_cancel_taps and not port.can_cancel_echo(wanted.echo_cancel_taps):
                raise LineError(
                    f"echo_cancel_taps = {wanted.echo_cancel_taps}：通道 {wanted.channel} 没有回声消除器，请在 "
                    f"/etc/dahdi/system.conf 里写 echocanceller=mg2,{wanted.channel}，再运行 dahdi_cfg；或者写 0"
                )
            port.set_gains(wanted.gain_in_db, wanted.gain_out_db)
            port.set_flash(wanted.flash_ms)
        except (OSError, LineError) as error:
            port.close()
            raise LineError(str(error)) from error
        self._port = port
        self._station = port.signalling.station
        self.capabilities = Capabilities(reports_hangup=port.signalling.reports_hangup, hears_on_hook=not self._station)

    def _check_open(self) -> None:
        if not self._is_open:
            raise LineMisuse(f"line {self.name} is not open")
