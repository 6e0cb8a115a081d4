"""The vocabulary dialogs are made of: play, key, record, work, pause, hang up.

A call's program is a coroutine that the switchboard itself resumes, once for each event that concerns
the call and never just because time passes. There is no event loop inside, so a tick is one plain
function and a test runs it as fast as the processor allows.

The far end hanging up ends whatever the program waits for with `HungUp`. From then on `play`, `key`,
`record` and `pause` raise it again at once; `work` still runs, so that a `finally` can close files.
"""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, Protocol, TypeVar
from uuid import UUID, uuid4

from ..drivers.line import Frame
from .playout import Playout, Span
from .work import Lane, Work

T = TypeVar("T")

KEYS = "0123456789*#ABCD"
TICKS_PER_SECOND = 50
NEVER = 1 << 62  # a tick that does not come


def ticks(seconds: float) -> int:
    """Seconds as a number of ticks, at least one."""
    return max(1, round(seconds * TICKS_PER_SECOND))


Cause = Literal["caller", "exit", "silence", "limit", "closed", "fault", "shutdown"]


class HungUp(Exception):
    """The call is over; `cause` says who or what ended it."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause)
        self.cause = cause


class Speech(Protocol):
    """Something to be said: its sound, and its words for the transcript; voice.speech.compose makes one."""

    @property
    def clips(self) -> Sequence[Span]: ...
    @property
    def text(self) -> str: ...


class Take(Protocol):
    """What a recording is written to; voice.recorder.Recorder is one."""

    @property
    def error(self) -> Exception | None: ...
    def add(self, frame: Frame) -> None: ...
    def flush(self) -> None: ...


@dataclass(frozen=True)
class Key:
    """A key was recognised while it is still held."""

    digit: str


@dataclass(frozen=True)
class PlayEnded:
    """The last sample of what was played has been handed to the line."""


@dataclass(frozen=True)
class Timeout:
    """The deadline given to `_next` has come."""


@dataclass(frozen=True)
class WorkDone:
    """A piece of work is back; `token` tells which."""

    token: int
    result: Any
    error: BaseException | None


Event = Key | PlayEnded | Timeout | WorkDone
StepKind = Literal["prompt", "key", "secret", "outcome", "record", "note"]
RecordEnd = Literal["key", "silence", "full", "error"]
Who = Literal["系统", "按键", "来电", "状态"]


class Board(Protocol):
    """What a call needs of the switchboard, each for the line of this index."""

    now: int
    site: Any
    playout: Playout
    work: Work

    def wake(self, index: int, until: int) -> None: ...
    def begin_recording(self, index: int, take: Take) -> None: ...
    def end_recording(self, index: int) -> None: ...
    def quiet_ticks(self, index: int) -> int: ...
    def connected(self, index: int) -> bool: ...
    def background(self, what: str, fn: Callable[..., Any], *args: object, lane: Lane = ...) -> None: ...
    def release(self, index: int) -> None: ...
    def finished(self, index: int, call: Call, error: Exception | None) -> None: ...
    def tell(self, call: Call, who: Who, text: str) -> None: ...
    def step(self, call: Call, kind: StepKind, detail: str) -> None: ...


@types.coroutine
def _suspend() -> Generator[None, Event, Event]:
    return (yield)


class Call:
    """One call on one line, from answer to release."""

    def __init__(self, board: Board, line: int, name: str, number: str | None) -> None:
        self.id: UUID = uuid4()
        self.line = name
        self.number = number
        self.node = ""  # where in the dialog the call is
        self.steps = 0  # how many were kept on record
        self.waits_for: Literal["key", "speech"] | None = None  # what the caller is expected to do now
        self._board = board
        self._index = line
        self._program: Coroutine[None, Event | None, None] | None = None
        self._cause: Cause | None = None
        self._keys: deque[str] = deque()
        self._swallow_until = -1
        self._last_tick = NEVER
        self._token = 0

    # What programs call.

    @property
    def site(self) -> Any:
        """What all calls share: settings, prompts, databases."""
        return self._board.site

    @property
    def now(self) -> int:
        """Ticks since the switchboard started."""
        return self._board.now

    @property
    def cause(self) -> Cause | None:
        """Why the call is over; None while it is up."""
        return self._cause

    async def connected(self) -> None:
        """Wait until the line carries sound: a modem that has gone off hook needs another second."""
        while not self._board.connected(self._index):
            await self.pause(1)

    async def play(self, speech: Speech, barge_in: str = KEYS) -> bool:
        """Say something; True when they were heard to the end, False when a key of `barge_in` cut them short.

        A key pressed before the prompt began counts too: who knows the menu need not wait for it.
        """
        self._check()
        if any(key in barge_in for key in self._keys):
            return False
        self.say("系统", speech.text)
        self._board.playout.start(self._index, speech.clips)
        if not self._board.playout.playing(self._index):
            return True
        try:
            while True:
                match await self._next():
                    case PlayEnded():
                        return True
                    case Key(digit) if digit in barge_in:
                        return False
        finally:
            self._board.playout.stop(self._index)

    async def key(self, within: int) -> str | None:
        """The next key, pressed already or within so many ticks; None when none came."""
        self._check()
        until = self.now + within
        self.waits_for = "key"
        try:
            while not self._keys:
                await self._next(until)
                if not self._keys and self.now >= until:
                    return None
            return self._keys.popleft()
        finally:
            self.waits_for = None

    def take_key(self, digit: str) -> bool:
        """Take `digit` if it is what was keyed next; never waits."""
        if self._keys and self._keys[0] == digit:
            self._keys.popleft()
            return True
        return False

    def forget_keys(self) -> None:
        """Drop what was keyed ahead: after a refused entry it belongs to nothing."""
        self._keys.clear()

    def swallow(self, within: int) -> None:
        """Drop one '#' if it comes within so many ticks: the caller ends an entry that is complete already."""
        self._swallow_until = -1 if self.take_key("#") else self.now + within

    def limit(self, within: int) -> None:
        """End the call when it has lasted so many ticks from now: a line must come free by itself."""
        self._last_tick = self.now + within

    async def record(self, take: Take, longest: int, silence: int, stop: str = "#") -> RecordEnd:
        """Give every frame the caller sends to `take` until a key of `stop`, silence, or the longest time (ticks).

        Writing to disk happens in a thread, twice a second, so that a crash loses half a second at most.
        """
        self._check()
        self.forget_keys()
        until = self.now + longest
        flush_at = self.now + TICKS_PER_SECOND // 2
        self.waits_for = "speech"
        self._board.begin_recording(self._index, take)
        try:
            while True:
                event = await self._next(min(until, flush_at))
                if isinstance(event, Key) and event.digit in stop:
                    self._keys.clear()
                    return "key"
                if self.now >= until:
                    return "full"
                if self.now >= flush_at:
                    flush_at = self.now + TICKS_PER_SECOND // 2
                    self._board.background("recording", take.flush, lane="recording")
                if take.error is not None:
                    return "error"
                if self._board.quiet_ticks(self._index) >= silence:
                    return "silence"
        finally:
            self._board.end_recording(self._index)
            self.waits_for = None

    async def work(self, fn: Callable[..., T], *args: object, lane: Lane = "records", whole: bool = False) -> T:
        """Run blocking `fn(*args)` in a thread of that lane and return what it returns, or raise what it raises.

        The far end hanging up meanwhile raises HungUp; the work itself runs on and its result is dropped. With
        `whole` the result is waited for all the same: what was opened has to be known to be closed again.
        """
        self._token += 1
        token = self._token

        def done(result: Any, error: BaseException | None) -> None:
            self.deliver(WorkDone(token, result, error))

        self._board.work.submit(done, fn, *args, lane=lane)
        while True:
            try:
                event = await self._next()
            except HungUp:
                if not whole:
                    raise
                continue  # whatever the program does next raises it again
            if isinstance(event, WorkDone) and event.token == token:
                if event.error:
                    raise event.error
                result: T = event.result
                return result

    async def pause(self, within: int) -> None:
        """Let so many ticks pass."""
        self._check()
        until = self.now + within
        while self.now < until:
            await self._next(until)

    async def hang_up(self, cause: Cause) -> NoReturn:
        """Put the line on hook and end the program. Raises HungUp, always."""
        self.end(cause)
        raise HungUp(cause)

    def say(self, who: Who, text: str) -> None:
        """Write a line of the transcript: what was played, what was keyed, what happened."""
        self._board.tell(self, who, text)

    def step(self, kind: StepKind, detail: str) -> None:
        """Keep a step of the call on record; `detail` carries no ID number and no PIN in clear."""
        self.steps += 1
        self._board.step(self, kind, detail)

    def note(self, text: str) -> None:
        """Write what was noticed into the transcript and keep it on record."""
        self.say("状态", text)
        self.step("note", text)

    # What the switchboard calls.

    def run(self, program: Coroutine[None, Event | None, None]) -> None:
        """Begin the call's program."""
        self._program = program
        self._resume(None)

    def deliver(self, event: Event) -> None:
        """Wake the program with an event."""
        if isinstance(event, Key):
            if event.digit == "#" and self.now <= self._swallow_until:
                self._swallow_until = -1
                return
            self._keys.append(event.digit)
        if self._program is not None:
            self._resume(event)

    def end(self, cause: Cause) -> None:
        """The call is over: note the cause and take the line down. The program learns it by an exception."""
        if self._cause is None:
            self._cause = cause
            self._board.release(self._index)

    def far_end_gone(self, cause: Cause, reason: str) -> None:
        """Tell the program that nobody listens any more; `reason` is what was heard or seen."""
        if self._cause is None:
            self.note(reason)
            self.end(cause)
            if self._program is not None:
                self._throw(HungUp(cause))

    # Inside.

    def _check(self) -> None:
        if self._cause is not None:
            raise HungUp(self._cause)

    async def _next(self, until: int | None = None) -> Event:
        self._board.wake(self._index, min(self._last_tick, NEVER if until is None else until))
        event = await _suspend()
        if self.now >= self._last_tick and self._cause is None:
            await self.hang_up("limit")
        return event

    def _resume(self, event: Event | None) -> None:
        self._drive(lambda program: program.send(event))  # None starts it

    def _throw(self, error: HungUp) -> None:
        self._drive(lambda program: program.throw(error))

    def _drive(self, push: Callable[[Coroutine[None, Event | None, None]], object]) -> None:
        program = self._program
        assert program is not None
        try:
            push(program)
        except (StopIteration, HungUp):
            self._finish(None)
        except Exception as error:  # a bug in one call's program must not reach another line's tick
            self._finish(error)

    def _finish(self, error: Exception | None) -> None:
        self._program = None
        self.end("fault" if error else "exit")
        self._board.finished(self._index, self, error)
