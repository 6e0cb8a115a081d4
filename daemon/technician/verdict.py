"""What to make of the findings: the figures as sentences, each with what to do next, and one line for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ...dsp.echo_path import SEARCH
from ...dsp.levels import RATE
from .examination import Called, Findings
from .measures import DialTone, Echo, Quiet

# GB/T 3380 has the exchange send its tones at -10 dBm0 give or take 3; what arrives lower has come over a long line, or
# through an interface that is set too low. Fifteen under it keys of -30 dBm0 callers begin to be missed.
DIAL_TONE_DBM0 = -10.0
TOO_LOUD_DBM0 = -3.0
LOW_DBM0 = -16.0
TOO_LOW_DBM0 = -25.0
GAIN_STEP = 1.0  # dB; gains are advised in whole decibels
NOISY_DBM0 = -50.0
TOO_NOISY_DBM0 = -38.0
HUM_DBM0 = -45.0
ECHO_DB = 12.0  # dB; hybrids of 20 dB are good, under 12 the caller's keys compete with our own prompt
TOO_MUCH_ECHO_DB = 6.0
DISTANT_MS = SEARCH * 1000 / RATE  # how far the echo canceller looks
MANY_LATE = 5  # frames in the ten seconds of a trial

Level = Literal["good", "doubtful", "bad"]


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    level: Level
    title: str
    text: str


def findings(found: Findings) -> list[Finding]:
    """Everything that was looked at, in the order it was."""
    if found.failed:
        return [Finding("bad", "设备", f"{found.failed}。请先排除故障，再测一次")]
    if not found.connected:
        return [Finding("bad", "摘机", "摘机后没有声音通路：请看设备与这条线的接线，再测一次")]
    return list(_all(found))


def verdict(found: Findings) -> Finding:
    """All of it in one line."""
    told = findings(found)
    rows: tuple[tuple[Level, str], ...] = (("bad", "不能用"), ("doubtful", "能用，但要看一看"))
    for level, text in rows:
        named = [one.title for one in told if one.level == level]
        if named:
            return Finding(level, text, f"{text}：{'、'.join(dict.fromkeys(named))}")
    return Finding("good", "正常", "正常：可以接电话")


def _all(found: Findings) -> Iterator[Finding]:
    yield from _dial_tone(found.dial_tone, found.driver)
    if found.silent is not None and found.dial_tone is not None:
        yield _dialled(found.silent)
    if found.quiet is not None:
        yield from _quiet(found.quiet)
    if found.echo_looked_for:
        yield _echo(found.echo)
    else:
        yield Finding("doubtful", "回声", "没有测：线上有信号音，请用 --dial 换一位再测")
    if found.late_frames > MANY_LATE:
        yield Finding(
            "doubtful", "声音中断", f"{found.late_frames} 次没有按时送到：请看机器是否太忙，USB 线和集线器是否可靠"
        )
    if found.nobody_called:
        yield Finding("doubtful", "来电", "三分钟内没有听到振铃：请核对号码、接线和振铃检测，再测一次")
    if found.called is not None:
        yield from _call(found.called)


def _dial_tone(tone: DialTone | None, driver: str) -> Iterator[Finding]:
    if tone is None:
        yield Finding(
            "bad", "拨号音", "没有听到：请用一部普通话机接在同一个插口上试；话机有拨号音，就检查设备的接线和输入增益"
        )
        return
    hertz = " + ".join(f"{frequency:.0f}" for frequency in tone.frequencies)
    text = f"{hertz} Hz，{tone.level_dbm0:.1f} dBm0" + ("，断续" if tone.cadence else "")
    level: Level = "good"
    if tone.level_dbm0 > TOO_LOUD_DBM0 or tone.level_dbm0 < LOW_DBM0:
        level = "bad" if tone.level_dbm0 < TOO_LOW_DBM0 else "doubtful"
        step = round((DIAL_TONE_DBM0 - tone.level_dbm0) / GAIN_STEP) * GAIN_STEP
        where = "gain_in_db" if driver in WITH_GAIN else "设备自己的输入增益"
        text += f"；应在 {DIAL_TONE_DBM0:g} 左右：请把 {where} 改变 {step:+g} dB"
    yield Finding(level, "拨号音", text)


WITH_GAIN = frozenset({"dahdi", "simulated", "sound"})  # drivers whose settings have gain_in_db


def _dialled(silent: bool) -> Finding:
    if silent:
        return Finding("good", "拨号", "交换机听懂了我们的按键")
    return Finding(
        "doubtful",
        "拨号",
        "拨了一位，信号音没有停，噪声没有测：请用 --dial 换一位再测；"
        "换了还不停，就是交换机听不到我们，请检查设备的输出增益",
    )


def _quiet(quiet: Quiet) -> Iterator[Finding]:
    text = f"{quiet.noise_dbm0:.1f} dBm0"
    if quiet.noise_dbm0 > TOO_NOISY_DBM0:
        yield Finding("bad", "噪声", f"{text}，会淹没按键：请换线对，或报修")
    elif quiet.noise_dbm0 > NOISY_DBM0:
        yield Finding("doubtful", "噪声", f"{text}，偏大：请检查接头、分线盒，远离电源线")
    else:
        yield Finding("good", "噪声", text)
    text = f"{quiet.hum_dbm0:.1f} dBm0"
    if quiet.hum_dbm0 > HUM_DBM0:
        yield Finding("doubtful", "交流声", f"{text}，偏大：请检查设备的接地和屏蔽，声卡与线路之间须有隔离变压器")
    else:
        yield Finding("good", "交流声", text)


def _echo(echo: Echo | None) -> Finding:
    if echo is None:
        return Finding("good", "回声", "没有听到")
    text = f"弱 {echo.loss_db:.1f} dB，迟 {echo.delay_ms:.0f} 毫秒"
    if echo.delay_ms > DISTANT_MS and echo.loss_db < 2 * ECHO_DB:
        return Finding("doubtful", "回声", f"{text}，太迟，本服务消不掉：请减小设备的缓冲")
    if echo.loss_db < TOO_MUCH_ECHO_DB:
        return Finding("bad", "回声", f"{text}，太强：请核对设备的阻抗设置（中国线路），减小输出增益")
    if echo.loss_db < ECHO_DB:
        return Finding("doubtful", "回声", f"{text}，偏强：请核对设备的阻抗设置（中国线路）")
    return Finding("good", "回声", text)


def _call(called: Called) -> Iterator[Finding]:
    yield Finding("good", "来电", f"响了 {called.rings} 声，应答成功")
    if called.number is None:
        yield Finding("doubtful", "来电号码", "没有收到：请向运营商开通来电显示；设备也须支持")
    else:
        yield Finding("good", "来电号码", called.number)
    if called.voice_dbm0 is None:
        yield Finding("doubtful", "来电者的声音", "没有听到：如果说过话，请检查接线和输入增益")
    else:
        yield Finding("good", "来电者的声音", f"{called.voice_dbm0:.1f} dBm0")
    if called.tone is None:
        yield Finding(
            "bad",
            "挂机音",
            "来电者挂机后没有听出有规律的音：请用 hotline lines record 录下，再用 hotline tones learn 学",
        )
    elif not called.known_as:
        yield Finding("doubtful", "挂机音", "方案里没有这种音：请把报告里的一节加进信号音方案，设置里 tones 写这个方案")
    else:
        yield Finding("good", "挂机音", f"就是方案里的 {called.known_as}，{called.tone_level_dbm0:.1f} dBm0")
