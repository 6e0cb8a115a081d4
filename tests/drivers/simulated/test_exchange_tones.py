"""The tones: level, frequency, cadence, and loops without a seam."""

from __future__ import annotations

import numpy as np
import pytest
from hotline.drivers.line import FRAME
from hotline.drivers.simulated.tones import Player, Stage, Tone, Tones, loop
from hotline.dsp.levels import power_dbm0


@pytest.mark.parametrize("name", list(Tones.model_fields))
def test_level_and_frequency(name: str) -> None:
    tone: Tone = getattr(Tones(), name)
    made = loop(tone)
    on = round((tone.cadence or (1.0,))[0] * 8000)
    assert power_dbm0(made.samples[:on]) == pytest.approx(tone.dbm0, abs=0.05)
    spectrum = np.abs(np.fft.rfft(made.samples[:on], 80_000))
    assert np.argmax(spectrum) / 10 == pytest.approx(tone.hz, abs=1)


@pytest.mark.parametrize("tone", [Tone(), Tone(hz=425), Tone(hz=1633, cadence=(0.38, 0.32))])
def test_no_seam_where_the_loop_begins_anew(tone: Tone) -> None:
    made = loop(tone)
    player = Player(Tones(dial=tone))
    player.start(Stage(tone="dial"))
    ticks = 4 * made.length // FRAME
    played = np.concatenate([player.next() for _ in range(ticks)])
    assert (played == np.resize(made.samples[: made.length], len(played))).all()
    if not tone.cadence:
        ideal = np.sin(2 * np.pi * tone.hz / 8000 * np.arange(len(played))) * np.abs(played).max()
        assert np.abs(played - ideal).max() < 2


def test_frames_cannot_be_scribbled_on() -> None:
    player = Player(Tones())
    for name in ("silence", "busy"):
        player.start(Stage(tone=name))
        with pytest.raises(ValueError, match="read-only"):
            player.next()[:] = 1
