"""Why a key was not recognised: the detector's refusals as one record a press, with the check, its value and limit.

The detector looks at a press every 20 ms and refuses it each time, often for being too short yet before it comes to
the reason proper; and it refuses nearly every key that it accepts a moment later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from ...dsp.dtmf import Digit, Refused
from ...dsp.keypress import WINDOW
from ...dsp.levels import ms

SAME_PRESS = ms(60)  # refusals of a digit that are no further apart are about one press
TAIL = ms(60)  # after a key's end its last windows may still be refused


class Check(NamedTuple):
    """What a check (a field of dsp.keypress.Limits, or one of dsp.near_miss) is about, its unit, and whether the limit
    is the most or the least."""

    text: str
    unit: str
    most: bool


CHECKS = {
    "deviation": Check("频率偏差", "%", True),
    "floor": Check("较弱一音的电平", "dBm0", False),
    "apart": Check("两音之比偏离标称", "%", True),
    "twist_high": Check("高频音比低频音强", "dB", True),
    "twist_low": Check("高频音比低频音强", "dB", False),
    "on": Check("持续时间", "ms", False),
    "steady": Check("幅度起伏", "dB", True),
    "drift": Check("频率漂移", "Hz", True),
    "voice": Check("比人声基频强", "dB", False),
    "under": Check("比低处的乐音强", "dB", False),
    "purity": Check("比其他声音强", "dB", False),
    "high_missing": Check("只有低频音，高频音比它弱", "dB", True),
    "low_missing": Check("只有高频音，低频音比它弱", "dB", True),
}


def presses(refused: Sequence[Refused], digits: Sequence[Digit]) -> list[tuple[int, dict[str, Any]]]:
    """(line, record) of every press that was refused for good; positions in samples. `refused` in order of time."""
    open_: dict[tuple[int, str], list[Refused]] = {}
    done: list[list[Refused]] = []
    for one in refused:
        press = open_.setdefault((one.line, one.digit), [])
        if press and one.at - press[-1].at > SAME_PRESS:
            done.append(press)
            press = open_[one.line, one.digit] = []
        press.append(one)
    done += open_.values()
    accepted: dict[tuple[int, str], list[Digit]] = {}
    for digit in digits:
        accepted.setdefault((digit.line, digit.digit), []).append(digit)
    return [
        (press[0].line, _record(press))
        for press in done
        if not any(
            digit.start - TAIL <= press[-1].at and press[0].at - WINDOW <= digit.end + TAIL
            for key in press[0].digit
            for digit in accepted.get((press[0].line, key), [])
        )
    ]


def described(record: dict[str, Any]) -> str:
    """The check of a record in words: 频率偏差 3.1 %，须不超过 2.2 %."""
    check = CHECKS.get(record["check"])
    if check is None:  # a check this table does not know yet
        return f"{record['check']} {record['value']}，界限 {record['limit']}"
    bound = "不超过" if check.most else "不低于"
    return f"{check.text} {record['value']} {check.unit}，须{bound} {record['limit']} {check.unit}"


def _record(press: Sequence[Refused]) -> dict[str, Any]:
    """The check that failed most often decides; being too short yet does so only if nothing else did."""
    reasons = Counter(one.check for one in press if one.check != "on")
    check = reasons.most_common(1)[0][0] if reasons else "on"
    values = sorted((one.value, one.limit) for one in press if one.check == check)
    value, limit = values[-1] if check == "on" else values[len(values) // 2]
    return {
        "event": "refused",
        "digit": press[0].digit,
        "start": max(press[0].at - WINDOW, 0),
        "end": press[-1].at,
        "check": check,
        "value": round(value, 2),
        "limit": round(limit, 2),
        "unit": CHECKS[check].unit if check in CHECKS else "",
    }
