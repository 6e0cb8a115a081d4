"""`hotline prompts`: what callers hear, on the command line.

`build` makes the audio that ships with the package; everything else works on one centre's state folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from ...voice import audiofile, build, overrides, reading, synthesis
from ...voice.catalogue import PROMPTS, Catalogue, CatalogueError, Prompt
from ...voice.synthesis import Voice
from . import ConfigOption, errors, fail, load_settings, output

app = typer.Typer(no_args_is_help=True, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})

Key = Annotated[str, typer.Argument(help="提示音的名称，如 P01；hotline prompts list 列出全部。", metavar="KEY")]
VoiceOption = Annotated[str, typer.Option("--voice", help="espeak-ng 的嗓音。")]
RateOption = Annotated[int, typer.Option("--rate", min=80, max=300, help="语速，每分钟音节数。")]
USUAL = Voice()


@app.command("list")
def list_(
    find: Annotated[str, typer.Argument(help="只列出名称、文字或分组里有这几个字的。")] = "",
    config: ConfigOption = None,
) -> None:
    """列出提示音：名称、秒数、来源、文字。不写 --config 时只看出厂的。"""
    catalogue = _catalogue()
    own = overrides.current(load_settings(config).service.state) if config else {}
    table = Table("名称", "秒", "来源", box=None, pad_edge=False)
    table.add_column("文字", overflow="fold")
    table.add_column("说明", overflow="fold")
    for key, prompt in catalogue.items():
        version = own.get(key)
        text = (version.text if version else "") or prompt.text
        if find and find not in f"{key} {prompt.group} {text}":
            continue
        source = f"本中心第 {version.number} 版" if version else "出厂"
        path = version.path if version else build.path(key)
        table.add_row(key, _seconds(path), source, text, prompt.remark)
    output.print(table)


@app.command("build")
def build_(
    voice: VoiceOption = USUAL.name,
    rate: RateOption = USUAL.rate,
    out: Annotated[Path | None, typer.Option("--out", help="存到这个文件夹；不写时更新软件自带的音频。")] = None,
) -> None:
    """按目录合成全部提示音，只做文字或嗓音有变化的。"""
    catalogue, folder, chosen = _catalogue(), out or PROMPTS, Voice(voice, rate)
    with _sentences(), Progress(console=errors, transient=True) as bar:
        folder.mkdir(parents=True, exist_ok=True)
        task = bar.add_task("合成", total=len(build.stale(catalogue, chosen, folder)))
        made = build.build(catalogue, chosen, folder, lambda key: bar.advance(task))
    output.print(f"{len(catalogue)} 条提示音，新合成 {len(made)} 条：{folder}", markup=False, soft_wrap=True)


@app.command("import")
def import_(
    key: Key,
    file: Annotated[
        Path, typer.Argument(help="录音文件：WAV、FLAC、OGG、MP3 等，任何采样率和声道数。", metavar="FILE")
    ],
    config: ConfigOption = None,
    text: Annotated[str, typer.Option("--text", help="录音里说的话；不写时沿用现在的文字。")] = "",
) -> None:
    """用自己的录音替换一条提示音；旧的一版保留。正在运行的服务从下一通电话起播放新的。"""
    prompt, state = _prompt(key), load_settings(config).service.state
    with _sentences():
        samples = audiofile.normalise(audiofile.trim(audiofile.read(file)))
        if samples.size == 0:
            fail(f"{file}：文件里只有静音")
        version = overrides.add(state, key, samples, text or _text_now(state, prompt))
    output.print(f"{key} 现在是 {version.path}（{_seconds(version.path)} 秒）", markup=False, soft_wrap=True)


@app.command("write")
def write(
    key: Key,
    text: Annotated[str, typer.Argument(help="新的文字。", metavar="TEXT")],
    config: ConfigOption = None,
) -> None:
    """改一条提示音的文字并合成；旧的一版保留。"""
    _prompt(key)
    settings = load_settings(config)
    said = reading.aloud(text, settings.speech.style, settings.speech.yao)
    if not said:
        fail(f"{key}：文字不能是空的")
    with _sentences():
        samples = synthesis.speak(said, Voice(settings.speech.voice, settings.speech.rate))
        version = overrides.add(settings.service.state, key, samples, text)
    output.print(f"{key} 现在是 {version.path}（{_seconds(version.path)} 秒）", markup=False, soft_wrap=True)


@app.command("restore")
def restore(
    key: Key,
    number: Annotated[int, typer.Option("--version", min=0, help="回到第几版；0 是出厂的。")] = 0,
    config: ConfigOption = None,
) -> None:
    """回到出厂的或以前的一版；现在的一版也保留。"""
    prompt, state = _prompt(key), load_settings(config).service.state
    versions = {version.number: version for version in overrides.history(state, key)}
    if number and number not in versions:
        fail(f"{key} 没有第 {number} 版，已有：{'、'.join(map(str, versions)) or '无'}")
    with _sentences():
        path = versions[number].path if number else build.path(key)
        text = versions[number].text if number else prompt.text
        version = overrides.add(state, key, audiofile.read_pcm(path), text)
    output.print(f"{key} 现在是 {version.path}", markup=False, soft_wrap=True)


@app.command("check")
def check(config: ConfigOption = None) -> None:
    """检查提示音：缺少的、和文字对不上的、读不出的。有问题时退出码为 1。"""
    catalogue = _catalogue()
    faults = [f"{key}：音频与文字不符或缺少，请运行 hotline prompts build" for key in build.stale(catalogue, USUAL)]
    faults += [f"{path}：目录里没有这条提示音" for path in build.orphans(catalogue)]
    own = overrides.current(load_settings(config).service.state) if config else {}
    for key, version in own.items():
        if key not in catalogue:
            faults.append(f"{version.path}：目录里没有名为 {key} 的提示音")
        try:
            audiofile.read_pcm(version.path)
        except audiofile.AudioError as error:
            faults.append(f"{error}；现在播放的是出厂的")
    for fault in faults:
        errors.print(f"✗ {fault}", style="red", markup=False, soft_wrap=True)
    if faults:
        raise typer.Exit(1)
    output.print(f"✓ {len(catalogue)} 条提示音齐全，与文字一致；本中心自己的 {len(own)} 条。")


@app.command("say")
def say(
    text: Annotated[str, typer.Argument(help="要念的文字，或提示音的名称。", metavar="TEXT")],
    out: Annotated[Path, typer.Argument(help="存成这个 WAV 文件。", metavar="OUT.wav")],
    voice: VoiceOption = USUAL.name,
    rate: RateOption = USUAL.rate,
) -> None:
    """把文字合成到文件里听一听：数字、日期、金额、号码照电话里的念法。"""
    catalogue = _catalogue()
    said = catalogue[text].aloud if text in catalogue else reading.aloud(text)
    if not said:
        fail("没有可念的文字")
    with _sentences():
        audiofile.write(out, synthesis.speak(said, Voice(voice, rate)))
    output.print(f"{said}\n{out}（{_seconds(out)} 秒）", markup=False, soft_wrap=True)


@contextmanager
def _sentences() -> Iterator[None]:
    """What can go wrong outside this program ends the command with a sentence."""
    try:
        yield
    except (audiofile.AudioError, synthesis.SynthesisError, CatalogueError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or ''}：{error.strerror or error}")


def _catalogue() -> Catalogue:
    with _sentences():
        return Catalogue.load()


def _prompt(key: str) -> Prompt:
    with _sentences():
        return _catalogue()[key]


def _text_now(state: Path, prompt: Prompt) -> str:
    version = overrides.current(state).get(prompt.key)
    return (version.text if version else "") or prompt.text


def _seconds(path: Path) -> str:
    """How long a recording lasts, or a dash where it cannot be read."""
    try:
        return f"{audiofile.read_pcm(path).size / audiofile.RATE:.1f}"
    except audiofile.AudioError:
        return "–"
