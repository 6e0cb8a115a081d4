"""The running service: paced by the clock, stopped by a signal."""

from __future__ import annotations

import asyncio
import gc
import json
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from hotline.daemon import shell
from hotline.daemon.pulse import Pulse
from websockets.sync.client import connect


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still but while it waits."""

    def __init__(self):
        super().__init__()
        self.now = 0.0
        select = self._selector.select

        def wait(timeout):
            self.now += timeout or 0.0
            return select(0)

        self._selector.select = wait

    def time(self):
        return self.now


@pytest.fixture
def pace():
    """Run `shell.pace` for so many ticks that take as long as `cost` says: when each began, and what was skipped."""
    interval = sys.getswitchinterval()

    def run(ticks, cost):
        begun, skipped = [], []
        loop, stop = Loop(), asyncio.Event()

        def tick():
            begun.append(loop.now)
            service.board.now += 1
            loop.now += cost(len(begun) - 1)
            if len(begun) == ticks:
                stop.set()

        service = SimpleNamespace(
            tick=tick, board=SimpleNamespace(now=0), clock=SimpleNamespace(skip=skipped.append), pulse=run.pulse
        )
        with closing(loop):
            loop.run_until_complete(shell.pace(service, stop))
        return begun, skipped

    run.pulse = Pulse()
    yield run
    sys.setswitchinterval(interval)
    gc.unfreeze()


def test_ticks_keep_to_an_absolute_schedule(pace):
    """Whatever they cost: a thousand ticks take twenty seconds, not a moment more."""
    begun, skipped = pace(1001, lambda n: 0.001 * (n % 15))
    assert begun[-1] == pytest.approx(20.0)
    assert skipped == []


def test_what_was_late_is_made_up_for(pace):
    begun, skipped = pace(100, lambda n: 0.3 if n == 10 else 0.001)
    assert begun[11] == pytest.approx(0.5)
    assert begun[30] == pytest.approx(0.6)
    assert skipped == []
    figures = pace.pulse.figures()
    assert figures.tick_ms_most == pytest.approx(300)
    assert figures.late_ticks == 13, "one to begin 280 ms late, each of the next 19 ms less"


def test_a_machine_that_slept_does_not_rush_through_what_it_missed(pace, caplog):
    begun, skipped = pace(100, lambda n: 3600.0 if n == 10 else 0.001)
    assert begun[12] - begun[11] == pytest.approx(0.02)
    assert sum(skipped) == pytest.approx(3600 - 0.02)
    assert "behind schedule" in caplog.text


def free_ports(count):
    with ExitStack() as ports:
        held = [ports.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [str(one.getsockname()[1]) for one in held]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_demo_serves_until_it_is_told_to_stop(demo_state, tmp_path, number):
    """As `make run` starts it, in real time. A call that is up when the signal comes is closed on record."""
    state = shutil.copytree(demo_state, tmp_path / "state")
    port, desk_port = free_ports(2)
    hotline = Path(sys.executable).with_name("hotline")
    command = [hotline, "demo", "--state", state, "--port", port, "--desk-port", desk_port]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert any("Ctrl+C" in line for line in process.stdout)
        with connect(f"ws://127.0.0.1:{port}/phone/call", origin=f"http://127.0.0.1:{port}") as page:
            for message in page:
                if isinstance(message, str) and "已接听" in json.loads(message).get("said", {}).get("text", ""):
                    break
            process.send_signal(number)
            _, complaints = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0
    assert "Traceback" not in complaints
    with closing(sqlite3.connect(state / "hotline.sqlite3")) as records:
        assert records.execute("SELECT cause, ended_at IS NULL FROM desk_call").fetchall() == [("shutdown", 0)]
