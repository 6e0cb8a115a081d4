"""One open channel of DAHDI: the only place that makes its system calls.

What is relied upon, seen in the kernel module's source (dahdi-base.c 2.11.1) and in tests/dahdi:

- While an event waits, `read` and `write` fail with errno 500 until GETEVENT has fetched it. So the read of every
  tick is also the look for events: no poll or epoll, and one system call a tick each way.
- `write` breaks off dialling, and so does HOOK.
- On a descriptor that does not block, RING and FLASH answer EINPROGRESS, which means that they have begun.
- Of blocks nobody reads the oldest are kept, so `BLOCKS` is also the most a line can ever lag.
- A card that has gone answers everything with ENODEV, and each time sleeps 5 ms first: close it at once.
- Closing puts the port on hook. Opening it again sets gains, law and timings back to what they were.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from ...dsp import g711
from ...dsp.levels import ratio
from ..line import FRAME, Frame, LineError
from . import abi

try:
    import fcntl
except ImportError:  # Windows: the settings of this driver can be checked there, its lines cannot be opened
    fcntl = None  # type: ignore[assignment]  # the one module that is not everywhere

Bytes = npt.NDArray[np.uint8]

DEVICE = "/dev/dahdi/channel"
BLOCKS = 4  # of a frame each, in either direction: 80 ms


class Hook(Enum):
    """What a port can be told to do with its loop."""

    ON = abi.ONHOOK
    OFF = abi.OFFHOOK
    FLASH = abi.FLASHHOOK
    RING = abi.RING


class Event(Enum):
    """What the kernel reports of a channel; all else it can say is left out."""

    ON_HOOK = abi.EVENT_ONHOOK
    RING_OFF_HOOK = abi.EVENT_RINGOFFHOOK
    ALARM = abi.EVENT_ALARM
    NO_ALARM = abi.EVENT_NOALARM
    DIALLED = abi.EVENT_DIALCOMPLETE
    POLARITY = abi.EVENT_POLARITY
    RING_BEGIN = abi.EVENT_RINGBEGIN
    REMOVED = abi.EVENT_REMOVED


@dataclass(frozen=True)
class Signalling:
    """How a port was set up by dahdi_cfg."""

    station: bool  # a telephone is plugged in here (FXS port), not an exchange line (FXO port)
    reports_hangup: bool  # the far end's hanging up breaks the loop or its current; loop start says nothing


_SIGNALLING = {
    abi.SIG_FXSLS: Signalling(False, False),
    abi.SIG_FXSGS: Signalling(False, True),
    abi.SIG_FXSKS: Signalling(False, True),
    abi.SIG_FXOLS: Signalling(True, True),
    abi.SIG_FXOGS: Signalling(True, True),
    abi.SIG_FXOKS: Signalling(True, True),
}
_LAWS = {"driver": abi.LAW_DEFAULT, "mu": abi.LAW_MULAW, "a": abi.LAW_ALAW}
_EVENTS = {event.value: event for event in Event}

_NOT_OPEN = {
    errno.ENOENT: f"没有 {DEVICE}：DAHDI 内核模块没有装入，请安装 dahdi 并运行 modprobe dahdi 和板卡的模块",
    errno.EACCES: f"没有权限打开 {DEVICE}：请把运行本服务的用户加入 dahdi 组（usermod -aG dahdi 用户名）再重启服务",
    errno.EINVAL: "没有 DAHDI 通道 {}：请用 lsdahdi 查看板卡有哪些通道；没有板卡时检查它的内核模块",
    errno.ENXIO: "DAHDI 通道 {} 没有配置：请在 /etc/dahdi/system.conf 里写 fxsks={}，再运行 dahdi_cfg",
    errno.EBUSY: "DAHDI 通道 {} 被别的程序占用（常见的是 Asterisk）：请让那个程序放开这个通道，一个通道只能有一个主人",
    errno.ENODATA: "没有装入信号音区：请在 /etc/dahdi/system.conf 里写 loadzone=cn 和 defaultzone=cn，再运行 dahdi_cfg",
}
_NOT_OPEN |= {errno.EPERM: _NOT_OPEN[errno.EACCES], errno.ENODEV: _NOT_OPEN[errno.ENOENT]}


class Port:
    """An open channel of either kind, on hook, in frames of 20 ms. Its methods raise OSError when the card has gone."""

    def __init__(self, channel: int, law: str = "driver") -> None:
        """Raises LineError."""
        if fcntl is None:
            raise LineError("DAHDI 只有 Linux 上才有")
        self.happened: list[Event] = []  # fetched, for whoever looks; empty it
        try:
            self._fd = os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK)
        except OSError as error:
            raise _line_error(error, channel) from error
        try:
            self._set_up(channel, law)
        except OSError as error:
            self.close()
            raise _line_error(error, channel) from error
        except LineError:
            self.close()
            raise

    def _set_up(self, channel: int, law: str) -> None:
        self._set(abi.SPECIFY, channel)
        parameters = self._parameters()
        (sigtype,) = struct.unpack_from("i", parameters, abi.PARAMS_SIGTYPE)
        if sigtype not in _SIGNALLING:
            raise LineError(
                f"DAHDI 通道 {channel} 的信令（{sigtype:#x}）不是模拟电话线：接外线的口在 /etc/dahdi/system.conf 里写 "
                f"fxsks={channel} 或 fxsls={channel}，接话机的口写 fxoks={channel}，再运行 dahdi_cfg"
            )
        self.signalling = _SIGNALLING[sigtype]
        (self.alarms,) = struct.unpack_from("I", parameters, abi.PARAMS_ALARMS)
        policies = (abi.POLICY_IMMEDIATE, abi.POLICY_IMMEDIATE)
        self._call(abi.SET_BUFINFO, struct.pack("6i", *policies, BLOCKS, FRAME, 0, 0))
        self._set(abi.SETLAW, _LAWS[law])
        self._set(abi.SETLINEAR, 1)
        self._dial(abi.DIAL_OP_CANCEL, "")  # harmless, and says whether dialling will be possible

    def close(self) -> None:
        """Hang up and let the channel go; quiet, whatever the card says."""
        with suppress(OSError):
            os.close(self._fd)

    # Sound.

    def read(self, frame: Frame) -> int:
        """Fill `frame`, shape (160,), from its beginning with the oldest block; how many samples that are, or 0."""
        while True:
            try:
                return os.readv(self._fd, [frame.data]) // 2
            except BlockingIOError:
                return 0
            except OSError as error:
                if error.errno != abi.ELAST:
                    raise
                self._fetch()

    def write(self, frame: Frame) -> None:
        """Queue `frame`, shape (160,), after what waits; dropped when `BLOCKS` wait."""
        while True:
            try:
                os.write(self._fd, frame.data)
            except BlockingIOError:
                pass
            except OSError as error:
                if error.errno != abi.ELAST:
                    raise
                self._fetch()
                continue
            return

    def flush(self, which: int = abi.FLUSH_ALL) -> None:
        """Empty the buffers."""
        self._set(abi.FLUSH, which)

    # The loop.

    def hook(self, what: Hook) -> None:
        """Go on or off hook, flash, ring a telephone."""
        with suppress(BlockingIOError):  # EINPROGRESS
            self._set(abi.HOOK, what.value)

    def dial(self, digits: str) -> None:
        """Send DTMF; `W` is a pause of half a second. Event.DIALLED follows."""
        self._dial(abi.DIAL_OP_APPEND, "T" + digits)

    def far_end_rests(self) -> bool:
        """Whether a telephone's receiver is down now, or an exchange line with kewl start is without current; with loop
        start it never is."""
        (signal,) = struct.unpack_from("i", self._parameters(), abi.PARAMS_RXHOOKSIG)
        return bool(signal == abi.RXSIG_ONHOOK)

    # Set once.

    def set_gains(self, in_db: float, out_db: float) -> None:
        """Amplify what comes in and what goes out: the kernel looks every byte up in a table."""
        (law,) = struct.unpack_from("i", self._parameters(), abi.PARAMS_CURLAW)
        alaw = law == abi.LAW_ALAW
        decode, encode = (g711.alaw_decode, g711.alaw_encode) if alaw else (g711.mulaw_decode, g711.mulaw_encode)
        tables = b"".join(gain_table(db, decode, encode) for db in (in_db, out_db))
        self._call(abi.SETGAINS, struct.pack("i", 0) + tables)

    def set_flash(self, milliseconds: int) -> None:
        """How long a flash breaks the loop."""
        parameters = bytearray(self._parameters())
        struct.pack_into("i", parameters, abi.PARAMS_FLASHTIME, milliseconds)
        self._call(abi.SET_PARAMS, bytes(parameters))

    def cancel_echo(self, taps: int) -> None:
        """Begin to cancel echo anew, over so many samples; 0: stop."""
        self._set(abi.ECHOCANCEL, taps)

    def can_cancel_echo(self, taps: int) -> bool:
        """Whether dahdi_cfg gave the channel an echo canceller: one without takes the order and does nothing."""
        self.cancel_echo(taps)
        try:
            self._set(abi.ECHOTRAIN, 0)  # refused where there is none to be trained
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            return False
        finally:
            self.cancel_echo(0)
        return True

    # System calls.

    def _fetch(self) -> None:
        while code := struct.unpack("i", self._call(abi.GETEVENT, bytes(abi.INT)))[0]:
            if code in _EVENTS:
                self.happened.append(_EVENTS[code])

    def _parameters(self) -> bytes:
        return self._call(abi.GET_PARAMS, bytes(abi.PARAMS_SIZE))

    def _dial(self, operation: int, digits: str) -> None:
        self._call(abi.DIAL, struct.pack(f"i{abi.DIGITS_SIZE}s", operation, digits.encode("ascii")))

    def _set(self, request: int, value: int) -> None:
        self._call(request, struct.pack("i", value))

    def _call(self, request: int, argument: bytes) -> bytes:
        return fcntl.ioctl(self._fd, request, argument)


def gain_table(db: float, decode: Callable[[Bytes], Frame], encode: Callable[[Frame], Bytes]) -> bytes:
    """For every byte of a law the byte that is so much louder; what would be too loud stays as loud as can be."""
    louder = np.rint(decode(np.arange(256, dtype=np.uint8)) * ratio(db))
    return encode(np.clip(louder, -32768, 32767).astype(np.int16)).tobytes()


def _line_error(error: OSError, channel: int) -> LineError:
    told = _NOT_OPEN.get(error.errno or 0, "DAHDI 通道 {} 打不开：" + (error.strerror or str(error)) + "，请查看 dmesg")
    return LineError(told.replace("{}", str(channel)))
