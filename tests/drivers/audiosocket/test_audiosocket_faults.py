"""What a bad network and a bad peer do to AudioSocket lines: little to their own, nothing to the others."""

from __future__ import annotations

import socket
from contextlib import suppress
from uuid import uuid4

import numpy as np
import pytest
from hotline.config.settings import Line as LineSettings
from hotline.drivers import make
from hotline.drivers.audiosocket.protocol import audio_message, digit_message, uuid_message
from hotline.drivers.line import (
    FRAME,
    Alarm,
    FarHangup,
    HardwareDigit,
    LineError,
    Restored,
    RingStopped,
)
from rig.line_bank import ended
from rig.line_contract import level_at, tone

TOKEN = "correct-horse"
SOUND = tone(1000, 1)


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


@pytest.mark.parametrize("at_once", range(1, 10))
def test_what_comes_at_once_is_heard_frame_by_frame(house, at_once: int) -> None:
    """After a stall a tick finds many messages on every line: nothing but frames, keys between them, or cut."""
    frames = [np.full(FRAME, 1 + n, np.int16) for n in range(45)]
    plain = [audio_message(frame) for frame in frames]
    keyed = [message + digit_message("5") if n % 4 == 2 else message for n, message in enumerate(plain)]
    stream = b"".join(keyed)
    ends = np.cumsum([len(message) for message in keyed])
    home = house(4, digits="messages")
    peers = [home.connect(uuid_message(uuid4())) for _ in range(4)]
    home.run(2)
    for first in range(0, len(frames), at_once):
        burst = slice(first, first + at_once)
        for peer in peers[:2]:
            peer.send(b"".join(plain[burst]))
        peers[2].send(b"".join(keyed[burst]))
        cut = stream[(ends[first - 1] - 100 if first else 0) : ends[burst][-1] - 100]
        peers[3].send(cut)
        home.run(at_once)
    peers[3].send(stream[-100:])
    home.run(2)
    for heard in home.heard:
        assert [frame[0] for frame in heard if frame.any()] == list(range(1, 46))
        assert all((frame == frame[0]).all() for frame in heard)
    assert [len(home.of(HardwareDigit, line)) for line in range(4)] == [0, 0, 11, 11]
    assert not home.of(FarHangup)


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


def test_who_says_it_byte_by_byte_gains_no_time(house) -> None:
    home = house(1)
    peer = home.connect(b"\x10\x3e\x00")
    for _ in range(98):
        peer.send(b"\x00")
        home.run(1)
    assert not ended(peer)
    home.run(10)
    assert ended(peer)


def test_who_goes_on_talking_after_the_end_is_cut_off(house) -> None:
    home = house(1)
    peer = home.connect(uuid_message(uuid4()))
    home.run(3)
    home.lines[0].on_hook()
    for _ in range(49):
        peer.send(audio_message(SOUND))
        home.run(1)
    assert len(home.server._guests) == 1
    home.run(3)
    assert not home.server._guests


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
        if home.of(FarHangup):
            break  # before he says another word: what he finds then depends on how much of the last one was read
        peer.send(audio_message(SOUND))
        home.run(1)
    assert home.of(FarHangup) == [FarHangup("对方一秒钟没有取走声音")]
    home.lines[0].on_hook()


def test_a_short_stop_of_reading_cuts_no_message(house) -> None:
    from hotline.drivers.audiosocket.protocol import Audio, Decoder

    home = house(1)
    peer = home.connect(uuid_message(uuid4()))
    home.sending = SOUND
    while home.lines[0].port.unread < 10:
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


def test_a_line_opened_while_the_socket_is_broken_is_told_so(house) -> None:
    home = house(2)
    home.lines[1].close()
    home.lines.pop(), home.events.pop(), home.heard.pop()
    home.server._listener.shutdown(socket.SHUT_RDWR)
    late = home.server.ports[1]
    home.run(2)
    with pytest.raises(LineError, match="正在重新打开"):
        home.server.open(late.slot)
    home.run(60)
    home.server.open(late.slot)
    assert late.told() == []


def test_closing_one_line_leaves_the_others(house) -> None:
    home = house(2)
    home.call("1")
    home.run(5)
    home.lines[0].close()
    home.lines.pop(0), home.events.pop(0), home.heard.pop(0)
    home.call("2")
    home.run(5)
    assert home.states() == ["off-hook"]
