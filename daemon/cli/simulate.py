"""`hotline simulate`: devices in software, to try the service on a machine without hardware."""

from __future__ import annotations

import dataclasses
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import fail, output

if TYPE_CHECKING:
    from ...drivers.modem.faults import Faults
    from ...drivers.modem.simulated import SimModem
    from ..bystander import Bystander
    from ..caller import Word

app = typer.Typer(no_args_is_help=True)

TICK = 0.02  # seconds
PLUGGED_AGAIN = 5.0  # seconds after it was pulled out


@app.callback()
def _devices() -> None:
    """软件做的设备，没有硬件也能试用服务。"""


@app.command()
def modem(
    firmware: Annotated[
        str, typer.Option(help="像哪种 Modem：conexant（全双工）、conexant-half、usr5637、generic（半双工）。")
    ] = "conexant",
    port: Annotated[Path | None, typer.Option(help="串口出现在哪个路径；不写：临时文件夹里的 hotline-modem。")] = None,
    call: Annotated[
        str,
        typer.Option("--call", help="有人打进来：按这个脚本按键，写法与 hotline call 相同，靠耳朵听提示语说完没有。"),
    ] = "",
    number: Annotated[str, typer.Option(help="来电号码。")] = "13900000000",
    fault: Annotated[
        list[str] | None,
        typer.Option(help="毛病，可以写多次：cut_dle、triple_digits、deaf_to_stream、lost_results=3、wedge=reset 等。"),
    ] = None,
    unplug: Annotated[float | None, typer.Option(help="几秒后拔掉插头，再过五秒插上。")] = None,
    show: Annotated[bool, typer.Option("--show", help="打印收到的每条命令。")] = False,
) -> None:
    """一个软件 Modem：打印它的串口路径和给服务用的设置，然后一直运行；有 --call 时打完一个电话就结束。"""
    from ...config import tones
    from ...drivers.modem.firmware import FIRMWARE
    from ..caller import ScriptError, parse

    if firmware not in FIRMWARE:
        fail(f"--firmware {firmware}：没有这种，可以写：{'、'.join(FIRMWARE)}")
    try:
        script = parse(call)
    except ScriptError as error:
        fail(str(error))
    path = port or Path(tempfile.gettempdir(), "hotline-modem")
    if path.exists():
        fail(f"{path} 已经有了：请用 --port 写另一个路径，或停掉用着它的程序")
    device = FIRMWARE[firmware](path, tones.load("cn"))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for text in fault or []:
            _switch(device.faults, text)
        output.print(
            f'串口：{path}\n\n[lines.modem]\ndriver = "voicemodem"\nport = "{path}"\n', markup=False, soft_wrap=True
        )
        output.print(
            "把上面三行写进 hotline.toml，在另一个窗口运行 hotline run。按 Ctrl+C 停止。", markup=False, soft_wrap=True
        )
        _run(device, script, number, unplug, show)
    except KeyboardInterrupt:
        pass
    finally:
        device.unplug()


def _switch(faults: Faults, text: str) -> None:
    """Switch on a fault named on the command line."""
    name, _, value = text.partition("=")
    known = {field.name: type(getattr(faults, field.name)) for field in dataclasses.fields(faults)}
    allowed = [key for key, kind in known.items() if kind in (bool, int, str)]
    if name not in allowed:
        fail(f"--fault {text}：没有这种毛病，可以写：{'、'.join(allowed)}")
    if known[name] is int and not value.isdecimal():
        fail(f"--fault {text}：= 后面须是整数")
    setattr(faults, name, True if known[name] is bool else int(value) if known[name] is int else value)


def _run(device: SimModem, script: list[Word], number: str, unplug: float | None, show: bool) -> None:
    """Tick in real time until somebody presses Ctrl+C, or the call is over."""
    from ..bystander import Bystander

    caller: Bystander | None = None
    due, ticks, shown, told = time.monotonic(), 0, 0, 0
    while caller is None or caller.over is None:
        device.tick()
        ticks += 1
        if show:
            for command in device.said[shown:]:
                output.print(f"> {command}", markup=False, soft_wrap=True)
            shown = len(device.said)
        if unplug is not None and ticks == round(unplug / TICK):
            output.print("插头拔掉了")
            device.unplug()
        if unplug is not None and ticks == round((unplug + PLUGGED_AGAIN) / TICK):
            output.print("插头插上了")
            device.plug()
        if script and caller is None and device.is_ready:
            caller = Bystander(device.exchange, script, number)
            output.print(f"打进来：{number}")
        if caller is not None:
            caller.step()
            for entry in caller.entries[told:]:
                output.print(f"{entry.at:7.2f}  {entry.who}  {entry.text}", markup=False, soft_wrap=True)
            told = len(caller.entries)
        due += TICK
        time.sleep(max(0.0, due - time.monotonic()))
    if caller.over == "unanswered":
        fail("没有人接听：服务在运行吗？它的设置里写了这个串口吗？")
