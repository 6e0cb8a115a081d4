"""The pages of the running service: index, telephone in the browser, state of the lines.

They are served inside the engine's own asyncio loop, so nothing here is locked and nothing may block: the
pages' files are read once, at start. What happens on the telephone's WebSocket is in web_call.py.

Only this machine is served. A page of another site cannot use a visitor's browser to get in: the Host header
must name this machine (DNS rebinding), and a WebSocket's Origin must be our own page.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from html import escape
from importlib.resources import files
from pathlib import PurePath
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from .web_call import Engine, Phones

THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})
LARGEST_MESSAGE = 16 * 1024  # bytes on a WebSocket; a second of sound
PING = 10.0  # seconds; a browser that vanished without a word is noticed within two of these
GOODBYE = 2  # seconds open connections get when the service stops

TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS = {
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


class WebError(Exception):
    """The pages cannot be served; the text, for the operator, says why and what to do."""


@dataclass(frozen=True)
class Hint:
    """A demo number the telephone page offers: `number` as people write it, `keys` as it is keyed."""

    title: str
    number: str
    keys: str
    expect: str  # what the caller will hear


def create_app(engine: Engine, desk_url: str, hints: Sequence[Hint] = ()) -> ASGIApp:
    """The whole site. Raises nothing; `desk_url` is the address of the pages for the centre's people."""
    phones = Phones(engine)
    pages = _read_pages()
    pages["/"] = pages["/"].replace(b"@desk@", escape(desk_url).encode())
    answer_hints = [asdict(hint) for hint in hints]

    async def lines(_: Request) -> Response:
        callable_lines = {line.name for line in engine.phones()}
        return JSONResponse([asdict(line) | {"phone": line.name in callable_lines} for line in engine.lines()])

    async def engines(_: Request) -> Response:
        return JSONResponse([asdict(figures) for figures in engine.figures()])

    async def hint_list(_: Request) -> Response:
        return JSONResponse(answer_hints)

    async def menu(_: Request) -> Response:
        return Response(engine.menu(), media_type="text/html", headers=HEADERS)

    async def health(_: Request) -> Response:
        return PlainTextResponse("ok")

    routes: list[BaseRoute] = [
        Route("/api/lines", lines),
        Route("/api/engines", engines),
        Route("/api/hints", hint_list),
        Route("/menu", menu),
        Route("/healthz", health),
        WebSocketRoute("/phone/call", phones.call),
    ]
    routes += [_page(path, body) for path, body in pages.items()]
    return OnlyThisMachine(Starlette(routes=routes))


def _read_pages() -> dict[str, bytes]:
    """Address -> content of everything in phone/."""
    named = {"home.html": "/", "index.html": "/phone"}
    folder = files(__package__) / "phone"
    return {named.get(file.name, f"/phone/{file.name}"): file.read_bytes() for file in folder.iterdir()}


def _page(path: str, body: bytes) -> Route:
    media_type = TYPES[PurePath(path).suffix or ".html"]

    async def page(_: Request) -> Response:
        return Response(body, media_type=media_type, headers=HEADERS)

    return Route(path, page)


class OnlyThisMachine:
    """Refuses every request that was not addressed to this machine or comes from another site's page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        if _name(host) not in THIS_MACHINE:
            refusal = "只能用 127.0.0.1 或 localhost 打开"
        elif scope["type"] == "websocket" and urlsplit(headers.get(b"origin", "")).netloc != host:
            refusal = "只能从本机的电话页面拨打"
        else:
            await self._app(scope, receive, send)
            return
        await PlainTextResponse(refusal, status_code=403)(scope, receive, send)


def _name(host: str) -> str | None:
    """The name in a Host header, without the port; None if it is malformed."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


class Server(uvicorn.Server):
    """Signals are the daemon's business, not that of its pages."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


@asynccontextmanager
async def serving(app: ASGIApp, host: str, port: int) -> AsyncIterator[str]:
    """Serve while the block runs; gives the address of the index. Port 0 takes any free one. Raises WebError."""
    listener = listen(host, port)
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        log_level="warning",  # starting and stopping are said by the daemon
        access_log=False,
        ws="websockets-sansio",
        ws_max_size=LARGEST_MESSAGE,
        ws_ping_interval=PING,
        ws_ping_timeout=PING,
        ws_per_message_deflate=False,  # sound hardly shrinks, and the tick shares this core
        timeout_graceful_shutdown=GOODBYE,
    )
    server = Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    shown = f"[{host}]" if ":" in host else host
    try:
        yield f"http://{shown}:{listener.getsockname()[1]}/"
    finally:
        server.should_exit = True
        await task


def listen(host: str, port: int) -> socket.socket:
    """A listening socket of the pages, closed to other machines. Raises WebError."""
    if host not in THIS_MACHINE:
        raise WebError(f"[web] host = {host!r}：只允许 {'、'.join(sorted(THIS_MACHINE))}，页面不对外开放")
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise WebError(
            f"[web] port = {port}：打不开 {host} 的这个端口（{error.strerror}）。"
            f"可能服务已在运行，或端口被别的程序占用；请停掉它，或改一个端口"
        ) from error
