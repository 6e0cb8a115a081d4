"""`hotline listen`: which keys, tones and caller ids recordings contain.

Any format, rate and number of channels; every channel is a line to the same detectors that work on live calls. A file
that cannot be used is one sentence on stderr and exit status 1; the others are still done. Of several files a line
for each says at the end what was heard in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import JustifyMethod
from rich.padding import Padding
from rich.progress import Progress, TaskID
from rich.table import Table

from ...config import tones
from ...config.settings import SettingsError
from ...dsp import callerid, dtmf, progress
from ...dsp.levels import RATE, ms
from ...voice import audiofile
from . import errors, fail, output, plot, refusals

BLOCK = 60 * RATE  # samples fed at once: a minute, for the progress bar's sake
FLUSH = ms(500)  # silence after the end, so that a key or tone that lasts to it is complete

OFF = 0.5  # per cent, by which a key's frequency may be off without a word

WITHOUT_NUMBER = {
    "withheld": "主叫不显示号码",
    "unavailable": "号码不可得",
    "checksum": "校验和不对",
    "short": "收到的不完整",
}

Record = dict[str, Any]


def listen(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="录音文件，格式、采样率、声道数不限；或文件夹：其中所有的录音。"),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="每个事件一行 JSON，时间以秒计。")] = False,
    why: Annotated[bool, typer.Option("--why", help="没认出的按键也列出：哪一项没通过，测得多少，界限多少。")] = False,
    picture: Annotated[
        Path | None,
        typer.Option("--plot", metavar="OUT.png|svg", help="画成频谱图；有几个文件时每个一张，名称里加上文件名。"),
    ] = None,
    plan: Annotated[str, typer.Option("--tones", help="信号音方案：名称或文件。")] = "cn",
) -> None:
    """听录音：按键、信号音、来电号码，各在什么时候。"""
    try:
        tone_plan = tones.load(plan)
    except SettingsError as error:
        fail(str(error))
    files = [file for path in paths for file in _files(path)]
    pictures = _pictures(picture, files) if picture else [None] * len(files)
    heard: list[tuple[Path, list[Record]]] = []
    # What is printed goes past the bar only where both are on the terminal: into a file it must go by itself.
    with Progress(
        console=errors, transient=True, disable=not errors.is_terminal, redirect_stdout=output.is_terminal
    ) as bar:
        task = bar.add_task("听录音", total=len(files))
        for index, (path, out) in enumerate(zip(files, pictures, strict=True)):
            try:
                if path.is_dir():
                    raise audiofile.AudioError(f"{path}：文件夹里没有录音（{'、'.join(audiofile.SUFFIXES)}）")
                samples = audiofile.read_channels(path)
                explain = why or out is not None
                found = events(samples, tone_plan, explain, _progressed(bar, task, index))
                if out:
                    _draw(out, path, samples, found, tone_plan)
            except audiofile.AudioError as error:
                errors.print(f"✗ {error}", style="red", markup=False, soft_wrap=True)
                continue
            finally:
                bar.update(task, completed=index + 1)
            if not why:
                found = [event for event in found if event["event"] != "refused"]
            heard.append((path, found))
            if as_json:
                for event in found:
                    print(json.dumps({"file": str(path), **event}, ensure_ascii=False))
            else:
                _show(path, samples.shape, found, tone_plan)
    if len(heard) > 1 and not as_json:
        _sum_up(heard, tone_plan)
    if len(heard) < len(files):
        raise typer.Exit(1)


def _files(path: Path) -> list[Path]:
    """The recordings in a folder and below it. What is no folder stands for itself, and so does one without any."""
    if not path.is_dir():
        return [path]
    inside = sorted(file for file in path.rglob("*") if file.suffix.lower() in audiofile.SUFFIXES and file.is_file())
    return inside or [path]


def _progressed(bar: Progress, task: TaskID, done: int) -> Callable[[float], None]:
    """Tells the bar what part of a file is done, after so many files."""
    return lambda part: bar.update(task, completed=done + part)


def _pictures(picture: Path, files: Sequence[Path]) -> list[Path | None]:
    """The picture of each file; ends the command if none can be drawn."""
    if picture.suffix.lower() not in plot.FORMATS:
        fail(f"{picture}：图片须以 {' 或 '.join(plot.FORMATS)} 结尾")
    if not picture.parent.is_dir():
        fail(f"{picture}：没有文件夹 {picture.parent}")
    if sentence := plot.missing():
        fail(sentence)
    if len(files) == 1:
        return [picture]
    pictures: list[Path | None] = []
    for path in files:
        number, out = 1, picture.with_stem(f"{picture.stem}-{path.stem}")
        while out in pictures:
            number += 1
            out = picture.with_stem(f"{picture.stem}-{path.stem}-{number}")
        pictures.append(out)
    return pictures


def _draw(out: Path, path: Path, samples: audiofile.Samples, found: list[Record], plan: tones.TonePlan) -> None:
    try:
        plot.draw(out, path.name, samples, found, {name: tone.text for name, tone in plan.tones.items()})
    except OSError as error:
        raise audiofile.AudioError(f"{out}：写不进（{error.strerror}）") from error


def events(
    samples: audiofile.Samples,
    plan: tones.TonePlan,
    explain: bool = False,
    progressed: Callable[[float], object] = lambda part: None,
) -> list[Record]:
    """Everything heard in int16 samples of shape (channels, n), in order of time; with several channels each record
    has its `channel`, counted from 1. With `explain`, refused keys too. `progressed` is told what part is done."""
    channels, count = samples.shape
    found = sorted(_heard(samples, plan, explain, progressed), key=lambda pair: (pair[1]["start"], pair[0]))
    for _, record in found:
        for key in {"start", "end", "declared"} & record.keys():
            record[key] = round(min(record[key], count) / RATE, 3)
    return [record if channels == 1 else record | {"channel": line + 1} for line, record in found]


def _heard(
    samples: audiofile.Samples, plan: tones.TonePlan, explain: bool, progressed: Callable[[float], object]
) -> Iterator[tuple[int, Record]]:
    """(channel, record) with positions still in samples; a tone comes when it has ended, or at the end."""
    channels, count = samples.shape
    keys, sounds = dtmf.Detector(channels, explain=explain), progress.Detector(channels, plan)
    callers = [callerid.Receiver() for _ in range(channels)]
    going_on: dict[int, Record] = {}
    pressed: list[dtmf.Event] = []
    for at in range(0, count + FLUSH, BLOCK):
        block = samples[:, at : at + BLOCK]
        if at + BLOCK >= count:
            block = np.pad(block, ((0, 0), (0, FLUSH)))
        pressed += keys.feed(block)
        for sound in sounds.feed(block):
            if isinstance(sound, progress.Tone):
                going_on[sound.line] = _tone(sound, count)
            else:
                yield sound.line, going_on.pop(sound.line) | {"end": sound.end}
        for line, caller in enumerate(callers):
            yield from ((line, _caller(message)) for message in caller.feed(block[line]))
        progressed(min((at + BLOCK) / count, 1.0))
        if at + BLOCK >= count:
            break
    yield from going_on.items()
    digits = [one for one in pressed if isinstance(one, dtmf.Digit)]
    numbers = [callerid.Keyed() for _ in range(channels)]
    for digit in digits:
        yield digit.line, _digit(digit)
        if told := numbers[digit.line].key(digit.digit, digit.start, digit.end):
            yield digit.line, _caller(told)
    yield from refusals.presses([one for one in pressed if isinstance(one, dtmf.Refused)], digits)


def _digit(digit: dtmf.Digit) -> Record:
    return {
        "event": "dtmf",
        "digit": digit.digit,
        "start": digit.start,
        "end": digit.end,
        "level_dbm0": round(digit.level_dbm0, 1),
        "twist_db": round(digit.twist_db, 1) + 0.0,  # no minus before a zero
        "low_dbm0": round(digit.low_dbm0, 1),
        "high_dbm0": round(digit.high_dbm0, 1),
        "low_percent": round(digit.low_percent, 2) + 0.0,
        "high_percent": round(digit.high_percent, 2) + 0.0,
    }


def _caller(message: callerid.CallerId | callerid.Bad) -> Record:
    """A message that cannot be trusted has no number, and the fault is the reason."""
    if isinstance(message, callerid.Bad):
        message = callerid.CallerId(None, message.fault, start=message.start, end=message.end)
    return {
        "event": "caller_id",
        "number": message.number,
        "reason": message.reason,
        "name": message.name,
        "when": message.when,
        "start": message.start,
        "end": message.end,
    }


def _tone(tone: progress.Tone, end: int) -> Record:
    return {
        "event": "tone",
        "name": tone.name,
        "start": tone.start,
        "end": end,
        "declared": tone.declared,
        "frequency": tone.frequency,
    }


def _show(path: Path, shape: tuple[int, ...], found: list[Record], plan: tones.TonePlan) -> None:
    channels, count = shape
    length = f"{count / RATE:.1f} 秒" + (f"，{channels} 个声道" if channels > 1 else "")
    output.print(f"{path}（{length}）", style="bold", markup=False, soft_wrap=True)
    if not found:
        output.print("  没有按键，没有信号音，也没有来电号码。")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for title in ([""] if channels > 1 else []) + ["开始", "持续", "内容", "说明"]:
        justify: JustifyMethod = "right" if title in ("开始", "持续") else "left"
        table.add_column(title, justify=justify, overflow="fold")
    for event in found:
        channel = [f"声道 {event['channel']}"] if channels > 1 else []
        start, length = _clock(event["start"]), f"{event['end'] - event['start']:.2f} 秒"
        table.add_row(*channel, start, length, *_described(event, plan))
    output.print(Padding(table, (0, 0, 0, 2)))
    if keyed := _keyed(found):
        output.print(f"  按键：{keyed}", markup=False)


def _keyed(found: Sequence[Record]) -> str:
    """The keys of every channel."""
    channels: dict[int, str] = {}
    for event in found:
        if event["event"] == "dtmf":
            channel = event.get("channel", 1)
            channels[channel] = channels.get(channel, "") + event["digit"]
    return "，".join(channels[channel] for channel in sorted(channels))


def _sum_up(heard: Sequence[tuple[Path, list[Record]]], plan: tones.TonePlan) -> None:
    """What was heard in each file, one line each."""
    output.print(f"共 {len(heard)} 个录音：", style="bold")
    for path, found in heard:
        sounds = dict.fromkeys(_described(event, plan)[0] for event in found if event["event"] == "tone")
        numbers = ["，".join(_described(event, plan)) for event in found if event["event"] == "caller_id"]
        said = [f"按键 {keyed}"] if (keyed := _keyed(found)) else []
        output.print(f"  {path}：{'；'.join([*said, *sounds, *numbers]) or '—'}", markup=False, soft_wrap=True)


def _described(event: Record, plan: tones.TonePlan) -> tuple[str, str]:
    if event["event"] == "dtmf":
        off = max(event["low_percent"], event["high_percent"], key=abs)
        told = f"，频率偏 {off:.1f} %" if abs(off) >= OFF else ""
        return f"按键 {event['digit']}", f"{event['level_dbm0']} dBm0，高低频相差 {event['twist_db']} dB{told}"
    if event["event"] == "refused":
        return f"未认作 {event['digit']}", refusals.described(event)
    if event["event"] == "caller_id":
        said = [event["number"] or WITHOUT_NUMBER.get(event["reason"], "没有号码"), event["name"], event["when"]]
        return "来电号码", "，".join(filter(None, said))
    sure = f"{event['declared'] - event['start']:.2f} 秒后判定"
    return plan.tones[event["name"]].text, f"{event['frequency']} Hz，{sure}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:06.3f}"
