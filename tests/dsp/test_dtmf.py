"""The detector against Q.24, each limit from both sides, and against itself: frames and neighbours change nothing."""

import numpy as np
import pytest
from hotline.dsp import dtmf, generate


def listen(signal, step=160, detector=None):
    """All events of one line's signal fed in frames of `step`, then of the silence that ends the last key."""
    detector = detector or dtmf.Detector(1)
    whole = np.concatenate([signal, generate.silence(100)])[None]
    return [event for k in range(0, whole.shape[1], step) for event in detector.feed(whole[:, k : k + step])]


def keys(events):
    return "".join(event.digit for event in events if isinstance(event, dtmf.Digit))


def test_all_sixteen_keys():
    events = listen(generate.mix(generate.silence(50), generate.dtmf(generate.KEYS, 50, 50)))
    assert keys(events) == generate.KEYS
    assert "".join(event.digit for event in events if isinstance(event, dtmf.Onset)) == generate.KEYS


@pytest.mark.parametrize("step", [1, 7, 80, 159, 160, 161, 5000])
def test_frames_of_any_length_give_the_same_events(step):
    signal = np.concatenate([generate.silence(31), generate.dtmf("19*D", 45, 40, -20.0, -3.0, 1.1)])
    assert listen(signal, step) == listen(signal, len(signal))
