"""`hotline run --detach`, through the installed command: in this process our `daemon` would hide python-daemon's."""

from __future__ import annotations

from pathlib import Path

import httpx
import psutil
import pytest
from rig.installed import free_ports, hotline


@pytest.fixture
def centre(tmp_path):
    """A folder with settings of one simulated line; gives the address of its pages."""
    port, desk_port = free_ports(2)
    web = f"[web]\nport = {port}\ndesk_port = {desk_port}\n"
    (tmp_path / "hotline.toml").write_text(web + '[lines.1]\ndriver = "simulated"\n', "utf-8")
    return tmp_path, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{desk_port}"


def detach(folder, **options):
    return hotline("run", "--detach", "--pidfile", "run.pid", folder=folder, **options)


def stop(process: psutil.Process):
    process.terminate()
    psutil.wait_procs([process], timeout=30)
    assert not process.is_running()


def test_it_is_ready_when_the_command_returns_and_stops_by_its_number(centre):
    folder, pages, desk = centre
    pidfile: Path = folder / "run.pid"
    pidfile.write_text("1\n")  # what a crash left, no longer locked, is no obstacle
    said = detach(folder)
    process = psutil.Process(int(pidfile.read_text()))
    children = process.children
    try:
        assert str(process.pid) in said
        assert httpx.get(f"{pages}/healthz").text == "ok"
        assert process.cwd() == "/"  # holds no disk somebody wants to unmount
        assert process.terminal() is None
        assert "已有一个服务在运行" in detach(folder, status=1)
        assert httpx.get(f"{pages}/healthz").text == "ok"
        # The desk is a process of its own and takes its time.
        transport = httpx.HTTPTransport(retries=10)
        with httpx.Client(transport=transport) as client:
            assert client.get(desk).status_code in (200, 302)
        children = process.children()
        assert len(children) == 1
    finally:
        stop(process)
    assert not any(child.is_running() for child in children)
    assert not pidfile.exists()
    log = (folder / "var" / "log" / "hotline.log").read_text()
    assert "ERROR" not in log


def test_why_it_does_not_start_is_said_where_it_was_typed(centre):
    folder, _, _ = centre
    settings = folder / "hotline.toml"
    settings.write_text(settings.read_text() + '[dialog]\nfile = "none.yaml"\n')
    assert "none.yaml" in detach(folder, status=1)
    assert not (folder / "run.pid").exists()


def test_a_pidfile_that_cannot_be_written(centre):
    folder, _, _ = centre
    said = hotline("run", "--detach", "--pidfile", "/proc/none/run.pid", folder=folder, status=1)
    assert "/proc/none/run.pid" in said
