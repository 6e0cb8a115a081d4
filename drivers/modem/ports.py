"""A serial port that never blocks, and who else is at it.

pyserial opens and sets the port; bytes are moved by the system's own calls, because pyserial's write goes round in
circles for as long as a device takes nothing (serialposix.py, `write`, a full buffer at write_timeout=0).

Ports are named by path. Cheap Conexant modems all carry the same serial number, so two of them have one name
under /dev/serial/by-id: use /dev/serial/by-path there.
"""

from __future__ import annotations

import errno
import os
import select
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import serial

from ..line import LineError

MOST = 4096  # bytes taken at a time: half a second of samples
GLITCHES = 20  # reads in a row that may fail: some USB drivers say EIO now and then and go on
BUFFERED = os.name == "nt"  # Windows: pyserial asks and takes without blocking


# What comes of a device that is gone or is none; SerialException is an OSError, termios.error is not.
FAULTS: tuple[type[Exception], ...] = (OSError, ValueError)
if not BUFFERED:
    import fcntl
    import termios

    FAULTS += (termios.error,)


class PortLost(Exception):
    """The device is gone."""


class Port:
    """One serial port; `open`, `shut`, `dtr` may take seconds on a device that hangs, the others return at once."""

    def __init__(self, path: str, flow: bool) -> None:
        self.path = path
        self._flow = flow
        self._serial: serial.Serial | None = None
        self._glitches = 0
        self._poll = None if BUFFERED else select.poll()

    @property
    def is_open(self) -> bool:
        """Whether it can be read and written."""
        return self._serial is not None

    def open(self) -> None:
        """Take hold of the port, alone. Raises LineError."""
        self.shut()
        try:
            port = serial.Serial(
                self.path, 115200, timeout=0, write_timeout=0, rtscts=self._flow, exclusive=None if BUFFERED else True
            )
        except FAULTS as error:
            raise LineError(f"{self.path}：{why(self.path, error)}") from None
        if self._poll is not None:
            _claim(port.fileno())
            self._poll = select.poll()
            self._poll.register(port.fileno(), select.POLLIN)
        self._glitches = 0
        self._serial = port

    def shut(self, discard: bool = True) -> None:
        """Let go of it. With `discard` what was not sent is dropped, for a device that hangs would keep us waiting.
        Never raises."""
        port, self._serial = self._serial, None
        if port is not None:
            with suppress(*FAULTS):
                if discard:
                    port.reset_output_buffer()
            with suppress(*FAULTS):
                port.close()

    def dtr(self, high: bool) -> None:
        """Raise or lower DTR. Never raises. Speed 0 is how POSIX says "hang up"; a port without control lines of
        its own understands only that."""
        port = self._serial
        if port is not None:
            with suppress(*FAULTS):
                port.dtr = high
            if not BUFFERED:
                with suppress(*FAULTS):
                    port.baudrate = 115200 if high else 0

    def receive(self) -> bytes:
        """What has arrived, perhaps nothing. Raises PortLost."""
        assert self._serial is not None
        try:
            if self._poll is None:
                return bytes(self._serial.read(min(self._serial.in_waiting, MOST)))
            ready = self._poll.poll(0)
            if not ready:
                return b""
            if ready[0][1] & (select.POLLHUP | select.POLLNVAL):
                raise PortLost
            data = os.read(self._serial.fileno(), MOST)
        except OSError as error:
            self._glitches += 1
            if error.errno in (errno.ENODEV, errno.ENXIO, errno.EBADF) or self._glitches >= GLITCHES:
                raise PortLost from error
            return b""
        if not data:  # ready, and nothing there: the device has hung up
            raise PortLost
        self._glitches = 0
        return data

    def send(self, data: bytes | bytearray) -> int:
        """How many of these bytes the port takes now; the others are still the caller's. Raises PortLost."""
        assert self._serial is not None
        try:
            if self._poll is None:
                return int(self._serial.write(data) or 0)
            return os.write(self._serial.fileno(), data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise PortLost from error


def _claim(descriptor: int) -> None:
    """Let no other program open it; pyserial's lock is seen only by those who look for it."""
    with suppress(*FAULTS):
        fcntl.ioctl(descriptor, termios.TIOCEXCL)


def why(path: str, error: Exception, proc: Path = Path("/proc")) -> str:
    """Why a port cannot be opened, and what to do about it."""
    if isinstance(error, ValueError):
        return f"不是串口（{error}）：请检查 port 的写法"
    number = getattr(error, "errno", None) or next(iter(error.args), None)
    if number == errno.ENOENT or not os.path.exists(path):
        return "没有这个串口：请检查 Modem 是否插好、port 写得对不对（ls /dev/serial/by-path/）"
    if number in (errno.EACCES, errno.EPERM):
        return "没有权限：请把运行服务的用户加入 dialout 组（usermod -aG dialout 用户名），然后重新登录"
    if number in (errno.EBUSY, errno.EAGAIN):
        others = "、".join(holders(path, proc)) or "另一个程序"
        return f"正被{others}占用：请先停掉它"
    return f"打不开（{getattr(error, 'strerror', None) or error}）：请拔下 Modem 再插上"


def holders(path: str, proc: Path = Path("/proc")) -> list[str]:
    """Other programs that hold this port, as "name（pid）"; those of other users show only to root. Linux."""
    device = os.path.realpath(path)
    return [
        f"{_name(process)}（{process.name}）"
        for process in _processes(proc)
        if process.name != str(os.getpid()) and device in _open_files(process)
    ]


def probed_by_modem_manager(path: str, proc: Path = Path("/proc"), udev: Path = Path("/run/udev/data")) -> bool:
    """Whether ModemManager is running and was not told to keep off this port (ID_MM_DEVICE_IGNORE, ID_MM_PORT_IGNORE).

    It sends AT commands of its own to every ttyACM port it finds."""
    if not any(_name(process) == "ModemManager" for process in _processes(proc)):
        return False
    try:
        number = os.stat(path).st_rdev
        known = (udev / f"c{os.major(number)}:{os.minor(number)}").read_text("utf-8", "replace")
    except OSError:
        return True
    return not any(f"E:ID_MM_{what}_IGNORE=1" in known.splitlines() for what in ("DEVICE", "PORT"))


def _processes(proc: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from (entry for entry in proc.iterdir() if entry.name.isdigit())


def _name(process: Path) -> str:
    with suppress(OSError):
        return (process / "comm").read_text("utf-8", "replace").strip()
    return "?"


def _open_files(process: Path) -> set[str]:
    found = set()
    with suppress(OSError):
        for link in (process / "fd").iterdir():
            with suppress(OSError):
                found.add(os.readlink(link))
    return found
