"""The table of drivers, and what a settings file may get wrong about a line."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hotline.config.settings import Line as LineSettings
from hotline.config.settings import SettingsError
from hotline.drivers import DRIVERS, driver, make
from hotline.drivers.line import Line
from hotline.drivers.simulated.line import SimulatedLine


@pytest.mark.parametrize("name", DRIVERS)
def test_every_row_leads_to_a_line(name: str) -> None:
    assert issubclass(driver(name), Line)


def test_driver_is_imported_when_chosen() -> None:
    program = "import sys, hotline.drivers; sys.exit('hotline.drivers.simulated.line' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_keys_reach_the_driver() -> None:
    (line,) = make("7", LineSettings.model_validate({"driver": "simulated", "rings": 3, "noise_dbm0": -50, "seed": 4}))
    assert isinstance(line, SimulatedLine)
    assert line.name == "7"
    assert (line.settings.noise_dbm0, line.settings.seed) == (-50, 4)


def test_one_section_may_be_many_lines() -> None:
    lines = make("hall", LineSettings.model_validate({"driver": "simulated", "count": 3}))
    assert [line.name for line in lines] == ["hall-1", "hall-2", "hall-3"]


def test_a_driver_of_one_port_takes_no_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimulatedLine, "countable", False)
    make("hall", LineSettings.model_validate({"driver": "simulated", "count": 1}))
    with pytest.raises(SettingsError, match=r"\[lines.hall\] count = 3：simulated 的一段只管一个端口"):
        make("hall", LineSettings.model_validate({"driver": "simulated", "count": 3}))


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"driver": "modem"}, '[lines.7] driver = "modem"：没有这种线路驱动，可以写：'),
        ({"noise_dbm": -50}, "[lines.7] noise_dbm：没有这项设置，是不是 noise_dbm0？"),
        ({"noise_dbm0": 5}, "[lines.7] noise_dbm0 = 5：须是 -90 到 0 的数"),
        ({"dropped_frames": "1"}, '[lines.7] dropped_frames = "1"：须是 0 到 1 的数'),
        ({"tones": {"busy": {"hz": 10}}}, "[lines.7.tones.busy] hz = 10：须是 100 到 3400 的整数"),
        ({"tones": {"busy": {"cadence": [0, 0]}}}, "[lines.7.tones.busy] cadence = [0.0, 0.0]：加起来须"),
        ({"release": [{"tone": "besetzt"}]}, '[lines.7.release.0] tone = "besetzt"：须是 dial、ringback'),
    ],
)
def test_mistakes_are_named(keys: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        make("7", LineSettings.model_validate({"driver": "simulated"} | keys))
    assert str(caught.value).startswith(sentence)
