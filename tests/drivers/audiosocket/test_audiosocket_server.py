"""Many lines on one server: who gets in, who does not, and what a bad peer does to the others: nothing."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import suppress
from uuid import uuid4

import numpy as np
import pytest
from hotline.config.settings import Line as LineSettings
from hotline.config.settings import SettingsError
from hotline.drivers import make
from hotline.drivers.audiosocket.line import AudioSocketLine
from hotline.drivers.audiosocket.protocol import HANG_UP_MESSAGE, audio_message, digit_message, uuid_message
from hotline.drivers.line import (
    FRAME,
    Alarm,
    CallerId,
    Event,
    FarHangup,
    HardwareDigit,
    HookState,
    LineError,
    LineMisuse,
    Restored,
    Ring,
    RingStopped,
)
from rig.asterisk import Channel, arrived, free_port
from rig.line_contract import level_at, tone

TOKEN = "correct-horse"
SOUND = tone(1000, 1)


class House:
    """Some lines on one server, answered as they ring, and the callers of them."""

    def __init__(self, count: int = 2, answers: bool = True, **settings: object) -> None:
        self.port = free_port()
        row = {"driver": "audiosocket", "count": count, "port": self.port} | settings
        self.lines = [line for line in make("a", LineSettings.model_validate(row)) if isinstance(line, AudioSocketLine)]
        self.server = self.lines[0].server
        self.answers = answers
        self.events: list[list[Event]] = [[] for _ in self.lines]
        self.channels: list[Channel] = []
        self.sockets: list[socket.socket] = []
        self.heard: list[list[np.ndarray]] = [[] for _ in self.lines]
        self.sending = np.zeros(FRAME, np.int16)
        for line in self.lines:
            line.open()

    def call(self, number: str | None = None, **keys: object) -> Channel:
        self.channels.append(Channel(self.port, number, **keys))
        return self.channels[-1]

    def connect(self, *data: bytes) -> socket.socket:
        """A peer that is no Asterisk."""
        peer = socket.create_connection(("127.0.0.1", self.port))
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sockets.append(peer)
        for piece in data:
            peer.send(piece)
        return peer

    def run(self, ticks: int) -> None:
        for _ in range(ticks):
            arrived()
            for line, events, heard in zip(self.lines, self.events, self.heard, strict=True):
                frame = np.full(FRAME, 12345, np.int16)
                line.read(frame)
                heard.append(frame)
                events += line.events()
                if self.answers and line.state is HookState.RINGING:
                    line.off_hook()
            for line in self.lines:
                line.write(self.sending)
            arrived()
            for channel in self.channels:
                channel.tick()

    def states(self) -> list[str]:
        return [line.state.value for line in self.lines]

    def of(self, kind: type[Event], line: int = 0) -> list[Event]:
        return [event for event in self.events[line] if isinstance(event, kind)]

    def close(self) -> None:
        for line in self.lines:
            line.close()
        for channel in self.channels:
            channel.hang_up()
        for peer in self.sockets:
            peer.close()


@pytest.fixture
def house() -> Iterator[type[House]]:
    """Makes houses and closes them."""
    made: list[House] = []

    class Made(House):
        def __init__(self, *args: object, **keys: object) -> None:
            super().__init__(*args, **keys)
            made.append(self)

    yield Made
    for one in made:
        one.close()


def ended(peer: socket.socket) -> bool:
    """Whether the service has let go of this peer."""
    peer.setblocking(False)
    try:
        while data := peer.recv(65536):
            if data.endswith(HANG_UP_MESSAGE):
                return True
    except BlockingIOError:
        return False
    except ConnectionError:
        pass
    return True


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
    assert sum(home.server.counts.refused.values()) == 2


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


# Networks.


def test_frames_in_pieces_and_of_other_lengths(house) -> None:
    home = house(1)
    peer = home.connect(uuid_message(uuid4()))
    home.run(2)
    stream = b"".join(audio_message(piece) for piece in tone(1000, 30).reshape(-1, 240))  # 30 ms each
    pieces = [stream[at : at + 250] for at in range(0, len(stream), 250)]
    for piece in pieces:
        peer.send(piece)
        home.run(1)
    home.run(10)
    sound = np.concatenate(home.heard[0])
    played = sound[np.flatnonzero(sound)[0] :]
    assert level_at(played[: 20 * FRAME], 1000) > 0.4
    assert np.abs(sound.astype(np.int64)).sum() == pytest.approx(
        np.abs(tone(1000, 30).astype(np.int64)).sum(), rel=0.01
    )


def test_a_late_frame_is_silence_counted_and_heard_later(house) -> None:
    home = house(1)
    peer = home.connect(uuid_message(uuid4()))
    home.run(2)
    for due in (1, 1, 0, 2, 1, 1):
        peer.send(audio_message(SOUND) * due)
        home.run(1)
    home.run(1)
    frames = [frame.any() for frame in home.heard[0]][2:]
    assert frames == [True, True, False, True, True, True, True]
    assert home.lines[0].late_frames == 1


def test_delay_that_is_not_needed_is_cut(house) -> None:
    home = house(1)
    peer = home.connect(uuid_message(uuid4()))
    home.run(2)
    peer.send(audio_message(SOUND) * 3)
    for _ in range(5 * 250):
        peer.send(audio_message(SOUND))
        home.run(1)
    home.run(1)
    assert not home.heard[0][-1].any(), "nothing is left waiting"


def test_a_flood_is_cut_to_the_last_200_ms(house) -> None:
    home = house(1)
    peer = home.connect(uuid_message(uuid4()))
    home.run(2)
    for _ in range(20):
        peer.send(audio_message(SOUND) * 6)
        home.run(1)
    heard = len(home.heard[0])
    home.run(20)
    assert sum(bool(frame.any()) for frame in home.heard[0][heard:]) == 9


# Faults.


def vanish(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    peer.close()


@pytest.mark.parametrize("how", [socket.socket.close, vanish], ids=["closed", "reset"])
@pytest.mark.parametrize("sent", [b"", uuid_message(uuid4())[:9], b"agi_network: y"], ids=["silent", "uuid cut", "agi"])
def test_a_client_that_vanishes_before_it_is_a_call(house, sent: bytes, how) -> None:
    home = house(2)
    peer = home.connect(sent) if sent else home.connect()
    home.run(2)
    how(peer)
    home.run(3)
    assert not home.server._guests
    assert home.events == [[], []]


@pytest.mark.parametrize("how", [socket.socket.close, vanish], ids=["closed", "reset"])
def test_a_client_that_vanishes_while_it_rings(house, how) -> None:
    home = house(1, answers=False)
    peer = home.connect(uuid_message(uuid4()))
    home.run(3)
    how(peer)
    home.run(3)
    assert home.events[0][-1] == RingStopped()
    assert home.states() == ["on-hook"]
    home.call("2")
    home.run(5)
    assert home.states() == ["ringing"]


@pytest.mark.parametrize("how", [socket.socket.close, vanish], ids=["closed", "reset"])
def test_a_client_that_vanishes_in_the_call(house, how) -> None:
    home = house(1)
    peer = home.connect(uuid_message(uuid4()))
    home.run(3)
    peer.send(audio_message(SOUND)[:100])
    how(peer)
    home.run(3)
    assert len(home.of(FarHangup)) == 1
    assert home.states() == ["off-hook"]
    home.lines[0].on_hook()
    home.call("2")
    home.run(5)
    assert home.states() == ["off-hook"]


def test_a_call_nobody_answers_is_given_up(house) -> None:
    home = house(1, answers=False)
    peer = home.connect(uuid_message(uuid4()))
    home.run(11 * 50)
    assert home.events[0][-1] == RingStopped()
    assert ended(peer)


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        bytes(19),
        b"\x01\x00\x10" + bytes(16) + b"\x55" * 200,
        b"agonising\n",
        b"agi_x: " * 2000,
    ],
    ids=["http", "zeros", "after the uuid", "no agi", "endless agi"],
)
def test_garbage_ends_the_connection_and_nothing_else(house, garbage: bytes) -> None:
    home = house(2)
    good = home.call("1")
    home.run(5)
    peer = home.connect(garbage)
    home.run(6)
    assert ended(peer)
    good.say(SOUND)
    home.run(3)
    assert any(frame.any() for frame in home.heard[0][-4:])


def test_who_says_nothing_is_let_go_after_two_seconds(house) -> None:
    home = house(1)
    peers = [home.connect(), home.connect(b"\x01\x00"), home.connect(b"agi_network: yes\n")]
    home.run(90)
    assert not any(map(ended, peers))
    home.run(20)
    assert all(map(ended, peers))


def test_unidentified_connections_are_limited(house) -> None:
    home = house(1)
    peers = []
    for _ in range(30):
        peers.append(home.connect())
        home.run(1)
    assert sum(map(ended, peers)) == 30 - (2 * 1 + 16)
    home.run(110)
    home.call("1")
    home.run(5)
    assert home.states() == ["off-hook"]


def test_a_client_that_never_reads_is_never_waited_for_and_dropped(house) -> None:
    home = house(1)
    peer = home.connect()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    peer.send(uuid_message(uuid4()))
    home.sending = SOUND
    for _ in range(4000):
        home.run(1)
        peer.send(audio_message(SOUND))
        if home.of(FarHangup):
            break
    assert home.of(FarHangup) == [FarHangup("对方一秒钟没有取走声音")]
    home.lines[0].on_hook()


def test_a_short_stop_of_reading_cuts_no_message(house) -> None:
    from hotline.drivers.audiosocket.protocol import Audio, Decoder

    home = house(1)
    peer = home.connect(uuid_message(uuid4()))
    home.sending = SOUND
    while home.lines[0]._port.unread < 10:
        home.run(1)
    peer.setblocking(False)
    decoder, events = Decoder(), []
    decoder.receive(uuid_message(uuid4()))
    for _ in range(400):
        with suppress(BlockingIOError):
            while True:
                events += decoder.receive(peer.recv(1 << 20))
        home.run(1)
    assert not home.of(FarHangup)
    assert len(events) > 300
    assert all(event == Audio(SOUND.tobytes()) or event == Audio(bytes(320)) for event in events)


def test_a_port_that_is_taken(house) -> None:
    home = house(1)
    (line,) = make("b", LineSettings.model_validate({"driver": "audiosocket", "port": home.port}))
    with pytest.raises(LineError, match=rf"127.0.0.1:{home.port} 已被别的程序占用。.*count"):
        line.open()
    (line,) = make("b", LineSettings.model_validate({"driver": "audiosocket", "host": "192.0.2.1", "token": TOKEN}))
    with pytest.raises(LineError, match="不是本机的地址，请改 host"):
        line.open()


def test_when_the_process_has_no_descriptor_left_calls_wait_and_the_others_go_on(
    house, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    home = house(2)
    home.call("1")
    home.run(5)
    real = home.server._listener

    class Short:
        def accept(self) -> None:
            raise OSError(24, "Too many open files")

        def close(self) -> None:
            real.close()

    home.server._listener = Short()
    home.call("2", announced=False)
    home.run(10)
    assert len([record for record in caplog.records if "Too many open files" in record.message]) == 1
    home.server._listener = real
    home.run(3)
    assert home.states() == ["off-hook", "off-hook"]


def test_one_alarm_for_every_line_when_the_socket_breaks(house) -> None:
    home = house(3)
    home.call("1")
    home.run(5)
    home.server._listener.shutdown(socket.SHUT_RDWR)
    home.run(3)
    assert [len(home.of(Alarm, line)) for line in range(3)] == [1, 1, 1]
    assert home.states() == ["on-hook"] * 3
    home.run(60)
    assert [len(home.of(Restored, line)) for line in range(3)] == [1, 1, 1]
    home.call("2")
    home.run(5)
    assert "off-hook" in home.states()


def test_closing_one_line_leaves_the_others(house) -> None:
    home = house(2)
    home.call("1")
    home.run(5)
    home.lines[0].close()
    home.lines.pop(0), home.events.pop(0), home.heard.pop(0)
    home.call("2")
    home.run(5)
    assert home.states() == ["off-hook"]
