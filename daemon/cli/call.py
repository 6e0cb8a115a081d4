"""`hotline call`: a scripted caller on a simulated line, in virtual time."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.table import Table

from . import ConfigOption, fail, load_settings, output, sentences


def call(
    script: Annotated[str, typer.Argument(help='依次做什么，例如 "1 1 990101198503070017# 135790"；见 README。')],
    config: ConfigOption = None,
    wav: Annotated[Path | None, typer.Option("--wav", help="来电人说的话：接通后播放这个声音文件。")] = None,
    heard: Annotated[Path | None, typer.Option("--heard", help="把来电人听到的一切存成 WAV 文件。")] = None,
    number: Annotated[str, typer.Option("--number", help="来电号码。")] = "13900000000",
    as_json: Annotated[bool, typer.Option("--json", help="每件事一行 JSON。")] = False,
) -> None:
    """打一个电话：按脚本按键，打印谁在什么时候说了什么。不写 --config 时用演示数据；写了也不留记录。"""
    from ...voice import audiofile
    from .. import demo, rehearsal
    from ..caller import ScriptError

    with sentences(), TemporaryDirectory(prefix="hotline-") as scratch:
        settings = load_settings(config) if config else demo.prepare(Path(scratch, "demo")).settings
        speech = audiofile.read(wav) if wav else None
        try:
            told = rehearsal.call(settings, script, number, speech, Path(scratch, "call"))
        except ScriptError as error:
            fail(str(error))
    if heard:
        audiofile.write(heard, told.heard)
    if as_json:
        for entry in told.entries:
            print(json.dumps({"at": round(entry.at, 2), "who": entry.who, "text": entry.text}, ensure_ascii=False))
        return
    table = Table("秒", "谁", "说了什么", box=None, pad_edge=False)
    for entry in told.entries:
        table.add_row(f"{entry.at:.2f}", entry.who, entry.text)
    output.print(table)
