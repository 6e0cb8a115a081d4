"""A channel of a voice card as a line: Synway by SynCTI, Donjin by TC08A32.

The card is in a worker's hands (worker/); this is what the promise of drivers/line.py asks for beyond that: hook
states, the count of rings, pauses in dialled numbers, all counted in ticks, and the buffer that turns the card's blocks
into frames. Keys of a call are not taken from the card but heard by our own ear, which is measured, and stops a prompt
sooner.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from ...config.settings import Section, SettingsError
from ...dsp import callerid, g711
from ..line import (
    FRAME,
    Alarm,
    CallerId,
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
from .client import SECOND, Card
from .worker import wire
from .worker.wire import Kind, Message

SAME_BURST = 3 * SECOND // 2  # bursts are at least 2 s apart, a burst in two parts is not
RING_MISSED = 6 * SECOND  # as in drivers/simulated/exchange.py: the period of Chinese ringing and a second
PAUSE = SECOND  # ',' in a dialled number
FLASH = SECOND // 2

TYPES = {wire.STATION: "内线模块", wire.RECORDER: "录音模块", wire.OTHER: "空的，或不是模拟外线"}


class CardSettings(Section):
    """语音卡。"""

    folder: Path = Field(
        description="语音卡驱动程序的文件夹：程序库和它的设置文件在那里。", examples=["C:\\ShCti", "/usr/local/shcti"]
    )
    python: str = Field(
        "",
        description="用哪个 Python 运行语音卡的进程；空：与本服务相同。"
        "程序库是 32 位的，就写 32 位 Python 的路径，3.8 以上，不必装别的东西。",
    )
    channels: tuple[Annotated[int, Field(ge=0, le=253)], ...] = Field(
        (), description="这一段的各条线依次接在卡的第几路，从 0 数起；空：从第 0 路起，一路接一路。"
    )


class SynwaySettings(CardSettings):
    """三汇语音卡。"""

    watch_voltage: bool = Field(True, description="凭线路电压判断电话线是否插好；卡测不准时写 false。")


class CardLine(Line):
    """One channel. All lines of a section share one card, and with it one worker."""

    settings_model: ClassVar[type[CardSettings]] = CardSettings
    countable = True
    driver: ClassVar[str]
    block: ClassVar[int]  # bytes the card records at once

    @classmethod
    def several(cls, names: Sequence[str], settings: Any, process: int) -> list[Line]:
        """Lines on one card. Raises SettingsError when not every line has its channel."""
        if not names:  # another process has the card
            return []
        channels = settings.channels or range(len(names))
        if len(set(channels)) != len(names):
            raise SettingsError(
                f"线路 {names[0]}：channels = {list(channels)}，须是 {len(names)} 个不同的数，与 count 一样多"
            )
        options = settings.model_dump(mode="json", exclude=set(CardSettings.model_fields))
        card = Card(cls.driver, settings.folder, settings.python, options)
        return [cls(name, card, channel) for name, channel in zip(names, channels, strict=True)]

    def __init__(self, name: str, card: Card, channel: int) -> None:
        super().__init__(name)
        self.card = card
        self.channel = channel
        self._is_open = False
        self._inbox: deque[Message] = deque()
        self._serial = 0  # of the last change of the hook
        self._reset()

    def _reset(self) -> None:
        """As a line is that has just been opened."""
        self.state = HookState.ON_HOOK
        self._events: list[Event] = []
        self._settled = True  # the worker has made the last change of the hook
        self._heard = bytearray()
        self._flowing = self._has_flowed = False  # now; in this call
        self._rings, self._since_ring = 0, RING_MISSED
        self._ticks = 0
        self._keyed = callerid.Keyed()
        self._dialling: deque[str] = deque()
        self._pause = self._flash = 0  # ticks left
        self._fault = False
        self._card_down = False
        self._alarmed = False

    # The promise.

    def open(self) -> None:
        """Take the channel; the first line of a card starts the worker. Raises LineError."""
        self._inbox = self.card.open(self.channel)
        self._reset()
        unfit = self._unfit()
        if unfit:
            self.card.close(self.channel)
            raise LineError(unfit)
        self._is_open = True

    def close(self) -> None:
        """Hang up, and give the channel back; the last line of a card ends the worker."""
        if self._is_open:
            self.on_hook()
        self.card.close(self.channel)
        self._is_open = False
        self.state = HookState.ON_HOOK

    def off_hook(self) -> None:
        """Answer or seize; a line that is out of service stays on hook."""
        self._check_open()
        if self.state is not HookState.OFF_HOOK and not self._alarmed:
            self.state = HookState.OFF_HOOK
            self._set_hook(Kind.OFF_HOOK)

    def on_hook(self) -> None:
        """Hang up. A line that is being rung goes on ringing."""
        self._check_open()
        if self.state is HookState.OFF_HOOK:
            self.state = HookState.ON_HOOK
            self._set_hook(Kind.ON_HOOK)

    def flash(self) -> None:
        """500 ms of an open loop."""
        self._check_open()
        if self.state is HookState.OFF_HOOK and not self._flash:
            self._flash = FLASH
            self.card.send(wire.pack(Kind.FLASH, self.channel, b"\1"))

    def dial(self, number: str) -> None:
        """By the card's own generator; the pauses are ours."""
        self._check_open()
        check_number(number)
        if self.state is HookState.OFF_HOOK and number:
            busy = bool(self._dialling)
            self._dialling += re.findall(r",|[^,]{1,32}", number)
            if not busy:
                self._dial_next()

    def read(self, frame: Frame) -> None:
        """What the card recorded 20 ms of; silence on hook."""
        self._check_open()
        check_frame(frame)
        self.card.tick(self.channel)
        while self._inbox:
            self._take(self._inbox.popleft())
        self._count()
        frame[:] = 0
        if self.state is HookState.OFF_HOOK:
            self._hear(frame)

    def write(self, frame: Frame) -> None:
        """Hand the frame to the card."""
        self._check_open()
        check_frame(frame)
        if self.state is HookState.OFF_HOOK:
            self.card.send(wire.pack(Kind.PLAY, self.channel, g711.alaw_encode(frame).tobytes()))

    def events(self) -> list[Event]:
        """What happened."""
        self._check_open()
        events, self._events = self._events, []
        return events

    # Time.

    def _count(self) -> None:
        """What a tick brings by itself."""
        self._ticks += 1
        self._since_ring += 1
        if self.state is HookState.RINGING and self._since_ring >= RING_MISSED:
            self._stop_ringing()
            self._events.append(RingStopped())
        if self._flash:
            self._flash -= 1
            if not self._flash:
                self.card.send(wire.pack(Kind.FLASH, self.channel, b"\0"))
        if self._pause:
            self._pause -= 1
            if not self._pause:
                self._dialled()

    def _hear(self, frame: Frame) -> None:
        """The card's blocks as frames. Hearing begins when a block and a frame are there, so that a block may be late
        by a tick; what waits beyond three blocks more is the two clocks' difference, and the oldest of it goes."""
        enough = self.block + FRAME
        if len(self._heard) > enough + 3 * self.block:
            del self._heard[: len(self._heard) - enough]
        if len(self._heard) < (FRAME if self._flowing else enough):
            self.late_frames += self._has_flowed
            self._flowing = False
            return
        self._flowing = self._has_flowed = True
        frame[:] = g711.alaw_decode(np.frombuffer(bytes(self._heard[:FRAME]), np.uint8))
        del self._heard[:FRAME]

    # What the worker says.

    def _take(self, message: Message) -> None:
        match message.kind:
            case Kind.FAILED:
                self._card_down = True
                self._fail(message.text)
            case Kind.READY:
                unfit = self._unfit()
                self._card_down = unfit is not None
                self._mend()
            case Kind.FAULT:
                self._fault = True
                self._fail(message.text)
            case Kind.MENDED:
                self._fault = False
                self._mend()
            case Kind.OFF_HOOK | Kind.ON_HOOK:
                self._settled = self._settled or message.number == self._serial
            case _ if self._settled and not self._alarmed:
                self._happen(message)

    def _happen(self, message: Message) -> None:
        """Something on a line that stands as we think it does."""
        off_hook = self.state is HookState.OFF_HOOK
        match message.kind:
            case Kind.AUDIO if off_hook:
                self._heard += message.body
            case Kind.RING if not off_hook and self._since_ring >= SAME_BURST:
                self._rings, self._since_ring = self._rings + 1, 0
                self.state = HookState.RINGING
                self._events.append(Ring(self._rings))
            case Kind.CALLER_ID if not off_hook:
                number = message.text
                self._events.append(CallerId(number if re.fullmatch(r"\+?[0-9]{1,20}", number) else None))
            case Kind.KEYED if not off_hook:
                at = self._ticks * FRAME  # when it was told; keys of a number are half a second apart at most
                if told := self._keyed.key(message.text, at, at):
                    self._events.append(CallerId(told.number))
            case Kind.DIALLED if self._dialling:
                self._dialled()
            case Kind.FAR_HANGUP if off_hook:
                self._events.append(FarHangup(message.text))
            case Kind.REVERSED if off_hook:
                self._events.append(FarHangup("语音卡报告线路极性反转", polarity=True))

    # Hook, ringing, dialling, faults.

    def _set_hook(self, kind: Kind) -> None:
        """Nothing of what was on the line before is heard after this."""
        self._serial += 1
        self._settled = False
        self._heard.clear()
        self._flowing = self._has_flowed = False
        self._dialling.clear()
        self._pause = self._flash = 0
        self._rings, self._since_ring = 0, RING_MISSED
        self.card.send(wire.pack_number(kind, self.channel, self._serial))

    def _stop_ringing(self) -> None:
        self.state = HookState.ON_HOOK
        self._rings = 0
        self.card.send(wire.pack(Kind.FORGET, self.channel))

    def _dial_next(self) -> None:
        if self._dialling[0] == ",":
            self._pause = PAUSE
        else:
            self.card.send(wire.pack(Kind.DIAL, self.channel, self._dialling[0].encode()))

    def _dialled(self) -> None:
        """A part of the number is out."""
        self._dialling.popleft()
        if self._dialling:
            self._dial_next()
        else:
            self._events.append(Dialled())

    def _unfit(self) -> str | None:
        """Why this channel of the card cannot be a line."""
        types = self.card.types
        if self.channel >= len(types):
            return (
                f"语音卡只有 {len(types)} 路（0 到 {len(types) - 1}），没有第 {self.channel} 路：请改 channels 或 count"
            )
        if types[self.channel] != wire.TRUNK:
            return f"语音卡第 {self.channel} 路是{TYPES[types[self.channel]]}，不能接外线：请换一路，写在 channels 里"
        return None

    def _fail(self, reason: str) -> None:
        """Out of service: one alarm, however many reasons."""
        if self.state is HookState.RINGING:
            self._stop_ringing()
        self.on_hook()
        if not self._alarmed:
            self._events.append(Alarm(reason))
        self._alarmed = True
        self._settled = self._settled or self._card_down  # whoever comes next knows nothing of our hook

    def _mend(self) -> None:
        if self._alarmed and not self._fault and not self._card_down:
            self._alarmed = False
            self._events.append(Restored())

    def _check_open(self) -> None:
        if not self._is_open:
            raise LineMisuse(f"line {self.name} is not open")


class SynwayLine(CardLine):
    """三汇: the card sees the far end hang up by tone, polarity or loop, and says so."""

    settings_model = SynwaySettings
    driver = "synway"
    block = 192  # worker/synway.py
    capabilities = Capabilities(reports_hangup=True)


class DonjinLine(CardLine):
    """东进: hang-up is heard, by our own ear."""

    driver = "donjin"
    block = 512  # worker/donjin.py
