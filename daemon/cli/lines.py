"""`hotline lines`: the lines of the running service, what is plugged in, and one line examined or recorded."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.error import URLError
from urllib.request import urlopen

import typer
from rich.live import Live
from rich.table import Table

from . import ConfigOption, errors, fail, load_settings, output, save

if TYPE_CHECKING:
    from ...config.settings import Settings
    from ...drivers.line import Line

app = typer.Typer(invoke_without_command=True)

STATES = {"on-hook": "挂机", "ringing": "振铃", "off-hook": "通话"}
REFRESH = 0.5  # seconds between two looks with --watch
PATIENCE = 3.0  # seconds the service may take to answer
LOWEST, HIGHEST, BARS = -60.0, 0.0, 12  # dBm0 the meter shows, and its width
LATE = 0.5  # seconds behind after which the ticks that were missed are given up
SIGNS = {"good": ("✓", "green"), "doubtful": ("!", "yellow"), "bad": ("✗", "red")}

Name = Annotated[str, typer.Argument(metavar="NAME", help="设置里 [lines.名字] 的名字；有 count 的写成 名字-1。")]


class NoService(Exception):
    """Nobody answers where the service would."""


@app.callback()
def lines(
    context: typer.Context,
    config: ConfigOption = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="一直看着，按 Ctrl+C 结束。")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="每条线一行 JSON。")] = False,
) -> None:
    """列出正在运行的服务的各条线：状态、电平、最近的事。"""
    if context.invoked_subcommand is not None:
        return
    settings = load_settings(config)
    try:
        states = ask(settings)
        if as_json:
            for state in states:
                print(json.dumps(state, ensure_ascii=False))
        elif watch:
            _watch(settings, states)
        else:
            output.print(table(states))
    except NoService:
        names = "、".join(settings.lines) or "一条也没有"
        fail(f"服务没有运行（设置里的线：{names}）：请用 hotline run 启动；不启动也能测一条线：hotline lines test 名字")


def ask(settings: Settings) -> list[dict[str, Any]]:
    """Every line as the running service tells it (daemon/web_call.py, LineState). Raises NoService."""
    host = f"[{settings.web.host}]" if ":" in settings.web.host else settings.web.host
    try:
        with urlopen(f"http://{host}:{settings.web.port}/api/lines", timeout=PATIENCE) as answer:
            told: list[dict[str, Any]] = json.load(answer)
            return told
    except (URLError, OSError, ValueError) as error:
        raise NoService from error


def table(states: Sequence[dict[str, Any]]) -> Table:
    """What `ask` gives, for people."""
    shown = Table(box=None, pad_edge=False, padding=(0, 2))
    for title in ("线路", "驱动", "状态", "电平 dBm0", "", "噪声", "交流声", "最近的事"):
        shown.add_column(title, overflow="fold")
    for state in states:
        levels = state["levels"] or {}
        what = f"[red]故障：{state['alarm']}[/]" if state["alarm"] else STATES[state["state"]]
        figures = [f"{levels[name]:.0f}" if levels else "" for name in ("level", "noise", "hum")]
        when = [f"{datetime.fromtimestamp(at):%H:%M:%S} {words}" for at, words in state["events"]]
        shown.add_row(
            state["name"], state["driver"], what, figures[0], _meter(levels.get("level")), *figures[1:], "\n".join(when)
        )
    return shown


def _meter(level: float | None) -> str:
    if level is None:
        return ""
    full = round(BARS * (min(max(level, LOWEST), HIGHEST) - LOWEST) / (HIGHEST - LOWEST))
    return "█" * full + "░" * (BARS - full)


def _watch(settings: Settings, states: list[dict[str, Any]]) -> None:
    try:
        with Live(table(states), console=output, auto_refresh=False) as live:
            while True:
                time.sleep(REFRESH)
                live.update(table(ask(settings)), refresh=True)
    except KeyboardInterrupt:
        return


@app.command()
def find() -> None:
    """看这台机器上有什么：语音 Modem、DAHDI 板卡、语音卡、声卡、Asterisk；每样给出可以直接用的设置。"""
    from ...drivers import find as finding
    from ...drivers.line import LineError

    number = 0
    for title, result in finding.everything():
        output.print(title, style="bold")
        if isinstance(result, LineError):
            output.print(f"  ! {result}", style="yellow", markup=False, soft_wrap=True)
        elif not result:
            output.print("  没有")
        for found in result if isinstance(result, list) else ():
            output.print(f"  {found.name}：{found.text}", markup=False, soft_wrap=True)
            if found.settings:
                number += 1
                output.print(_indented(f"[lines.{number}]\n{found.settings}"), markup=False, soft_wrap=True)
    if number:
        output.print("把要用的一段抄进设置文件，再运行 hotline lines test 名字")
    else:
        output.print(
            "没有找到能用的设备：请插好设备、装好驱动，再找一次；网关和别处的 Asterisk 不用找，见 docs/asterisk.md"
        )


def _indented(text: str) -> str:
    return "\n".join(f"      {line}" for line in text.rstrip().splitlines())


@app.command("test")
def examine(
    name: Name,
    config: ConfigOption = None,
    dial: Annotated[str, typer.Option("--dial", help="拨哪一位来止住拨号音；空：不拨。")] = "1",
    call: Annotated[bool, typer.Option("--call", help="再等人拨打这条线：来电号码、声音、挂机音。")] = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="OUT.html", help="报告；不写：当前文件夹的 线路-名字.html。"),
    ] = None,
) -> None:
    """检查一条线：拨号音、噪声、交流声、回声；写成带图的报告，最后一行是结论。服务须先停掉。"""
    from ...config import tones
    from ..technician import examination
    from ..technician import report as reports
    from ..technician.examination import Findings
    from ..technician.trial import LineFailed, Trial
    from ..technician.verdict import findings, verdict

    if any(digit not in "0123456789*#" for digit in dial[1:] + dial[:1]) or len(dial) > 1:
        fail(f"--dial {dial}：须是一位 0 到 9、* 或 #，或者空")
    settings = load_settings(config)
    found = Findings(name, "")
    with _held(settings, name) as (line, driver):
        found.driver = driver
        trial = Trial(line, _pacer(driver))
        try:
            examination.examine(trial, found, dial)
            if call:
                examination.be_called(trial, found, tones.load(settings.tones), _say)
        except LineFailed as failed:
            found.failed = str(failed)
        found.received, found.sent = trial.received(), trial.sent()
    out = report or Path(f"线路-{name}.html")
    _write(out, reports.html(found, datetime.now()))
    for one in findings(found):
        sign, colour = SIGNS[one.level]
        output.print(f"[{colour}]{sign}[/] {one.title}：", end="")
        output.print(one.text, markup=False, soft_wrap=True)
    told = verdict(found)
    output.print(f"{told.text}（报告：{out}）", style=SIGNS[told.level][1], markup=False, soft_wrap=True)
    if told.level == "bad":
        raise typer.Exit(1)


@app.command()
def record(
    name: Name,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="OUT.wav", help="不写：线路-名字.wav。")] = None,
    config: ConfigOption = None,
    seconds: Annotated[float, typer.Option("--seconds", min=1, max=3600, help="录几秒。")] = 60.0,
    off_hook: Annotated[bool, typer.Option("--off-hook", help="立即摘机录；不写：等来电，响两声后应答。")] = False,
) -> None:
    """录下一条线上听到的一切，存成 WAV，供 hotline listen 和 hotline tones learn 用。服务须先停掉。"""
    from ...drivers.line import Ring
    from ..technician.trial import LineFailed, Trial

    target = out or Path(f"线路-{name}.wav")
    settings = load_settings(config)
    with _held(settings, name) as (line, driver):
        trial = Trial(line, _pacer(driver))
        try:
            _say("正在录音，按 Ctrl+C 结束" if off_hook else "请用另一部电话拨打这条线；按 Ctrl+C 结束")
            if off_hook:
                line.off_hook()
            for _ in range(round(seconds * 50)):
                if any(isinstance(event, Ring) and event.count >= 2 for event in trial.tick()):
                    line.off_hook()
        except KeyboardInterrupt:
            pass
        except LineFailed as failed:
            errors.print(f"✗ {failed}", style="red", markup=False, soft_wrap=True)
        line.on_hook()
        heard = trial.received()
    save(target, heard)
    output.print(
        f"{target}：{len(heard) / 8000:.1f} 秒。接着可以用 hotline listen {target}", markup=False, soft_wrap=True
    )


@contextmanager
def _held(settings: Settings, name: str) -> Iterator[tuple[Line, str]]:
    """The line, open, and its driver; ends the command with what is wrong if we cannot have it."""
    from ... import drivers
    from ...config.settings import SettingsError
    from ...drivers.line import LineError
    from ..claim import StateTaken, claim

    made: dict[str, tuple[Line, str]] = {}
    try:
        for section, row in settings.lines.items():
            if name == section or name.startswith(f"{section}-"):
                made |= {line.name: (line, row.driver) for line in drivers.make(section, row)}
    except SettingsError as error:
        fail(str(error))
    if name not in made:
        fail(
            f"设置里没有线路 {name}，有的是：{'、'.join(settings.lines) or '一条也没有'}；hotline lines find 能找出设备"
        )
    if made[name][1] == "audiosocket":
        fail(f"线路 {name} 在 Asterisk 一侧，这里没有设备可查：请在 Asterisk 上查，或用 hotline call --to 拨打服务")
    settings.service.state.mkdir(parents=True, exist_ok=True)
    try:
        held = claim(settings.service.state)
    except StateTaken:
        fail("服务正在运行，线路在它手里：请先停掉（systemctl stop hotline），测完再启动；看一眼状态用 hotline lines")
    line, driver = made[name]
    try:
        line.open()
        yield line, driver
    except LineError as error:
        fail(f"线路 {name}：{error}")
    finally:
        line.close()
        held.close()


def _pacer(driver: str) -> Callable[[], None]:
    """20 ms a tick on real lines; a simulated one has no clock to wait for."""
    if driver == "simulated":
        return lambda: None
    due = time.monotonic()

    def pace() -> None:
        nonlocal due
        due = max(due + 0.02, time.monotonic() - LATE)
        time.sleep(max(0.0, due - time.monotonic()))

    return pace


def _say(text: str) -> None:
    errors.print(text, style="bold", markup=False)


def _write(out: Path, page: str) -> None:
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        fail(f"{out}：写不进（{error.strerror}）")
