"""dsp/bursts.py: where sounds begin and end, to a millisecond or two, whatever surrounds them."""

from __future__ import annotations

import numpy as np
import pytest
from hotline.dsp import generate
from hotline.dsp.bursts import Bursts
from hotline.dsp.generate import mix, noise, silence
from hotline.dsp.levels import RATE, ms
from hotline.dsp.tonebank import HOP, Bank, Sound

SOUNDS = [Sound((450.0,), 25.0, -40.0)]


def found(samples):
    """(burst, steady) of everything the bank and Bursts make of one line."""
    bank, bursts, opened, result = Bank(1, SOUNDS), Bursts(1, 1, Bank(1, SOUNDS).lead), None, []
    for at in range(0, len(samples), bursts.most * HOP):
        for edge in bursts.add(bank.feed(samples[None, at : at + bursts.most * HOP])).get(0, []):
            if edge.begins and opened is None:
                opened = edge.hop
            elif not edge.begins and opened is not None:
                result.append(bursts.measure(0, 0, bursts.beginning(0, 0, opened), edge.hop))
                opened = None
    return result


@pytest.mark.parametrize("duration", [60, 100, 350, 1000])
@pytest.mark.parametrize("offset", [0, 17, 41, 79])
def test_edges(duration, offset):
    samples = np.concatenate([silence(200), silence(200)[:offset], generate.tone(455, duration, -18), silence(200)])
    ((burst, steady),) = found(samples)
    assert steady
    assert burst.start == pytest.approx(ms(200) + offset, abs=ms(3))
    assert burst.end == pytest.approx(ms(200 + duration) + offset, abs=ms(3))
    assert burst.frequency == pytest.approx(455, abs=0.5)
    assert burst.level_dbm0 == pytest.approx(-18, abs=0.2)


@pytest.mark.parametrize(("duration", "count"), [(20, 0), (60, 1)])
def test_what_is_too_short_is_no_burst(duration, count):
    steady = [burst for burst, steady in found(np.concatenate([silence(99), generate.tone(450, duration), silence(99)]))
              if steady]  # fmt: skip
    assert len(steady) == count


@pytest.mark.parametrize(("gap", "count"), [(20, 1), (60, 2)])
def test_a_lost_frame_is_bridged_and_a_pause_is_not(gap, count):
    tone = generate.tone(450, 200)
    assert len(found(np.concatenate([silence(99), tone, silence(gap), tone, silence(99)]))) == count


def test_a_weaker_sound_running_into_a_burst_does_not_belong_to_it():
    weak = generate.tone(460, 300, -30)
    ((burst, steady),) = found(np.concatenate([silence(100), weak, generate.tone(450, 350, -12), weak, silence(100)]))
    assert steady
    assert burst.start == pytest.approx(ms(400), abs=ms(12))
    assert burst.end == pytest.approx(ms(750), abs=ms(12))


def test_crosstalk_in_the_pauses_does_not_hide_them():
    on = generate.cadence([450], [(0.35, 0.35)], 2.1, -10)
    bursts = found(mix(on, generate.tone(450, 2100, -26)))
    assert [burst.end - burst.start for burst, _ in bursts] == pytest.approx([ms(350)] * 3, abs=ms(10))


def test_gliding_and_swelling_sounds_are_not_steady():
    time = np.arange(RATE // 2) / RATE
    glide = generate.to_int16(8000 * np.sin(2 * np.pi * (430 * time + 40 * time**2)))
    swell = generate.to_int16(generate.tones([450], [0], RATE // 2) * np.interp(time, [0, 0.5], [0.1, 1]))
    for sound in (glide, swell):
        for burst, steady in found(np.concatenate([silence(100), sound, silence(100)])):
            assert not steady or burst.end - burst.start < ms(300)


def test_a_burst_longer_than_what_is_kept():
    ((burst, steady),) = found(np.concatenate([silence(100), generate.tone(450, 9000), silence(100)]))
    assert steady
    assert burst.end == pytest.approx(ms(9100), abs=ms(3))
    assert burst.start == pytest.approx(ms(100), abs=ms(20))


def test_noise_moves_edges_by_no_more_than_the_slack_of_cadences():
    rng = np.random.default_rng(7)
    tone = np.concatenate([silence(300), np.tile(np.concatenate([generate.tone(450, 100, -15), silence(100)]), 20)])
    bursts = found(mix(tone, noise(len(tone) * 1000 / RATE, -25, rng)))
    assert len(bursts) == 20
    assert [burst.end - burst.start for burst, _ in bursts] == pytest.approx([ms(100)] * 20, abs=ms(12))
