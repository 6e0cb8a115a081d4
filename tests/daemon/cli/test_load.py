"""`hotline load`, as it is installed, against a service that runs."""

import re

import pytest
from rig.installed import free_ports, hotline, running


@pytest.fixture
def port(tmp_path):
    port, web, desk = map(str, free_ports(3))
    (tmp_path / "hotline.toml").write_text(
        f"[web]\nport = {web}\ndesk_port = {desk}\n[lines.trunk]\ndriver = 'audiosocket'\nport = {port}\ncount = 2\n",
        "utf-8",
    )
    return port


def test_every_call_is_counted_and_the_service_s_own_figures_shown(tmp_path, port):
    with running("run", folder=tmp_path):
        call = ("load", "--to", f"127.0.0.1:{port}", "--lines", "2", "--minutes", "0.1", "--script", "!7")
        said = hotline(*call, folder=tmp_path, status=None)
    right, wrong = (int(re.search(rf"{name}\s+(\d+)", said)[1]) for name in ("打完并听对的通话", "失败的通话"))
    assert right + wrong >= 2
    assert ("✗" in said) == (wrong > 0)
    timed = sum(int(times) for times in re.findall(r"毫秒 (\d+) 次", said))
    assert timed >= right, "every right call had a reply to its key, and how soon"
    assert re.search(r"进程 \d+ +用一个核心的 \d+%", said)


def test_what_is_wrong_is_said(tmp_path, port):
    said = hotline("load", "--to", f"127.0.0.1:{port}", "--script", "7", folder=tmp_path, status=1)
    assert f"连不上 127.0.0.1:{port}" in said
    said = hotline("load", "--to", "8090", folder=tmp_path, status=1)
    assert "--to 8090：须是 地址:端口" in said
    said = hotline("load", "--to", f"127.0.0.1:{port}", "--script", "wait:3", folder=tmp_path, status=1)
    assert "不能用于压力测试" in said
