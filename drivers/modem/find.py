"""Serial ports that answer as voice modems."""

from __future__ import annotations

import json
import os
import select
from collections.abc import Sequence
from pathlib import Path

from serial.tools import list_ports

from ..find import Found
from ..line import LineError
from .ports import BUFFERED, Port, PortLost, probed_by_modem_manager
from .profiles import PROFILES

ANSWER = 1.0  # seconds a modem may take; the manuals say 0.5
TURNS = 20  # looks at the port within that time
BY_PATH = Path("/dev/serial/by-path")
VOICE = "8"  # the service class of voice, in the list AT+FCLASS=? gives


def find(ports: Sequence[str] | None = None) -> list[Found]:
    """Every serial port of this machine (or those given) that answers AT, and those that cannot be asked.

    Asking means opening: a modem in use by another program is told, not disturbed; a line interface whose hook hangs on
    the port may click."""
    paths = sorted(port.device for port in list_ports.comports()) if ports is None else ports
    return [found for path in paths if (found := _ask(path)) is not None]


def _ask(path: str) -> Found | None:
    port = Port(path, flow=False)
    try:
        port.open()
    except LineError as error:
        return Found("voicemodem", path, str(error))
    try:
        if "OK" not in _answer(port, "ATE0"):
            return None
        classes = _answer(port, "AT+FCLASS=?").replace("OK", "").replace('"', "")
        names = " ".join(_answer(port, command).replace("OK", " ") for command in ("ATI3", "AT+FMI"))
    except PortLost:
        return Found("voicemodem", path, "应答中途断开了：请拔下再插上")
    finally:
        port.shut()
    if VOICE not in classes.replace("(", " ").replace(")", " ").replace(",", " ").split():
        return Found(
            "voicemodem", path, f"是 Modem，但没有语音功能（+FCLASS：{classes.strip() or '没有应答'}），不能用"
        )
    return _voice(path, " ".join(names.split()))


def _voice(path: str, names: str) -> Found:
    title = next((profile.title for profile in PROFILES.values() if profile.known_by.search(names)), "未知型号")
    stable = _stable(path)
    text = f"语音 Modem，{title}"
    if probed_by_modem_manager(path):
        text += "；ModemManager 会打扰它，请停用：systemctl disable --now ModemManager"
    return Found("voicemodem", path, text, f'driver = "voicemodem"\nport = {json.dumps(stable)}\n')


def _answer(port: Port, command: str) -> str:
    """What the modem says to a command, within ANSWER. Raises PortLost."""
    port.send(f"{command}\r".encode())
    said = b""
    for _ in range(TURNS):
        select.select([], [], [], ANSWER / TURNS)
        said += port.receive()
        if b"OK" in said or b"ERROR" in said:
            break
    return said.decode("ascii", "replace").replace(command, "").replace("\r", "\n").strip()


def _stable(path: str) -> str:
    """The name that tells the socket it is plugged into: it stays when others are plugged in before it."""
    if BUFFERED or not BY_PATH.is_dir():
        return path
    links = (link for link in sorted(BY_PATH.iterdir()) if os.path.realpath(link) == os.path.realpath(path))
    return str(next(links, path))
