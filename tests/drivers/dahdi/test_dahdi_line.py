"""What of the DAHDI driver needs no kernel: settings, gain tables, a machine without DAHDI. All else: tests/dahdi."""

from __future__ import annotations

import errno

import numpy as np
import pytest
from hotline import drivers
from hotline.config.settings import Line, SettingsError
from hotline.drivers.dahdi import port
from hotline.drivers.dahdi.line import DahdiLine, Settings
from hotline.drivers.line import LineError
from hotline.dsp import g711

LAWS = {"mu": (g711.mulaw_decode, g711.mulaw_encode), "a": (g711.alaw_decode, g711.alaw_encode)}


def test_a_section_becomes_a_line():
    (line,) = drivers.make("外线1", Line(driver="dahdi", channel=3, echo_cancel_taps=128))
    assert isinstance(line, DahdiLine)
    assert line.settings == Settings(channel=3, echo_cancel_taps=128)


@pytest.mark.parametrize(
    ("keys", "told"),
    [({}, "channel"), ({"channel": 0}, "channel"), ({"channel": 1, "echo_cancel_taps": 100}, "echo_cancel_taps")],
)
def test_wrong_settings_are_told(keys, told):
    with pytest.raises(SettingsError, match=told):
        drivers.make("外线1", Line(driver="dahdi", **keys))


def test_a_machine_without_the_modules(monkeypatch, tmp_path):
    monkeypatch.setattr(port, "DEVICE", str(tmp_path / "channel"))
    line = DahdiLine("test", Settings(channel=1))
    with pytest.raises(LineError, match="modprobe dahdi"):
        line.open()
    line.close()


def test_a_file_that_is_no_dahdi_is_let_go_again(monkeypatch, tmp_path):
    (tmp_path / "channel").touch()
    monkeypatch.setattr(port, "DEVICE", str(tmp_path / "channel"))
    with pytest.raises(LineError, match="通道 7 打不开"):
        DahdiLine("test", Settings(channel=7)).open()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EINVAL, errno.ENXIO, errno.EBUSY, errno.ENODATA])
def test_every_refusal_says_what_to_do(number):
    told = str(port._line_error(OSError(number, "x"), 12))
    assert "请" in told
    assert "{" not in told


@pytest.mark.parametrize("law", LAWS)
def test_no_gain_changes_no_byte(law):
    table = np.frombuffer(port.gain_table(0.0, *LAWS[law]), np.uint8)
    decode = LAWS[law][0]
    assert np.array_equal(decode(table), decode(np.arange(256, dtype=np.uint8)))


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("db", [-6.0, 6.0])
def test_gain_is_within_the_laws_own_steps(law, db):
    decode = LAWS[law][0]
    before = decode(np.arange(256, dtype=np.uint8)).astype(np.float64)
    after = decode(np.frombuffer(port.gain_table(db, *LAWS[law]), np.uint8)).astype(np.float64)
    wanted = np.clip(before * 10 ** (db / 20), -32256, 32256)
    assert np.all(np.abs(after - wanted) <= np.abs(wanted) / 16 + 16)
