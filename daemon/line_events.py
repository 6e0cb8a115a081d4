"""What happened to a line, in words for the technician."""

from __future__ import annotations

from ..drivers.line import Alarm, CallerId, Dialled, Event, FarHangup, Restored, Ring, RingStopped

ANSWERED, HUNG_UP = "应答", "挂机"


def described(event: Event) -> str | None:
    """One event; None for keys: they are numbers and passwords, and seen by nobody."""
    match event:
        case Ring(count):
            return f"振铃，第 {count} 声"
        case RingStopped():
            return "没有应答，对方已挂机"
        case CallerId(number):
            return f"来电号码：{number or '没有'}"
        case FarHangup(reason):
            return f"设备报告对方挂机：{reason}"
        case Dialled():
            return "拨号完毕"
        case Alarm(reason):
            return f"故障：{reason}"
        case Restored():
            return "恢复"
    return None
