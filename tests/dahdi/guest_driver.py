"""In the virtual machine: what DAHDI lines do beyond the contract."""

from __future__ import annotations

import struct

import pytest
from hotline.drivers.dahdi import abi
from hotline.drivers.dahdi.find import find
from hotline.drivers.dahdi.line import RING_LOST, DahdiLine, Settings
from hotline.drivers.dahdi.port import Port
from hotline.drivers.line import Alarm, FarHangup, HookState, LineError, LineMisuse, Ring, RingStopped
from hotline.dsp import dtmf
from rig import dahdi
from rig.line_contract import SECOND, Bench, level_at, tone

WINKFLASH = 3  # what the exchange sees of a flash
ATTACH_ECHOCAN = abi.request(1, 59, 20)  # struct dahdi_attach_echocan
SIG_CLEAR = 1 << 7  # DAHDI_SIG_CLEAR, a channel for data


@pytest.fixture
def pair():
    """Make a line with its far end: kewl start unless other channels are named."""
    made = []

    def make(channel=1, far=dahdi.Exchange, **settings):
        line, party = (
            DahdiLine("test", Settings(channel=channel, **settings)),
            far(channel + (-4 if channel > 4 else 4)),
        )
        made.extend([line, party])
        line.open()
        return Bench(line, party)

    yield make
    for each in made:
        each.close()


def test_ten_seconds_without_a_gap(pair):
    bench = pair()
    bench.answer()
    bench.run(10 * SECOND, sending=tone(1700, 10 * SECOND))
    assert bench.line.late_frames <= 1  # while the first block was on its way
    heard = bench.far.heard().reshape(-1, 160)
    assert all(level_at(frame, 1700) > 0.9 for frame in heard[25:-25])


def test_levels_are_as_sent_or_as_set(pair):
    bench = pair(gain_in_db=-6, gain_out_db=3)
    bench.answer()
    bench.far.say(tone(700, 50))
    bench.run(60, sending=tone(1700, 50))
    assert level_at(bench.since()[20 * 160 : 40 * 160], 700) == pytest.approx(10 ** (-6 / 20), rel=0.03)
    assert level_at(bench.far.heard()[20 * 160 : 40 * 160], 1700) == pytest.approx(10 ** (3 / 20), rel=0.03)


@pytest.mark.parametrize("law", ["mu", "a"])
def test_either_law(pair, law):
    bench = pair(law=law)
    bench.far.port.close()
    bench.far.port = Port(bench.far.channel, law)
    bench.far._waiting.register(bench.far.port._fd, 1)
    bench.answer()
    bench.far.say(tone(700, 50))
    bench.run(60)
    assert level_at(bench.since()[20 * 160 : 40 * 160], 700) == pytest.approx(1, rel=0.03)


def test_the_exchange_hears_what_we_dial(pair):
    bench = pair()
    bench.line.off_hook()
    bench.run(2 * SECOND)
    bench.line.dial("8001,2#")
    bench.run(5 * SECOND, sending=tone(300, 5 * SECOND))
    heard = dtmf.Detector(1).feed(bench.far.heard()[None, :])
    assert "".join(event.digit for event in heard if isinstance(event, dtmf.Onset)) == "8001,2#".replace(",", "")


def test_more_digits_than_the_kernel_keeps_are_misuse(pair):
    with pytest.raises(LineMisuse):
        pair().line.dial("1" * 121)


def test_a_flash_is_seen_as_one_even_when_asked_for_at_once(pair):
    bench = pair(flash_ms=500)
    bench.answer()
    seen = []
    fetch = bench.far.port._call
    bench.far.port._call = lambda request, argument: seen.append(fetch(request, argument)) or seen[-1]
    bench.line.flash()
    bench.run(3 * SECOND)
    assert struct.pack("i", WINKFLASH) in seen
    assert bench.line.state is HookState.OFF_HOOK
    assert not [event for event in bench.events if isinstance(event, FarHangup)]


def test_a_caller_who_gives_up_is_known_by_the_burst_that_fails_to_come(pair):
    bench = pair()
    bench.far.ring("1")
    bench.until(Ring)
    bench.far.hang_up()
    bench.run(RING_LOST - 5)
    assert bench.line.state is HookState.RINGING
    assert bench.run(10) == [RingStopped()]


@pytest.mark.parametrize("after", [5, 25, 2 * SECOND], ids=["0.1 s", "0.5 s", "2 s"])
def test_hanging_up_is_noticed_however_soon(pair, after):
    """In the first 0.6 s the kernel does not look."""
    bench = pair()
    bench.answer()
    bench.run(after)
    bench.far.hang_up()
    assert len([event for event in bench.run(4 * SECOND) if isinstance(event, FarHangup)]) == 1


def test_loop_start_never_reports_it(pair):
    bench = pair(3)
    assert not bench.line.capabilities.reports_hangup
    bench.answer()
    bench.run(SECOND)
    bench.far.hang_up()
    assert bench.run(3 * SECOND) == []


def test_a_good_call_is_never_taken_for_hung_up(pair):
    """Also when it was answered in the midst of a burst."""
    bench = pair()
    bench.answer()
    assert bench.run(5 * SECOND) == []


def test_a_telephone_is_rung_and_answers(pair):
    bench = pair(6, dahdi.Telephone)
    bench.run(dahdi.DEBOUNCE)
    bench.line.off_hook()
    bench.run(SECOND)
    assert bench.far.connected
    bench.far.say(tone(700, 50))
    bench.run(65, sending=tone(1700, 65))
    assert level_at(bench.since()[-30 * 160 :], 700) > 0.5
    assert level_at(bench.far.heard()[-30 * 160 :], 1700) > 0.5
    bench.far.hang_up()
    assert bench.run(2 * SECOND) == [FarHangup("话机已挂好")]


@pytest.mark.parametrize(
    ("down", "up"),
    [(5, 15), (5, 30), (5, 43), (30, 38), (5, 100), (-50, 15), (-25, 20)],
    ids=lambda tick: f"{tick / SECOND:+} s",
)
def test_a_telephone_lifted_again_calls_however_soon(pair, down, up):
    """Put down and lifted so long after we have hung up: the kernel says nothing of most of these."""
    bench = pair(6, dahdi.Telephone)
    bench.run(dahdi.DEBOUNCE)
    bench.answer()
    bench.run(2 * SECOND)
    happened = {0: bench.line.on_hook, down: bench.far.hang_up, up: lambda: bench.far.ring("")}
    before = len(bench.events)
    for tick in range(min(down, 0), up + 1):
        happened.get(tick, lambda: None)()
        bench.run(1)
    bench.run(5)
    assert Ring(1) in bench.events[before:]
    bench.line.off_hook()
    bench.run(2 * SECOND)
    assert bench.line.connected
    assert not [event for event in bench.events[before:] if isinstance(event, Alarm)]
    bench.since()
    bench.far.say(tone(700, 50))
    bench.run(65, sending=tone(1700, 65))
    assert level_at(bench.since()[-30 * 160 :], 700) > 0.5
    assert level_at(bench.far.heard()[-30 * 160 :], 1700) > 0.5


def test_a_receiver_that_is_left_off_does_not_call(pair):
    bench = pair(6, dahdi.Telephone)
    bench.run(dahdi.DEBOUNCE)
    bench.answer()
    bench.run(SECOND)
    bench.line.on_hook()
    assert bench.run(4 * SECOND) == []


def test_a_telephone_can_be_rung_right_after_its_call(pair):
    bench = pair(6, dahdi.Telephone)
    bench.run(dahdi.DEBOUNCE)
    bench.answer()
    bench.run(2 * SECOND)
    bench.far.hang_up()
    bench.run(5)
    bench.line.on_hook()
    bench.run(SECOND // 2)
    bench.line.off_hook()
    assert not bench.line.connected, "the kernel does not let us yet"
    bench.run(8 * SECOND)  # the second burst: the first comes too soon for what stands for the telephone
    assert bench.far.connected
    assert not [event for event in bench.events if isinstance(event, Alarm)]


def test_the_finder_reads_what_this_kernel_writes():
    found = {each.name.split("（")[0]: each for each in find()}
    assert sorted(found) == [f"通道 {channel}" for channel in range(1, 9)]
    assert "外线口，FXSKS" in found["通道 1"].text
    assert "外线口，FXSLS" in found["通道 3"].text
    assert "内线口，FXOKS" in found["通道 5"].text
    assert found["通道 2"].settings == 'driver = "dahdi"\nchannel = 2\n'


def refusal(channel, **settings):
    """Why a line cannot be opened."""
    with pytest.raises(LineError) as raised:
        DahdiLine("test", Settings(channel=channel, **settings)).open()
    return str(raised.value)


def test_a_channel_somebody_else_holds(pair):
    pair(1)
    assert "被别的程序占用" in refusal(1)


def test_a_channel_that_is_not_there():
    assert "没有 DAHDI 通道 99" in refusal(99)


def test_a_channel_that_is_not_configured():
    dahdi.configure(4, 0)
    try:
        assert "DAHDI 通道 4 没有配置" in refusal(4)
        dahdi.configure(4, SIG_CLEAR)
        assert "不是模拟电话线" in refusal(4)
    finally:
        dahdi.configure(4, abi.SIG_FXSKS)


def test_a_line_that_is_not_plugged_in():
    party = dahdi.Exchange(8)
    party.unplug()
    try:
        for _ in range(2 * SECOND):
            party.tick()
        assert "电话线是否插好" in refusal(4)
    finally:
        party.close()


def test_an_echo_canceller_must_be_there(pair):
    assert "没有回声消除器" in refusal(2, echo_cancel_taps=128)
    with dahdi.control() as order:
        order(ATTACH_ECHOCAN, struct.pack("i16s", 1, b"mg2"))
    bench = pair(1, echo_cancel_taps=128)
    bench.answer()
    bench.far.say(tone(700, 50))
    bench.run(60)
    assert level_at(bench.since(), 700) > 0.5
