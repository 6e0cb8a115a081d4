"""The sound card line over a real PulseAudio: the contract, and what else can happen to sound cards."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hotline.drivers.line import FRAME, Alarm, Frame, HookState, Line, LineError, Restored, Ring, RingStopped
from hotline.drivers.sound.line import Settings, SoundLine
from rig.line_contract import SECOND, Bench, Far, LineContract, level_at, tone
from rig.pulse import FedLine, Interface, SoundServer, running

SETTINGS = Settings(device="line-in", output="line-out", hook="exchange://cable")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoundServer]:
    yield from running(tmp_path_factory.mktemp("sound"))


@pytest.fixture
def interfaces() -> Iterator[list[Interface]]:
    made: list[Interface] = []
    yield made
    for interface in made:
        interface.close()


class TestSoundLine(LineContract):
    @pytest.fixture(autouse=True)
    def _server(self, server: SoundServer, interfaces: list[Interface]) -> None:
        self.server, self.interfaces = server, interfaces

    def make_pair(self) -> tuple[Line, Far]:
        interface = Interface(self.server)
        self.interfaces.append(interface)
        return FedLine("test", SETTINGS, interface), interface


@pytest.fixture
def bench(server: SoundServer, interfaces: list[Interface], request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A line, open, with SETTINGS or others."""
    interfaces.append(Interface(server))
    line = FedLine("test", getattr(request, "param", SETTINGS), interfaces[-1])
    line.open()
    yield Bench(line, interfaces[-1])
    line.close()


def test_a_server_that_hangs(bench: Bench, server: SoundServer) -> None:
    bench.answer()
    server.freeze(frozen=True)
    assert isinstance(bench.until(Alarm), Alarm)
    server.freeze(frozen=False)
    bench.until(Restored, 60 * SECOND)
    bench.answer()


def test_a_device_that_stalls(bench: Bench, server: SoundServer) -> None:
    bench.answer()
    server.stall(stalled=True)
    assert isinstance(bench.until(Alarm), Alarm)
    server.stall(stalled=False)
    bench.until(Restored, 60 * SECOND)
    bench.answer()


def test_a_worker_that_is_killed(bench: Bench) -> None:
    bench.answer()
    bench.line._device._process.kill()
    alarm = bench.until(Alarm)
    assert "进程" in alarm.reason
    bench.until(Restored)
    bench.answer()


def test_a_hook_pulled_out_and_plugged_in(bench: Bench) -> None:
    bench.answer()
    bench.far.wires.plugged = False
    assert bench.until(Alarm).reason.startswith("串口 exchange://cable 不能用")
    assert bench.line.state is HookState.ON_HOOK
    bench.far.wires.plugged = True
    bench.until(Restored, 60 * SECOND)
    bench.answer()


def test_flash_opens_the_loop_for_half_a_second(bench: Bench) -> None:
    bench.answer()
    bench.line.flash()
    open_ticks = 0
    for _ in range(SECOND):
        bench.line.read(np.zeros(FRAME, np.int16))
        bench.far.wires.settle()
        open_ticks += not bench.far.wires.rts
        bench.far._wait()
    assert 24 <= open_ticks <= 26


@pytest.mark.parametrize("bench", [SETTINGS.model_copy(update={"gain_in_db": -6.0, "gain_out_db": 6.0})], indirect=True)
def test_gains(bench: Bench) -> None:
    bench.answer()
    bench.far.say(tone(700, 50))
    bench.run(50 + 15, sending=tone(1700, 50) // 4)
    assert usual(bench.since(), 700) == pytest.approx(0.5, rel=0.05)
    assert usual(bench.far.heard(), 1700) == pytest.approx(0.5, rel=0.05)


def usual(samples: Frame, hz: float) -> float:
    """The median level of the frames that have the tone."""
    levels = [level_at(frame, hz) for frame in samples.reshape(-1, FRAME)]
    return float(np.median([level for level in levels if level > 0.1]))


WITHOUT_HOOK = SETTINGS.model_copy(update={"hook": "none"})


class Talker:
    """Whoever is at the other end of an interface that lifts and hangs up by itself: always connected."""

    def __init__(self, interface: Interface) -> None:
        self.interface = interface
        self.interface.exchange.sound = self.speak
        self.sound = np.zeros(FRAME, np.int16)

    def speak(self) -> Frame:
        return self.sound


@pytest.mark.parametrize("bench", [WITHOUT_HOOK], indirect=True)
def test_without_hook_a_call_is_sound(bench: Bench) -> None:
    talker = Talker(bench.far)
    assert bench.run(2 * SECOND) == []
    talker.sound = tone(1000, 1)
    assert bench.until(Ring) == Ring(1)
    assert bench.until(Ring) == Ring(2), "sound that goes on rings on"
    bench.line.off_hook()
    assert not bench.run(2 * SECOND)
    assert level_at(bench.since()[-20 * FRAME :], 1000) > 0.9
    bench.line.on_hook()
    assert not bench.run(2 * SECOND), "the busy tone after our hanging up is no new call"
    talker.sound = np.zeros(FRAME, np.int16)
    assert not bench.run(4 * SECOND)
    talker.sound = tone(1000, 1)
    bench.until(Ring)
    talker.sound = np.zeros(FRAME, np.int16)
    bench.until(RingStopped)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"device": "no such"}, "没有名称含“no such”的录音设备：请插好，或改用现有的："),
        ({"hook": "/dev/no-such-port"}, "串口 /dev/no-such-port 不能用（"),
    ],
)
def test_opening_says_what_is_wrong(
    server: SoundServer, interfaces: list[Interface], changed: dict[str, str], sentence: str
) -> None:
    interfaces.append(Interface(server))
    line = FedLine("test", SETTINGS.model_copy(update=changed), interfaces[-1])
    try:
        for _ in range(2):
            with pytest.raises(LineError) as caught:
                line.open()
            assert str(caught.value).startswith(sentence)
            if not line._device.ready:
                line._device.wait(10.0)
    finally:
        line.close()


def test_plugged_in_later(server: SoundServer, interfaces: list[Interface]) -> None:
    """Only the first try waits for the device: the next ones are made in the midst of ticks."""
    interface = Interface(server)
    interfaces.append(interface)
    server.kill()
    line = FedLine("test", SETTINGS, interface)
    try:
        with pytest.raises(LineError):
            line.open()
        interface.plug()
        for _ in range(5):
            with interface.fed():
                line._device.wait(10.0)  # the switchboard comes again after ten seconds
            try:
                SoundLine.open(line)
                break
            except LineError:
                continue
        assert line.state is HookState.ON_HOOK
        line.events()
    finally:
        line.close()


def test_in_the_clock_s_time(server: SoundServer) -> None:
    """A device with a clock of its own, at 48000 Hz: what we say comes back whole, again and again."""
    server.start()
    line = SoundLine("test", Settings(device="loop-in", output="loop-out"))
    line.open()
    line.off_hook()
    heard: list[Frame] = []
    try:
        for at in range(150):
            frame = np.zeros(FRAME, np.int16)
            line.read(frame)
            heard.append(frame)
            line.write(tone(1000, 1) if 50 <= at < 100 else np.zeros(FRAME, np.int16))
            while len(line._arrived._frames) < 2 and line._device.wait(1.0):
                line._arrived._frames.extend(line._device.frames())
    finally:
        line.close()
    level = [level_at(frame, 1000) > 0.9 for frame in heard]
    assert 45 <= sum(level) <= 50
