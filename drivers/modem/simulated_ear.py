"""What a simulated modem itself hears on the line: keys and busy tone, in all streams and without one."""

from __future__ import annotations

from ...config.tones import TonePlan
from ...dsp import dtmf, progress
from ..line import Frame
from .faults import Faults

DLE = b"\x10"
KEY_REPEATS = 4  # ticks: a held key is reported every 70-80 ms


class Ear:
    """`frames_keys`: DLE / and DLE ~ stand around a key's reports, and it is reported again while it is held."""

    def __init__(self, plan: TonePlan, faults: Faults, frames_keys: bool, reports_busy: bool) -> None:
        self._keys = dtmf.Detector(1)
        self._tones = progress.Detector(1, plan)
        self._faults = faults
        self._frames_keys = frames_keys
        self._reports_busy = reports_busy
        self._held: tuple[str, int] | None = None  # a key, and for how many ticks

    def reset(self) -> None:
        """Another call begins."""
        self._keys.reset(0)
        self._tones.reset(0)
        self._held = None

    def hear(self, frame: Frame) -> bytes:
        """20 ms; what is reported of them."""
        said = b""
        framed = self._frames_keys and not self._faults.triple_digits
        for heard in self._keys.feed(frame[None, :]):
            if isinstance(heard, dtmf.Onset):
                self._held = (heard.digit, 1)
                report = DLE + heard.digit.encode("ascii")
                said += 3 * report if self._faults.triple_digits else DLE + b"/" + report if framed else report
            elif self._held is not None:
                self._held = None
                said += DLE + b"~" if framed else b""
        if self._held is not None:
            digit, ticks = self._held
            self._held = (digit, ticks + 1)
            if ticks % KEY_REPEATS == 0 and framed:
                said += DLE + digit.encode("ascii")
        for tone in self._tones.feed(frame[None, :]) if self._reports_busy else ():
            if isinstance(tone, progress.Tone) and tone.name == "busy":
                said += DLE + b"b"
        return said
