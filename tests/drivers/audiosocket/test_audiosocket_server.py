"""Many lines on one server: who gets in, who does not, and how calls end."""

from __future__ import annotations

import logging
from uuid import uuid4

import numpy as np
import pytest
from hotline.config.settings import Line as LineSettings
from hotline.config.settings import SettingsError
from hotline.drivers import make
from hotline.drivers.audiosocket.protocol import HANG_UP_MESSAGE, audio_message, digit_message, uuid_message
from hotline.drivers.line import (
    CallerId,
    HardwareDigit,
    LineMisuse,
    Ring,
)
from rig.line_contract import level_at, tone

TOKEN = "correct-horse"
SOUND = tone(1000, 1)


# Who gets in.


def test_number_and_dialled_number_come_with_the_announcement(house) -> None:
    home = house(2)
    home.call("+8613812345678")
    home.run(5)
    assert home.events[0][:2] == [CallerId("8613812345678"), Ring(1)]
    assert home.lines[0].dialled == "12329"
    assert home.channels[0].verdict == "welcome"


def test_without_announcement_and_token_a_call_comes_without_number(house) -> None:
    home = house(1)
    home.call("138", announced=False)
    home.run(3)
    assert home.events[0][:2] == [CallerId(None), Ring(1)]


def test_each_caller_is_heard_on_his_own_line_only(house) -> None:
    home = house(3)
    callers = [home.call(str(n), announced=False) for n in range(3)]
    home.run(3)
    for caller, hz in zip(callers, (400, 1000, 2000), strict=True):
        caller.say(tone(hz, 20))
    home.run(25)
    for mine in range(3):
        sound = np.concatenate(home.heard[mine][-22:-4])
        levels = [level_at(sound, hz) for hz in (400, 1000, 2000)]
        assert [level > 0.5 for level in levels] == [line == mine for line in range(3)]


def test_when_all_lines_are_taken_the_dialplan_learns_it_and_goes_on(house) -> None:
    home = house(2)
    home.call("1")
    home.call("2")
    home.run(5)
    third = home.call("3")
    fourth = home.call("4", announced=False)
    home.run(5)
    assert third.verdict == "busy"
    assert third.over
    assert fourth.caller is not None
    assert fourth.caller.over is not None
    home.channels[0].hang_up()
    home.run(3)
    home.lines[0].on_hook()
    fifth = home.call("5")
    home.run(5)
    assert fifth.verdict == "welcome"
    assert home.of(CallerId) == [CallerId("1"), CallerId("5")]


def test_an_announced_call_keeps_its_line_until_it_comes_or_takes_too_long(house) -> None:
    home = house(1)
    first = home.call("1")
    home.run(1)
    assert home.call("2").tick() is None
    while first.caller is None:
        first.tick()
        home.server.tick()
    home.run(3)
    assert home.channels[1].verdict == "busy"
    assert home.of(CallerId) == [CallerId("1")]


def test_a_token_is_asked_for(house) -> None:
    home = house(2, token=TOKEN)
    right = home.call("1", token=TOKEN)
    wrong = home.call("2", token="guessed-wrong")
    stranger = home.call("3", announced=False)
    home.run(6)
    assert (right.verdict, wrong.verdict) == ("welcome", "refused")
    assert stranger.caller is not None
    assert stranger.caller.over is not None
    assert home.states() == ["off-hook", "on-hook"]
    assert home.server.refused.total() == 2


def test_an_announcement_is_good_for_one_call_and_not_for_long(house) -> None:
    home = house(2, token=TOKEN)
    first = home.call("1", token=TOKEN)
    home.run(5)
    again = home.call("1", announced=False, uuid=first.uuid)
    late = home.call("2", token=TOKEN)
    while late.verdict is None and late.caller is None:
        home.run(1)
        late.tick()
    late.hang_up()
    home.run(7 * 50)
    gone = home.call("2", announced=False, uuid=late.uuid)
    home.run(5)
    for channel in (again, gone):
        assert channel.caller is not None
        assert channel.caller.over is not None


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"host": "0.0.0.0"}, '[lines.a] host = "0.0.0.0"：不是本机回环地址，须设 token'),
        ({"host": "pbx.example"}, '[lines.a] host = "pbx.example"：不是本机回环地址，须设 token'),
        ({"token": "short"}, "[lines.a] token = （保密，不显示）：须是 8 到 64 个字母"),
        ({"port": 0}, "[lines.a] port = 0：须是 1 到"),
    ],
)
def test_settings_that_are_not_safe_are_refused(keys: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        make("a", LineSettings.model_validate({"driver": "audiosocket"} | keys))
    assert str(caught.value).startswith(sentence)
    assert "short" not in str(caught.value)


def test_a_network_address_with_a_token_is_fine() -> None:
    assert make("a", LineSettings.model_validate({"driver": "audiosocket", "host": "0.0.0.0", "token": TOKEN}))
    assert make("a", LineSettings.model_validate({"driver": "audiosocket", "host": "::1"}))


# The end of a call.


def test_hanging_up_gives_the_call_back_with_its_target(house) -> None:
    home = house(1)
    caller = home.call("1")
    home.run(5)
    assert home.lines[0].capabilities.transfers
    home.lines[0].transfer("agents")
    assert home.states() == ["off-hook"]
    home.lines[0].on_hook()
    home.run(5)
    assert caller.caller is not None
    assert caller.caller.over == "Asterisk 说通话结束", "in words: a bare close would end the caller's call too"
    assert caller.target == "agents"


def test_a_call_that_just_ends_has_no_target_and_the_next_inherits_none(house) -> None:
    home = house(1)
    first = home.call("1")
    home.run(5)
    home.lines[0].transfer("agents")
    first.hang_up()
    home.run(3)
    home.lines[0].on_hook()
    second = home.call("2")
    home.run(5)
    home.lines[0].on_hook()
    home.run(5)
    assert second.target == ""


def test_a_target_that_is_dialplan_syntax_is_misuse(house) -> None:
    home = house(1)
    for target in ("", "a,b", "${X}", "x" * 41):
        with pytest.raises(LineMisuse):
            home.lines[0].transfer(target)


def test_nothing_unread_breaks_the_goodbye(house) -> None:
    """What the caller sent and we did not read any more must not turn our close into a reset."""
    home = house(1)
    peer = home.connect(uuid_message(uuid4()))
    home.run(3)
    peer.send(audio_message(SOUND) * 40)
    home.lines[0].on_hook()
    home.run(3)
    received = b""
    while data := peer.recv(65536):
        received += data
    assert received.endswith(HANG_UP_MESSAGE)
    peer.close()
    home.run(60)
    assert not home.server._guests


# Keys.


@pytest.mark.parametrize("digits", ["audio", "messages"])
def test_keys_asterisk_reports(house, caplog: pytest.LogCaptureFixture, digits: str) -> None:
    home = house(1, digits=digits)
    assert home.lines[0].capabilities.reports_digits is (digits == "messages")
    with caplog.at_level(logging.WARNING):
        peer = home.connect(uuid_message(uuid4()))
        home.run(2)
        peer.send(digit_message("1") + digit_message("#"))
        home.run(2)
    if digits == "messages":
        assert home.of(HardwareDigit) == [HardwareDigit("1"), HardwareDigit("#")]
    else:
        assert home.of(HardwareDigit) == []
        assert len([record for record in caplog.records if "messages" in record.message]) == 1


def test_what_we_dial_is_heard_as_keys(house) -> None:
    from hotline.dsp import dtmf

    home = house(1)
    caller = home.call("1")
    home.run(5)
    home.lines[0].dial("80,1")
    home.lines[0].dial("#")
    home.run(120)
    keys = [event.digit for event in dtmf.Detector(1).feed(caller.sound()[None, :]) if isinstance(event, dtmf.Onset)]
    assert "".join(keys) == "801#"
