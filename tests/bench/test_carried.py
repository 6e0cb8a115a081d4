"""What lines carry in measurements of speed."""

import numpy as np
import pytest
from hotline.bench import carried
from hotline.bench.carried import MINUTE
from hotline.config.tones import load
from hotline.dsp import dtmf, progress


@pytest.mark.parametrize("name", carried.SIGNALS | carried.TONE_SIGNALS)
def test_a_signal_is_as_long_as_asked_for(name):
    signal = (carried.SIGNALS | carried.TONE_SIGNALS)[name](np.random.default_rng(1), MINUTE)
    assert (signal.shape, signal.dtype) == ((MINUTE,), np.int16)


def test_a_call_has_its_keys_and_busy_is_busy():
    call = carried.call(np.random.default_rng(2), 2 * MINUTE)
    onsets = [event for event in dtmf.Detector(1).feed(call[None]) if isinstance(event, dtmf.Onset)]
    assert len(onsets) == 54
    tone, *_ = progress.Detector(1, load("cn")).feed(carried.busy(np.random.default_rng(2), MINUTE)[None])
    assert tone.name == "busy"


def test_lines_carry_different_parts_tick_by_tick():
    block = carried.spread(np.tile(np.arange(30000, dtype=np.int16), 20), 1024)
    assert block.shape == (1024, 160 * carried.LEAST_TICKS)
    assert len({int(begin) for begin in block[:50, 0]}) > 40
    assert np.array_equal(np.concatenate(carried.frames(block), axis=1), block)
