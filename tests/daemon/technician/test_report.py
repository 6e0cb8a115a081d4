"""One file with everything in it."""

from __future__ import annotations

import base64
import re
from datetime import datetime

import numpy as np
import pytest
from hotline.config import tones
from hotline.daemon.cli import plot
from hotline.daemon.technician import report
from hotline.daemon.technician.examination import Called, Findings
from hotline.daemon.technician.measures import DialTone, Echo, Quiet
from hotline.dsp import generate

AT = datetime(2026, 11, 21, 9, 30)
BUSY = tones.load("cn").tones["busy"]


def found() -> Findings:
    return Findings(
        "<1>",
        "sound",
        connected=True,
        dial_tone=DialTone((450.0,), (), -10.0),
        silent=True,
        quiet=Quiet(-65.0, -70.0, 0.0),
        echo=Echo(20.0, 24.0, tuple(np.hanning(256).tolist())),
        echo_looked_for=True,
        called=Called(2, None, -20.0, BUSY, -10.0, ""),
        marks=[(0.0, "挂机"), (1.0, "摘机")],
        received=generate.tone(450, 3000),
        sent=generate.silence(3000),
    )


@pytest.fixture(scope="module", autouse=True)
def _fonts_open() -> None:
    """matplotlib keeps the fonts it has used open; it shall have done so before a test counts open files."""
    report.html(found(), AT)


def test_figures_verdict_tone_and_pictures() -> None:
    page = report.html(found(), AT)
    assert "线路 &lt;1&gt;（sound），2026-11-21 09:30" in page
    assert "能用，但要看一看：来电号码、挂机音" in page
    assert "[tones.own_busy]" in page
    pictures = [base64.b64decode(data) for data in re.findall(r'base64,([^"]+)"', page)]
    assert [picture[:4] for picture in pictures] == [b"\x89PNG"] * 2
    assert not re.findall(r"(?:src|href)=\"(?!data:)", page), "nothing is fetched from anywhere"


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plot, "missing", lambda: "画图需要 matplotlib")
    page = report.html(found(), AT)
    assert "画图需要 matplotlib" in page
    assert "base64" not in page


def test_the_section_is_one_a_plan_can_hold(tmp_path) -> None:
    plan = tmp_path / "own.toml"
    plan.write_text(f'country = "-"\nsource = "-"\n{report.section(BUSY)}', encoding="utf-8")
    assert tones.load(plan).tones["own_busy"] == BUSY
