"""How much lies in the device."""

from __future__ import annotations

from hotline.drivers.line import FRAME
from hotline.drivers.modem.pacing import DUPLEX_AHEAD, MOST, PLAY_AHEAD, Outgoing, queue
from hypothesis import given
from hypothesis import strategies as st

SILENCE = b"\xff"


@given(st.lists(st.integers(0, 4 * FRAME), max_size=300))
def test_duplex_is_clocked_by_what_arrives(arrivals):
    """However bursty, and whatever its crystal: the device never has more than 60 ms nor runs dry by our doing."""
    out, waiting, lies = Outgoing(DUPLEX_AHEAD, SILENCE, fill=True), bytearray(), 0
    lies += len(out.take(waiting))
    assert lies == DUPLEX_AHEAD
    for arrived in arrivals:
        lies = max(0, lies - arrived)
        out.played(arrived)
        queue(waiting, b"x" * FRAME, silent=False)
        lies += len(out.take(waiting))
        assert 0 < lies <= DUPLEX_AHEAD
        assert len(waiting) <= MOST


def test_playing_is_clocked_by_ticks():
    out, waiting, lies = Outgoing(PLAY_AHEAD, b"", fill=False), bytearray(), 0
    for _ in range(30):  # written while the modem turned round
        queue(waiting, b"x" * FRAME, silent=False)
    lies = len(out.take(waiting))
    assert lies == PLAY_AHEAD
    for _ in range(20):
        out.played(FRAME)
        assert len(out.take(waiting)) == FRAME


def test_silence_makes_up_for_what_waits():
    waiting = bytearray(b"x" * 3 * FRAME)
    queue(waiting, SILENCE * FRAME, silent=True)
    assert len(waiting) == 3 * FRAME
    queue(waiting, b"y" * FRAME, silent=False)
    assert waiting.endswith(b"y" * FRAME)


def test_a_device_that_ran_dry_is_filled_again():
    out, waiting = Outgoing(DUPLEX_AHEAD, SILENCE, fill=True), bytearray()
    assert len(out.take(waiting)) == DUPLEX_AHEAD
    assert out.take(waiting) == b""
    out.dry()
    assert len(out.take(waiting)) == DUPLEX_AHEAD
