"""`hotline dtmf make`: keys as a telephone, good or bad, sends them; `hotline listen` measures what this makes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer

from ...dsp import g711, generate
from ...dsp.generate import KEYS, Samples
from ...dsp.levels import RATE, ms, rms
from . import fail, output, save

app = typer.Typer(no_args_is_help=True, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})

AROUND = 300.0  # ms of the line before the first key and after the last one's pause
LOUDEST = 3.14  # dBm0: a sine that fills 16 bits
LAWS: dict[str, Callable[[Samples], Samples]] = {
    "linear": lambda samples: samples,
    "alaw": lambda samples: g711.alaw_decode(g711.alaw_encode(samples)),
    "mulaw": lambda samples: g711.mulaw_decode(g711.mulaw_encode(samples)),
}


@app.callback()
def group() -> None:
    """按键音。"""


@app.command()
def make(
    digits: Annotated[str, typer.Argument(metavar="DIGITS", help="按键：0-9 * # A-D，空格不计。")],
    out: Annotated[Path, typer.Argument(metavar="OUT.wav", help="存到这个 WAV 文件。")],
    level: Annotated[float, typer.Option("--level", min=-60, max=LOUDEST, help="较强一音的电平，dBm0。")] = -10.0,
    twist: Annotated[float, typer.Option("--twist", min=-30, max=30, help="高频音减低频音，dB。")] = 0.0,
    deviation: Annotated[
        str, typer.Option("--deviation", metavar="PERCENT[,PERCENT]", help="频率偏差，百分比；两个数为低频音、高频音。")
    ] = "0",
    noise: Annotated[
        float | None, typer.Option("--noise", min=-90, max=0, help="白噪声的电平，dBm0；不写则没有。")
    ] = None,
    on: Annotated[float, typer.Option("--on", min=1, max=10_000, help="每个键按多久，毫秒。")] = 70.0,
    off: Annotated[float, typer.Option("--off", min=0, max=10_000, help="键之间停多久，毫秒。")] = 70.0,
    law: Annotated[Literal["linear", "alaw", "mulaw"], typer.Option("--law", help="经过哪种 G.711 编码。")] = "linear",
    seed: Annotated[int, typer.Option("--seed", help="噪声的种子：同一个数总是同样的噪声。")] = 0,
) -> None:
    """把一串按键存成 WAV：电平、高低频差、频率偏差、噪声、时长、编码都可以设。"""
    keys = "".join(digits.split()).upper()
    if not keys or (wrong := sorted(set(keys) - set(KEYS))):
        fail(f"按键 {digits!r}：" + (f"没有 {'、'.join(wrong)} 键，" if keys else "") + "可用 0-9 * # A-D")
    signal = generate.dtmf(keys, on, off, level, twist, _deviations(deviation)).astype(float)
    signal = np.pad(signal, ms(AROUND))
    if noise is not None:
        signal += np.random.default_rng(seed).standard_normal(len(signal)) * rms(noise)
    save(out, LAWS[law](generate.to_int16(signal)))
    output.print(f"{out}：按键 {keys}，{len(signal) / RATE:.2f} 秒", markup=False, soft_wrap=True)


def _deviations(text: str) -> tuple[float, float]:
    """Per cent of the low and the high tone; one number is both."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or not all(abs(number) <= 10 for number in numbers):
        fail(f"--deviation {text}：须是 -10 到 10 的一个数，或逗号隔开的两个数（低频音,高频音）")
    return numbers[0], numbers[-1]
