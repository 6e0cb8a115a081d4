"""What `hotline check` looks at: everything the service will need, each thing with what is wrong and what to do.

A check is a generator of findings on the settings; it changes nothing and leaves nothing behind. It may
be run beside a service that is at work. No fault hides another: a section of the settings that cannot
be used is left out, and only the checks that need it are not made.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Literal, NamedTuple
from uuid import uuid4

from .. import desk, drivers
from ..config import tones
from ..config.dialog import DialogError
from ..config.settings import Line, Settings, SettingsError, load
from ..desk import keys
from ..drivers import Share
from ..drivers.audiosocket.caller import CallError, ask_target
from ..drivers.audiosocket.line import AudioSocketLine
from ..drivers.line import LineError
from ..voice import build, recordings
from ..voice.audiofile import AudioError
from ..voice.catalogue import Catalogue, CatalogueError
from ..voice.library import Library
from ..voice.synthesis import Voice
from . import engines
from .fund import FundDatabase
from .log import mask
from .upkeep import load_dialog
from .web import WebError, listen

LITTLE_ROOM = 24.0  # hours of recordings; a small centre's complaints of half a year
CLOCK_SLACK = 60.0  # seconds a file may seem to come from the future, on network disks for instance


class Finding(NamedTuple):
    """One line of the answer: `error` keeps the service from working, `warning` from working fully."""

    level: Literal["fine", "warning", "error"]
    text: str


class Check(NamedTuple):
    """One title of the answer, and the sections of the settings it makes no sense without."""

    needs: frozenset[str]
    look: Callable[[Settings], Iterator[Finding]]


def usable(path: Path) -> tuple[Settings, frozenset[str]] | None:
    """What is left of a settings file with faults, and the names of the sections left out; None if nothing is."""
    sections = [name for name, field in Settings.model_fields.items() if name != "tones"]
    faulty = set()
    for name in sections:
        try:
            load(path, {other: {} for other in sections if other != name})
        except SettingsError:
            faulty.add(name)
    try:
        return load(path, {name: {} for name in faulty}), frozenset(faulty)
    except SettingsError:
        return None


def findings(check: Check, settings: Settings) -> Iterator[Finding]:
    """What one check finds; an error in itself is a finding too, so that the other checks are still made."""
    try:
        yield from check.look(settings)
    except Exception as error:
        yield Finding("error", f"没有查完：{type(error).__name__}: {mask(str(error))}")


def _fine(text: str) -> Finding:
    return Finding("fine", text)


def _errors(error: Exception) -> Iterator[Finding]:
    """Our errors hold a sentence for each fault, one a line."""
    return (Finding("error", line) for line in str(error).splitlines())


def _lines(settings: Settings) -> Iterator[Finding]:
    if not settings.lines:
        yield Finding("error", "设置里没有电话线：请写一个 [lines.名字] 段")
    with ExitStack() as listening:  # all at once, as the service will: two sections may want the same port
        for name, line in settings.lines.items():
            try:
                drivers.make(name, line)
                yield _fine(f"{name}（{line.driver}" + (f"，{line.count} 条）" if line.count > 1 else "）"))
                yield from _listening(name, line, settings.service.engines, listening)
            except SettingsError as error:
                yield from _errors(error)
    try:
        engines.check(settings)
    except SettingsError as error:
        yield from _errors(error)


def _listening(name: str, line: Line, of: int, listening: ExitStack) -> Iterator[Finding]:
    """Whether each process can wait for Asterisk at its address; other devices are not touched here."""
    for index in range(of):
        first = next(iter(drivers.make(name, line, Share(index, of))), None)
        if not isinstance(first, AudioSocketLine):
            return
        address = first.server.address
        whose = f"（第 {index + 1} 个进程）" if of > 1 else ""
        try:
            first.open()
            listening.callback(first.close)
            yield _fine(f"{name}{whose}：{address} 空着，可以等 Asterisk 来连")
        except LineError as error:
            if _taken(error) and _hotline_answers(address.host, address.port):
                yield _fine(f"{name}{whose}：正在运行的热线服务在 {address} 等着")
            else:
                yield Finding("error", f"[lines.{name}] {whose}{error}")


def _taken(error: LineError) -> bool:
    """Whether it says that somebody else has the address; `raise … from None` hides the cause only from sight."""
    return isinstance(error.__context__, OSError) and error.__context__.errno == errno.EADDRINUSE


def _hotline_answers(host: str, port: int) -> bool:
    """Asks after a call that never was, which changes nothing."""
    try:
        ask_target(host, port, uuid4())
    except CallError:
        return False
    return True


def _tones(settings: Settings) -> Iterator[Finding]:
    try:
        plan = tones.load(settings.tones)
        yield _fine(f"{settings.tones}，{len(plan.tones)} 种")
    except SettingsError as error:
        yield from _errors(error)


def _prompts(settings: Settings) -> Iterator[Finding]:
    speech = settings.speech
    try:
        catalogue = Catalogue.load()
        library = Library(catalogue, settings.service.state, Voice(speech.voice, speech.rate), speech.style, speech.yao)
    except (CatalogueError, AudioError) as error:
        yield from _errors(error)
        return
    for fault in library.faults:
        yield Finding("error", f"{fault}；现在播放的是出厂的，请重新录制或导入")
    for key in build.stale(catalogue, Voice()):
        yield Finding("warning", f"{key}：音频与文字不符。自己的录音请用 hotline prompts import 导入")
    if not library.faults:
        yield _fine(f"{len(catalogue)} 条，都有声音")


def _dialog(settings: Settings) -> Iterator[Finding]:
    try:
        dialog = load_dialog(settings.dialog.file, Catalogue.load())
        yield _fine(f"{dialog.title}，{len(dialog.nodes)} 个节点")
    except DialogError as error:
        yield from _errors(error)
    except CatalogueError:
        yield Finding("error", "提示语有错，没有检查流程")


def _fund(settings: Settings) -> Iterator[Finding]:
    database = FundDatabase(settings.fund)
    try:
        found = database.check()
    finally:
        database.close()
    for level, place, text in found:
        yield Finding(level, f"{place}：{text}")
    if not found:
        yield _fine("连得上，查询语句和输出列都对")


def _identity(settings: Settings) -> Iterator[Finding]:
    if settings.identity.pin == "off":
        yield Finding("warning", '[identity] pin = "off"：任何人按对号码就能听到别人的余额')
    else:
        yield _fine("要六位查询密码")


def _folders(settings: Settings) -> Iterator[Finding]:
    for key, folder in (("[service] state", settings.service.state), ("[recording] folder", settings.recordings())):
        try:
            # A folder that is still missing is made by the service: what counts is the one it will be made in.
            with tempfile.TemporaryFile(dir=_existing(folder)):
                yield _fine(f"{folder} 可以写")
        except OSError as error:
            yield Finding("error", f"{key} = {folder}：写不了（{error.strerror}），请改权限或换一个文件夹")


def _keys(settings: Settings) -> Iterator[Finding]:
    """Who reads the keys reads every sealed number, and can try all PINs."""
    state = settings.service.state
    folder = state / "keys"
    found = [folder / name for name in keys.LASTING]
    if not (state / desk.DATABASE).exists() and not any(path.exists() for path in found):
        yield _fine("还没有，第一次运行时生成")
        return
    for path in found:
        try:
            status = path.stat()
        except OSError as error:
            yield Finding("error", f"{path}：读不了（{error.strerror}）；请从备份复制原文件，不能重新生成")
            continue
        if os.name == "posix" and status.st_mode & 0o077:
            yield Finding("error", f"{path}：别的用户也能读写，请运行 chmod 600 {path}")
        else:
            yield _fine(f"{path} 只有所有者能读")


def _room(settings: Settings) -> Iterator[Finding]:
    folder = settings.recordings()
    try:
        hours = recordings.room(folder) / 3600
    except OSError as error:
        yield Finding("error", f"{folder}：问不到剩余空间（{error.strerror}）")
        return
    text = f"还能录 {hours:.0f} 小时"
    if hours >= LITTLE_ROOM:
        yield _fine(text)
    else:
        yield Finding("warning" if hours >= 1 else "error", f"{folder} 所在的磁盘{text}：请清理，或换一个磁盘")


def _synthesis(_settings: Settings) -> Iterator[Finding]:
    if shutil.which("espeak-ng"):
        yield _fine("有 espeak-ng")
    else:
        yield Finding("warning", "没有 espeak-ng：网页上改的文字没有声音，随程序的提示语不受影响。请安装 espeak-ng")


def _ports(settings: Settings) -> Iterator[Finding]:
    web = settings.web
    for key, port in (("port", web.port), ("desk_port", web.desk_port)):
        try:
            with listen(web.host, port):
                yield _fine(f"{web.host} 的 {port} 端口空着")
        except WebError as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE:
                advice = "已被占用。如果服务正在运行，就是它在用；否则请换一个端口"
                yield Finding("warning", f"[web] {key} = {port}：{advice}")
            else:
                yield Finding("error", str(error))


def _clock(settings: Settings) -> Iterator[Finding]:
    """A machine whose battery is flat wakes up in the past: what the service wrote last is then in the future."""
    now = time.time()
    newest = 0.0
    for file in (Path(__file__), *settings.service.state.glob("*")):
        with suppress(OSError):  # a journal of the database comes and goes
            newest = max(newest, file.stat().st_mtime)
    if newest > now + CLOCK_SLACK:
        last = time.strftime("%Y-%m-%d %H:%M", time.localtime(newest))
        yield Finding("error", f"系统时钟比程序安装或上次写文件的时间（{last}）还早：请校准时间，并检查主板电池和 NTP")
    else:
        yield _fine(time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(now)))


CHECKS = {
    title: Check(frozenset(needs), look)
    for title, needs, look in (
        ("电话线", {"lines"}, _lines),
        ("信号音", (), _tones),
        ("提示语", {"service", "speech"}, _prompts),
        ("流程", {"dialog"}, _dialog),
        ("公积金数据库", {"fund"}, _fund),
        ("身份验证", {"identity"}, _identity),
        ("文件夹", {"service", "recording"}, _folders),
        ("密钥", {"service"}, _keys),
        ("磁盘", {"service", "recording"}, _room),
        ("语音合成", (), _synthesis),
        ("端口", {"web"}, _ports),
        ("时钟", {"service"}, _clock),
    )
}


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder
