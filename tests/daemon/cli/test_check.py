"""`hotline check`: what is wrong, what to do, and a status a script can act on."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hotline.config.settings import load
from hotline.daemon import demo_fund
from hotline.daemon.check import CHECKS, Check, Finding
from hotline.daemon.cli import command_line, output
from hotline.desk import keys
from hotline.voice import overrides
from rig.installed import free_ports, running
from typer.testing import CliRunner


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Centre:
    """A settings file that is all right, with one thing at a time put wrong."""

    def __init__(self, folder: Path, fund: Path) -> None:
        self.file = folder / "hotline.toml"
        self.state = folder / "state"
        self.parts = {
            "service": f'state = "{self.state}"',
            "web": "port = {}\ndesk_port = {}".format(*free_ports(2)),
            "lines.1": 'driver = "simulated"',
            "fund": f"connection = '''{demo_fund.connection(fund)}'''",
            "fund.sql": "\n".join(f"{name} = '''{sql}'''" for name, sql in demo_fund.SQL.model_dump().items()),
        }
        self.top = ""

    def write(self) -> None:
        sections = "".join(f"[{name}]\n{text}\n" for name, text in self.parts.items())
        self.file.write_text(self.top + sections, encoding="utf-8")

    def check(self, status: int) -> str:
        """What `hotline check` prints."""
        self.write()
        run = CliRunner().invoke(command_line("check"), ["check", "--config", str(self.file)], env={"TERM": "dumb"})
        assert run.exit_code == status, run.output
        return run.output

    def faults(self) -> list[str]:
        return [line for line in self.check(1).splitlines() if line.startswith("✗")]


@pytest.fixture
def centre(tmp_path: Path, demo_file: Path, monkeypatch: pytest.MonkeyPatch) -> Centre:
    monkeypatch.setattr(output, "width", 400)  # a line of the answer stays a line, whatever the terminal is
    return Centre(tmp_path, demo_file)


def test_all_is_well(centre: Centre) -> None:
    said = centre.check(0)
    assert "✗" not in said
    assert "\n!" not in said
    assert "都好，可以运行。" in said
    assert all(title in said for title in ("设置", *CHECKS))


def test_checking_changes_nothing(centre: Centre) -> None:
    centre.check(0)
    assert [file.name for file in centre.file.parent.iterdir()] == ["hotline.toml"]


def test_every_fault_of_the_settings_is_a_line(centre: Centre) -> None:
    centre.top = "tonse = 1\n"
    centre.parts["web"] = "port = 99999"
    faults = centre.faults()
    assert len(faults) == 2
    assert "port = 99999：须是 1 到 65535 的整数" in centre.check(1)
    assert "tonse：没有这项设置，是不是 tones？" in centre.check(1)


def test_a_faulty_section_does_not_hide_what_is_wrong_elsewhere(centre: Centre) -> None:
    centre.parts["web"] = "port = 99999"
    centre.parts["dialog"] = 'file = "none.yaml"'
    said = centre.check(1)
    assert "port = 99999：须是 1 到 65535 的整数" in said
    assert any("流程" in fault and "none.yaml" in fault for fault in centre.faults())
    assert any(line.startswith("!") and "[web] 有错，没有查" in line for line in said.splitlines())
    assert any(line.startswith("✓") and "公积金数据库" in line for line in said.splitlines())


def test_an_error_in_one_check_does_not_hide_the_others(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_settings: object) -> Iterator[Finding]:
        yield Finding("fine", "前一半")
        raise RuntimeError("证件 990101198503070017")

    monkeypatch.setitem(CHECKS, "电话线", Check(frozenset(), broken))
    said = centre.check(1)
    assert "前一半" in said
    assert "RuntimeError" in said
    assert "990101198503070017" not in said
    assert "时钟" in said


def test_a_missing_file(tmp_path: Path) -> None:
    run = CliRunner().invoke(command_line("check"), ["check", "--config", str(tmp_path / "none.toml")])
    assert run.exit_code == 1
    assert "没有这个文件" in run.output.replace("\n", "").replace(" ", "")


@pytest.mark.parametrize(
    ("section", "text", "words"),
    [
        ("lines.1", 'driver = "modme"', ("电话线", 'driver = "modme"', "simulated")),
        ("lines.1", 'driver = "simulated"\nnoise_dbm = "x"', ("电话线", "[lines.1]")),
        ("fund", 'connection = "DRIVER=/none.so"', ("公积金数据库", "[fund] connection")),
        ("service", 'state = "/proc/none"', ("文件夹", "[service] state", "写不了")),
        ("web", 'host = "no.such.host.invalid"', ("端口", "no.such.host.invalid")),
        ("web", 'host = "0.0.0.0"', ("端口", "0.0.0.0", "只允许")),
        ("dialog", 'file = "none.yaml"', ("流程", "none.yaml")),
    ],
)
def test_each_fault_has_its_place_and_what_is_allowed(
    centre: Centre, section: str, text: str, words: tuple[str, ...]
) -> None:
    centre.parts[section] = text
    fault = "\n".join(centre.faults())
    assert all(word in fault for word in words), fault


def test_sql_the_database_does_not_accept(centre: Centre) -> None:
    centre.parts["fund.sql"] = 'account = "SELECT nothing FROM nowhere WHERE a IN (?, ?, ?, ?)"\nloan = "SELECT 1"'
    said = centre.check(1)
    assert "[fund.sql] account" in said
    assert "[fund.sql] loan" in said


def test_a_broken_tone_plan_and_a_broken_dialog(centre: Centre) -> None:
    centre.file.with_name("own.toml").write_text('[tones.busy]\nfrequencies = "x"\n')
    centre.file.with_name("own.yaml").write_text("name: x\ntitle: [\n")
    centre.top = 'tones = "own.toml"\n'
    centre.parts["dialog"] = 'file = "own.yaml"'
    faults = centre.faults()
    assert any("信号音" in fault and "own.toml" in fault for fault in faults)
    assert any("流程" in fault and "own.yaml 第" in fault for fault in faults)


def test_an_own_prompt_that_is_no_sound(centre: Centre) -> None:
    folder = overrides.folder(centre.state)
    folder.mkdir(parents=True)
    (folder / "P01.1.wav").write_bytes(b"this is no sound")
    (fault,) = centre.faults()
    assert "提示语" in fault
    assert "P01.1.wav" in fault
    assert "现在播放的是出厂的" in fault


def test_keys_others_may_read(centre: Centre) -> None:
    folder = centre.state / "keys"
    keys.make_lasting(folder)
    centre.check(0)
    (folder / keys.PIN).chmod(0o640)
    (folder / keys.SEAL).unlink()
    readable, gone = sorted(centre.faults(), key=lambda fault: "chmod 600" not in fault)
    assert "pin.key" in readable
    assert "seal.key" in gone
    assert "不能重新生成" in gone


def test_no_lines_is_a_fault(centre: Centre) -> None:
    del centre.parts["lines.1"]
    assert "没有电话线" in centre.faults()[0]


def test_what_only_lessens_the_service_is_a_warning(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    del centre.parts["fund"], centre.parts["fund.sql"]
    centre.parts["identity"] = 'pin = "off"'
    monkeypatch.setenv("PATH", "")
    said = centre.check(0)
    warnings = [line for line in said.splitlines() if line.startswith("!")]
    assert len(warnings) == 3
    assert "[fund] connection" in warnings[0]
    assert 'pin = "off"' in warnings[1]
    assert "espeak-ng" in warnings[2]
    assert "可以运行，3 处提醒。" in said


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def test_a_port_in_use_may_be_our_own_service(centre: Centre, taken_port: int) -> None:
    centre.parts["web"] = f"port = {taken_port}\ndesk_port = {free_port()}"
    said = centre.check(0)
    assert f"[web] port = {taken_port}：已被占用" in said
    assert "如果服务正在运行，就是它在用" in said


# Where Asterisk is waited for.


def asterisk(centre: Centre, port: int, more: str = "") -> list[Finding]:
    """What is said of one section of such lines, and nothing else is in the settings."""
    del centre.parts["lines.1"]
    centre.parts["lines.a"] = f'driver = "audiosocket"\nport = {port}\ncount = 4\n{more}'
    centre.write()
    return list(CHECKS["电话线"].look(load(centre.file)))


def test_an_address_nobody_listens_on(centre: Centre) -> None:
    port = free_port()
    assert asterisk(centre, port)[1:] == [Finding("fine", f"a：127.0.0.1:{port} 空着，可以等 Asterisk 来连")]
    socket.create_server(("127.0.0.1", port)).close()  # the check does not keep it


def test_the_running_service_may_have_the_address(centre: Centre, tmp_path: Path) -> None:
    centre.parts["identity"] = 'pin = "off"'
    port = free_port()
    asterisk(centre, port, 'token = "correct-horse"')
    with running("run", folder=tmp_path):
        found = list(CHECKS["电话线"].look(load(centre.file)))
    assert found[1:] == [Finding("fine", f"a：正在运行的热线服务在 127.0.0.1:{port} 等着")]


def test_another_program_has_the_address_of_the_second_process(centre: Centre, taken_port: int) -> None:
    centre.parts["service"] += "\nengines = 2"
    _, first, second = asterisk(centre, taken_port - 1)
    assert first == Finding("fine", f"a（第 1 个进程）：127.0.0.1:{taken_port - 1} 空着，可以等 Asterisk 来连")
    assert second.level == "error"
    assert second.text.startswith(f"[lines.a] （第 2 个进程）127.0.0.1:{taken_port} 已被别的程序占用")
    assert "换一个 port" in second.text


def test_two_sections_cannot_have_one_address(centre: Centre) -> None:
    port = free_port()
    centre.parts["lines.b"] = f'driver = "audiosocket"\nport = {port}'
    faults = [text for level, text in asterisk(centre, port) if level == "error"]
    assert len(faults) == 1
    assert "同一地址的线路请写在一段里" in faults[0]


def test_an_address_of_another_machine(centre: Centre) -> None:
    (fault,) = asterisk(centre, free_port(), 'host = "192.0.2.1"\ntoken = "correct-horse"')[1:]
    assert fault.level == "error"
    assert fault.text.startswith("[lines.a] 192.0.2.1:")
    assert "不是本机的地址，请改 host" in fault.text


def test_a_port_we_have_no_right_to(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which ports these are depends on the machine, and root may have them all."""

    def refuse(*_: object, **__: object) -> socket.socket:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("socket.create_server", refuse)
    (fault,) = asterisk(centre, 80)[1:]
    assert fault == Finding("error", "[lines.a] 127.0.0.1:80 打不开（Permission denied），请换一个 port 或检查权限")


def test_a_clock_that_went_back_is_noticed(centre: Centre) -> None:
    centre.state.mkdir()
    record = centre.state / "hotline.sqlite3"
    record.touch()
    ahead = time.time() + 86400
    os.utime(record, (ahead, ahead))
    assert any("时钟" in fault and "NTP" in fault for fault in centre.faults())


def test_little_room_on_the_disk(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    centre.check(0)
    settings = load(centre.file)
    for hours, level in ((2.0, "warning"), (0.5, "error")):
        monkeypatch.setattr("hotline.voice.recordings.room", lambda _folder, hours=hours: hours * 3600)
        assert [finding.level for finding in CHECKS["磁盘"].look(settings)] == [level]
