"""An exchange line in software, behind the same promise as the hardware.

`line.exchange` is its far end (exchange.py): telephones call through it and tests break it. A line
whose switches are all off copies one frame each way; the others pass through impairments.py.
"""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from ..line import (
    Alarm,
    Event,
    Frame,
    HookState,
    Line,
    LineMisuse,
    Ring,
    RingStopped,
    check_frame,
    check_number,
)
from .exchange import RELEASE, TICKS, Exchange
from .impairments import Impairments, Pair
from .tones import ShowsNumber, Stage, Tones


class Settings(Impairments):
    """软件模拟的电话线。"""

    caller_id: ShowsNumber = Field(
        "event",
        description="来电号码怎样送来：由线路直接报告（event）、两声铃之间的 FSK（fsk）、"
        "第一声铃之前的双音频按键（dtmf）、不送（none）。",
    )
    release: tuple[Stage, ...] = Field(
        RELEASE,
        description="对方挂机后依次听到什么，例如 [{tone = 'busy', seconds = 40}, {tone = 'howler'}]。",
    )
    tones: Tones = Field(Tones(), description="与国标不同的信号音。")
    fault_at: float | None = Field(None, ge=0, description="打开后几秒线路断开。")
    fault_lasts: float | None = Field(None, gt=0, description="断开几秒后恢复；不写，就一直断着。")


class SimulatedLine(Line):
    """The near end of an `Exchange`. `read` is its clock: one call, one tick."""

    settings_model = Settings
    countable = True

    def __init__(self, name: str, settings: Settings | None = None) -> None:
        super().__init__(name)
        self.settings = settings or Settings()
        self.capabilities = replace(self.capabilities, hears_on_hook=self.settings.caller_id in ("fsk", "dtmf"))
        self.exchange = Exchange(self.settings.tones, self.settings.release, self.settings.caller_id)
        self._pair = Pair(self.settings, name) if self.settings.damaged else None
        self._is_open = False
        self._events: list[Event] = []
        self._until_fault = -1  # ticks to the planned fault, then to its repair; -1: none is planned

    def open(self) -> None:
        """Nothing can be missing here; a planned fault is counted from now."""
        self._is_open = True
        at = self.settings.fault_at
        self._until_fault = -1 if at is None else round(at * TICKS)

    def close(self) -> None:
        """Hang up and touch the exchange no more."""
        if self._is_open:
            self.on_hook()
        self.state = HookState.ON_HOOK
        self._events = []
        self._is_open = False

    def off_hook(self) -> None:
        """Answer or seize; a dead line stays on hook."""
        self._check_open()
        if not self.exchange.loop_closed and not self.exchange.failed:
            if self._pair is not None:
                self._pair.clear()
            self.exchange.lift()
            self.state = HookState.OFF_HOOK

    def on_hook(self) -> None:
        """Hang up. A line that is being rung goes on ringing."""
        self._check_open()
        if self.exchange.loop_closed:
            self.exchange.put_down()
            self.state = HookState.ON_HOOK

    def flash(self) -> None:
        """A public exchange takes no notice of so short a break."""
        self._check_open()

    def dial(self, number: str) -> None:
        """200 ms a digit; dropped on hook."""
        self._check_open()
        check_number(number)
        if self.exchange.loop_closed:
            self.exchange.dial(number)

    def read(self, frame: Frame) -> None:
        """Advance the exchange by 20 ms and take what it sends us."""
        self._check_open()
        check_frame(frame)
        if self._until_fault >= 0:
            self._planned_fault()
        exchange = self.exchange
        exchange.tick()
        if self._pair is None or not exchange.loop_closed:
            frame[:] = exchange.sound()
        elif not self._pair.inwards(exchange.sound, frame):
            self.late_frames += 1
        if exchange.events:
            self._follow()

    def write(self, frame: Frame) -> None:
        """Hand the frame to whoever is connected."""
        self._check_open()
        check_frame(frame)
        if self._pair is not None and self.exchange.loop_closed:
            frame = self._pair.outwards(frame)
        self.exchange.hear(frame)

    def events(self) -> list[Event]:
        """What the exchange has to say."""
        self._check_open()
        events, self._events = self._events, []
        return events

    def _follow(self) -> None:
        """Take the exchange's events over; the hook state changes with them, not before."""
        for event in self.exchange.events:
            if isinstance(event, Ring):
                self.state = HookState.RINGING
            elif isinstance(event, RingStopped | Alarm):
                self.state = HookState.ON_HOOK
        if self.exchange.loop_closed:  # broken, repaired and seized again since the last tick
            self.state = HookState.OFF_HOOK
        self._events += self.exchange.events
        self.exchange.events.clear()

    def _planned_fault(self) -> None:
        if self._until_fault == 0 and not self.exchange.failed:
            self.exchange.fail("模拟的线路断开了")
            lasts = self.settings.fault_lasts
            self._until_fault = 0 if lasts is None else round(lasts * TICKS)
        elif self._until_fault == 0:
            self.exchange.repair()
        self._until_fault -= 1

    def _check_open(self) -> None:
        if not self._is_open:
            raise LineMisuse(f"line {self.name} is not open")
