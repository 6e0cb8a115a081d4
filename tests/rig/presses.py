"""What the judge of keys is asked of: keys of every kind, and what is none."""

import numpy as np
from hotline.dsp import generate, levels
from hotline.dsp.keypress import HISTORY


def presses(count, rng):
    """Keys of every kind, in noise and other company, some begun or ended lately: samples and digits."""
    digits = rng.integers(0, len(generate.KEYS), count)
    samples = rng.standard_normal((count, HISTORY)) * 10 ** rng.uniform(0, 3, (count, 1))
    for row, digit in zip(samples, digits, strict=True):
        line = np.zeros(3 * HISTORY)
        key = generate.key(
            generate.KEYS[digit],
            rng.uniform(15, 120),
            level_dbm0=rng.uniform(-50, 0),
            twist_db=rng.uniform(-13, 9),
            deviation_percent=tuple(rng.uniform(-2.6, 2.6, 2)),
        )
        line[HISTORY : HISTORY + len(key)] = key
        end = int(rng.integers(HISTORY + levels.ms(30), HISTORY + levels.ms(110)))
        row += line[end - HISTORY : end]
        if rng.random() < 0.3:
            row += generate.tones([rng.uniform(200, 3000)], [rng.uniform(-40, -5)], HISTORY)
        if rng.random() < 0.1:
            row += generate.tones([rng.uniform(290, 315)], [rng.uniform(-30, -5)], HISTORY)
    return samples.astype(np.float32), digits
