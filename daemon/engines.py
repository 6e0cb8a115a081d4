"""More processes that carry lines, for when one core is full: `[service] engines`.

The first process has the pages and all lines that cannot be divided; each of the others runs engine.py. It is handed
its settings as a line of JSON on standard input, tells a report as a line of JSON on standard output once a second, and
ends when its standard input ends: no engine outlives the service. One that ends by itself is started again; its calls
are over, as those of a machine that lost power.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from .. import drivers
from ..config.settings import Settings, SettingsError
from ..drivers import Share
from .pulse import Figures
from .web_call import LineState

log = logging.getLogger(__name__)

PAUSE = 5.0  # seconds before an engine that ended is started again
LONGEST_REPORT = 1 << 20  # bytes: a thousand lines take a quarter of it


@dataclass(frozen=True)
class Report:
    """What an engine says of itself."""

    lines: Sequence[LineState]
    figures: Figures

    def told(self) -> bytes:
        """As one line. Between two ticks there is no time for `asdict`, which copies everything in depth."""
        told = {"lines": [vars(line) for line in self.lines], "figures": vars(self.figures)}
        return json.dumps(told).encode() + b"\n"

    @classmethod
    def parse(cls, text: bytes) -> Report:
        """A report from its line."""
        told = json.loads(text)
        return cls([LineState(**line) for line in told["lines"]], Figures(**told["figures"]))


def check(settings: Settings) -> None:
    """Raises SettingsError when there are not lines enough for all engines."""
    of = settings.service.engines
    if of == 1:
        return
    named = {row.driver for row in settings.lines.values()} & drivers.DRIVERS.keys()
    divisible = {name for name in named if drivers.driver(name).divisible}
    if max((row.count for row in settings.lines.values() if row.driver in divisible), default=0) < of:
        raise SettingsError(
            f"[service] engines = {of}：能分给几个进程的只有一段里的多条 Asterisk 线路，须有一段 count 至少是 {of}"
        )


async def keep(settings: Settings, reports: dict[int, Report]) -> None:
    """Keep all the other engines running until cancelled; `reports` holds what each said last."""
    of = settings.service.engines
    async with asyncio.TaskGroup() as engines:
        for index in range(1, of):
            engines.create_task(_keep(settings, reports, Share(index, of)))


async def _keep(settings: Settings, reports: dict[int, Report], share: Share) -> None:
    while True:
        status = await _run(settings, reports, share)
        reports.pop(share.index, None)
        log.error("engine %d ended with status %d, it is started again", share.index + 1, status)
        await asyncio.sleep(PAUSE)


async def _run(settings: Settings, reports: dict[int, Report], share: Share) -> int:
    """One life of an engine."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-P", "-m", f"{__package__}.engine", str(share.index), str(share.of))
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, env=os.environ.copy(), limit=LONGEST_REPORT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(settings.model_dump_json().encode() + b"\n")
        while (line := await process.stdout.readline()).endswith(b"\n"):  # a killed engine may leave half a line
            reports[share.index] = Report.parse(line)
        return await process.wait()
    finally:
        process.stdin.close()
        with suppress(asyncio.CancelledError):
            await process.wait()
