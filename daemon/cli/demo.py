"""`hotline demo`: the service on shipped demo settings and data, in a state folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import output, sentences
from .run import serve


def demo(
    state: Annotated[Path, typer.Option("--state", help="演示数据放在哪个文件夹。")] = Path("var/demo"),
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="电话演示网页的端口。")] = 8329,
    desk_port: Annotated[int, typer.Option("--desk-port", min=1, max=65535, help="后台网页的端口。")] = 8330,
    prepare: Annotated[bool, typer.Option("--prepare", help="只备好演示数据，不运行。")] = False,
) -> None:
    """用演示数据运行：网页上就能打电话，所有人的查询密码都是 135790。"""
    from .. import demo as demonstration

    with sentences():
        ready = demonstration.prepare(state, **{"web.port": port, "web.desk_port": desk_port})
    if ready.user.password:
        output.print(f"后台用户 {ready.user.name}，密码 {ready.user.password}（只显示这一次）", markup=False)
    else:
        output.print(f"后台用户 {ready.user.name}，密码见第一次运行时的显示", markup=False)
    if prepare:
        return
    serve(ready.settings, demonstration.HINTS)
