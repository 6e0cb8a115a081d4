"""A whole examination of simulated lines, in virtual time: what is reported is what was set."""

from __future__ import annotations

import numpy as np
import pytest
from hotline.config import tones
from hotline.daemon.technician.examination import Findings, be_called, examine
from hotline.daemon.technician.trial import LineFailed, Trial
from hotline.drivers.line import HookState
from hotline.drivers.simulated import exchange
from hotline.drivers.simulated.line import Settings, SimulatedLine
from hotline.drivers.simulated.telephone import KeypadTelephone
from hotline.drivers.simulated.tones import Stage, Tone, Tones
from hotline.dsp import generate
from hotline.dsp.levels import power_dbm0

PLAN = tones.load("cn")
VOICE = generate.noise(3000, -18, np.random.default_rng(1))


@pytest.fixture(autouse=True)
def _patient_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real ones wait ten seconds and more for the next digit."""
    monkeypatch.setattr(exchange, "ROUTING", 500)


def examined(settings: Settings, digit: str = "1") -> Findings:
    line = SimulatedLine("7", settings)
    line.open()
    found = Findings("7", "simulated")
    try:
        examine(Trial(line, lambda: None), found, digit)
    finally:
        state = line.state
        line.close()
    assert state is HookState.ON_HOOK
    return found


def test_a_perfect_line() -> None:
    found = examined(Settings())
    assert found.connected
    assert found.dial_tone is not None
    assert found.dial_tone.frequencies == pytest.approx((450,), abs=0.2)
    assert found.dial_tone.level_dbm0 == pytest.approx(-10, abs=0.2)
    assert found.silent
    assert found.quiet is not None
    assert found.quiet.noise_dbm0 == -120
    assert found.echo_looked_for
    assert found.echo is None
    assert found.late_frames == 0


@pytest.mark.parametrize("noise", [-60.0, -45.0])
@pytest.mark.parametrize("gain", [0.0, -8.0])
@pytest.mark.parametrize(("loss", "delay_ms"), [(8.0, 4.0), (20.0, 60.0)])
def test_figures_are_the_truth(noise: float, gain: float, loss: float, delay_ms: float) -> None:
    found = examined(
        Settings(noise_dbm0=noise, gain_in_db=gain, hybrid_echo_db=loss, hybrid_echo_ms=delay_ms, dropped_frames=0.0)
    )
    assert found.dial_tone is not None
    assert found.dial_tone.level_dbm0 == pytest.approx(-10 + gain, abs=0.5)
    assert found.quiet is not None
    assert found.quiet.noise_dbm0 == pytest.approx(noise, abs=0.7)
    assert found.echo is not None
    assert found.echo.loss_db == pytest.approx(loss - gain, abs=0.5)
    assert found.echo.delay_ms == pytest.approx(delay_ms + 20, abs=0.5), "a simulated line is a tick away"


def test_lost_frames_are_counted() -> None:
    assert 5 < examined(Settings(dropped_frames=0.1)).late_frames < 80


def test_a_tone_that_goes_on_is_no_silence() -> None:
    found = examined(Settings(), digit="")
    assert found.silent is False
    assert found.quiet is None
    assert not found.echo_looked_for


def test_a_line_without_dial_tone() -> None:
    found = examined(Settings(tones=Tones(dial=Tone(dbm0=-60))))
    assert found.dial_tone is None
    assert found.silent


def test_a_device_that_fails_in_the_midst() -> None:
    line = SimulatedLine("7", Settings(fault_at=3))
    line.open()
    with pytest.raises(LineFailed, match="断开"):
        examine(Trial(line, lambda: None), Findings("7", "simulated"), "1")
    line.close()


def called(settings: Settings, *, calls: bool = True, speaks: bool = True) -> tuple[Findings, list[str]]:
    """A technician with a second telephone, who does as he is told."""
    line = SimulatedLine("7", settings)
    line.open()
    found, said = Findings("7", "simulated"), []
    telephone = KeypadTelephone()
    telephone.wait(1)
    if speaks:
        telephone.say(VOICE)
    trial = Trial(line, lambda: hang_up_when_done())

    def hang_up_when_done() -> None:
        if line.state is HookState.OFF_HOOK and telephone.idle:
            line.exchange.hang_up()

    def say(text: str) -> None:
        said.append(text)
        if calls and len(said) == 1:
            line.exchange.call(telephone, "13800001234")

    try:
        be_called(trial, found, PLAN, say)
    finally:
        line.close()
    return found, said


@pytest.mark.parametrize("caller_id", ["event", "fsk"])
def test_a_call_to_the_line_itself(caller_id: str) -> None:
    found, said = called(Settings(caller_id=caller_id, noise_dbm0=-60))
    assert said == ["请用另一部电话拨打这条线", "已接通：请说几句话，然后挂机"]
    assert found.called is not None
    assert (found.called.rings, found.called.number) == (2, "13800001234")
    assert found.called.voice_dbm0 == pytest.approx(float(power_dbm0(VOICE)), abs=1.5)
    assert found.called.known_as == "busy"
    assert found.called.tone_level_dbm0 == pytest.approx(-10, abs=0.5)


def test_a_busy_tone_nobody_knew() -> None:
    strange = Tones(busy=Tone(hz=620, cadence=(0.25, 0.45)))
    found, _ = called(Settings(caller_id="none", tones=strange))
    assert found.called is not None
    assert found.called.number is None
    assert found.called.known_as == ""
    tone = found.called.tone
    assert tone is not None
    assert tone.frequencies == pytest.approx((620,), abs=2)
    assert tone.cadence == pytest.approx((0.25, 0.45), abs=0.01)
    assert tone.released


def test_a_caller_who_says_nothing_and_no_tone_after_him() -> None:
    silent = Settings(release=(Stage(tone="silence"),))
    found, _ = called(silent, speaks=False)
    assert found.called is not None
    assert found.called.voice_dbm0 is None
    assert found.called.tone is None


def test_nobody_calls() -> None:
    found, _ = called(Settings(), calls=False)
    assert found.nobody_called
    assert found.called is None
