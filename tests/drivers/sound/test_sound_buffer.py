"""Frames between two clocks."""

from __future__ import annotations

from hotline.drivers.sound.buffer import CALM, GROWS_TO, Buffer


def test_it_begins_with_the_target_and_with_one_more_when_it_ran_dry() -> None:
    buffer = Buffer(2, 15)
    buffer.push(b"1")
    assert buffer.pull() is None
    buffer.push(b"2")
    assert [buffer.pull() for _ in range(3)] == [b"1", b"2", None]
    assert buffer.gaps == 1
    assert buffer.pull() is None
    assert buffer.gaps == 1, "one gap, however long"
    buffer.push(b"3")
    buffer.push(b"4")
    assert buffer.pull() is None
    buffer.push(b"5")
    assert buffer.pull() == b"3"


def waiting(buffer: Buffer, seconds: int) -> int:
    """Frames that wait after so many even seconds."""
    for _ in range(50 * seconds):
        buffer.push(b"x")
        assert buffer.pull() is not None
    return len(buffer._frames)


def test_it_grows_with_gaps_and_shrinks_in_calm() -> None:
    buffer = Buffer(1, 15)
    for _ in range(20):
        while buffer.pull() is not None:
            pass
        for _ in range(GROWS_TO):
            buffer.push(b"x")
    assert buffer.gaps > GROWS_TO
    for _ in range(GROWS_TO - len(buffer._frames)):
        buffer.push(b"x")
    assert waiting(buffer, 1) >= GROWS_TO - 1
    assert waiting(buffer, GROWS_TO * (CALM + 2)) == 0
    assert buffer.pull() is None


def test_the_oldest_goes_when_it_is_full() -> None:
    buffer = Buffer(1, 3)
    for frame in (b"1", b"2", b"3", b"4"):
        buffer.push(frame)
    assert buffer.pull() == b"2"


def test_lag_is_worked_off_one_frame_a_second() -> None:
    """A clock that is ahead, or a burst: what waits without need for a second goes."""
    buffer = Buffer(2, 15)
    for _ in range(8):
        buffer.push(b"x")
    assert waiting(buffer, 1) == 7
    assert waiting(buffer, 3) == 4
    assert waiting(buffer, 9) == 1
    assert buffer.gaps == 0


def test_cleared_is_no_gap() -> None:
    buffer = Buffer(1, 5)
    buffer.push(b"1")
    buffer.push(b"2")
    assert buffer.pull() == b"1"
    buffer.clear()
    assert buffer.pull() is None
    assert buffer.gaps == 0
