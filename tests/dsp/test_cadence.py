"""dsp/cadence.py: what bursts make up, told as bursts, without a sample of sound."""

from __future__ import annotations

import pytest
from hotline.config import tones
from hotline.dsp.bursts import Burst
from hotline.dsp.cadence import Cadence, Found, Lost, patterns
from hotline.dsp.levels import ms

CN = tones.load("cn")
SOUNDS = {(450.0,): 0, (950.0,): 1, (1100.0,): 2, (2100.0,): 3}
KNOWN = patterns(CN.tones, SOUNDS)
LATE = ms(60)


def bursts(*pairs, at=0, sound=0, frequency=450.0, level=-10.0):
    """Bursts of these (on, off) milliseconds, one after the other."""
    result = []
    for on, off in pairs:
        result.append(Burst(sound, at, at + ms(on), frequency, level))
        at += ms(on + off)
    return result


def hear(heard, steady=True, until=None):
    cadence = Cadence([pattern for pattern in KNOWN if not pattern.tone.continuous], LATE)
    events = []
    for burst in heard:
        events += cadence.expire(burst.start + LATE)
        cadence.begun(burst.sound, burst.start + LATE)
        events += cadence.expire(burst.end + LATE)
        events += cadence.ended(burst, steady)
    return events + list(cadence.expire(until)) if until else events


def names(events):
    return [event.name for event in events if isinstance(event, Found)]


PERIODS = {
    "ringback": [(1000, 4000)],
    "busy": [(350, 350)],
    "congestion": [(700, 700)],
    "unobtainable": [(100, 100), (100, 100), (100, 100), (400, 400)],
    "waiting": [(400, 4000)],
    "toll": [(200, 200), (200, 600)],
}


@pytest.mark.parametrize(
    ("name", "turn"), [(name, turn) for name, steps in PERIODS.items() for turn in range(len(steps))]
)
def test_whatever_burst_of_the_period_is_heard_first(name, turn):
    period = PERIODS[name][turn:] + PERIODS[name][:turn]
    assert names(hear(bursts(*period * 3))) == [name]


@pytest.mark.parametrize(("name", "needed"), [("busy", 2), ("congestion", 2), ("unobtainable", 5), ("toll", 3)])
def test_no_sooner_than_a_period_and_the_next_burst(name, needed):
    heard = bursts(*PERIODS[name] * 3)
    assert names(hear(heard[: needed - 1])) == []
    assert names(hear(heard[:needed])) == [name]


@pytest.mark.parametrize(("on", "off", "named"), [(385, 315, True), (400, 350, False), (350, 410, False)])
def test_each_duration_has_its_own_tolerance(on, off, named):
    assert names(hear(bursts((on, off), (on, off)))) == (["busy"] if named else [])


def test_one_generator_makes_all_bursts():
    first, second = bursts((350, 350), (350, 350))
    assert names(hear([first, second._replace(frequency=454.0)])) == []
    assert names(hear([first, second._replace(level_dbm0=-14.0)])) == []
    assert names(hear([first, second], steady=False)) == []
    assert names(hear([first, second])) == ["busy"]


def test_frequency_and_level_of_the_plan():
    assert names(hear(bursts((350, 350), (350, 350), frequency=477.0))) == []
    assert names(hear(bursts((350, 350), (350, 350), level=-43.0))) == []


def test_another_sound_in_a_pause_is_ignored():
    first, second = bursts((350, 350), (350, 350))
    other = Burst(0, first.end + ms(80), first.end + ms(180), 461.0, -25.0)
    assert names(hear([first, other, second])) == ["busy"]


def test_a_broken_burst_is_put_together_again():
    first, second = bursts((350, 350), (350, 350))
    pieces = [second._replace(end=second.start + ms(120)), second._replace(start=second.start + ms(190))]
    assert names(hear([first, *pieces])) == ["busy"]


def test_it_starts_with_the_first_burst_even_if_that_was_cut_short():
    short = Burst(0, 0, ms(150), 450.0, -10.0)
    events = hear([short, *bursts((350, 350), (350, 350), at=ms(500))])
    assert events == [Found("busy", 0, 450.0, -10.0)]


def test_it_ends_when_the_next_burst_does_not_come():
    heard = bursts(*[(350, 350)] * 4)
    assert hear(heard, until=heard[-1].end + ms(380))[1:] == []
    assert hear(heard, until=heard[-1].end + ms(500))[1:] == [Lost("busy", 0, heard[-1].end)]


def test_it_ends_when_the_next_burst_does_not_fit():
    heard = [*bursts(*[(350, 350)] * 3), *bursts((900, 100), at=ms(2100))]
    assert hear(heard)[1:] == [Lost("busy", 0, ms(1750))]


def test_one_cadence_turns_into_another():
    heard = [*bursts(*[(350, 350)] * 3), *bursts(*[(700, 700)] * 3, at=ms(2100))]
    events = hear(heard)
    assert [(type(event), event.name) for event in events] == [
        (Found, "busy"),
        (Lost, "busy"),
        (Found, "congestion"),
    ]


def test_a_continuous_tone_ends_with_its_burst():
    cadence = Cadence([], LATE)
    dial = next(pattern for pattern in KNOWN if pattern.name == "dial")
    (found,) = cadence.goes_on(dial, Burst(0, 0, ms(1500), 450.0, -10.0))
    assert found == Found("dial", 0, 450.0, -10.0)
    assert cadence.deadline is None
    assert list(cadence.ended(Burst(1, 0, ms(900), 950.0, -20.0), True)) == []
    assert list(cadence.ended(Burst(0, 0, ms(9000), 450.0, -10.0), False)) == [Lost("dial", 0, ms(9000))]


def test_quick_cadences_need_a_second_of_evidence():
    itu = tones.load("itu")
    sounds = {frequencies: at for at, frequencies in enumerate({f: 0 for t in itu.tones.values() for f in t.sounds})}
    needed = {pattern.name: pattern.needed for pattern in patterns(itu.tones, sounds)}
    assert needed == {
        "dial": 1,
        "ringback": 2,
        "busy": 2,
        "congestion": 3,
        "waiting": 3,
        "sit": 3,
        "fax_calling": 2,
        "fax_answer": 1,
    }
