"""A telephone line on a voice modem, behind the promise of drivers/line.py.

The modem (modem.py) knows how to come and go; here frames become its samples, and its words our events.

Full duplex (+VTR): sound flows both ways, what we send is clocked by what arrives. The modem has no echo canceller;
the switchboard's takes care of our own voice.

Half duplex (+VTX, +VRX), for modems that know no better: the line plays as soon as a frame with sound is written, and
listens again when nothing but silence was written for 200 ms. While it plays it hears nothing, so the modem's own
ear is relied on: keys come as HardwareDigit, busy and dial tone as FarHangup. A key followed by silence means that
the prompt was cut short, so what lies in the modem is dropped. Turning round takes the modem some 100 ms; sound
written meanwhile is kept and played then.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import numpy as np

from ..line import (
    FRAME,
    Alarm,
    CallerId,
    Capabilities,
    Event,
    FarHangup,
    Frame,
    HardwareDigit,
    HookState,
    Line,
    LineError,
    LineMisuse,
    Ring,
    RingStopped,
    check_frame,
    check_number,
)
from ..simulated.telephone import LiveTelephone
from . import aside, at, dle, pacing
from .at import SECOND
from .codecs import CODECS, Codec
from .dle import Report
from .life import State
from .modem import Modem
from .ports import why
from .profiles import Mode
from .settings import Settings
from .wire import Event as Heard

FULL = Capabilities()
HALF = Capabilities(full_duplex=False, reports_digits=True, reports_hangup=True)

RING_LOST = 7 * SECOND  # a burst and its pause: 1 s + 4 s in China, 2 s + 4 s elsewhere, and a second
CALLER_ID_ENDS = SECOND // 5  # after the last line of its record; any subset of lines may come
HOLD = SECOND // 5  # of silence before we listen: pauses between words are shorter
STARTS = SECOND // 2  # a stream: until then running dry is no fault
KEY_CUTS = SECOND // 2  # a key this long before the silence is what cut the prompt short
SELF_REPORT = 2 * SECOND  # USR says "handset lifted" of its own seizing; loop reports are not believed so early

# What the modem's own ear tells of the far end. In duplex tones are judged by the switchboard, which hears better;
# modems have been seen to report tones in a voice.
TOLD = {
    Report.LOOP_BREAK: "Modem 报告线路电流中断",
    Report.BUSY: "Modem 听到忙音",
    Report.DIAL_TONE: "Modem 听到拨号音",
}
TOLD_IN_DUPLEX = frozenset({Report.LOOP_BREAK})


def _buffer() -> LiveTelephone:
    """Evens out the bursts in which a serial port gives samples."""
    return LiveTelephone(target_ms=30, most_ms=200)


@dataclass
class Talk:
    """What belongs to one call and is forgotten with it."""

    lifted_at: int = 0
    answered: bool = False  # else we have seized the line: dial tone is what we wait for
    connected: bool = False
    streaming: Mode | None = None
    streaming_since: int = 0
    incoming: LiveTelephone = field(default_factory=_buffer)
    outgoing: pacing.Outgoing = field(default_factory=lambda: pacing.Outgoing(0, b"", fill=False))
    waiting: bytearray = field(default_factory=bytearray)  # coded, one byte a sample
    silent: int = 0  # ticks since a frame with sound was written
    keys: dle.Keys = field(default_factory=dle.Keys)
    key_at: int = -KEY_CUTS
    far_gone: bool = False


class VoiceModemLine(Line):
    """See the module. `runner` does what may block: in threads, unless time is virtual."""

    settings_model = Settings

    def __init__(self, name: str, settings: Settings, runner: aside.Runner = aside.in_thread) -> None:
        super().__init__(name)
        self.modem = Modem(name, settings, runner)
        self.underruns = self.overruns = 0  # reported by the modem
        self._settings = settings
        self.capabilities = HALF if settings.duplex == "half" else FULL
        self._codec: Codec = CODECS["mu-law"]
        self._talk = Talk()
        self._events: list[Event] = []
        self._now = 0
        self._rings = 0
        self._last_ring = 0
        self._record: dict[str, str] = {}  # caller id
        self._record_at = 0
        self._told_number = False

    # The promise.

    @property
    def connected(self) -> bool:
        """Whether a stream has been up in this call."""
        return self._talk.connected

    def open(self) -> None:
        """Begin to open and set up the modem; what goes wrong later is an Alarm. Raises LineError where that is
        plain to see: no such port, no right to use it."""
        path = self._settings.port
        if os.name == "posix" and not os.access(path, os.R_OK | os.W_OK):
            missing = not os.path.exists(path)
            raise LineError(f"{path}：{why(path, FileNotFoundError() if missing else PermissionError(13, ''))}")
        if self.modem.state is State.CLOSED:
            self.modem.open()

    def close(self) -> None:
        """Hang up and let go of the port."""
        if self.modem.state is not State.CLOSED:
            self._hang_up()
            self.modem.close()
        self._events = []
        self._forget_ringing()

    def off_hook(self) -> None:
        """Lift; the line is `connected` when the modem is through with it, a second or two later."""
        self._check_open()
        if self.state is HookState.OFF_HOOK or self.modem.dead:
            return
        self._talk = Talk(self._now, answered=self.state is HookState.RINGING)
        self.state = HookState.OFF_HOOK
        self._forget_ringing()
        self.modem.wish = Mode.DUPLEX if self.modem.duplex else Mode.PLAY
        self.modem.wants_line = True

    def on_hook(self) -> None:
        """Hang up; a modem needs some tenths of a second to follow."""
        self._check_open()
        if self.state is HookState.OFF_HOOK:
            self._hang_up()

    def flash(self) -> None:
        """As long as the modem makes it: its country setting says."""
        self._check_open()
        if self.state is HookState.OFF_HOOK:
            self.modem.flash()

    def dial(self, number: str) -> None:
        """A digit is 100 ms and a command's time; the stream is down meanwhile."""
        self._check_open()
        check_number(number)
        if self.state is HookState.OFF_HOOK:
            self.modem.dial(number)

    def read(self, frame: Frame) -> None:
        """Let the modem go on, take what it heard."""
        self._check_open()
        check_frame(frame)
        self._now += 1
        self.modem.tick()
        self._follow()
        if self.modem.heard:
            heard, self.modem.heard = self.modem.heard, []
            for event in heard:
                self._hear(event)
        self._time_out()
        if self.state is HookState.OFF_HOOK:
            if self._talk.streaming is Mode.PLAY:
                self._talk.outgoing.played(FRAME)
            before = self._talk.incoming.underruns
            frame[:] = self._talk.incoming.speak()
            self.late_frames += self._talk.incoming.underruns - before
            if self._talk.outgoing.urgent:
                self._send()
        else:
            frame[:] = 0

    def write(self, frame: Frame) -> None:
        """Queue the frame, send what may lie in the modem."""
        self._check_open()
        check_frame(frame)
        if self.state is not HookState.OFF_HOOK or not self._talk.connected:
            return
        silent = not frame.any()
        self._talk.silent = self._talk.silent + 1 if silent else 0
        if not (silent and self.modem.wish is Mode.RECORD):
            pacing.queue(self._talk.waiting, self._codec.encode(frame).tobytes(), silent)
        if not self.modem.duplex:
            self._turn()
        self._send()

    def events(self) -> list[Event]:
        """What the line and the modem have to say."""
        self._check_open()
        events, self._events = self._events, []
        return events

    # The modem's state, and ours.

    def _follow(self) -> None:
        """Take over what happened to the modem."""
        modem = self.modem
        if modem.events:
            if any(isinstance(event, Alarm) for event in modem.events):
                self._hang_up()
                self._forget_ringing()
            self._events += modem.events
            modem.events.clear()
        if modem.codec is not None:
            self._codec = CODECS[modem.codec.codec]
        self.capabilities = FULL if modem.duplex else HALF
        if modem.sounding is not self._talk.streaming:
            self._talk.streaming = modem.sounding
            if modem.sounding is not None:
                self._begin(modem.sounding)

    def _begin(self, mode: Mode) -> None:
        """A stream has come up."""
        self._talk.connected, self._talk.streaming_since = True, self._now
        silence = self._codec.encode(np.zeros(1, np.int16)).tobytes()
        ahead = pacing.DUPLEX_AHEAD if mode is Mode.DUPLEX else pacing.PLAY_AHEAD
        self._talk.outgoing = pacing.Outgoing(ahead, silence, fill=mode is Mode.DUPLEX)
        self._talk.incoming = _buffer()
        if mode is Mode.DUPLEX:
            self._talk.waiting.clear()

    def _hang_up(self) -> None:
        self.state = HookState.ON_HOOK
        self._talk = Talk()
        self.modem.drop()

    # What the modem heard.

    def _hear(self, event: Heard) -> None:
        match event:
            case dle.Audio(data) if self._talk.connected:
                self._talk.outgoing.played(len(data))
                self._talk.incoming.push(self._codec.decode(np.frombuffer(data, np.uint8)))
            case at.RingText() | Report.RING:
                self._ring()
            case at.CallerIdPart(tag, value):
                self._record[tag] = value
                self._record_at = self._now
            case dle.Digit() | Report.KEY_DOWN | Report.KEY_UP:
                self._key(event)
            case Report.BUSY | Report.DIAL_TONE | Report.LOOP_BREAK:
                self._told(event)
            case Report.UNDERRUN:
                self._dry()
            case Report.OVERRUN:
                self.overruns += 1

    def _dry(self) -> None:
        """The modem has run dry; at the start of a stream it always does: our first samples are on their way."""
        talk = self._talk
        if talk.streaming is not None and self._now - talk.streaming_since > STARTS:
            self.underruns += 1
            talk.outgoing.dry()

    def _ring(self) -> None:
        if self.state is not HookState.OFF_HOOK and not self.modem.dead:
            self._end_record()
            self._rings += 1
            self._last_ring = self._now
            self.state = HookState.RINGING
            self._events.append(Ring(self._rings))

    def _key(self, event: Heard) -> None:
        digit = self._talk.keys.take(event, self._now) if isinstance(event, dle.Digit | Report) else None
        if digit is not None and not self.modem.duplex and self._talk.connected:
            self._talk.key_at = self._now
            self._events.append(HardwareDigit(digit))

    def _told(self, report: Report) -> None:
        talk = self._talk
        if not talk.connected or talk.far_gone or self._now - talk.lifted_at < SELF_REPORT:
            return
        if report is Report.DIAL_TONE and not talk.answered:
            return
        if not self.modem.duplex or report in TOLD_IN_DUPLEX:
            talk.far_gone = True
            self._events.append(FarHangup(TOLD[report]))

    def _time_out(self) -> None:
        """What ends because nothing more comes."""
        if self._record and self._now - self._record_at >= CALLER_ID_ENDS:
            self._end_record()
        if self.state is HookState.RINGING and self._now - self._last_ring >= RING_LOST:
            self.state = HookState.ON_HOOK
            self._forget_ringing()
            self._events.append(RingStopped())

    def _end_record(self) -> None:
        if self._record and not self._told_number:
            number = self._record.get("NMBR", self._record.get("DDN_NMBR", ""))
            self._told_number = True
            self._events.append(CallerId(number if at.NUMBER.fullmatch(number) else None))
        self._record = {}

    def _forget_ringing(self) -> None:
        self._rings, self._record, self._told_number = 0, {}, False

    # What we send.

    def _turn(self) -> None:
        """Half duplex: play or listen."""
        if self._talk.silent == 0:
            self.modem.wish = Mode.PLAY
        elif self._now - self._talk.key_at < KEY_CUTS and self._talk.streaming is Mode.PLAY:
            self._talk.waiting.clear()
            self._talk.key_at = self._now - KEY_CUTS
            self.modem.hurry, self.modem.wish = True, Mode.RECORD
        elif self._talk.silent >= HOLD and len(self._talk.waiting) <= FRAME:
            self.modem.wish = Mode.RECORD

    def _send(self) -> None:
        """As much as may lie in the device."""
        if self._talk.streaming is None or self._talk.streaming is Mode.RECORD or self.modem.congested:
            return
        data = self._talk.outgoing.take(self._talk.waiting)
        if data:
            self.modem.send(data)

    def _check_open(self) -> None:
        if self.modem.state is State.CLOSED:
            raise LineMisuse(f"line {self.name} is not open")
