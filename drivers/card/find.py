"""Libraries of voice cards on this machine. What cards they drive is known only once they run: `hotline lines test`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ..find import Found
from .worker import shp_a3, tc08a32

# Where the makers' set-up programs put them; the folder of Windows itself has the libraries, not their settings.
WINDOWS = ("C:\\ShCti", "C:\\Windows\\System32", "C:\\Windows\\SysWOW64")
FOLDERS = WINDOWS if sys.platform == "win32" else ("/usr/local/shcti", "/usr/lib", "/usr/local/lib")
CARDS = {"synway": ("三汇", shp_a3.NAME), "donjin": ("东进", tc08a32.NAME)}


def find(folders: Sequence[str | Path] = FOLDERS) -> list[Found]:
    """A library in each folder that has it."""
    return [
        Found(
            driver,
            str(Path(folder, name)),
            f"{maker}语音卡的程序库；卡插了几路，写好设置后用 hotline lines test 看",
            f'driver = "{driver}"\nfolder = {json.dumps(str(folder))}\ncount = 4  # 接了几路外线\n',
        )
        for driver, (maker, name) in CARDS.items()
        for folder in folders
        if Path(folder, name).is_file()
    ]
