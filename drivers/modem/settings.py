"""What a line on a voice modem can be told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ...config.settings import Section


class Settings(Section):
    """接在 USB（或串口）语音 Modem 上的电话线。"""

    port: str = Field(
        min_length=1,
        description="串口路径；同型号 Modem 的 by-id 名字相同，要用 /dev/serial/by-path/ 下的名字。Windows 写 COM3。",
        examples=["/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0"],
    )
    profile: Literal["auto", "conexant", "usr5637", "generic"] = Field(
        "auto", description="按哪种 Modem 的说法下命令；auto：问它自己。"
    )
    duplex: Literal["auto", "full", "half"] = Field(
        "auto", description="full：同时收放；half：轮流收放，按键由 Modem 识别；auto：先试 full，不行就 half。"
    )
    codec: Literal["auto", "mu-law", "a-law", "unsigned", "signed"] = Field(
        "auto", description="语音编码；auto：从 Modem 列出的编码里按名字选。"
    )
    country: str = Field(
        "26",
        pattern=r"^[0-9A-F]{2}$",
        description="国家代码（T.35，十六进制），决定信号音和来电显示的制式；26 是中国。",
        json_schema_extra={"allowed": "两位十六进制数"},
    )
    settle: float = Field(1.0, ge=0, le=5, description="摘机后等几秒才开始说话：交换机和 Modem 的继电器要一点时间。")
    flow: bool = Field(False, description="真正的串口（不是 USB）须用 RTS/CTS 流控：true。")
    power: tuple[str, ...] = Field(
        (),
        description="给这个 Modem 断电再上电的命令，别的办法都不行时才用；例如 uhubctl。",
        examples=[["uhubctl", "-l", "1-1", "-p", "2", "-a", "cycle"]],
    )
