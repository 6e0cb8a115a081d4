"""`hotline simulate modem`: a port that can be opened by another process, and a whole service on it."""

from __future__ import annotations

import subprocess
import time

import pytest
from hotline.daemon import demo_fund
from hotline.drivers.modem.ports import Port
from rig.installed import HOTLINE, free_ports, hotline, running


def test_another_process_can_talk_to_it(tmp_path):
    path = tmp_path / "modem"
    with running("simulate", "modem", "--port", path, folder=tmp_path) as said:
        assert f'port = "{path}"' in said
        assert 'driver = "voicemodem"' in said
        port = Port(str(path), flow=False)
        port.open()
        port.send(b"AT\r")
        heard, limit = b"", time.monotonic() + 10
        while b"OK" not in heard and time.monotonic() < limit:
            heard += port.receive()
        port.shut()
        assert heard == b"\r\nOK\r\n"
    assert not path.is_symlink()


def test_a_call_to_a_running_service(tmp_path):
    """As a technician without hardware tries it: two windows, the second command ends with the call."""
    path = tmp_path / "modem"
    demo_fund.create(tmp_path / "fund.db")
    web, desk = free_ports(2)
    (tmp_path / "hotline.toml").write_text(
        f"""
[web]
port = {web}
desk_port = {desk}
[lines.1]
driver = "voicemodem"
rings = 1
port = "{path}"
""",
        "utf-8",
    )
    command = [HOTLINE, "simulate", "modem", "--port", path, "--call", "wait:3 hangup", "--show"]
    with subprocess.Popen(list(map(str, command)), cwd=tmp_path, stdout=subprocess.PIPE, text=True) as simulated:
        while not path.exists():
            assert simulated.poll() is None
            time.sleep(0.05)
        with running("run", folder=tmp_path):
            said, _ = simulated.communicate(timeout=60)
    assert simulated.returncode == 0, said
    assert "> AT+VTR" in said
    assert "系统  开始说话" in said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--firmware", "zyxel"], "没有这种，可以写：conexant、conexant-half、usr5637、generic"),
        (["--fault", "fire"], "没有这种毛病，可以写：lost_results、"),
        (["--fault", "lost_results=many"], "须是整数"),
        (["--call", "ring"], "看不懂"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, words, sentence):
    assert sentence in hotline("simulate", "modem", "--port", tmp_path / "modem", *words, folder=tmp_path, status=1)
    assert not (tmp_path / "modem").is_symlink()
