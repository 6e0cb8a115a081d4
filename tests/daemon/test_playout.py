"""What the caller hears is the clips, sample for sample, whatever their lengths."""

import numpy as np
import pytest
from hotline.daemon.playout import Playout
from hotline.drivers.line import FRAME
from hypothesis import given
from hypothesis import strategies as st


class Pool:
    def __init__(self, samples):
        self.pool = samples


class Range:
    def __init__(self, start, end):
        self.start, self.end = start, end


POOL = Pool(np.arange(1, 5001, dtype=np.int16))


def heard(playout, lines, limit=200):
    """All frames until every line has ended; and the tick in which each did."""
    frames, ended = [], {}
    for tick in range(limit):
        out = np.full((lines, FRAME), -1, np.int16)
        for line in playout.fill(out):
            ended[line] = tick
        frames.append(out)
        if not any(playout.playing(line) for line in range(lines)):
            break
    return np.concatenate(frames, axis=1), ended


ranges = st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 700)), max_size=8)


@given(st.lists(ranges, min_size=1, max_size=5))
def test_every_line_hears_its_clips_in_order_and_nothing_else(plan):
    playout = Playout(len(plan), POOL)
    for line, clips in enumerate(plan):
        playout.start(line, [Range(start, min(start + length, 5000)) for start, length in clips])
    sound, ended = heard(playout, len(plan))
    for line, clips in enumerate(plan):
        wanted = np.concatenate(
            [POOL.pool[start : min(start + length, 5000)] for start, length in clips] or [POOL.pool[:0]]
        )
        assert np.array_equal(sound[line, : len(wanted)], wanted)
        assert not sound[line, len(wanted) :].any()
        assert (line in ended) == (len(wanted) > 0)


@pytest.mark.parametrize("length", [1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME])
def test_the_end_is_told_with_the_last_sample(length):
    playout = Playout(1, POOL)
    playout.start(0, [Range(0, length)])
    _, ended = heard(playout, 1)
    assert ended == {0: -(-length // FRAME) - 1}


def test_a_stopped_line_is_silent_and_ends_nothing():
    playout = Playout(2, POOL)
    playout.start(0, [Range(0, 1000)])
    playout.start(1, [Range(0, 1000)])
    playout.stop(0)
    sound, ended = heard(playout, 2)
    assert not sound[0].any()
    assert ended == {1: 6}


def test_a_new_prompt_replaces_the_old_one():
    playout = Playout(1, POOL)
    playout.start(0, [Range(0, 400), Range(400, 800)])
    playout.start(0, [Range(2000, 2100)])
    sound, _ = heard(playout, 1)
    assert np.array_equal(sound[0, :100], POOL.pool[2000:2100])
    assert not sound[0, 100:].any()


def test_the_pool_may_move_while_it_is_played():
    source = Pool(POOL.pool.copy())
    playout = Playout(1, source)
    playout.start(0, [Range(0, 320)])
    out = np.zeros((1, FRAME), np.int16)
    playout.fill(out)
    source.pool = np.concatenate([source.pool, source.pool])
    playout.fill(out)
    assert np.array_equal(out[0], POOL.pool[160:320])
