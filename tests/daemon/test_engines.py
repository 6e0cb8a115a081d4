"""Lines shared among processes: who carries which, what the others say, and that they end with the first."""

from __future__ import annotations

import pytest
from hotline import drivers
from hotline.config.settings import Line, Settings, SettingsError
from hotline.daemon import engines
from hotline.daemon.engines import Report
from hotline.daemon.pulse import Pulse
from hotline.daemon.web_call import LineState
from hotline.drivers import Share
from hotline.drivers.simulated import SimulatedLine


def test_every_line_has_one_process_to_carry_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimulatedLine, "divisible", True)
    row = Line(driver="simulated", count=7)
    parts = [[line.name for line in drivers.make("a", row, Share(index, 3))] for index in range(3)]
    assert parts == [["a-1", "a-4", "a-7"], ["a-2", "a-5"], ["a-3", "a-6"]]


def test_what_cannot_be_divided_belongs_to_the_first() -> None:
    row = Line(driver="simulated", count=3)
    assert [len(drivers.make("a", row, Share(index, 2))) for index in range(2)] == [3, 0]


def test_a_report_arrives_as_it_was_sent() -> None:
    report = Report([LineState("线-1", "simulated", "on-hook", 1.5, None)], Pulse().figures())
    told = report.told()
    assert told.endswith(b"\n")
    assert told.count(b"\n") == 1
    assert Report.parse(told) == report


@pytest.mark.parametrize(
    ("driver", "count", "of", "divisible"),
    [("simulated", 8, 2, False), ("simulated", 2, 3, True), ("unknown", 8, 2, True)],
)
def test_an_engine_without_lines_is_refused(
    monkeypatch: pytest.MonkeyPatch, driver: str, count: int, of: int, divisible: bool
) -> None:
    monkeypatch.setattr(SimulatedLine, "divisible", divisible)
    settings = Settings.model_validate({"service": {"engines": of}, "lines": {"a": {"driver": driver, "count": count}}})
    with pytest.raises(SettingsError, match=rf"engines = {of}：.*count 至少是 {of}"):
        engines.check(settings)


def test_enough_lines_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimulatedLine, "divisible", True)
    for of in (1, 2, 3):
        engines.check(
            Settings.model_validate({"service": {"engines": of}, "lines": {"a": {"driver": "simulated", "count": 3}}})
        )
