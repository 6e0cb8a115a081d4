"""One of several processes that carry lines, without pages: what it is told and what it tells stands in engines.py."""

from __future__ import annotations

import asyncio
import signal
import sys

from ..config.settings import Settings
from ..drivers import Share
from . import log as logs
from .engines import Report
from .service import Service
from .shell import pace

REPORT = 1.0  # seconds between two reports


def main() -> None:
    """Carry our share of the lines until standard input ends."""
    share = Share(int(sys.argv[1]), int(sys.argv[2]))
    settings = Settings.model_validate_json(sys.stdin.readline())
    for number in (signal.SIGINT, signal.SIGTERM):  # terminals and systemd tell every process; the first one decides
        signal.signal(number, signal.SIG_IGN)
    name = f"hotline-{share.index + 1}.log"
    with logs.logging_to(settings.service.state / "log", settings.service.log, name):
        service = Service(settings, share=share)
        service.open()
        try:
            asyncio.run(_carry(service))
        finally:
            service.close()


async def _carry(service: Service) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), stop.set)  # nothing more is ever sent: what can be read is the end
    transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, sys.stdout)
    reports = asyncio.create_task(_report(service, transport))
    try:
        await pace(service, stop)
    finally:
        reports.cancel()
        transport.close()


async def _report(service: Service, transport: asyncio.WriteTransport) -> None:
    while True:
        if transport.get_write_buffer_size() == 0:
            transport.write(Report(service.lines(), service.pulse.figures()).told())
        await asyncio.sleep(REPORT)


if __name__ == "__main__":
    main()
