"""Serial ports: never waited for, never shared, and named in words when they cannot be had."""

from __future__ import annotations

import errno
import os
import tty

import pytest
from hotline.drivers.line import LineError
from hotline.drivers.modem.aside import at_once, in_thread
from hotline.drivers.modem.ports import Port, PortLost, holders, probed_by_modem_manager, why
from rig.modems import line_on


@pytest.fixture
def pty():
    """Both ends of a port: the device's descriptor and our path."""
    master, slave = os.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    os.close(slave)
    os.close(master)


def test_bytes_both_ways_without_waiting(pty):
    master, path = pty
    port = Port(path, flow=False)
    port.open()
    assert port.receive() == b""
    os.write(master, b"RING")
    assert port.receive() == b"RING"
    assert port.send(b"AT\r") == 3
    assert os.read(master, 9) == b"AT\r"
    port.shut()
    port.shut()


def test_a_device_that_takes_nothing_keeps_nobody_waiting(pty):
    _, path = pty
    port = Port(path, flow=False)
    port.open()
    while port.send(bytes(1000)):
        pass
    assert port.send(b"more") == 0
    port.shut()


def test_a_device_that_is_gone(pty):
    master, slave = os.openpty()
    port = Port(os.ttyname(slave), flow=False)
    port.open()
    os.close(slave)
    os.close(master)
    with pytest.raises(PortLost):
        port.receive()
    with pytest.raises(PortLost):
        port.send(b"AT")
    port.dtr(False)
    port.shut()


def test_reads_that_fail_now_and_then_are_forgiven(pty, monkeypatch):
    """Some USB drivers say EIO and go on; twenty in a row are a device that is gone."""
    master, path = pty
    port = Port(path, flow=False)
    port.open()
    read, failing = os.read, [True]

    def broken(descriptor, count):
        if failing[0] and descriptor != master:
            raise OSError(errno.EIO, "")
        return read(descriptor, count)

    monkeypatch.setattr("hotline.drivers.modem.ports.os.read", broken)
    os.write(master, b"x")
    assert [port.receive() for _ in range(19)] == [b""] * 19
    failing[0] = False
    assert port.receive() == b"x"
    failing[0] = True
    os.write(master, b"x")
    assert [port.receive() for _ in range(19)] == [b""] * 19
    with pytest.raises(PortLost):
        port.receive()
    port.shut()


def test_a_port_is_had_by_one_alone(pty):
    _, path = pty
    port, other = Port(path, flow=False), Port(path, flow=False)
    port.open()
    with pytest.raises(LineError, match="占用"):
        other.open()
    port.shut()
    other.open()
    other.shut()


def process(proc, number, name, *files):
    """A process as /proc shows it."""
    folder = proc / str(number)
    (folder / "fd").mkdir(parents=True)
    (folder / "comm").write_text(name + "\n")
    for index, file in enumerate(files):
        (folder / "fd" / str(index)).symlink_to(file)


def test_who_holds_a_port(tmp_path):
    device = tmp_path / "ttyACM0"
    device.touch()
    link = tmp_path / "by-path"
    link.symlink_to(device)
    process(tmp_path / "proc", 17, "minicom", "/dev/null", device)
    process(tmp_path / "proc", 18, "other", "/dev/null")
    (tmp_path / "proc" / "self").mkdir()
    assert holders(str(link), tmp_path / "proc") == ["minicom（17）"]
    sentence = why(str(link), OSError(errno.EBUSY, "busy"), tmp_path / "proc")
    assert sentence == "正被minicom（17）占用：请先停掉它"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.EACCES, "x"), "没有权限"),
        (OSError(errno.ENOENT, "x"), "没有这个串口"),
        (OSError(errno.EIO, "Input/output error"), "打不开（Input/output error）"),
        (ValueError("x"), "不是串口"),
    ],
)
def test_why_a_port_cannot_be_opened(error, sentence):
    assert why("/dev/null", error).startswith(sentence)


def test_no_such_port_is_said_at_once():
    with pytest.raises(LineError, match=r"没有这个串口.*by-path"):
        line_on("/dev/serial/by-path/none").open()


def test_modem_manager_is_named_unless_told_to_keep_off(tmp_path):
    proc, udev = tmp_path / "proc", tmp_path / "udev"
    udev.mkdir()
    proc.mkdir()
    assert not probed_by_modem_manager("/dev/null", proc, udev)
    process(proc, 5, "ModemManager")
    assert probed_by_modem_manager("/dev/null", proc, udev)
    number = os.stat("/dev/null").st_rdev
    (udev / f"c{os.major(number)}:{os.minor(number)}").write_text("E:ID_MM_DEVICE_IGNORE=1\n")
    assert not probed_by_modem_manager("/dev/null", proc, udev)


@pytest.mark.parametrize("runner", [at_once, in_thread])
def test_work_done_aside(runner):
    done = []
    assert runner(lambda: done.append(1)).result(5) is None
    assert done == [1]

    def fail():
        raise LineError("没有")

    with pytest.raises(LineError):
        runner(fail).result(5)
