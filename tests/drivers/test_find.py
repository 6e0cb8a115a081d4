"""What is plugged in, by driver: each finder against what it looks at."""

from __future__ import annotations

import os
import socket
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from hotline.config import tones
from hotline.config.settings import Line as LineSettings
from hotline.drivers import find, make
from hotline.drivers.audiosocket import find as asterisk
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


# Asterisk.


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The folder of settings of an Asterisk that has all modules."""
    modules = tmp_path / "modules"
    modules.mkdir()
    for name in asterisk.MODULES:
        (modules / f"{name}.so").touch()
    config = tmp_path / "etc"
    config.mkdir()
    (config / "asterisk.conf").write_text(f"[directories](!)\nastetcdir => {config}\nastmoddir => {modules} ; here\n")
    return config


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Path]:
    """A socket as Asterisk's, in the kernel's own list."""
    path = tmp_path / "asterisk.ctl"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        yield path


def test_an_asterisk_that_runs(control: Path, installed: Path) -> None:
    found = {one.name: one for one in asterisk.find(config=installed)}[str(control)]
    assert found.text.startswith("Asterisk 正在运行，")
    assert f"docs/asterisk.md 里的拨号方案写进 {installed}/extensions.conf" in found.text
    assert usable(found)


def test_an_asterisk_whose_settings_are_not_for_us_to_read(control: Path, tmp_path: Path) -> None:
    assert usable({one.name: one for one in asterisk.find(config=tmp_path / "none")}[str(control)])


def test_an_asterisk_that_does_not_run(installed: Path, tmp_path: Path) -> None:
    """Its socket was left behind: nobody listens there."""
    sockets = tmp_path / "unix"
    sockets.write_text("Num RefCount Protocol Flags Type St Inode Path\n0: 2 0 00000000 0001 01 7 /run/asterisk.ctl\n")
    (found,) = asterisk.find(sockets, installed)
    assert found.name == str(installed)
    assert "没有运行（systemctl start asterisk）" in found.text
    assert usable(found)


def test_an_asterisk_without_audiosocket(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "modules" / "app_audiosocket.so").unlink()
    (found,) = asterisk.find(tmp_path / "none", installed)
    assert "缺少模块 app_audiosocket：" in found.text
    assert not found.settings


def test_no_asterisk(tmp_path: Path) -> None:
    assert asterisk.find(tmp_path / "none", tmp_path / "none") == []
