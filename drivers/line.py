"""What every line promises, whatever hardware is behind it.

A *line* is one analog port. The switchboard owns it: it alone calls the methods below, all from one
thread, once a tick (20 ms). None of them blocks. A driver whose device blocks keeps a thread or a
process of its own and hands frames and events over through buffers.

Samples are int16, 8000 Hz, mono; a frame is 160 of them (20 ms).

States, as the exchange sees our port:

    ON_HOOK   at rest. Nothing is sent; what is read is silence, or on-hook audio where the
              hardware can listen on hook (caller id between rings).
    RINGING   the exchange is ringing. Ends by `off_hook` or, when the caller gives up, by itself; an
              exchange does not say that he has, so that is known only when the next burst fails to come.
    OFF_HOOK  seized or answered. Audio flows both ways.

What holds for every driver (tests/rig/line_contract.py runs it against each):

- `open` raises `LineError` with a sentence that says what to do; `close` is quiet, also twice, also
  in any state, and leaves the port on hook.
- `read` is called once a tick in every state, `write` at most once a tick and after it. Events and
  `state` change in `read`, `off_hook` and `on_hook` alone.
- `read` fills exactly one frame. Where the device has delivered less, the rest is silence, never old
  samples, and the gap is counted in `late_frames`.
- `write` takes exactly one frame and copies it; on hook it is dropped, and so are `dial` and `flash`.
- `off_hook` on a line that is off hook, and `on_hook` on one that is on hook, change nothing.
- Audio of one call is never heard in the next: `on_hook` empties all buffers.
- A device that fails is an `Alarm` event, once, and the line is ON_HOOK from then on; reads are
  silence, and `off_hook` changes nothing: look at `state`. When the driver has got the device back it
  says `Restored`. No device fault is ever raised out of a method but `open`: other lines share the tick.
- Misuse (a frame of another shape, dialling what is no digit, using a closed line) raises `LineMisuse`
  at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

RATE = 8000
FRAME = 160  # 20 ms: what DAHDI, AudioSocket and G.711 networks move at a time
SHAPE = (FRAME,)
SAMPLE = np.dtype(np.int16)  # comparing with this costs a third of comparing with np.int16 itself
DIGITS = frozenset("0123456789*#ABCD,")  # what `dial` takes

Frame = npt.NDArray[np.int16]


class HookState(Enum):
    """Where the port stands; see the module's text."""

    ON_HOOK = "on-hook"
    RINGING = "ringing"
    OFF_HOOK = "off-hook"


@dataclass(frozen=True)
class Ring:
    """One burst of ringing has begun; `count` starts at 1 with each new call."""

    count: int


@dataclass(frozen=True)
class RingStopped:
    """The caller gave up before we answered."""


@dataclass(frozen=True)
class CallerId:
    """Who is calling, as the exchange or the hardware says; None where it withholds the number."""

    number: str | None


@dataclass(frozen=True)
class FarHangup:
    """The hardware itself saw the far end leave (loop current, polarity, protocol); tones are not its matter."""

    reason: str
    polarity: bool = False  # a reversal: not every exchange means that by it, so the settings may say not to count it


@dataclass(frozen=True)
class HardwareDigit:
    """A key the hardware recognised; lines that report digits say so in their capabilities."""

    digit: str


@dataclass(frozen=True)
class Dialled:
    """All digits given to `dial` are out."""


@dataclass(frozen=True)
class Alarm:
    """The device is gone or faulty; the text says what was seen and what to do."""

    reason: str


@dataclass(frozen=True)
class Restored:
    """The device is back after an alarm."""


Event = Ring | RingStopped | CallerId | FarHangup | HardwareDigit | Dialled | Alarm | Restored


@dataclass(frozen=True)
class Capabilities:
    """What the hardware can do; the switchboard asks, it never guesses by the driver's name."""

    full_duplex: bool = True
    reports_digits: bool = False  # digits come as HardwareDigit, in-band detection is not needed
    reports_hangup: bool = False  # FarHangup can be relied on; else busy tone is the only sign
    hears_on_hook: bool = False  # on-hook audio carries the caller's number, in FSK or DTMF
    transfers: bool = False  # the class has `transfer(target)`: when hung up next, the call goes on there, without us


class LineError(Exception):
    """The line cannot be used now; the text says why and what to do about it."""


class LineMisuse(AssertionError):
    """The caller broke the promise of this module: a bug on our side, not a fault of the line."""


class Line(ABC):
    """One analog port; the module's text is its contract."""

    capabilities = Capabilities()
    group: Group | None = None  # that reads and writes this line, where one does
    countable = False  # one section of the settings may describe many such lines: they differ by nothing but their name
    divisible = False  # and several processes may each carry a part of them

    @classmethod
    def several(cls, names: Sequence[str], settings: Any, process: int) -> list[Line]:
        """The lines of one section, not yet open. `settings` is of the class's `settings_model`; `process`
        counts from 0 those that carry lines of this section."""
        return [cls(name, settings) for name in names]  # type: ignore[call-arg]  # each driver takes its own settings

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = HookState.ON_HOOK
        self.late_frames = 0

    @property
    def connected(self) -> bool:
        """Whether an off-hook line carries sound: at once on most hardware, a second after `off_hook` on a modem."""
        return self.state is HookState.OFF_HOOK

    @abstractmethod
    def open(self) -> None:
        """Take hold of the device. Raises LineError."""

    @abstractmethod
    def close(self) -> None:
        """Put the port on hook and let the device go. Never raises."""

    @abstractmethod
    def off_hook(self) -> None:
        """Answer the ringing call, or seize the line to dial."""

    @abstractmethod
    def on_hook(self) -> None:
        """Hang up."""

    @abstractmethod
    def flash(self) -> None:
        """A short break of the loop (about 500 ms on Chinese exchanges and PBXs)."""

    @abstractmethod
    def dial(self, number: str) -> None:
        """Send digits (0-9, *, #, A-D; ',' is a second's pause); `Dialled` follows when they are out."""

    @abstractmethod
    def read(self, frame: Frame) -> None:
        """Fill `frame`, shape (160,), with what came from the line in this tick."""

    @abstractmethod
    def write(self, frame: Frame) -> None:
        """Send `frame`, shape (160,), to the line in this tick."""

    @abstractmethod
    def events(self) -> list[Event]:
        """What happened since the last call, in order; an empty list almost always."""


class Group(ABC):
    """Lines of one device that are read and written in one step, because a call for each would cost more than the
    sound. In a tick either a group is used or `read`, `write` and `events` of its lines. All of `several` lines make
    one group, in their order; the promises are those of Line, but that a closed line is silent here.
    """

    @abstractmethod
    def read(self, frames: Frame) -> list[int]:
        """Fill `frames`, shape (lines, 160), as Line.read does each; the lines that have `events` now."""

    @abstractmethod
    def write(self, frames: Frame) -> None:
        """Send `frames`, shape (lines, 160), as Line.write does each: what is on hook is dropped."""


def check_frames(frames: Frame, lines: int) -> None:
    """Raises LineMisuse for what is not a frame for each of so many lines."""
    if frames.shape != (lines, FRAME) or frames.dtype != SAMPLE:
        raise LineMisuse(f"{lines} frames of {FRAME} int16 samples, not {frames.shape} of {frames.dtype}")


def check_frame(frame: Frame) -> None:
    """Raises LineMisuse for what is no frame."""
    if frame.shape != SHAPE or frame.dtype != SAMPLE:
        raise LineMisuse(f"a frame is {FRAME} int16 samples, not {frame.shape} of {frame.dtype}")


def check_number(number: str) -> None:
    """Raises LineMisuse for what cannot be dialled."""
    if not DIGITS.issuperset(number):
        raise LineMisuse(f"cannot dial {number!r}: only {''.join(sorted(DIGITS))}")
