"""What systemd receives."""

from __future__ import annotations

import logging
import socket

import pytest
from hotline.daemon import notify


@pytest.fixture(params=["path", "abstract"])
def systemd(request, tmp_path, monkeypatch):
    """The end systemd holds, for both kinds of address it hands out."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@hotline-test-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(name.replace("@", "\0", 1) if name.startswith("@") else name)
        end.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield end


def test_systemd_is_told_in_its_own_encoding(systemd):
    notify.send("READY=1\nSTATUS=接听中，2 条线路")
    assert systemd.recv(4096).decode("utf-8") == "READY=1\nSTATUS=接听中，2 条线路"


def test_without_systemd_it_is_quiet(monkeypatch, caplog):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify.send("READY=1")
    assert not caplog.records


def test_a_socket_that_is_gone_is_a_warning_only(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    with caplog.at_level(logging.WARNING):
        notify.send("WATCHDOG=1")
    assert "WATCHDOG=1" in caplog.text
