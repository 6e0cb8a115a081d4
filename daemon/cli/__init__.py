"""The command `hotline`.

Each sub-command is a module of this package: it has a function of the module's name, or, where it has
sub-commands of its own, a typer `app`. Only the module that was asked for is imported: the engine, the
pages and the signal library together take a second to load, and `hotline --help` needs none of them.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

if TYPE_CHECKING:
    from ...config.settings import Settings
    from ...voice.audiofile import Samples

COMMANDS = {
    "run": "开始服务：接听所有设好的电话线。",
    "check": "检查设置、流程、提示语、数据库、文件夹：哪里不对，怎么办。",
    "demo": "用演示数据运行：在网页上打电话试用。",
    "call": "按脚本打一个电话，打印谁在什么时候说了什么。",
    "load": "压力测试：许多人同时打给正在运行的服务，每个人听到的都与排练核对。",
    "simulate": "软件做的设备：没有硬件也能试用服务。",
    "listen": "听录音文件：有哪些按键和信号音，为什么没认出来，画成图。",
    "tones": "交换机的信号音：列出、播放、从录音学会本中心的忙音。",
    "dtmf": "做按键音的录音：电平、频率偏差、噪声、时长都可以设。",
    "lines": "电话线：列出状态，找出插了什么设备，检查一条线，录音。",
    "prompts": "来电者听到的提示语：列出、替换、改写、合成、检查。",
}

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="设置文件；不写时依次找 $HOTLINE_CONFIG、./hotline.toml、/etc/hotline/hotline.toml。"
    ),
]

output = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def main() -> None:
    """Entry point of the installed command."""
    # Threads of the matrix library cost three times what they gain on products as small as a tick's; numpy reads
    # this when it is first imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    wanted = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    command_line(wanted)()


def command_line(wanted: str | None) -> typer.Typer:
    """All commands by name and help, and the whole of the one that is wanted."""
    app = typer.Typer(
        name="hotline",
        help="12329 住房公积金热线。",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # its traceback prints local variables: ID numbers, PINs
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for name, text in COMMANDS.items():
        if name != wanted:
            app.command(name, help=text)(_not_wanted)
            continue
        module = importlib.import_module(f".{name}", __name__)
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name, help=text)
        else:
            app.command(name, help=text)(getattr(module, name))
    return app


def fail(message: str, status: int = 1) -> NoReturn:
    """Say in a sentence why the command ends here, and end it."""
    errors.print(f"✗ {message}", style="red", markup=False, soft_wrap=True)
    raise typer.Exit(status)


@contextmanager
def sentences() -> Iterator[None]:
    """What is wrong outside this program ends the command with the sentence its error carries."""
    from ...config.dialog import DialogError
    from ...config.settings import SettingsError
    from ...desk.errors import DeskError
    from ...voice.audiofile import AudioError
    from ...voice.catalogue import CatalogueError
    from ..claim import StateTaken
    from ..web import WebError

    try:
        yield
    except (SettingsError, DialogError, DeskError, AudioError, CatalogueError, StateTaken, WebError) as error:
        fail(str(error))


def address(option: str, text: str) -> tuple[str, int]:
    """HOST:PORT as somebody typed it; ends the command when it is none."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
        fail(f"{option} {text}：须是 地址:端口，例如 127.0.0.1:8090")
    return host.strip("[]"), int(port)


def save(path: Path, samples: Samples) -> None:
    """Write a WAV file; ends the command with what is wrong if that cannot be done."""
    from ...voice import audiofile

    if path.suffix.lower() != ".wav":
        fail(f"{path}：存的是 WAV，文件名须以 .wav 结尾")
    try:
        audiofile.write(path, samples)
    except OSError as error:
        fail(f"{path}：写不进（{error.strerror}）")


def load_settings(config: Path | None, overrides: Mapping[str, object] | None = None) -> Settings:
    """The settings a command works with; ends the command with all that is wrong in them."""
    from ...config import settings

    try:
        return settings.load(settings.find(config), overrides)
    except settings.SettingsError as error:
        fail(str(error))


def _version(wanted: bool) -> None:
    if wanted:
        from ... import __version__

        output.print(f"hotline {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[bool, typer.Option("--version", help="显示版本。", is_eager=True, callback=_version)] = False,
) -> None:
    """Options that stand before the command."""


def _not_wanted() -> None:
    """Stands for a command whose module need not be loaded; it is never called."""
