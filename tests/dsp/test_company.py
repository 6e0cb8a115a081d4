"""What sounds beside two tones."""

import numpy as np
from hotline.dsp import company, generate, levels
from hotline.dsp.company import RECENT


def test_what_is_left_is_measured_where_it_is():
    hertz = np.array([[770.0, 1336.0]] * 4, np.float32)
    others = [1040.0, 230.0, 305.0, 2500.0]
    lines = [generate.tones([770.0, 1336.0, other], [-10.0, -10.0, -16.0], RECENT) for other in others]
    left = company.rest(company.residual(np.array(lines, np.float32), np.full(4, RECENT), hertz))
    size, spread = levels.amplitude(-16.0), levels.ratio(-20)
    assert (left.strongest > 0.8 * size).tolist() == [True, False, False, True]
    assert (left.voice > 0.8 * size).tolist() == [False, True, False, False]
    assert (left.under > 0.8 * size).tolist() == [False, False, True, False]
    assert (left.median < spread * size).all()
