"""A line interface on a sound device.

The device itself is in a process of its own (worker.py), the serial port in a thread (hook.py); this class only takes
from them what is there in each tick. A device or port that is gone is tried again after 1, 2, 4 ... 30 s.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from pydantic import Field

from ...config.settings import Section
from ...dsp import generate
from ...dsp.levels import ratio
from ..line import (
    FRAME,
    RATE,
    Alarm,
    Capabilities,
    Dialled,
    Event,
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
from .buffer import Buffer
from .device import STARTING, Device
from .hook import Ringing, RingLine, SerialHook, SoundHook

TICKS = RATE // FRAME  # a second
WAITING = 1  # frames that wait for the tick at first; on a device or machine that is uneven it will be more
MOST = 15
RETRY, RETRY_MOST = TICKS, 30 * TICKS
FLASH = TICKS // 2
PAUSE = 1.0  # seconds, ',' in a dialled number
KEY_MS = 100.0  # on and off; exchanges want 40 ms each (ITU-T Q.24), PBXs like more


class Settings(Section):
    """声卡接线：声音走声卡，摘挂机和振铃走串口的控制线。"""

    device: str = Field("", description="声卡名称，或其中一段；空：系统默认的声卡。hotline lines find 列出有哪些。")
    output: str = Field("", description="放音用另一块声卡时写它的名称；空：与 device 相同。")
    hook: str = Field(
        "none",
        description='管摘挂机的串口，如 /dev/ttyUSB0、COM3，RTS 有效为摘机；"none"：接口自己摘挂机，有声音就算来电。',
    )
    ring: RingLine = Field("RI", description="振铃接在串口的哪根线上。")
    sound_dbm0: float = Field(-40.0, ge=-60, le=0, description='hook = "none" 时，声音多大算来电，dBm0。')
    hears_on_hook: bool = Field(False, description="挂机时声卡也听得到线路，能从中听出来电号码。")
    gain_in_db: float = Field(0.0, ge=-30, le=30, description="收到的声音增减几 dB。")
    gain_out_db: float = Field(0.0, ge=-30, le=30, description="送出的声音增减几 dB。")


class SoundLine(Line):
    """One line interface; see the module's text."""

    settings_model = Settings

    def __init__(self, name: str, settings: Settings | None = None) -> None:
        super().__init__(name)
        self.settings = settings or Settings()
        self.capabilities = Capabilities(hears_on_hook=self.settings.hears_on_hook)
        self._device = Device(self.settings.device, self.settings.output or self.settings.device)
        self._gain_in = ratio(self.settings.gain_in_db)
        self._gain_out = ratio(self.settings.gain_out_db)
        self._hook = self._make_hook()
        self._hook_is_open = False
        self._is_open = False

    def open(self) -> None:
        """Only the first try waits for device and port. Later ones, in the midst of ticks, look what became of the
        process that was started by the try before, and of the port that the thread goes on trying."""
        if self._is_open:
            return
        device = self._device
        if not device.started:
            device.start()
            for _ in range(STARTING // 5):
                device.frames()
                if device.ready or device.fault:
                    break
                device.wait(5 / TICKS)
        device.frames()
        if not device.ready:
            reason = device.fault or "声卡还没有准备好：请稍候"
            if device.fault:
                device.start()
            raise LineError(reason)
        if not self._hook_is_open:
            self._hook.open()
            self._hook_is_open = True
        if self._hook.fault:
            raise LineError(self._hook.fault)
        self._begin()

    def _make_hook(self) -> SerialHook | SoundHook:
        ours = self.settings
        return SoundHook(ours.sound_dbm0) if ours.hook == "none" else SerialHook(ours.hook, ours.ring)

    def _begin(self) -> None:
        self._ringing = Ringing(self._hook.cadence)
        self._arrived = Buffer(WAITING, MOST)
        self._to_dial: deque[Frame] = deque()
        self._flash = 0  # ticks left of it
        self._down = False
        self._retry = RETRY  # ticks between tries, growing
        self._until_retry = 0
        self._events: list[Event] = []
        self._is_open = True

    def close(self) -> None:
        """Hang up and end the process; the port's thread ends with the port on hook."""
        if self._hook_is_open:
            self._hook.close()
            self._hook, self._hook_is_open = self._make_hook(), False
        self._device.stop()
        self.state = HookState.ON_HOOK
        self._is_open = False

    def off_hook(self) -> None:
        """Close the loop; an interface without hook is taken to be connected."""
        self._check_open()
        if self._down or self.state is HookState.OFF_HOOK:
            return
        self._ringing.answered()
        self._hook.set(True)
        self.state = HookState.OFF_HOOK
        self._mark()

    def on_hook(self) -> None:
        """Open the loop. A line that is being rung goes on ringing."""
        self._check_open()
        if self.state is HookState.OFF_HOOK:
            self._put_down()
            self._device.clear()

    def flash(self) -> None:
        """Open the loop for half a second."""
        self._check_open()
        if self.state is HookState.OFF_HOOK:
            self._flash = FLASH
            self._hook.set(False)

    def dial(self, number: str) -> None:
        """Keys of 100 ms with pauses of 100 ms; what is written meanwhile is not heard."""
        self._check_open()
        check_number(number)
        if self.state is HookState.OFF_HOOK:
            sound = [
                generate.silence(1000 * PAUSE) if key == "," else generate.dtmf(key, KEY_MS, KEY_MS) for key in number
            ]
            self._to_dial.extend(np.concatenate(sound).reshape(-1, FRAME) if sound else [])

    def read(self, frame: Frame) -> None:
        """Take what has arrived, and look at hook and device."""
        self._check_open()
        check_frame(frame)
        for arrived in self._device.frames():
            self._arrived.push(arrived)
        fault = self._device.fault or self._hook.fault
        if fault and not self._down:
            self._fail(fault)
        if self._down:
            frame[:] = 0
            self._recover(fault)
            return
        waiting = self._arrived.pull()
        self._put(frame, waiting)
        if self.state is HookState.OFF_HOOK:
            self._in_call(gap=waiting is None)
        else:
            self._at_rest(frame)

    def write(self, frame: Frame) -> None:
        """Hand the frame to the process."""
        self._check_open()
        check_frame(frame)
        if self.state is HookState.OFF_HOOK and not self._to_dial:
            self._play(frame)

    def events(self) -> list[Event]:
        """What happened since the last call."""
        self._check_open()
        events, self._events = self._events, []
        return events

    # Inside.

    def _put(self, frame: Frame, waiting: bytes | None) -> None:
        if waiting is None:
            frame[:] = 0
        elif self._gain_in == 1.0:
            frame[:] = np.frombuffer(waiting, "<i2")
        else:
            frame[:] = generate.to_int16(np.frombuffer(waiting, "<i2").astype(np.float64) * self._gain_in)

    def _play(self, frame: Frame) -> None:
        if self._gain_out != 1.0:
            frame = generate.to_int16(frame.astype(np.float64) * self._gain_out)
        self._device.play(frame.astype("<i2").tobytes())

    def _in_call(self, gap: bool) -> None:
        self.late_frames += gap + self._device.late - self._late
        self._mark()
        if self._to_dial:
            self._play(self._to_dial.popleft())
            if not self._to_dial:
                self._events.append(Dialled())
        if self._flash:
            self._flash -= 1
            if not self._flash:
                self._hook.set(True)

    def _mark(self) -> None:
        """What the device lost while we were on hook is nobody's loss."""
        self._late = self._device.late

    def _at_rest(self, frame: Frame) -> None:
        event = self._ringing.feed(self._hook.active(frame))
        if isinstance(event, Ring):
            self.state = HookState.RINGING
        elif isinstance(event, RingStopped):
            self.state = HookState.ON_HOOK
        if event is not None:
            self._events.append(event)
        if not self.settings.hears_on_hook:
            frame[:] = 0

    def _put_down(self) -> None:
        self._hook.set(False)
        self._ringing.hung_up()
        self._arrived.clear()
        self._to_dial.clear()
        self._flash = 0
        self.state = HookState.ON_HOOK

    def _fail(self, reason: str) -> None:
        self._put_down()
        self._down = True
        self._retry = self._until_retry = RETRY
        self._events.append(Alarm(reason))

    def _recover(self, fault: str) -> None:
        """Bring the device back; the port's thread does so by itself."""
        if self._device.ready and not fault:
            self._down = False
            self._arrived.clear()
            self._events.append(Restored())
        elif self._device.fault:
            self._until_retry -= 1
            if self._until_retry <= 0:
                self._device.start()
                self._retry = self._until_retry = min(2 * self._retry, RETRY_MOST)

    def _check_open(self) -> None:
        if not self._is_open:
            raise LineMisuse(f"line {self.name} is not open")
