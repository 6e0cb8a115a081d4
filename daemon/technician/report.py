"""The findings as one HTML file that needs nothing else: verdict, table, what to add to the settings, pictures.

Pictures are drawn where matplotlib is installed; without it the report has none and says so.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from ...config.tones import Tone
from ...dsp.levels import RATE
from ..cli import plot
from .examination import Findings
from .measures import Echo
from .verdict import Finding, findings, verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = {"good": "#1a7f37", "doubtful": "#9a6700", "bad": "#cf222e"}
SIGNS = {"good": "✓", "doubtful": "!", "bad": "✗"}
DEEP = 80.0  # dB between the brightest and the darkest of the spectrogram

PAGE = """<!doctype html>
<html lang="zh"><meta charset="utf-8"><title>线路 {line}</title>
<style>
body {{ font: 16px/1.6 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1f2328 }}
h1 {{ font-size: 1.4rem }} h2 {{ font-size: 1.1rem; margin-top: 2rem }}
.verdict {{ font-size: 1.2rem; padding: .6rem 1rem; color: #fff; border-radius: .4rem }}
table {{ border-collapse: collapse; width: 100% }} td {{ padding: .3rem .8rem .3rem 0; vertical-align: top }}
td:first-child {{ width: 1.5rem }} td:nth-child(2) {{ white-space: nowrap }}
pre {{ background: #f6f8fa; padding: .8rem; overflow-x: auto }} img {{ max-width: 100% }}
</style>
<h1>线路 {line}（{driver}），{at}</h1>
<p class="verdict" style="background: {colour}">{verdict}</p>
<table>{rows}</table>
{tone}
{pictures}
</html>
"""


def html(found: Findings, at: datetime) -> str:
    """The whole page."""
    told = verdict(found)
    tone = found.called.tone if found.called else None
    return PAGE.format(
        line=escape(found.line),
        driver=escape(found.driver),
        at=f"{at:%Y-%m-%d %H:%M}",
        colour=COLOURS[told.level],
        verdict=escape(told.text),
        rows="".join(map(_row, findings(found))),
        tone=_tone(tone) if tone is not None else "",
        pictures=_pictures(found),
    )


def section(tone: Tone) -> str:
    """The entry of a tone plan, as it stands in a plan's file."""
    values = tone.model_dump(mode="json", exclude_defaults=True)
    return "[tones.own_busy]\n" + "".join(
        f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items()
    )


def _row(one: Finding) -> str:
    sign = f'<td style="color: {COLOURS[one.level]}">{SIGNS[one.level]}</td>'
    return f"<tr>{sign}<td>{escape(one.title)}</td><td>{escape(one.text)}</td></tr>"


def _tone(tone: Tone) -> str:
    return f"<h2>来电者挂机后的音，信号音方案里的一节</h2><pre>{escape(section(tone))}</pre>"


def _pictures(found: Findings) -> str:
    if sentence := plot.missing():
        return f"<p>{escape(sentence)}</p>"
    if not len(found.received):
        return ""
    drawn = [("听到的一切", _sound(found))]
    if found.echo is not None:
        drawn.append(("回声：送出一个脉冲，回来的样子", _echo(found.echo)))
    return "".join(f"<h2>{title}</h2>{_embedded(figure)}" for title, figure in drawn)


def _embedded(figure: Figure) -> str:
    file = BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return f'<img src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'


def _sound(found: Findings) -> Figure:
    """Spectrogram of what was received, with what was done when."""
    import matplotlib
    from matplotlib.figure import Figure

    font = plot.chinese_font()
    with matplotlib.rc_context({"font.family": [font, "DejaVu Sans"] if font else ["DejaVu Sans"]}):
        figure = Figure(figsize=(11.0, 3.6), layout="constrained")
        axes = figure.subplots()
        level, hop = plot.spectrogram(found.received)
        top = max(float(level.max()), -40.0)
        extent = (0.0, level.shape[1] * hop / RATE, 0.0, RATE / 2)
        axes.imshow(level, cmap="magma", origin="lower", aspect="auto", extent=extent, vmin=top - DEEP, vmax=top)
        for number, (at, text) in enumerate(found.marks):
            axes.axvline(at, color="#7fdfff", linewidth=0.8)
            axes.text(at, 3900 - 320 * (number % 3), f" {text}" if font else f" {number + 1}", color="white", va="top")
        axes.set_ylabel("Hz")
        axes.set_xlabel("秒" if font else "s")
        figure.draw_without_rendering()
    return figure


def _echo(echo: Echo) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 2.4), layout="constrained")
    axes = figure.subplots()
    taps = np.array(echo.taps)
    first = echo.delay_ms - int(np.abs(taps).argmax()) * 1000 / RATE
    axes.plot(first + np.arange(len(taps)) * 1000 / RATE, taps, color="#0060c0", linewidth=1)
    axes.set_xlabel("ms")
    axes.grid(visible=True, alpha=0.3)
    return figure
