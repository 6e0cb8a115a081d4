"""`hotline lines`: the running service asked, devices found, a line examined and recorded."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hotline.config.settings import Settings
from hotline.daemon.claim import claim
from hotline.daemon.cli import command_line
from hotline.daemon.cli.lines import ask, table
from hotline.daemon.technician import report
from hotline.drivers import find
from hotline.drivers.find import Found
from hotline.drivers.line import LineError
from hotline.voice import audiofile
from rich.console import Console
from rig.small_service import SmallService
from typer.testing import CliRunner, Result

SETTINGS = """\
[lines.1]
driver = "simulated"
noise_dbm0 = -60
[lines.2]
driver = "simulated"
count = 2
fault_at = 2
[lines.3]
driver = "audiosocket"
"""
STATE = {
    "name": "1",
    "driver": "sound",
    "state": "off-hook",
    "in_call_since": 1.0,
    "alarm": None,
    "levels": {"level": -20.0, "talker": -18.0, "noise": -62.0, "hum": -70.0},
    "events": [[0.0, "振铃，第 1 声"], [5.0, "应答"]],
    "phone": False,
}


def run(*words: str) -> Result:
    return CliRunner().invoke(command_line("lines"), ["lines", *words], env={"COLUMNS": "200"})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("hotline.toml").write_text(SETTINGS, encoding="utf-8")
    return tmp_path


@pytest.fixture
def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "_pictures", lambda found: "")


def shown(*states: dict[str, object]) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table(states))
    return capture.get()


def test_states_levels_and_events() -> None:
    text = shown(STATE, STATE | {"name": "2", "alarm": "拔掉了", "levels": None, "events": []})
    for words in ("通话", "-20", "████████░░░░", "-62", "-70", "振铃，第 1 声", "故障：拔掉了"):
        assert words in text


@pytest.mark.parametrize(("level", "bars"), [(-90.0, 0), (-60.0, 0), (-30.0, 6), (0.0, 12), (3.0, 12)])
def test_the_meter_stays_within_its_width(level: float, bars: int) -> None:
    text = shown(STATE | {"levels": {"level": level, "noise": -60.0, "hum": -60.0, "talker": -60.0}})
    assert text.count("█") == bars
    assert text.count("█") + text.count("░") == 12


def test_the_running_service_is_asked() -> None:
    with SmallService(["A1", "A2"]).running() as service:
        port = urlsplit(service.address).port
        states = ask(Settings.model_validate({"web": {"port": port}}))
    assert [(state["name"], state["state"]) for state in states] == [("A1", "on-hook"), ("A2", "on-hook")]
    assert "挂机" in shown(*states)


def test_a_service_that_does_not_run(folder: Path) -> None:
    Path("hotline.toml").write_text(f"{SETTINGS}[web]\nport = 1\n", encoding="utf-8")
    result = run()
    assert result.exit_code == 1
    assert "服务没有运行（设置里的线：1、2、3）：请用 hotline run 启动" in result.stderr


def test_what_is_plugged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    usable = Found("voicemodem", "/dev/ttyACM0", "语音 Modem", 'driver = "voicemodem"\nport = "/dev/ttyACM0"\n')
    rows = [("语音 Modem", [usable]), ("声卡", LineError("声音服务没有反应")), ("DAHDI 板卡", [])]
    monkeypatch.setattr(find, "everything", lambda: iter(rows))
    text = run("find").stdout
    assert '      [lines.1]\n      driver = "voicemodem"\n      port = "/dev/ttyACM0"' in text
    assert "! 声音服务没有反应" in text
    assert "hotline lines test 名字" in text


def test_nothing_is_plugged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "everything", lambda: iter([("声卡", [])]))
    assert "没有找到能用的设备" in run("find").stdout


@pytest.mark.usefixtures("folder", "without_pictures")
def test_an_examination() -> None:
    result = run("test", "1", "--report", "r.html")
    assert result.exit_code == 0, result.output
    assert "✓ 拨号音：450 Hz，-10.0 dBm0" in result.stdout
    assert "✓ 噪声：-" in result.stdout
    assert result.stdout.rstrip().endswith("（报告：r.html）")
    assert "线路 1（simulated）" in Path("r.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("folder", "without_pictures")
def test_a_line_that_fails_is_a_verdict_too() -> None:
    result = run("test", "2-1")
    assert result.exit_code == 1
    assert "不能用：设备（报告：线路-2-1.html）" in result.stdout


@pytest.mark.usefixtures("folder")
def test_a_recording_for_listen() -> None:
    result = run("record", "1", "--off-hook", "--seconds", "2")
    assert result.exit_code == 0, result.output
    assert "线路-1.wav：2.0 秒。接着可以用 hotline listen 线路-1.wav" in result.stdout
    assert len(audiofile.read(Path("线路-1.wav"))) == 16000


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["test", "9"], "设置里没有线路 9，有的是：1、2、3；hotline lines find 能找出设备"),
        (["test", "2"], "设置里没有线路 2"),
        (["test", "3"], "线路 3 在 Asterisk 一侧"),
        (["test", "1", "--dial", "12"], "--dial 12：须是一位"),
        (["test", "1", "--report", "no/such/r.html"], "no/such/r.html：写不进"),
        (["record", "1", "--out", "a.mp3", "--seconds", "1", "--off-hook"], "文件名须以 .wav 结尾"),
    ],
)
@pytest.mark.usefixtures("folder", "without_pictures")
def test_what_is_wrong_is_a_sentence(words: list[str], sentence: str) -> None:
    result = run(*words)
    assert result.exit_code == 1
    assert sentence in result.stderr


def test_the_service_has_the_line(folder: Path) -> None:
    (folder / "var").mkdir()
    with claim(folder / "var"):
        result = run("test", "1")
    assert result.exit_code == 1
    assert "服务正在运行，线路在它手里：请先停掉" in result.stderr


def test_json(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hotline.daemon.cli.lines.ask", lambda settings: [STATE])
    assert [json.loads(line) for line in run("--json").stdout.splitlines()] == [STATE]
