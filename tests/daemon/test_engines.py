"""Lines shared among processes: who carries which, what the others say, and that they end with the first."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from select import select
from socket import create_server
from urllib.request import urlopen

import pytest
from hotline import drivers
from hotline.config.settings import Line, Settings, SettingsError
from hotline.daemon import engines
from hotline.daemon.engines import Report
from hotline.daemon.pulse import Pulse
from hotline.daemon.web_call import LineState
from hotline.drivers import Share
from hotline.drivers.audiosocket.caller import Caller
from hotline.drivers.simulated.line import SimulatedLine


def test_every_line_has_one_process_to_carry_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimulatedLine, "divisible", True)
    row = Line(driver="simulated", count=7)
    parts = [[line.name for line in drivers.make("a", row, Share(index, 3))] for index in range(3)]
    assert parts == [["a-1", "a-4", "a-7"], ["a-2", "a-5"], ["a-3", "a-6"]]


def test_what_cannot_be_divided_belongs_to_the_first() -> None:
    row = Line(driver="simulated", count=3)
    assert [len(drivers.make("a", row, Share(index, 2))) for index in range(2)] == [3, 0]


def test_a_report_arrives_as_it_was_sent() -> None:
    report = Report([LineState("线-1", "simulated", "on-hook", 1.5, None)], Pulse().figures())
    told = report.told()
    assert told.endswith(b"\n")
    assert told.count(b"\n") == 1
    assert Report.parse(told) == report


@pytest.mark.parametrize(
    ("driver", "count", "of", "divisible"),
    [("simulated", 8, 2, False), ("simulated", 2, 3, True), ("unknown", 8, 2, True)],
)
def test_an_engine_without_lines_is_refused(
    monkeypatch: pytest.MonkeyPatch, driver: str, count: int, of: int, divisible: bool
) -> None:
    monkeypatch.setattr(SimulatedLine, "divisible", divisible)
    settings = Settings.model_validate({"service": {"engines": of}, "lines": {"a": {"driver": driver, "count": count}}})
    with pytest.raises(SettingsError, match=rf"engines = {of}：.*count 至少是 {of}"):
        engines.check(settings)


def test_enough_lines_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimulatedLine, "divisible", True)
    for of in (1, 2, 3):
        engines.check(
            Settings.model_validate({"service": {"engines": of}, "lines": {"a": {"driver": "simulated", "count": 3}}})
        )


def free_port(run: int = 1) -> int:
    """The first of so many neighbouring ports that are free, below those that the system gives to any connection: it
    must still be free when a process that had it is started again."""
    while True:
        first = random.randrange(10_000, 32_000)
        with ExitStack() as held, suppress(OSError):
            for port in range(first, first + run):
                held.enter_context(create_server(("127.0.0.1", port)))
            return first


class TwoEngines:
    """`hotline run` with four Asterisk lines shared by two processes."""

    def __init__(self, state: Path, folder: Path) -> None:
        self.port, self.web = free_port(2), free_port()
        self.calls: list[tuple[Caller, list[bytes]]] = []
        file = folder / "hotline.toml"
        file.write_text(
            f"""
            [service]
            state = "{state}"
            engines = 2
            [web]
            port = {self.web}
            desk_port = {free_port()}
            [lines.trunk]
            driver = "audiosocket"
            port = {self.port}
            count = 4
            """
        )
        command = [Path(sys.executable).with_name("hotline"), "run", "--config", file]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        assert any("Ctrl+C" in line for line in self.process.stdout), "it did not start"

    def ask(self, what: str) -> list[dict]:
        with urlopen(f"http://127.0.0.1:{self.web}/api/{what}") as answer:
            return json.load(answer)

    def until(self, what: str, condition: Callable[[list[dict]], bool]) -> list[dict]:
        """Ask until the answer is as it should be; whoever waits in vain is stopped by the test's time limit."""
        while not condition(answer := self.ask(what)):
            self.talk()
        return answer

    def talk(self) -> None:
        """Keep all calls up for a moment: who does not take his sound is let go."""
        select([], [], [], 0.02)
        for caller, heard in self.calls:
            caller.send(bytes(320))
            heard += caller.receive()

    def call(self, engine: int) -> Caller:
        """A call to one of the processes, up from its first sound on."""
        caller, heard = Caller("127.0.0.1", self.port + engine), []
        self.calls.append((caller, heard))
        while not any(any(frame) for frame in heard):
            assert caller.over is None, caller.over
            self.talk()
        return caller

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)
        return self.process.returncode


@pytest.fixture
def two_engines(demo_state: Path, tmp_path: Path) -> Iterator[TwoEngines]:
    state = shutil.copytree(demo_state, tmp_path / "state")
    service = TwoEngines(state, tmp_path)
    yield service
    for caller, _ in service.calls:
        caller.hang_up()
    service.process.kill()
    service.process.communicate()


def states(lines: list[dict]) -> dict[str, str]:
    assert len({line["name"] for line in lines}) == len(lines), "a line has one process"
    return {line["name"]: line["state"] for line in lines}


def test_both_processes_take_calls_and_one_may_die(two_engines: TwoEngines) -> None:
    first, second = two_engines.until("engines", lambda engines: len(engines) == 2)
    lasting, other = two_engines.call(0), two_engines.call(1)
    off_hook = {"trunk-1": "off-hook", "trunk-2": "off-hook", "trunk-3": "on-hook", "trunk-4": "on-hook"}
    two_engines.until("lines", lambda lines: states(lines) == off_hook)
    assert lasting.over is other.over is None
    os.kill(second["pid"], signal.SIGKILL)
    two_engines.until("lines", lambda lines: states(lines).keys() == {"trunk-1", "trunk-3"})
    assert lasting.over is None, "the other process's calls go on"
    while other.over is None:
        two_engines.talk()
    _, again = two_engines.until("engines", lambda engines: len(engines) == 2)
    assert again["pid"] != second["pid"]
    two_engines.call(1)
    assert two_engines.stop() == 0
    for pid in (first["pid"], again["pid"]):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_nothing_outlives_a_service_that_is_killed(two_engines: TwoEngines) -> None:
    """Its output ends when nobody holds it any more, neither the other engine nor the desk."""
    two_engines.until("engines", lambda engines: len(engines) == 2)
    two_engines.process.kill()
    two_engines.process.communicate(timeout=60)
