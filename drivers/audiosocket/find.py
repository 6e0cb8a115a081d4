"""An Asterisk on this machine: running, or only installed.

A running one listens on a socket of its own, asterisk.ctl, for `asterisk -r` (asterisk.conf, astrundir and astctl). The
kernel lists such sockets for everybody, so nobody need connect, which Asterisk would write into its log. One in a
container, or on Windows, is not seen.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..find import Found

SOCKETS, CONFIG = Path("/proc/net/unix"), Path("/etc/asterisk")
CONTROL = "asterisk.ctl"
LISTENING = 1 << 16  # the kernel's __SO_ACCEPTCON in the column of flags
MODULES = ("app_audiosocket", "res_audiosocket", "res_agi", "func_uuid")  # what docs/asterisk.md's dialplan uses
MODULE_FOLDER = re.compile(r"^\s*astmoddir\s*=>?\s*([^;\n]+)", re.MULTILINE)
SETTINGS = 'driver = "audiosocket"\ncount = 4  # 同时几个电话\n'


def find(sockets: Path = SOCKETS, config: Path = CONFIG) -> list[Found]:
    """Each one that runs; where none does, the one that is installed."""
    missing = _missing(config)
    if missing:
        what = f"缺少模块 {'、'.join(missing)}：AudioSocket 从 Asterisk 18 起才有，请安装这些模块"
    else:
        what = f"请把 docs/asterisk.md 里的拨号方案写进 {config}/extensions.conf，再运行 asterisk -rx 'dialplan reload'"
    settings = "" if missing else SETTINGS
    running = _controls(sockets)
    if running:
        return [Found("audiosocket", path, f"Asterisk 正在运行，{what}", settings) for path in running]
    if config.is_dir():
        return [
            Found(
                "audiosocket", str(config), f"装了 Asterisk，但没有运行（systemctl start asterisk）；{what}", settings
            )
        ]
    return []


def _controls(sockets: Path) -> list[str]:
    """The control sockets somebody listens on: number, references, protocol, flags, type, state, inode, path a line."""
    try:
        rows = [line.split(maxsplit=7) for line in sockets.read_text("utf-8", "replace").splitlines()[1:]]
    except OSError:  # no Linux
        return []
    return [row[7] for row in rows if len(row) == 8 and Path(row[7]).name == CONTROL and int(row[3], 16) & LISTENING]


def _missing(config: Path) -> list[str]:
    """Modules that are not where this Asterisk says its modules are; none where that cannot be read."""
    try:
        named = MODULE_FOLDER.search((config / "asterisk.conf").read_text("utf-8", "replace"))
        there = {file.stem for file in Path(named[1].strip()).iterdir()} if named else set(MODULES)
    except OSError:
        return []
    return [module for module in MODULES if module not in there]
