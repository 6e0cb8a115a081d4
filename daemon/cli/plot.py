"""A recording as a picture: spectrogram and level, with everything that was heard in it, and what was refused.

matplotlib is an extra of the package and takes a second to load; only what draws imports it. Labels are Chinese where
a font for them is installed, and English elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...dsp.generate import HIGH, KEYS, LOW
from ...dsp.goertzel import hann
from ...dsp.levels import FULL_SCALE_DBM0, RATE, amplitude, ms, power_dbm0
from . import refusals

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...voice.audiofile import Samples

FORMATS = (".png", ".svg")
WINDOW = 256  # samples, 32 ms: keys stand apart in time, their tones in frequency
COLUMNS = 3000  # of a spectrogram at most: more than a screen has
DEEP = 70.0  # dB from the brightest to the darkest
LEVEL = ms(20)
LOWEST = -70.0  # dBm0, bottom of the level's axis
SIZE = (12.0, 6.0)  # inches for a channel; longer recordings are wider
SECONDS_AN_INCH = 2.0
WIDEST = 40.0

FONTS = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "SimHei",
    "PingFang SC",
    "Heiti SC",
)
CHINESE = {"time": "秒", "level": "电平（dBm0）", "channel": "声道 {}", "refused": "未认：{}", "caller": "来电号码"}
ENGLISH = {"time": "s", "level": "level (dBm0)", "channel": "channel {}", "refused": "not {}", "caller": "caller id"}

REFUSED_BELOW = 500.0  # Hz from one row of the texts about refused keys to the next,
REFUSED_ROWS = 3  # so that neighbours do not stand on each other
HEARD, TONE, REFUSED, CALLER = "#7fff7f", "#7fdfff", "#ff5050", "#ffd040"


def missing() -> str | None:
    """What is not there for drawing, as a sentence; None if all is."""
    if find_spec("matplotlib") is None:
        return "画图需要 matplotlib，没有安装；请运行 pip install 'hotline[plot]'"
    return None


def draw(out: Path, title: str, samples: Samples, records: Sequence[dict[str, Any]], texts: dict[str, str]) -> None:
    """Draw int16 samples of shape (channels, n) and the records `hotline listen` makes of them, as `out`'s suffix says.
    `texts` are the tones' names for people. Raises OSError."""
    import matplotlib
    from matplotlib.figure import Figure

    font = chinese_font()
    words = CHINESE if font else ENGLISH
    names = texts if font else {}
    width = min(max(SIZE[0], samples.shape[1] / RATE / SECONDS_AN_INCH), WIDEST)
    with matplotlib.rc_context({"font.family": [font, "DejaVu Sans"] if font else ["DejaVu Sans"]}):
        figure = Figure(figsize=(width, SIZE[1] * len(samples)), layout="constrained")
        shown = title if font else title.encode("ascii", "replace").decode()
        figure.suptitle(shown, parse_math=False)
        heights = [3, 1] * len(samples)
        axes = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for line, channel in enumerate(samples):
            own = [record for record in records if record.get("channel", 1) == line + 1]
            above, below = axes[2 * line], axes[2 * line + 1]
            _spectrogram(above, channel)
            _levels(below, channel, own, words)
            if len(samples) > 1:
                above.set_title(words["channel"].format(line + 1), loc="left", fontsize=9)
            for number, record in enumerate(own):
                _mark(above, record, words, names, 3550 - REFUSED_BELOW * (number % REFUSED_ROWS))
        axes[-1].set_xlabel(words["time"])
        figure.savefig(out, dpi=110, metadata={"Date": None} if out.suffix.lower() == ".svg" else None)


def chinese_font() -> str | None:
    """An installed font that has Chinese."""
    from matplotlib import font_manager

    installed = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in FONTS if name in installed), None)


def spectrogram(samples: Samples) -> tuple[NDArray[np.float64], int]:
    """Level of a sine in dBm0 by frequency and time, shape (129, columns), and the samples from column to column."""
    hop = max(WINDOW // 4, len(samples) // COLUMNS)
    padded = np.pad(samples, (WINDOW // 2, WINDOW // 2))
    at = np.arange(0, len(padded) - WINDOW + 1, hop)
    window = hann(WINDOW) * 2 / hann(WINDOW).sum()
    size = np.abs(np.fft.rfft(padded[at[:, None] + np.arange(WINDOW)] * window)).T
    level: NDArray[np.float64] = 20 * np.log10(np.maximum(size, 1e-3) / amplitude(0.0))
    return level, hop


def _spectrogram(axes: Axes, samples: Samples) -> None:
    level, hop = spectrogram(samples)
    top = max(float(level.max()), LOWEST + DEEP / 2)
    half, end = hop / RATE / 2, (level.shape[1] - 0.5) * hop / RATE
    bounds = (-half, end, -RATE / WINDOW / 2, RATE / 2 + RATE / WINDOW / 2)
    axes.imshow(level, cmap="magma", origin="lower", aspect="auto", extent=bounds, vmin=top - DEEP, vmax=top)
    axes.set_xlim(0, max(len(samples) / RATE, 0.02))
    axes.set_ylim(0, RATE / 2)
    axes.set_ylabel("Hz")


def _levels(axes: Axes, samples: Samples, records: Sequence[dict[str, Any]], words: dict[str, str]) -> None:
    padded = np.pad(samples, (0, -len(samples) % LEVEL))
    level = np.maximum(power_dbm0(padded.reshape(-1, LEVEL)), LOWEST)
    axes.plot((np.arange(len(level)) + 0.5) * LEVEL / RATE, level, color="#404040", linewidth=0.8)
    for record in records:
        if record["event"] == "dtmf":
            axes.hlines(record["level_dbm0"], record["start"], record["end"], colors="#008000", linewidth=2.5)
        elif record["event"] == "tone":
            first, last = (int(record[edge] * RATE) // LEVEL for edge in ("start", "end"))
            loudest = level[first : last + 1].max(initial=LOWEST)
            axes.hlines(loudest, record["start"], record["end"], colors="#0060c0", linewidth=1.5)
    axes.set_ylim(LOWEST, FULL_SCALE_DBM0 + 3)
    axes.set_ylabel(words["level"])
    axes.grid(visible=True, alpha=0.3)


def _mark(axes: Axes, record: dict[str, Any], words: dict[str, str], names: dict[str, str], refused_at: float) -> None:
    """One event: where it was from and to, at which frequencies, when it was decided, and what."""
    start, end = record["start"], record["end"]
    if record["event"] in ("dtmf", "refused"):
        heard = record["event"] == "dtmf"
        colour = HEARD if heard else REFUSED
        tones = set.intersection(*(_tones(key) for key in record["digit"]))  # of four keys: the one that was there
        axes.hlines(list(tones), start, end, colors=colour, linestyles="solid" if heard else "dotted", linewidth=2)
        if heard:
            _label(axes, start, 3900, record["digit"], colour, size=12)
        else:
            refused = words["refused"].format(record["digit"])
            _label(axes, start, refused_at, f"{refused}\n{_why(record, words)}", colour)
    elif record["event"] == "tone":
        axes.hlines([record["frequency"]], start, end, colors=TONE, linewidth=1.5)
        axes.axvline(record["declared"], color=TONE, linestyle="dashed", linewidth=0.8)
        _label(axes, start, record["frequency"] + 260, names.get(record["name"], record["name"]), TONE)
    else:
        axes.axvspan(start, end, color=CALLER, alpha=0.2)
        _label(axes, start, 3000, f"{words['caller']} {record['number'] or record['reason']}", CALLER)


def _tones(key: str) -> set[float]:
    row, column = divmod(KEYS.index(key), 4)
    return {LOW[row], HIGH[column]}


def _why(record: dict[str, Any], words: dict[str, str]) -> str:
    """What was measured, and the limit."""
    if words is CHINESE:
        return refusals.described(record).replace("，", "\n")
    return f"{record['check']}\n{record['value']:g} / {record['limit']:g} {record['unit']}"


def _label(axes: Axes, at: float, height: float, text: str, colour: str, size: float = 8) -> None:
    """On a dark ground, for what lies behind may be of any colour."""
    ground = {"facecolor": "black", "alpha": 0.6, "edgecolor": "none", "pad": 1.5}
    axes.text(at, height, text, color=colour, va="top", fontsize=size, clip_on=True, parse_math=False, bbox=ground)
