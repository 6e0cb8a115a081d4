"""What every line promises (hotline/drivers/line.py), as tests; a driver joins by subclassing LineContract.

    class TestMyLine(LineContract):
        def make_pair(self) -> tuple[Line, Far]: ...

`Far` is whatever stands at the other end of the pair: an exchange in software, a simulated device that
speaks the real bytes. Everything is counted in ticks; a driver behind a thread paces them in `Far.tick`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import pytest
from hotline.drivers.line import (
    FRAME,
    Alarm,
    CallerId,
    Dialled,
    Event,
    FarHangup,
    Frame,
    HookState,
    Line,
    LineMisuse,
    Restored,
    Ring,
    RingStopped,
)
from hotline.dsp import generate

SECOND = 50  # ticks


class Far(Protocol):
    """The exchange's end of the pair."""

    def ring(self, number: str) -> None:
        """Begin to ring our port and go on until it answers or `hang_up`."""

    def say(self, samples: Frame) -> None:
        """Send these samples once we are connected."""

    def heard(self) -> Frame:
        """All that has arrived from our port since it answered last."""

    def hang_up(self) -> None:
        """Put the receiver down."""

    def unplug(self) -> None:
        """Pull the device or the pair."""

    def plug(self) -> None:
        """Put it back."""

    def tick(self) -> None:
        """Called after every tick of the test."""


class Bench:
    """A line and its far end, with everything that was read and reported since the last look."""

    def __init__(self, line: Line, far: Far, connect: int = 5) -> None:
        self.line = line
        self.far = far
        self.connect = connect
        self.events: list[Event] = []
        self.received: list[Frame] = []

    def run(self, ticks: int, sending: Frame | None = None) -> list[Event]:
        """So many ticks; `sending` is written frame by frame, then silence. Returns what was reported meanwhile."""
        outgoing = np.zeros(ticks * FRAME, np.int16)
        if sending is not None:
            outgoing[: len(sending)] = sending[: len(outgoing)]
        before = len(self.events)
        for frame in outgoing.reshape(ticks, FRAME):
            incoming = np.full(FRAME, 12345, np.int16)  # whatever is not overwritten will show
            self.line.read(incoming)
            self.received.append(incoming)
            self.events += self.line.events()
            self.line.write(frame)
            frame[:] = 12345  # `write` must have copied
            self.far.tick()
        return self.events[before:]

    def until(self, kind: type[Event], ticks: int = 15 * SECOND) -> Event:
        """Run until such an event; fails after so many ticks."""
        for _ in range(ticks):
            for event in self.run(1):
                if isinstance(event, kind):
                    return event
        pytest.fail(f"no {kind.__name__} within {ticks} ticks; seen: {self.events}")

    def answer(self) -> None:
        """Be called and answer."""
        self.far.ring("13900000000")
        self.until(Ring)
        self.line.off_hook()
        self.run(self.connect)
        self.received.clear()

    def since(self) -> Frame:
        """Everything read since `answer` or the last `since`."""
        received = np.concatenate(self.received)
        self.received.clear()
        return received


def tone(hz: float, ticks: int) -> Frame:
    """A steady tone to recognise again."""
    return generate.tone(hz, 20 * ticks, level_dbm0=-6)


def level_at(samples: Frame, hz: float) -> float:
    """Mean amplitude of one frequency, frame by frame; 1 for `tone`. A multiple of 50 Hz is seen apart from others."""
    frames = samples.reshape(-1, FRAME)
    if not len(frames):
        return 0.0
    spin = np.exp(-2j * np.pi * hz / 8000 * np.arange(FRAME))
    full = np.abs(tone(1000, 1).astype(np.int64)).max()
    return float(np.mean(2 * np.abs(frames @ spin) / FRAME) / full)


class LineContract(ABC):
    """Subclass, say how to `make_pair`, and every promise is tested."""

    delay = 15  # ticks of buffering a driver may need from one end to the other
    connect = 5  # ticks from `off_hook` to the sound

    @abstractmethod
    def make_pair(self) -> tuple[Line, Far]:
        """A line, not yet open, and its far end."""

    @pytest.fixture
    def bench(self) -> Iterator[Bench]:
        line, far = self.make_pair()
        line.open()
        yield Bench(line, far, self.connect)
        line.close()

    # At rest.

    def test_at_rest(self, bench: Bench) -> None:
        assert bench.line.state is HookState.ON_HOOK
        assert bench.run(2 * SECOND) == []
        if not bench.line.capabilities.hears_on_hook:
            assert not bench.since().any()

    def test_close_is_quiet_twice_and_in_any_state(self) -> None:
        for prepare in (lambda b: None, lambda b: b.far.ring("1"), Bench.answer, lambda b: b.far.unplug()):
            line, far = self.make_pair()
            line.close()
            line.open()
            prepare(Bench(line, far, self.connect))
            line.close()
            line.close()
            assert line.state is HookState.ON_HOOK

    def test_open_again(self, bench: Bench) -> None:
        bench.answer()
        bench.line.close()
        bench.far.hang_up()
        bench.line.open()
        bench.run(8 * SECOND)
        bench.events.clear()
        bench.answer()
        assert bench.line.state is HookState.OFF_HOOK

    # Being called.

    def test_ringing(self, bench: Bench) -> None:
        bench.far.ring("13812345678")
        assert bench.until(Ring) == Ring(1)
        assert bench.line.state is HookState.RINGING
        assert bench.until(Ring) == Ring(2)
        numbers = [event.number for event in bench.events if isinstance(event, CallerId)]
        assert numbers in ([], ["13812345678"])

    def test_caller_gives_up(self, bench: Bench) -> None:
        bench.far.ring("13812345678")
        bench.until(Ring)
        bench.far.hang_up()
        bench.until(RingStopped)
        assert bench.line.state is HookState.ON_HOOK
        bench.far.ring("13812345678")
        assert bench.until(Ring) == Ring(1), "a new call is counted anew"

    def test_answering_stops_the_ringing(self, bench: Bench) -> None:
        bench.answer()
        assert bench.line.state is HookState.OFF_HOOK
        assert not [event for event in bench.run(12 * SECOND) if isinstance(event, Ring | RingStopped)]

    def test_off_hook_twice_changes_nothing(self, bench: Bench) -> None:
        bench.answer()
        bench.line.off_hook()
        bench.far.say(tone(1000, 20))
        bench.run(20 + self.delay)
        assert level_at(bench.since(), 1000) > 0.2

    # Audio.

    def test_audio_flows_both_ways_at_once(self, bench: Bench) -> None:
        bench.answer()
        bench.far.say(tone(700, 50))
        bench.run(50 + self.delay, sending=tone(1700, 50))
        received, sent = bench.since(), bench.far.heard()
        heard = (level_at(received, 700) > 0.5, level_at(sent, 1700) > 0.5)
        assert all(heard) if bench.line.capabilities.full_duplex else any(heard)
        assert level_at(sent, 700) < 0.05
        assert level_at(received, 1700) < 0.5, "of our own voice only an echo may come back"

    def test_on_hook_nothing_is_sent(self, bench: Bench) -> None:
        bench.answer()
        bench.line.on_hook()
        before = len(bench.far.heard())
        bench.run(20, sending=tone(1700, 20))
        assert level_at(bench.far.heard()[before:], 1700) < 0.05

    def test_audio_of_one_call_is_not_heard_in_the_next(self, bench: Bench) -> None:
        bench.answer()
        bench.far.say(tone(700, 5 * SECOND))
        bench.run(10, sending=tone(1700, 10))
        bench.line.on_hook()
        bench.far.hang_up()
        bench.run(8 * SECOND)
        bench.answer()
        bench.run(20 + self.delay)
        assert level_at(bench.since(), 700) < 0.05
        assert level_at(bench.far.heard(), 1700) < 0.05

    def test_hanging_up_twice_changes_nothing(self, bench: Bench) -> None:
        bench.answer()
        bench.line.on_hook()
        bench.line.on_hook()
        assert bench.line.state is HookState.ON_HOOK

    def test_far_hangup_is_reported_where_it_is_promised(self, bench: Bench) -> None:
        bench.answer()
        bench.far.hang_up()
        seen = bench.run(3 * SECOND)
        assert bool([e for e in seen if isinstance(e, FarHangup)]) == bench.line.capabilities.reports_hangup
        assert bench.line.state is HookState.OFF_HOOK, "hanging up is the switchboard's decision"

    # Dialling.

    def test_dialling(self, bench: Bench) -> None:
        bench.line.off_hook()
        bench.run(SECOND)
        bench.line.dial("8001,2#")
        assert isinstance(bench.until(Dialled), Dialled)
        assert bench.line.state is HookState.OFF_HOOK

    def test_dialling_ends_with_the_call(self, bench: Bench) -> None:
        bench.line.off_hook()
        bench.line.dial("8001")
        bench.run(5)
        bench.line.on_hook()
        assert not [event for event in bench.run(4 * SECOND) if isinstance(event, Dialled)]

    def test_dialling_on_hook_is_dropped(self, bench: Bench) -> None:
        bench.line.dial("8001")
        bench.line.flash()
        assert bench.run(4 * SECOND) == []
        assert bench.line.state is HookState.ON_HOOK

    def test_flash_stays_off_hook(self, bench: Bench) -> None:
        bench.answer()
        bench.line.flash()
        bench.run(SECOND)
        assert bench.line.state is HookState.OFF_HOOK

    # Faults and misuse.

    @pytest.mark.parametrize("busy", [False, True], ids=["at rest", "in a call"])
    def test_fault_is_one_alarm_and_silence(self, bench: Bench, busy: bool) -> None:
        if busy:
            bench.answer()
            bench.far.say(tone(700, 10 * SECOND))
            bench.run(5)
        bench.far.unplug()
        alarm = bench.until(Alarm)
        assert isinstance(alarm, Alarm)
        assert alarm.reason
        assert bench.line.state is HookState.ON_HOOK
        bench.received.clear()
        assert bench.run(2 * SECOND) == []
        assert not bench.since().any()
        bench.line.off_hook()
        bench.line.dial("1")
        bench.line.flash()
        bench.line.on_hook()
        assert bench.line.state is HookState.ON_HOOK

    def test_repair(self, bench: Bench) -> None:
        bench.far.unplug()
        bench.until(Alarm)
        bench.far.plug()
        assert isinstance(bench.until(Restored, 60 * SECOND), Restored)
        bench.answer()
        bench.far.say(tone(700, 50))
        bench.run(50 + self.delay)
        assert level_at(bench.since(), 700) > 0.3

    @pytest.mark.parametrize("frame", [np.zeros(159, np.int16), np.zeros((1, 160), np.int16), np.zeros(160)])
    def test_frame_of_another_shape_is_misuse(self, bench: Bench, frame: Frame) -> None:
        with pytest.raises(LineMisuse):
            bench.line.write(frame)
        with pytest.raises(LineMisuse):
            bench.line.read(frame)

    def test_dialling_nonsense_is_misuse(self, bench: Bench) -> None:
        with pytest.raises(LineMisuse):
            bench.line.dial("12x")

    def test_using_a_closed_line_is_misuse(self) -> None:
        line, _ = self.make_pair()
        frame = np.zeros(FRAME, np.int16)
        for use in (
            line.off_hook,
            line.on_hook,
            line.flash,
            lambda: line.dial("1"),
            lambda: line.read(frame),
            lambda: line.write(frame),
            line.events,
        ):
            with pytest.raises(LineMisuse):
                use()
