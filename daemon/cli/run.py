"""`hotline run`: the service, until it is told to stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ...config.settings import Settings
    from ..web import Hint

from . import ConfigOption, fail, load_settings, sentences


def run(
    config: ConfigOption = None,
    detach: Annotated[bool, typer.Option("--detach", help="转入后台运行（没有 systemd 的机器用）。")] = False,
    pidfile: Annotated[Path | None, typer.Option("--pidfile", help="后台运行时把进程号写在这里。")] = None,
) -> None:
    """接听所有设好的电话线，直到收到停止信号。"""
    settings = load_settings(config)
    if not settings.lines:
        fail("设置里没有电话线：请写一个 [lines.名字] 段，见 hotline.toml 里的说明")
    if detach:
        from ..detach import DetachError, detached

        try:
            with detached(pidfile) as ready:
                serve(settings, ready=ready)
        except DetachError as error:
            fail(str(error))
    else:
        serve(settings)


def serve(settings: Settings, hints: Sequence[Hint] = (), ready: Callable[[], None] | None = None) -> None:
    """Put the service together and run it; what is wrong ends the command with a sentence."""
    from .. import log, shell
    from ..service import Service

    folder = settings.service.state / "log"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"[service] state = {settings.service.state}：写不了（{error.strerror}），请改权限或换一个文件夹")
    with sentences(), log.logging_to(folder, settings.service.log):
        shell.run(Service(settings), hints, ready)
