"""The outer shell of the running service: the only place that reads a clock.

An asyncio loop paces the ticks against an absolute schedule and serves the pages in between. The desk is a
process of its own, because rendering its pages in this one would delay ticks by up to 12 ms.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence

from . import engines, notify
from .service import Service
from .web import Hint, WebError, create_app, serving

log = logging.getLogger(__name__)

TICK = 0.02  # seconds
HOPELESS = 1.0  # seconds behind schedule after which missed ticks are given up (a suspended machine)
SWITCH_INTERVAL = 0.0005  # seconds a worker thread may hold the interpreter while a tick waits; CPython's 5 ms is late
SIGN_OF_LIFE = 250  # ticks between two signs for systemd's watchdog; the unit allows six times as long
DESK_PAUSE = 5.0  # seconds before a desk that ended is started again


def run(service: Service, hints: Sequence[Hint] = (), ready: Callable[[], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM. `ready` is called once lines and pages are open; without it the addresses are
    printed. Raises WebError when the pages' port is taken."""
    # Opening and closing read and write records, which Django refuses where an event loop runs.
    service.open()
    try:
        asyncio.run(_serve(service, hints, ready))
    except WebError:
        raise
    except Exception:  # the log masks what it writes, Python's own traceback would not
        log.critical("the service ends by an error nobody expected", exc_info=True)
        raise SystemExit(1) from None
    finally:
        service.close()


async def _serve(service: Service, hints: Sequence[Hint], ready: Callable[[], None] | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(name, stop.set)
        except NotImplementedError:  # Windows has no loop signals; its handler runs in the main thread all the same
            signal.signal(name, lambda *_: loop.call_soon_threadsafe(stop.set))
    web = service.settings.web
    desk_url = f"http://{web.host}:{web.desk_port}/"
    async with serving(create_app(service, desk_url, hints), web.host, web.port) as address:
        children = [asyncio.create_task(_keep_desk(web.host, web.desk_port))]
        if service.settings.service.engines > 1:
            children.append(asyncio.create_task(engines.keep(service.settings, service.others)))
        for child in children:
            child.add_done_callback(_complain)
        if ready:
            ready()
        else:
            print(f"电话演示：{address}phone\n后台：{desk_url}\n按 Ctrl+C 停止。", flush=True)
        notify.send(f"READY=1\nSTATUS=接听中，{len(service.board.seats)} 条线路")
        await pace(service, stop)
        notify.send("STOPPING=1")
        for child in children:
            child.cancel()
        await asyncio.gather(*children, return_exceptions=True)


def _complain(child: asyncio.Task[None]) -> None:
    """Calls go on without the pages or the other engines; somebody has to know."""
    if not child.cancelled() and child.exception() is not None:
        log.critical("what keeps the other processes running has failed", exc_info=child.exception())


async def pace(service: Service, stop: asyncio.Event) -> None:
    """Tick every 20 ms on an absolute schedule until `stop` is set."""
    gc.collect()
    gc.freeze()  # what was loaded at the start is never garbage: full collections need not walk it again
    sys.setswitchinterval(SWITCH_INTERVAL)
    loop = asyncio.get_running_loop()
    due = loop.time()
    while not stop.is_set():
        began = loop.time()
        service.tick()
        service.pulse.beat(loop.time() - began, began - due)
        if service.board.now % SIGN_OF_LIFE == 0:
            notify.send("WATCHDOG=1")
        due += TICK
        behind = loop.time() - due
        if behind > HOPELESS:
            log.warning("%.1f s behind schedule: the missed ticks are given up", behind)
            service.clock.skip(behind)
            due += behind
        await asyncio.sleep(max(0.0, -behind))


async def _keep_desk(host: str, port: int) -> None:
    """Run the desk's process, and start it again whenever it ends by itself. Closing its input ends it, as it ends the
    engines; a service that is killed does that too."""
    command = (sys.executable, "-P", "-m", "hotline.desk", host, str(port))
    pipe = asyncio.subprocess.PIPE
    while True:
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, env=os.environ.copy())
        assert process.stdin is not None
        try:
            status = await process.wait()
        except asyncio.CancelledError:
            process.stdin.close()
            await process.wait()
            raise
        log.error("the desk ended with status %d, it is started again", status)
        await asyncio.sleep(DESK_PAUSE)
