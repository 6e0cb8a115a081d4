"""What is plugged in, by driver: each finder against what it looks at."""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from hotline.config import tones
from hotline.config.settings import Line as LineSettings
from hotline.drivers import find, make
from hotline.drivers.card import find as card
from hotline.drivers.card.worker import shp_a3
from hotline.drivers.dahdi import find as dahdi
from hotline.drivers.find import Found
from hotline.drivers.line import LineError
from hotline.drivers.modem import find as modem
from hotline.drivers.modem.firmware import FIRMWARE
from hotline.drivers.sound import find as sound
from rig.pulse import SoundServer, running

SPAN = """\
Span 1: WCTDM/0 "Wildcard TDM410P" (MASTER)
\tIRQ misses: 3

\t   1 WCTDM/0/0 FXSKS (EC: MG2 - INACTIVE)
\t   2 WCTDM/0/1 FXSLS (In use) (no pcm) RED
\t   3 WCTDM/0/2 FXOKS
\t   4 WCTDM/0/3 Reserved
"""


def usable(found: Found) -> bool:
    """The block is one the driver takes."""
    row = LineSettings.model_validate(tomllib.loads(found.settings))
    return bool(make("1", row)) and row.driver == found.driver


def test_every_kind_is_looked_for() -> None:
    assert [title for title, _ in find.everything()] == [title for title, _ in find.FINDERS.values()]


# DAHDI.


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "1").write_text(SPAN)
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "channel").touch()
    return tmp_path


def test_dahdi_channels(proc: Path) -> None:
    found = dahdi.find(proc / "proc", proc / "dev")
    assert [(one.name, one.text) for one in found] == [
        ("通道 1（WCTDM/0/0）", "Wildcard TDM410P：接交换机的外线口，FXSKS"),
        ("通道 2（WCTDM/0/1）", "Wildcard TDM410P：正被别的程序占用（可能是本服务或 Asterisk）"),
        ("通道 3（WCTDM/0/2）", "Wildcard TDM410P：接话机的内线口，FXOKS"),
        ("通道 4（WCTDM/0/3）", found[3].text),
    ]
    assert "fxsks=4" in found[3].text
    assert [bool(one.settings) for one in found] == [True, True, True, False]
    assert found[0].settings == 'driver = "dahdi"\nchannel = 1\n'


def test_dahdi_without_devices(proc: Path) -> None:
    (proc / "dev" / "channel").unlink()
    with pytest.raises(LineError, match="dahdi_cfg"):
        dahdi.find(proc / "proc", proc / "dev")


def test_no_dahdi(tmp_path: Path) -> None:
    assert dahdi.find(tmp_path / "none") == []


# Voice cards.


def test_card_libraries(tmp_path: Path) -> None:
    (tmp_path / shp_a3.NAME).touch()
    (found,) = card.find([tmp_path / "empty", tmp_path])
    assert (found.driver, found.name) == ("synway", str(tmp_path / shp_a3.NAME))
    assert usable(found) or "count" in found.settings


# Modems.


@pytest.fixture
def plugged(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A simulated modem that answers in real time."""
    simulated = FIRMWARE[request.param](tmp_path / "modem", tones.load("cn"))
    simulated.plug()
    over = Event()

    def live() -> None:
        while not over.wait(0.005):
            simulated.tick()

    thread = Thread(target=live)
    thread.start()
    yield str(tmp_path / "modem")
    over.set()
    thread.join()
    simulated.unplug()


@pytest.mark.parametrize(("plugged", "title"), [("conexant", "Conexant"), ("usr5637", "5637")], indirect=["plugged"])
def test_a_voice_modem(plugged: str, title: str) -> None:
    (found,) = modem.find([plugged])
    assert found.text.startswith("语音 Modem，")
    assert title in found.text
    assert usable(found)


def test_a_port_where_nobody_answers(tmp_path: Path) -> None:
    master, slave = os.openpty()
    try:
        assert modem.find([os.ttyname(slave)]) == []
    finally:
        os.close(master)
        os.close(slave)


def test_a_port_that_cannot_be_opened() -> None:
    (found,) = modem.find(["/dev/no-such-port"])
    assert found.text.startswith("/dev/no-such-port：没有这个串口")
    assert not found.settings


# Sound cards.


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoundServer]:
    yield from running(tmp_path_factory.mktemp("sound"))


def test_sound_devices(server: SoundServer) -> None:
    server.start()
    found = {one.name: one for one in sound.find()}
    assert {"line-in", "loop-in"} <= found.keys()
    assert list(found)[-1] in sound.WAYS, "cards come first"
    assert usable(found["loop-in"])


def test_without_pyaudio(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The list comes from the worker; a module that cannot be imported stands in the way of the real one."""
    (tmp_path / "pyaudio.py").write_text("raise ImportError('no PortAudio')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(LineError, match="没有装 PyAudio"):
        sound.find()


def test_a_list_that_takes_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("worker", sound.LONGEST)

    monkeypatch.setattr(sound.subprocess, "run", run)
    with pytest.raises(LineError, match="没有反应"):
        sound.find()
