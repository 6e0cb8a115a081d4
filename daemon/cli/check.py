"""`hotline check`: is everything there that the service needs?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer
from rich.table import Table
from rich.text import Text

from . import ConfigOption, fail, output

if TYPE_CHECKING:
    from ..check import Finding

MARKS = {"fine": ("✓", "green"), "warning": ("!", "yellow"), "error": ("✗", "red")}


def check(config: ConfigOption = None) -> None:
    """检查设置、流程、提示语、数据库、文件夹：哪里不对，怎么办。有 ✗ 时退出码为 1。"""
    from ...config import settings as file
    from ..check import CHECKS, Finding, findings, usable

    count = {"fine": 0, "warning": 0, "error": 0}

    def show(title: str, found: Iterable[Finding]) -> None:
        listed = list(found)
        _show(title, listed)
        for finding in listed:
            count[finding.level] += 1

    left_out: frozenset[str] = frozenset()
    try:
        path = file.find(config)
    except file.SettingsError as error:
        fail(str(error))
    try:
        settings = file.load(path)
        show("设置", [Finding("fine", str(path))])
    except file.SettingsError as error:
        show("设置", [Finding("error", line) for line in str(error).splitlines()])
        rest = usable(path)
        if rest is None:
            _show("其余各项", [Finding("warning", "设置文件改好以后才能查")])
            raise typer.Exit(1) from None
        settings, left_out = rest
    for title, check in CHECKS.items():
        missing = "、".join(f"[{name}]" for name in sorted(check.needs & left_out))
        show(title, [Finding("warning", f"{missing} 有错，没有查")] if missing else findings(check, settings))
    if count["error"]:
        output.print(f"\n{count['error']} 处要改，{count['warning']} 处提醒。", style="red")
        raise typer.Exit(1)
    output.print(
        f"\n可以运行，{count['warning']} 处提醒。" if count["warning"] else "\n都好，可以运行。", style="green"
    )


def _show(title: str, findings: list[Finding]) -> None:
    """The findings of one check, its title before the first; long sentences wrap within their column."""
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column(width=12)  # six characters: 公积金数据库
    table.add_column(overflow="fold")
    for number, (level, text) in enumerate(findings):
        mark, style = MARKS[level]
        table.add_row(Text(mark, style), Text("" if number else title), Text(text))
    output.print(table)
