"""Sending and receiving without letting go of the interpreter: the same as the socket's own calls."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import numpy as np
import pytest
from hotline.drivers.audiosocket import quick


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def test_what_stands_in_the_message_is_sent(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    message = np.zeros(8, np.uint8)
    send = quick.sender(ours, message[1:])
    for value in (1, 2):
        message[:] = value
        assert send() == 7
        assert theirs.recv(100) == bytes([value]) * 7


def test_what_comes_is_put_in_its_room(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    room = np.zeros(10, np.uint8)
    receive = quick.receiver(ours, room[2:])
    theirs.send(b"abc")
    assert receive() == 3
    assert room.tobytes() == b"\0\0abc\0\0\0\0\0"
    theirs.send(b"0123456789")
    assert receive() == 8
    assert receive() == 2


def test_nothing_to_read_and_the_end(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    receive = quick.receiver(ours, np.zeros(4, np.uint8))
    assert receive() == quick.FAILED
    assert quick.why() in quick.LATER
    theirs.close()
    assert receive() == 0


def test_no_room_is_no_wait(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, _ = pair
    send = quick.sender(ours, np.zeros(65536, np.uint8))
    while send() != quick.FAILED:
        pass
    assert quick.why() in quick.LATER


def test_a_peer_that_is_gone(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.close()
    assert quick.sender(ours, np.zeros(4, np.uint8))() == quick.FAILED
    assert quick.why() == errno.EPIPE
