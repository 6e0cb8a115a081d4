"""The switchboard: one batch of frames for all lines, every 20 ms.

A tick reads a frame from every line, runs the detectors once for all of them, wakes the calls that
something happened to, and writes every line its next frame. Nothing in it blocks. Time is `now`, the
number of ticks; the outer shell decides whether a tick takes 20 ms or as long as the processor needs.

Order within a tick matters: results of work first, then what the lines brought, then time-outs, then
sound. So a key recognised in this frame silences the prompt in this frame.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

import numpy as np

from ..config.settings import Hangup
from ..config.tones import TonePlan
from ..drivers import line as lines
from ..drivers.line import FRAME, Line
from ..dsp import dtmf, echo, progress
from ..dsp.meter import Meter
from . import line_events
from .call import NEVER, TICKS_PER_SECOND, Call, Event, Key, PlayEnded, StepKind, Take, Timeout, Who
from .call_state import Move, State
from .on_hook import OnHook
from .playout import Playout, Source
from .seat import Seat, groups
from .supervision import Supervision, Verdict
from .work import Lane, Work, logged

log = logging.getLogger(__name__)

# A caller who gives up leaves some hardware silent (facts of the DAHDI kernel, of many modems): a line
# that has not rung for longer than a ring and its pause (1 s + 4 s in China, 2 s + 4 s elsewhere) is at rest.
RING_LOST = round(7.0 * TICKS_PER_SECOND)

REOPEN = 10 * TICKS_PER_SECOND  # a device that was not there may have been plugged in since

HANGUP = Hangup()  # as a centre has it that sets nothing

LESSONS = 1  # lines whose echo path may be learnt in one tick: each costs a millisecond or three, a tick has twenty

Program = Callable[[Call], Coroutine[None, Event | None, None]]


class Observer(Protocol):
    """Whoever keeps the records and shows the transcript; every method returns at once."""

    def rang(self, line: str) -> None: ...
    def began(self, call: Call) -> None: ...
    def told(self, call: Call, who: Who, text: str) -> None: ...
    def stepped(self, call: Call, kind: StepKind, detail: str) -> None: ...
    def ended(self, call: Call, error: Exception | None) -> None: ...
    def alarm(self, line: str, reason: str | None) -> None: ...


class Switchboard:
    """All lines, their detectors and their calls."""

    def __init__(
        self,
        ports: Sequence[tuple[Line, int]],
        plan: TonePlan,
        source: Source,
        program: Program,
        observer: Observer,
        site: Any = None,
        hangup: Hangup = HANGUP,
    ) -> None:
        count = len(ports)
        self.now = 0
        self.site = site
        self.seats = [Seat(line, rings) for line, rings in ports]
        self.work = Work(count)
        self.playout = Playout(count, source)
        self._program = program
        self._observer = observer
        self._echo = echo.Canceller(count, lessons=LESSONS)
        self._dtmf = dtmf.Detector(count)
        self._progress = progress.Detector(count, plan)
        self._meter = Meter(count)
        self._supervision = Supervision(count, plan, hangup)
        self._on_hook = OnHook()
        self._received = np.zeros((count, FRAME), np.int16)
        self._sent = np.zeros((count, FRAME), np.int16)
        self._groups = list(groups([line for line, _ in ports], self._received, self._sent))
        self._single = [n for n, (line, _) in enumerate(ports) if line.group is None]
        self._inlets, self._outlets = list(self._received), list(self._sent)  # each line's row of them
        self._deadline = np.full(count, NEVER, np.int64)
        # A look at every seat in every tick would cost more than what it finds: these are kept.
        self._rung: set[int] = set()  # lines that may be ringing
        self._recording: set[int] = set()
        self._opened = [False] * count  # lines that could be opened

    def open(self) -> None:
        """Open every line; one that cannot be opened is out of service with an alarm, and is tried again."""
        for index in range(len(self.seats)):
            # The system gives memory at first touch, which takes milliseconds: now, not in the tick of an answer.
            self._forget(index)
            self._open(index)

    def close(self) -> None:
        """End every call, wait until each has cleared, let the lines go."""
        for seat in self.seats:
            if seat.call is not None:
                seat.call.far_end_gone("shutdown", "服务停止")
        self.work.settle()
        for seat in self.seats:
            seat.line.close()
        self.work.close()

    def tick(self) -> None:
        """20 ms of every line."""
        self.work.collect()
        if self.now % REOPEN == 0:
            self._reopen()
        self._read()
        self._listen_on_hook()
        self._listen()
        for index in np.flatnonzero(self._deadline <= self.now).tolist():
            self._deadline[index] = NEVER
            self._deliver(index, Timeout())
        ended = self.playout.fill(self._sent)
        self._supervision.sent(self._sent)
        self._write()
        for index in ended:
            self._deliver(index, PlayEnded())
        self.now += 1

    def _read(self) -> None:
        """A frame of every line, and what happened to it."""
        for members in self._groups:
            for place in members.group.read(members.received):
                self._line_events(members.first + place)
        for index in self._single:
            if self._opened[index]:
                self.seats[index].line.read(self._inlets[index])
                self._line_events(index)

    def _write(self) -> None:
        """The next frame of every line."""
        for members in self._groups:
            members.group.write(members.sent)
        for index in self._single:
            if self.seats[index].state is State.TALKING:
                self.seats[index].line.write(self._outlets[index])

    # What calls ask for.

    def wake(self, index: int, until: int) -> None:
        """Deliver a Timeout to this line's call at tick `until`, in place of any earlier wish."""
        self._deadline[index] = until

    def begin_recording(self, index: int, take: Take) -> None:
        """Give every frame this line receives to `take`, beginning with the next one."""
        self.seats[index].take = take
        self._recording.add(index)
        self._meter.reset(index)

    def end_recording(self, index: int) -> None:
        """Stop giving frames."""
        self.seats[index].take = None
        self._recording.discard(index)

    def levels(self, index: int) -> dict[str, float] | None:
        """dBm0 of what this line receives, as Meter names them; None while it is on hook."""
        if self.seats[index].state is not State.TALKING:
            return None
        meter = self._meter
        figures = {"level": meter.level, "talker": meter.talker, "noise": meter.noise, "hum": meter.hum}
        return {name: round(float(figure[index]), 1) for name, figure in figures.items()}

    def quiet_ticks(self, index: int) -> int:
        """For how many ticks nobody has spoken on this line."""
        return int(self._meter.quiet[index]) // FRAME

    def connected(self, index: int) -> bool:
        """Whether what is played on this line can be heard yet."""
        return self.seats[index].line.connected

    def background(self, what: str, fn: Callable[..., Any], *args: object, lane: Lane = "records") -> None:
        """Blocking work no call waits for; an error is logged."""
        self.work.submit(logged(what), fn, *args, lane=lane)

    def tell(self, call: Call, who: Who, text: str) -> None:
        """Pass a line of the transcript on."""
        self._observer.told(call, who, text)

    def step(self, call: Call, kind: StepKind, detail: str) -> None:
        """Pass a step of the call on."""
        self._observer.stepped(call, kind, detail)

    def release(self, index: int) -> None:
        """Put the line on hook; the call's program still has to clear."""
        seat = self.seats[index]
        self.playout.stop(index)
        self._deadline[index] = NEVER
        if seat.state is State.TALKING:
            seat.line.on_hook()
            seat.move(Move.HANG_UP)
            seat.happened.append((self.now, line_events.HUNG_UP))

    def finished(self, index: int, call: Call, error: Exception | None) -> None:
        """The call's program has ended: the seat can take the next caller."""
        seat = self.seats[index]
        seat.call = None
        seat.move(Move.CLEARED)
        if error is not None:
            log.error("%s: the call's program failed", seat.line.name, exc_info=error)
        self._observer.ended(call, error)

    # What happens to lines.

    def _open(self, index: int) -> None:
        try:
            self.seats[index].line.open()
        except lines.LineError as error:
            if self.seats[index].alarm != str(error):
                self._fail(index, str(error))
        else:
            self._opened[index] = True
            if self.seats[index].line.capabilities.hears_on_hook:
                self._on_hook.watch(index)
            if self.seats[index].alarm is not None:
                self._line_event(index, lines.Restored())

    def _reopen(self) -> None:
        for index, opened in enumerate(self._opened):
            if not opened:
                self._open(index)

    def _line_events(self, index: int) -> None:
        for event in self.seats[index].line.events():
            self._line_event(index, event)

    def _line_event(self, index: int, event: lines.Event) -> None:
        seat = self.seats[index]
        if words := line_events.described(event):
            seat.happened.append((self.now, words))
        match event:
            case lines.Ring(count):
                self._ring(index, count)
            case lines.CallerId(number):
                self._identify(index, number)
            case lines.RingStopped():
                if seat.state in (State.RINGING, State.CLEARING):
                    seat.move(Move.RING_STOPPED)
                    seat.number = None
            case lines.FarHangup():
                self._decide(index, self._supervision.reported(event))
            case lines.HardwareDigit(digit):
                self._key(index, digit)
            case lines.Alarm(reason):
                self._fail(index, reason)
            case lines.Restored():
                seat.alarm = None
                seat.move(Move.RESTORE)
                self._observer.alarm(seat.line.name, None)

    def _ring(self, index: int, count: int) -> None:
        seat = self.seats[index]
        if seat.state is State.IDLE:
            self._observer.rang(seat.line.name)
            if self.now - seat.told > RING_LOST:  # another caller's, who gave up before
                seat.number = None
        if seat.state in (State.DEAD, State.DYING, State.TALKING):
            return
        seat.move(Move.RING)
        seat.last_ring = self.now
        self._rung.add(index)
        if seat.state is State.RINGING and count >= seat.rings:
            self._answer(index)

    def _identify(self, index: int, number: str | None) -> None:
        """Keep the number for the call that rings, or is about to."""
        seat = self.seats[index]
        if seat.state is not State.TALKING:
            seat.number, seat.told = number, self.now

    def _answer(self, index: int) -> None:
        seat = self.seats[index]
        seat.line.off_hook()
        seat.move(Move.ANSWER)
        seat.happened.append((self.now, line_events.ANSWERED))
        self._forget(index)
        self._on_hook.forget(index)
        call = seat.call = Call(self, index, seat.line.name, seat.number)
        seat.number = None
        self._observer.began(call)
        call.run(self._program(call))

    def _forget(self, index: int) -> None:
        """Nothing that was heard on this line has to do with the call that begins."""
        for ear in (self._echo, self._dtmf, self._progress, self._meter, self._supervision):
            ear.reset(index)
        self._received[index] = 0

    def _listen_on_hook(self) -> None:
        """Look for the caller's number where the hardware carries it as sound."""
        for index, caller in self._on_hook.feed(self._received, self._is_talking):
            self._identify(index, caller.number)

    def _is_talking(self, index: int) -> bool:
        return self.seats[index].state is State.TALKING

    def _listen(self) -> None:
        """Take our own sound of the last tick out of this tick's frames, run the detectors over what is left, and pass
        on what they heard. A house without a call listens to nothing: every answer resets its line's detectors."""
        self._forget_lost_rings()
        if not any(seat.state is State.TALKING for seat in self.seats):
            return
        received = self._echo.feed(self._received, self._sent)
        self._meter.feed(received)
        for index in sorted(self._recording):
            if (take := self.seats[index].take) is not None:
                take.add(received[index])
        for heard in self._dtmf.feed(received):
            if isinstance(heard, dtmf.Onset) and not self.seats[heard.line].line.capabilities.reports_digits:
                self._key(heard.line, heard.digit)
        for tone in self._progress.feed(received):
            if isinstance(tone, progress.Tone):
                self._decide(tone.line, self._supervision.tone(tone))
        self._supervision.heard(self._meter.voice)
        if self.now % TICKS_PER_SECOND == 0:
            self._look_for_silence()

    def _forget_lost_rings(self) -> None:
        for index in sorted(self._rung):
            seat = self.seats[index]
            if seat.state is not State.RINGING:
                self._rung.remove(index)
            elif self.now - seat.last_ring > RING_LOST:
                seat.move(Move.RING_STOPPED)
                seat.number = None

    def _look_for_silence(self) -> None:
        calls = [seat.call if seat.state is State.TALKING else None for seat in self.seats]
        talking = np.array([call is not None for call in calls], np.bool_)
        expected = np.array([call is not None and call.waits_for is not None for call in calls], np.bool_)
        for index, verdict in self._supervision.silence(talking, expected):
            self._decide(index, verdict)

    def _key(self, index: int, digit: str) -> None:
        self._supervision.keyed(index)
        self._deliver(index, Key(digit))

    def _decide(self, index: int, verdict: Verdict | None) -> None:
        call = self.seats[index].call
        if verdict is None or call is None or self.seats[index].state is not State.TALKING:
            return
        if verdict.cause is None:
            call.note(verdict.reason)
        else:
            call.far_end_gone(verdict.cause, verdict.reason)

    def _fail(self, index: int, reason: str) -> None:
        seat = self.seats[index]
        log.error("%s: out of service: %s", seat.line.name, reason)
        seat.move(Move.FAIL)
        seat.alarm = reason
        self._observer.alarm(seat.line.name, reason)
        if seat.call is not None:
            seat.call.far_end_gone("fault", reason)

    def _deliver(self, index: int, event: Event) -> None:
        seat = self.seats[index]
        if seat.call is not None and seat.state is State.TALKING:
            seat.call.deliver(event)
