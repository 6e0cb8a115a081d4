"""`hotline load`: a crowd of callers against a running service, everything they hear held against a rehearsal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import Progress
from rich.table import Table

from . import ConfigOption, address, errors, fail, load_settings, output, sentences

if TYPE_CHECKING:
    from ..crowd import Crowd
    from ..load import Tally

SCRIPT = "1 1 990101198503070017 135790 *"
STEPS = (0, 40, 60, 80, 100, 150, 200, 500)  # milliseconds


def load(
    to: Annotated[list[str], typer.Option("--to", help="audiosocket 线路的 地址:端口；几个进程就写几次。")],
    lines: Annotated[int, typer.Option("--lines", min=1, max=2000, help="同时几个人。")] = 10,
    minutes: Annotated[float, typer.Option("--minutes", min=0.1, max=10000, help="打多久。")] = 1.0,
    script: Annotated[str, typer.Option("--script", help="每个人按什么键，写法同 hotline call。")] = SCRIPT,
    token: Annotated[str, typer.Option("--token", help="线路设的口令。")] = "",
    config: ConfigOption = None,
) -> None:
    """许多人同时打给一个正在运行的服务，给出失败的通话、应答快慢、声音间断和服务的开销。有失败时退出状态为 1。

    --config 写服务所用的设置；应听到什么由它排练得知，排练不留记录。打的电话会留在服务的记录里。
    """
    from ...drivers.audiosocket.caller import CallError
    from .. import crowd
    from .. import load as loads
    from ..caller import ScriptError

    settings = load_settings(config)
    addresses = [address("--to", text) for text in to]
    with sentences(), TemporaryDirectory(prefix="hotline-") as scratch:
        try:
            steps = loads.rehearse(settings, script, Path(scratch))
        except ScriptError as error:
            fail(str(error))
    callers = crowd.Crowd(addresses, steps, lines, token)
    before = crowd.engines(settings.web.host, settings.web.port)
    busy: list[dict[str, Any]] = []
    try:
        with Progress(console=errors, transient=True) as progress:
            task = progress.add_task(f"{lines} 人", total=60 * minutes)
            for at in crowd.run(callers, 60 * minutes):
                if not busy and at >= 0.9 * 60 * minutes:
                    busy = crowd.engines(settings.web.host, settings.web.port)
                progress.update(task, completed=min(at, 60 * minutes))
    except CallError as error:
        fail(str(error))
    output.print(_table(callers, before, busy, 60 * minutes))
    if callers.tally.faults:
        for what, times in callers.tally.faults.most_common():
            errors.print(f"✗ {times} 次：{what}", style="red", markup=False)
        raise typer.Exit(1)


def _table(callers: Crowd, before: Sequence[dict[str, Any]], busy: Sequence[dict[str, Any]], seconds: float) -> Table:
    tally = callers.tally
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("同时的通话", f"{callers.most}")
    table.add_row("打完并听对的通话", f"{tally.calls}")
    table.add_row("失败的通话", f"{tally.faults.total()}")
    table.add_row("按下键到应答开始", _delays(tally))
    table.add_row("", _histogram(tally))
    unsure = f"，其中 {tally.unsure} 个说不准：呼叫方自己没在听" if tally.unsure else ""
    table.add_row("应答中超过 60 毫秒的间断", f"{tally.gaps}，在 {tally.frames / 50 / 60:.1f} 分钟的应答里{unsure}")
    table.add_row("呼叫方自己", f"{_lateness(tally)}；用一个核心的 {callers.share:.0%}")
    if not before or not busy:
        table.add_row("服务的开销", "不知道：设置里 [web] 的网页打不开")
        return table
    for old, new in zip(before, busy, strict=False):
        share = (new["cpu_seconds"] - old["cpu_seconds"]) / (0.02 * (new["ticks"] - old["ticks"]))
        lines = callers.most / len(busy)
        table.add_row(f"进程 {new['pid']}", f"用一个核心的 {share:.0%}，每通 {share / lines:.2%}")
        if new["memory_bytes"] and old["memory_bytes"]:
            each = (new["memory_bytes"] - old["memory_bytes"]) / lines / 1024
            table.add_row("", f"内存 {new['memory_bytes'] / 2**20:.0f} MiB，每通多 {each:.0f} KiB")
        late = new["late_ticks"] - old["late_ticks"]
        table.add_row(
            "",
            f"一拍 p50 {new['tick_ms_p50']:.1f}、p99 {new['tick_ms_p99']:.1f}、最长 {new['tick_ms_most']:.1f} 毫秒，"
            f"迟 40 毫秒以上的 {late} 拍",
        )
    return table


def _delays(tally: Tally) -> str:
    import numpy as np

    if not tally.delays:
        return "没有"
    p50, p99 = 1000 * np.percentile(tally.delays, [50, 99])
    return f"p50 {p50:.0f}、p99 {p99:.0f} 毫秒（键长 100 毫秒，从松开算再减 100）"


def _lateness(tally: Tally) -> str:
    """How late the callers spoke: what they say of the service is no better than that."""
    late, times = zip(*sorted(tally.lateness.items()), strict=True)
    most = 0.99 * sum(times)
    p99 = next(ms for ms, so_far in zip(late, accumulate(times), strict=True) if so_far >= most)
    return f"说话迟 p99 {p99}、最多 {late[-1]} 毫秒"


def _histogram(tally: Tally) -> str:
    """How many replies came how soon."""
    import numpy as np

    counts, _ = np.histogram(1000 * np.array(tally.delays), [*STEPS, np.inf])
    names = [f"{low}–{high}" for low, high in pairwise(STEPS)] + [f"{STEPS[-1]} 以上"]
    return "，".join(f"{name} 毫秒 {count} 次" for name, count in zip(names, counts, strict=True) if count)
