"""DAHDI's spans and channels, as /proc/dahdi has them.

A file a span: its first line names it in quotation marks, each further one is a channel: number, name and, once
dahdi_cfg has run, its signalling (dahdi-base.c, dahdi_seq_show). FXS signalling is what a port speaks that hangs on an
exchange's line, FXO signalling what a port speaks that a telephone hangs on.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..find import Found
from ..line import LineError

PROC, DEV = Path("/proc/dahdi"), Path("/dev/dahdi")
CHANNEL = re.compile(r"\s+(\d+) (\S+) (?:(FXS|FXO)(KS|LS|GS)\b)?(.*)")


def find(proc: Path = PROC, dev: Path = DEV) -> list[Found]:
    """Every channel. Raises LineError when the driver is there and its devices are not."""
    if not proc.is_dir():
        return []
    if not (dev / "channel").exists():
        raise LineError(f"内核里有 DAHDI，却没有 {dev}/channel：请运行 dahdi_cfg，或看 udev 规则装了没有")
    found = []
    for file in sorted((file for file in proc.iterdir() if file.name.isdigit()), key=lambda file: int(file.name)):
        span, *channels = file.read_text("utf-8", "replace").splitlines()
        quoted = re.search(r'"(.*)"', span)
        card = quoted.group(1) if quoted else span
        found += [_channel(match, card) for line in channels if (match := CHANNEL.match(line))]
    return found


def _channel(match: re.Match[str], card: str) -> Found:
    number, name, signalling, start, rest = match.groups()
    where = f"通道 {number}（{name}）"
    if signalling is None:
        text = f"{card}：还没有配置。接外线的口请在 /etc/dahdi/system.conf 里写 fxsks={number}，再运行 dahdi_cfg"
        return Found("dahdi", where, text)
    settings = f'driver = "dahdi"\nchannel = {number}\n'
    if "(In use)" in rest:
        return Found("dahdi", where, f"{card}：正被别的程序占用（可能是本服务或 Asterisk）", settings)
    kind = "接交换机的外线口" if signalling == "FXS" else "接话机的内线口"
    return Found("dahdi", where, f"{card}：{kind}，{signalling}{start}", settings)
