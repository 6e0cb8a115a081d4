"""`hotline call`: a scripted caller, on a simulated line in virtual time; with --to over AudioSocket in real time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from . import ConfigOption, address, fail, load_settings, output, sentences

if TYPE_CHECKING:
    from ...voice.audiofile import Samples
    from ..web_call import Entry


def call(
    script: Annotated[str, typer.Argument(help='依次做什么，例如 "1 1 990101198503070017# 135790"；见 README。')],
    config: ConfigOption = None,
    wav: Annotated[Path | None, typer.Option("--wav", help="来电人说的话：接通后播放这个声音文件。")] = None,
    heard: Annotated[Path | None, typer.Option("--heard", help="把来电人听到的一切存成 WAV 文件。")] = None,
    number: Annotated[str, typer.Option("--number", help="来电号码。")] = "13900000000",
    to: Annotated[
        str | None,
        typer.Option("--to", help="打给正在运行的服务：audiosocket 线路的 地址:端口。通话会留在它的记录里。"),
    ] = None,
    token: Annotated[str, typer.Option("--token", help="那里设的口令。")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="每件事一行 JSON。")] = False,
) -> None:
    """打一个电话：按脚本按键，打印谁在什么时候说了什么。不写 --config 时用演示数据；写了也不留记录。"""
    from ...voice import audiofile
    from ..caller import ScriptError

    with sentences():
        speech = audiofile.read(wav) if wav else None
        try:
            entries, sound = (
                _remote(to, script, number, token, speech) if to else _rehearsed(config, script, number, speech)
            )
        except ScriptError as error:
            fail(str(error))
    if heard:
        audiofile.write(heard, sound)
    if as_json:
        for entry in entries:
            print(json.dumps({"at": round(entry.at, 2), "who": entry.who, "text": entry.text}, ensure_ascii=False))
        return
    table = Table("秒", "谁", "说了什么", box=None, pad_edge=False)
    for entry in entries:
        table.add_row(f"{entry.at:.2f}", entry.who, entry.text)
    output.print(table)


def _rehearsed(
    config: Path | None, script: str, number: str, speech: Samples | None
) -> tuple[Sequence[Entry], Samples]:
    """What was said and heard in a call to a service of our own."""
    from .. import demo, rehearsal

    with TemporaryDirectory(prefix="hotline-") as scratch:
        settings = load_settings(config) if config else demo.prepare(Path(scratch, "demo")).settings
        told = rehearsal.call(settings, script, number, speech, Path(scratch, "call"))
    return told.entries, told.heard


def _remote(to: str, script: str, number: str, token: str, speech: Samples | None) -> tuple[Sequence[Entry], Samples]:
    """What was done and heard in a call to a running service."""
    from ...drivers.audiosocket.caller import CallError
    from ..caller import parse
    from ..remote import NotTaken, call

    host, port = address("--to", to)
    try:
        caller = call(host, port, parse(script), number, token, speech)
    except (CallError, NotTaken) as error:
        fail(str(error))
    return caller.entries, caller.telephone.heard
