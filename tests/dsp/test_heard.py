"""What is told of keys, and when: onsets at once, releases a little later, each line's in order."""

import numpy as np
from hotline.dsp import dtmf, generate, levels
from hotline.dsp.dtmf import STEP, TOLD
from hotline.dsp.heard import ENDED, ROWS, START, Ended, Heard, Onset


def ended(lanes):
    known = np.ones((ROWS, len(lanes)))
    known[START], known[ENDED] = 1000, 1800
    return Ended(lanes, lanes, np.full(len(lanes), 5), known, np.full(len(lanes), 200))


def told(events):
    return [(type(event).__name__, event.line) for event in events]


def test_a_release_has_its_figures_since_the_call_began():
    heard = Heard()
    heard.add([2], [Onset(2, "5", 1100)])
    heard.let_go(ended(np.array([0, 2])))
    events = heard.take()
    assert told(events) == [("Onset", 2), ("Digit", 0), ("Digit", 2)]
    assert (events[1].digit, events[1].start, events[1].end) == ("5", 800, 1600)
    assert heard.take() == []


def test_all_is_told_lane_by_lane_of_those_that_count():
    heard = Heard()
    heard.add([2, 0], [Onset(2, "1", 2000), Onset(0, "2", 2000)])
    heard.let_go(ended(np.array([0, 1, 2])))
    events = heard.take_by_lanes([True, False, True])
    assert told(events) == [("Onset", 0), ("Digit", 0), ("Onset", 2), ("Digit", 2)]


def beside_a_long_key(lead, reset_at=None):
    """The positions at which events of the second line came; the first keeps a key down all the time."""
    short = np.concatenate([np.zeros(lead, np.int16), generate.dtmf("5", 70, 400)])
    signal = np.stack([generate.dtmf("1", 600, 0)[: len(short)], short])
    detector, came = dtmf.Detector(2), {}
    for at in range(0, len(short) - STEP, STEP):
        if at == reset_at:
            detector.reset(1)
        came |= {type(event): at + STEP for event in detector.feed(signal[:, at : at + STEP]) if event.line == 1}
    return came


def test_a_key_let_go_is_told_of_within_a_few_ticks():
    end = levels.ms(70)
    waits = [beside_a_long_key(lead)[dtmf.Digit] - lead - end for lead in range(0, TOLD, 40)]
    assert max(waits) <= TOLD + levels.ms(60)
    assert min(waits) < TOLD


def test_a_key_of_an_earlier_call_is_not_told_of():
    for reset_at in range(levels.ms(60), levels.ms(140), STEP):
        assert set(beside_a_long_key(0, reset_at)) == {dtmf.Onset}
