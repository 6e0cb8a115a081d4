"""What goes wrong with modems: pulled out, hung, deaf, saying nothing or rubbish; and what becomes of the line."""

from __future__ import annotations

from concurrent.futures import Future

import pytest
from hotline.drivers.line import Alarm, Dialled, HookState, Restored, Ring
from hotline.drivers.modem.aside import at_once
from hotline.drivers.modem.life import State
from hotline.drivers.modem.profiles import Mode
from rig.city import NORMAL, prompts
from rig.house import PIN
from rig.line_contract import SECOND, Bench, level_at, tone
from rig.modems import CONNECT, Caller, bench, line_on

MINUTE = 60 * SECOND


def works(made):
    """Whether the line takes a call and carries sound."""
    made.events.clear()
    made.far.hang_up()
    made.run(8 * SECOND)
    made.answer()
    made.far.say(tone(700, 50))
    made.run(70)
    return level_at(made.since(), 700) > 0.3


def reach(made, state, mode=None):
    """Bring the modem into that state of a call."""
    line = made.line

    def there():
        return line.modem.state is state and (mode is None or line.modem.mode is mode)

    if state is State.RESTING:
        made.far.ring("1")
        made.until(Ring)
        return
    made.far.ring("1")
    made.until(Ring)
    line.off_hook()
    sound = tone(1700, 1) if mode is Mode.PLAY else None
    for tick in range(4 * SECOND):
        if there():
            return
        made.run(1, sending=sound)
        if line.connected and tick > CONNECT:
            if state is State.SENDING:
                line.dial("1")
            elif state in (State.LEAVING, State.DROPPING):
                line.on_hook()
    raise AssertionError(line.modem.state)


@pytest.mark.parametrize(
    ("firmware", "state", "mode"),
    [
        ("conexant", State.RESTING, None),  # while it rings
        ("conexant", State.LIFTING, None),
        ("conexant", State.SETTLING, None),
        ("conexant", State.ENTERING, None),
        ("conexant", State.STREAMING, Mode.DUPLEX),
        ("usr5637", State.STREAMING, Mode.PLAY),
        ("usr5637", State.STREAMING, Mode.RECORD),
        ("usr5637", State.LEAVING, None),
        ("conexant", State.SENDING, None),
        ("conexant", State.DROPPING, None),
    ],
    ids=lambda value: getattr(value, "value", value),
)
def test_pulled_out_and_plugged_in_again(tmp_path, firmware, state, mode):
    made = bench(tmp_path, firmware)
    reach(made, state, mode)
    made.events.clear()
    made.far.unplug()
    made.run(3 * SECOND)
    assert [type(event) for event in made.events] == [Alarm]
    assert made.line.state is HookState.ON_HOOK
    made.far.plug()
    made.until(Restored, 5 * SECOND)
    assert works(made)
    made.line.close()


@pytest.mark.parametrize("cure", ["resync", "reset", "dtr", "reopen", "power"])
def test_the_ladder_is_climbed_as_far_as_needed(tmp_path, cure):
    """A modem that hangs at rest is found within a minute; every rung that does not help is followed by the next."""
    switch = tmp_path / "switch"
    made = bench(tmp_path, "conexant", power=["touch", str(switch)])
    made.far.modem.faults.wedge = cure
    made.far.modem.faults.power_switch = switch
    made.run(MINUTE + 20 * SECOND)
    rungs = ["resync", "reset", "dtr", "reopen", "power"]
    assert list(dict.fromkeys(made.far.modem.done_to_it)) == rungs[: rungs.index(cure) + 1]
    assert made.line.modem.state is State.RESTING
    # Power cut is a modem gone for a moment; by then the line had been given up.
    assert [type(event) for event in made.events] == ([Alarm, Restored] if made.events else [])
    assert works(made)
    made.line.close()


def test_a_modem_that_stays_hung_is_out_of_service_and_tried_every_minute(tmp_path):
    made = bench(tmp_path, "conexant")
    made.far.modem.faults.wedge = "power"  # and no setting says how
    made.run(2 * MINUTE)
    assert [type(event) for event in made.events] == [Alarm]
    assert "没有回应" in made.events[0].reason
    tried = len(made.far.modem.done_to_it)
    made.run(3 * MINUTE)
    assert len(made.far.modem.done_to_it) > tried
    assert len(made.events) == 1
    made.far.modem.faults.wedge = ""
    made.until(Restored, MINUTE + 5 * SECOND)
    assert works(made)
    made.line.close()


def test_a_modem_that_goes_deaf_ends_the_call_and_comes_back(tmp_path):
    made = bench(tmp_path, "conexant")
    made.answer()
    made.far.modem.faults.deaf_to_stream = True
    alarm = made.until(Alarm, 3 * SECOND)
    assert "两秒没有声音" in alarm.reason
    assert made.line.state is HookState.ON_HOOK
    made.far.modem.faults.deaf_to_stream = False
    made.until(Restored, 20 * SECOND)
    assert works(made)
    made.line.close()


@pytest.mark.parametrize("when", ["setting up", "at rest", "answering"])
def test_a_lost_result_costs_two_seconds_and_no_call(tmp_path, when):
    far = Caller("conexant", tmp_path / "modem")
    line = line_on(tmp_path / "modem")
    line.open()
    made = Bench(line, far, CONNECT + 3 * SECOND)
    made.run(30 if when == "setting up" else 100)
    if when == "at rest":
        made.run(MINUTE - 100)
    elif when == "answering":
        far.ring("1")
        made.until(Ring)
        line.off_hook()
    far.modem.faults.lost_results = 1
    made.run(3 * SECOND)
    assert not [event for event in made.events if isinstance(event, Alarm)]
    assert far.modem.faults.lost_results == 0
    if when == "answering":
        made.run(SECOND)
        assert line.connected
    else:
        assert works(made)
    line.close()


def test_rubbish_between_results(tmp_path):
    made = bench(tmp_path, "conexant")
    made.far.modem.faults.garbage = bytes(range(256)) * 3
    made.far.ring("1")
    made.until(Ring)
    made.line.off_hook()
    made.run(CONNECT)
    assert made.line.connected
    made.line.close()


def test_a_modem_without_voice_says_so(tmp_path):
    made_of = Caller("conexant", tmp_path / "modem")
    made_of.modem._at_fclass = lambda value: "ERROR"
    line = line_on(tmp_path / "modem")
    line.open()
    made = Bench(line, made_of)
    alarm = made.until(Alarm, 30 * SECOND)
    assert "AT+FCLASS=8" in alarm.reason
    assert "语音" in alarm.reason
    line.close()


def test_a_port_that_hangs_while_it_is_opened_holds_up_nothing(tmp_path):
    """The runner's work does not end; ticks do."""
    jobs = []

    def hang(work):
        jobs.append((work, Future()))
        return jobs[-1][1]

    far = Caller("conexant", tmp_path / "modem")
    line = line_on(tmp_path / "modem", hang)
    line.open()
    made = Bench(line, far, CONNECT)
    assert made.run(SECOND) == []
    line.off_hook()
    line.on_hook()
    assert "打不开也关不上" in made.until(Alarm, MINUTE).reason
    work, future = jobs.pop()
    work()
    future.set_result(None)
    made.until(Restored)
    assert works(made)
    line.modem.climb.runner = at_once
    line.close()


def test_what_is_left_to_dial_is_forgotten_with_the_call(tmp_path):
    made = bench(tmp_path, "conexant")
    made.answer()
    made.line.dial("1234567890")
    made.run(30)
    made.line.on_hook()
    made.run(3 * SECOND)
    assert made.far.modem.dialled in "1234567"
    assert not [event for event in made.events if isinstance(event, Dialled)]
    assert made.line.modem.state is State.RESTING
    made.line.close()


def test_other_lines_never_miss_a_tick(modem_house):
    """Two callers; one's modem is pulled out in the read-out. His record says why; the other's call goes on."""
    from hotline.desk.models import Call

    home = modem_house(firmware=("conexant",), simulated=1)
    script = f"wait:2 !1 !1{NORMAL}#{PIN} wait:8 hangup"
    calls = [home.begin(script, line, on_ms=70, off_ms=70) for line in (0, 1)]
    other_line, read, reads = home.service.board.seats[1].line, home.service.board.seats[1].line.read, []
    other_line.read = lambda frame: (reads.append(frame), read(frame))[1]
    for tick in range(40 * SECOND):
        home.tick()
        for call in calls:
            call.step()
        if tick == 16 * SECOND:
            home.modems[0].unplug()
        if all(call.over for call in calls):
            break
    home.journal.flush()
    lost, other = (call.told for call in calls)
    assert "设备不见了" in "".join(entry.text for entry in lost.entries)
    assert "您的住房公积金已缴至" in prompts(other)[-1]
    causes = dict(Call.objects.values_list("line", "cause"))
    assert causes == {"M0": "fault", "S0": "caller"}
    assert len(reads) == tick + 1
    home.modems[0].plug()
    home.tick(5 * SECOND)
    assert home.lines[0].modem.state is State.RESTING
    assert prompts(home.call("wait:2 hangup"))
