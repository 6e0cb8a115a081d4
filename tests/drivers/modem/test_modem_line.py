"""Lines on simulated modems: the contract, in full and in half duplex."""

from __future__ import annotations

import numpy as np
import pytest
from hotline.drivers.line import FRAME, CallerId, Dialled, FarHangup, HardwareDigit, Line, Ring
from hotline.drivers.modem.profiles import Mode
from rig.line_contract import SECOND, Far, LineContract, tone
from rig.modems import CONNECT, Caller, bench, line_on


class ModemContract(LineContract):
    connect = CONNECT
    firmware = ""
    duplex = "half"

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.path = tmp_path / "modem"

    def make_pair(self) -> tuple[Line, Far]:
        far = Caller(self.firmware, self.path)
        return line_on(self.path, duplex=self.duplex), far


class TestFullDuplex(ModemContract):
    firmware = "conexant"
    duplex = "auto"


class TestHalfDuplex(ModemContract):
    firmware = "usr5637"


class TestFallenBack(ModemContract):
    """To half duplex, in the first call."""

    firmware = "conexant-half"
    duplex = "auto"


@pytest.mark.parametrize(("firmware", "most_ms"), [("conexant", 120), ("conexant-half", 60), ("usr5637", 60)])
def test_how_long_a_prompt_goes_on_when_it_is_cut_short(tmp_path, firmware, most_ms):
    """From the first frame of silence written to the last sound on the line; in half duplex what lies in the device
    is dropped, in full duplex 60 ms lie there at most."""
    made = bench(tmp_path, firmware)
    made.answer()
    made.run(SECOND, sending=tone(1700, SECOND))
    made.far.telephone.keys("5")
    for _ in range(SECOND):
        events = made.run(1, sending=tone(1700, 1))
        if made.line.capabilities.full_duplex or HardwareDigit("5") in events:
            break
    before = len(made.far.heard())
    made.run(SECOND)
    after = made.far.heard()[before:]
    sounding = abs(after.reshape(-1, FRAME).astype(int)).max(axis=1) > 100
    assert sounding.sum() * 20 <= most_ms
    assert made.far.modem.most_queued <= (5 if made.line.capabilities.full_duplex else 10) * FRAME
    made.line.close()


def test_keys_in_half_duplex_while_playing_and_while_listening(tmp_path):
    made = bench(tmp_path, "usr5637", duplex="half")
    made.answer()
    made.far.telephone.keys("12")
    seen = made.run(SECOND, sending=tone(1700, SECOND))
    made.run(SECOND)
    made.far.telephone.keys("33")
    seen += made.run(SECOND)
    assert "".join(event.digit for event in seen if isinstance(event, HardwareDigit)) == "1233"
    made.line.close()


def test_in_full_duplex_the_switchboards_ear_hears_the_keys(tmp_path):
    """The modem reports them too; taking both would be two keys for one."""
    made = bench(tmp_path, "conexant")
    made.answer()
    made.far.telephone.keys("12")
    assert made.run(SECOND) == []
    assert not made.line.capabilities.reports_digits
    made.line.close()


@pytest.mark.parametrize(
    ("country", "number", "told"), [("26", "13900000000", ["13900000000"]), ("26", None, [None]), ("B5", "1390", [])]
)
def test_caller_id_needs_the_right_country(tmp_path, country, number, told):
    made = bench(tmp_path, "conexant", country=country)
    made.far.ring(number)
    made.until(Ring)
    made.until(Ring)
    assert [event.number for event in made.events if isinstance(event, CallerId)] == told
    made.line.close()


@pytest.mark.parametrize(
    ("sent", "told"), [("P", None), ("OUT OF AREA", None), ("+8613900000000", "+8613900000000"), ("1" * 200, None)]
)
def test_a_number_is_digits_or_none(tmp_path, sent, told):
    """The modem passes on what it took the exchange's tones for; noise must not reach records and logs."""
    made = bench(tmp_path, "conexant", country="26")
    made.far.ring(sent)
    made.until(Ring)
    made.until(Ring)
    assert [event.number for event in made.events if isinstance(event, CallerId)] == [told]
    made.line.close()


def test_what_is_dialled_reaches_the_exchange(tmp_path):
    for firmware in ("conexant", "usr5637", "generic"):
        made = bench(tmp_path, firmware)
        made.line.off_hook()
        made.run(CONNECT)
        made.line.dial("80,01#")
        made.line.flash()
        made.run(4 * SECOND)
        tones = [command for command in made.far.modem.said if command.startswith("AT+VTS")]
        assert len(tones) == 6
        assert tones[-1] == "AT+VTS=!"
        assert made.far.modem.dialled == "8001#"
        made.line.close()
        made.far.unplug()


def test_a_modem_that_refuses_to_dial_is_named(tmp_path, caplog, monkeypatch):
    made = bench(tmp_path, "conexant")
    monkeypatch.setattr(made.far.modem, "_at_vts", lambda _: "ERROR")
    made.line.off_hook()
    made.run(CONNECT)
    made.line.dial("8")
    made.run(2 * SECOND)
    assert "Modem 拒绝 AT+VTS={8,10}，没有拨出" in caplog.text
    assert Dialled in map(type, made.events)
    made.line.close()


def test_hanging_up_and_lifting_at_once_is_two_calls(tmp_path):
    made = bench(tmp_path, "conexant")
    made.answer()
    made.line.on_hook()
    made.line.off_hook()
    made.run(CONNECT)
    assert made.line.connected
    said = made.far.modem.said
    assert said.count("AT+VLS=1") == 2
    assert "AT+VLS=0" in said
    made.line.close()


def test_dial_tone_ends_no_call_we_make(tmp_path):
    """In half duplex the modem reports it to whoever seizes the line, and to whoever was left."""
    made = bench(tmp_path, "usr5637")
    made.line.off_hook()
    made.run(CONNECT)
    made.far.modem.report("d")
    assert made.run(10) == []
    made.line.on_hook()
    made.run(SECOND)
    made.answer()
    made.run(SECOND)
    made.far.modem.report("d")
    assert made.run(10) == [FarHangup("Modem 听到拨号音")]
    made.line.close()


def test_a_prompt_is_heard_from_its_first_sample_in_half_duplex(tmp_path):
    """What is written while the modem turns round waits for it."""
    made = bench(tmp_path, "usr5637")
    made.answer()
    made.run(SECOND)
    assert made.line.modem.mode is Mode.RECORD
    before = len(made.far.heard())
    made.run(2 * SECOND, sending=tone(1700, SECOND))
    sounding = abs(made.far.heard()[before:].reshape(-1, FRAME).astype(int)).max(axis=1) > 1000
    assert sounding.sum() == SECOND
    made.line.close()


@pytest.mark.parametrize("fast", [True, False])
def test_clocks_that_differ_by_a_thousandth(tmp_path, fast):
    """Ten times what crystals do, for a minute: neither side runs dry more than the three frames that are missing."""
    made = bench(tmp_path, "conexant")
    made.far.ring("1")
    made.until(Ring)
    made.line.off_hook()
    made.run(CONNECT)
    before = len(made.far.heard())
    made.line.late_frames = 0
    for _ in range(3):
        made.run(998, sending=tone(1700, 998))
        if fast:
            made.far.tick()
        else:  # the modem skips a tick
            made.line.read(np.zeros(FRAME, np.int16))
            made.line.write(tone(1700, 1))
    heard = abs(made.far.heard()[before:].reshape(-1, FRAME).astype(int)).max(axis=1)
    assert (heard[10:] < 1000).sum() <= 4
    assert made.line.late_frames <= 3
    assert made.far.modem.most_queued <= 5 * FRAME
    made.line.close()
