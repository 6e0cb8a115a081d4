"""Loading a vendor's library, and saying in words why it cannot be loaded or started."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

# Windows calls these libraries by stdcall, which is one with the C convention where pointers have 64 bits.
if sys.platform == "win32":
    LIBRARY, CALLBACK = ctypes.WinDLL, ctypes.WINFUNCTYPE
else:
    LIBRARY, CALLBACK = ctypes.CDLL, ctypes.CFUNCTYPE

BITS = ctypes.sizeof(ctypes.c_void_p) * 8
NOT_FOUND, BAD_FORMAT = 126, 193  # ERROR_MOD_NOT_FOUND, ERROR_BAD_EXE_FORMAT of winerror.h


class StartError(Exception):
    """The card cannot be used; the text is a sentence for the technician."""


def load(name: str, folder: Path) -> Any:
    """The library `name`: from `folder` if it is there, else from wherever the system looks. Raises StartError."""
    path = folder / name
    found = path.is_file()
    try:
        return LIBRARY(str(path.absolute()) if found else name)
    except OSError as error:
        raise StartError(_why(name, path, found, error)) from None


def _why(name: str, path: Path, found: bool, error: OSError) -> str:
    if getattr(error, "winerror", None) == BAD_FORMAT or "wrong ELF class" in str(error):
        other = 96 - BITS
        return (
            f"语音卡的程序库 {name} 是 {other} 位的，装载它的 Python 是 {BITS} 位的："
            f"请安装 {other} 位的 Python，在 python 写出它的路径"
        )
    if found:
        return f"语音卡的程序库 {path} 装载不了，可能缺少它需要的其他文件：请重新安装语音卡驱动程序（{error}）"
    if getattr(error, "winerror", NOT_FOUND) == NOT_FOUND:
        return f"没有语音卡的程序库 {name}：请安装语音卡驱动程序，或在 folder 写出它所在的文件夹（{path.parent}）"
    return f"语音卡的程序库 {name} 装载不了：{error}"


def function(library: Any, name: str) -> Any:
    """One function of the library. Raises StartError when it has none of that name."""
    try:
        return getattr(library, name)
    except AttributeError:
        raise StartError(f"语音卡的程序库里没有 {name}，版本太旧：请更新语音卡驱动程序") from None


def holders(library: Any) -> str:
    """The other programs that have the library loaded, for a card that is taken; empty when none is seen."""
    path = str(library._name)  # as it was given to the loader
    try:
        found = _holders_windows(Path(path).name) if sys.platform == "win32" else _holders_linux(path)
    except (OSError, subprocess.SubprocessError):
        return ""
    return "、".join(found)


def _holders_windows(name: str) -> list[str]:
    """`tasklist /m` lists the processes that have a module loaded; /fo csv gives "image","pid","modules"."""
    command = ["tasklist", "/m", name, "/fo", "csv", "/nh"]
    listed = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=10).stdout
    rows = re.findall(
        r'^"([^"]+)","(\d+)"', listed.decode("mbcs" if sys.platform == "win32" else "utf-8"), re.MULTILINE
    )
    return [f"{image}（进程 {process}）" for image, process in rows if int(process) != os.getpid()]


def _holders_linux(path: str) -> list[str]:
    """/proc/PID/maps names the files a process has mapped; those of other users are not shown to us."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int(folder.name) != os.getpid() and path in (folder / "maps").read_text(errors="replace"):
                found.append(f"{(folder / 'comm').read_text().strip()}（进程 {folder.name}）")
        except OSError:
            pass  # it has ended since, or is not ours to look at
    return found
