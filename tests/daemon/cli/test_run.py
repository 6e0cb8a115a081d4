"""`hotline run` starts with what `hotline check` finds right, and refuses the rest in the same words."""

from __future__ import annotations

import socket

import pytest
from hotline.daemon import demo_fund
from hotline.voice import overrides
from rig.installed import free_ports, hotline, running


class Centre:
    """A folder with settings that are all right, with one thing at a time put wrong."""

    def __init__(self, folder, fund):
        self.folder = folder
        self.port, desk_port = free_ports(2)
        self.parts = {
            "web": f"port = {self.port}\ndesk_port = {desk_port}",
            "lines.1": 'driver = "simulated"',
            "fund": f"connection = '''{demo_fund.connection(fund)}'''",
            "fund.sql": "\n".join(f"{name} = '''{sql}'''" for name, sql in demo_fund.SQL.model_dump().items()),
        }
        self.top = ""

    def write(self):
        sections = "".join(f"[{name}]\n{text}\n" for name, text in self.parts.items())
        (self.folder / "hotline.toml").write_text(self.top + sections, "utf-8")


@pytest.fixture
def centre(tmp_path, demo_file):
    return Centre(tmp_path, demo_file)


def broken_setting(centre):
    centre.parts["dialog"] = "attempts = 99"
    return "[dialog] attempts = 99：须是 1 到 9 的整数"


def broken_dialog(centre):
    (centre.folder / "own.yaml").write_text("name: own\ntitle: [\n", "utf-8")
    centre.parts["dialog"] = 'file = "own.yaml"'
    return "own.yaml 第 3 行"


def broken_tone_plan(centre):
    (centre.folder / "own.toml").write_text('country = "某国"\nsource = "x"\n[tones.busy]\ntext = 5\n', "utf-8")
    centre.top = 'tones = "own.toml"\n'
    return "own.toml: [tones.busy] text = 5"


def unknown_driver(centre):
    centre.parts["lines.1"] = 'driver = "modme"'
    return '[lines.1] driver = "modme"'


def sql_without_its_column(centre):
    centre.parts["fund.sql"] = centre.parts["fund.sql"].replace("grzhye", "zjhm")
    return "[fund.sql] account：结果里没有 grzhye 这一列"


def sql_the_database_refuses(centre):
    centre.parts["fund.sql"] = centre.parts["fund.sql"].replace("FROM v_", "FROM w_")
    return "[fund.sql] loan：数据库不接受"


def foreign_address(centre):
    centre.parts["web"] += '\nhost = "0.0.0.0"'
    return "[web] host = '0.0.0.0'：只允许"


FAULTS = (
    broken_setting,
    broken_dialog,
    broken_tone_plan,
    unknown_driver,
    sql_without_its_column,
    sql_the_database_refuses,
    foreign_address,
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_what_check_refuses_does_not_start(centre, fault):
    sentence = fault(centre)
    centre.write()
    assert sentence in hotline("check", folder=centre.folder, status=1)
    said = hotline("run", folder=centre.folder, status=1)
    assert sentence in said
    assert "Traceback" not in said


def test_a_database_that_is_away_and_a_prompt_that_is_no_sound_only_go_to_the_log(centre):
    centre.parts["fund"] = "connection = 'DRIVER={PostgreSQL Unicode};SERVER=127.0.0.1;PORT=1;DATABASE=x;UID=x'"
    prompts = overrides.folder(centre.folder / "var")
    prompts.mkdir(parents=True)
    (prompts / "P01.1.wav").write_bytes(b"this is no sound")
    centre.write()
    with running("run", folder=centre.folder) as said:
        assert f"http://127.0.0.1:{centre.port}/phone" in said
    log = (centre.folder / "var" / "log" / "hotline.log").read_text("utf-8")
    assert "ERROR   hotline.daemon.service: [fund] connection：连接不上" in log
    assert "P01.1.wav" in log


def test_systemd_is_told_when_it_is_ready_and_when_it_stops(centre):
    centre.write()
    address = centre.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(address))
        systemd.settimeout(20)
        with running("run", folder=centre.folder, NOTIFY_SOCKET=str(address)):
            assert systemd.recv(4096).decode() == "READY=1\nSTATUS=接听中，1 条线路"
        assert systemd.recv(4096) == b"STOPPING=1"
