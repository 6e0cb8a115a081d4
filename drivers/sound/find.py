"""Sound devices a line interface could hang on."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from ..find import Found
from ..line import LineError
from .worker import RECORDS, SENTENCE

LONGEST = 15.0  # seconds; a sound server that hangs would keep us for ever
# What ALSA lists besides cards: ways to them, which a sound server may lead elsewhere.
WAYS = frozenset({"default", "pulse", "pipewire", "sysdefault", "dmix", "lavrate", "samplerate", "speexrate", "upmix"})


def find() -> list[Found]:
    """Every device that can both hear and speak, the cards themselves before ways to them. Raises LineError."""
    command = [sys.executable, "-P", "-m", "hotline.drivers.sound.worker", "--list"]
    try:
        told = subprocess.run(command, capture_output=True, timeout=LONGEST, check=False, env=os.environ.copy())
    except subprocess.TimeoutExpired:
        raise LineError("声音服务没有反应：请重新启动它（systemctl --user restart pulseaudio 或 pipewire）") from None
    if told.returncode == SENTENCE:
        raise LineError(told.stdout.decode().strip())
    if told.returncode != RECORDS:
        raise LineError(f"列不出声卡（{told.returncode}）：请看 arecord -l 和 aplay -l 有没有这块卡")
    devices = [device for device in json.loads(told.stdout) if device["inputs"] and device["outputs"]]
    devices.sort(key=lambda device: device["name"] in WAYS)
    return [_found(device["name"]) for device in devices]


def _found(name: str) -> Found:
    settings = (
        f'driver = "sound"\ndevice = {json.dumps(name, ensure_ascii=False)}\nhook = "none"  # 或控制摘挂机的串口\n'
    )
    text = "系统的默认路径，可能被声音服务换到别的卡上" if name in WAYS else "能录音，能放音；还要一个电话线接口"
    return Found("sound", name, text, settings)
