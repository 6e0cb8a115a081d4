"""The pages' server: what it answers, whom it refuses, and that a receiver never stays off the hook."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from urllib.parse import urlsplit

import numpy as np
import pytest
from hotline.daemon import web_call
from hotline.daemon.web import WebError, create_app, serving
from hotline.drivers.line import FRAME, HookState
from hotline.drivers.simulated.exchange import State
from hotline.dsp import generate
from rig.small_service import GREETING, SmallService
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect


@pytest.fixture(scope="module")
def running() -> Iterator[SmallService]:
    with SmallService(["A1", "A2"]).running() as service:
        yield service


@pytest.fixture
def service(running: SmallService) -> Iterator[SmallService]:
    """The service with both lines at rest, before and after."""
    yield running
    running.rest()


def fetch(service: SmallService, path: str, host: str | None = None) -> tuple[int, dict[str, str], str]:
    connection = HTTPConnection(urlsplit(service.address).netloc, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
    finally:
        connection.close()


def dial(service: SmallService, query: str = "", origin: str | None = None) -> ClientConnection:
    netloc = urlsplit(service.address).netloc
    return connect(
        f"ws://{netloc}/phone/call?{query}",
        origin=origin or f"http://{netloc}",
        compression=None,
        proxy=None,
        ping_interval=None,
    )


def told(call: ClientConnection) -> Iterator[dict]:
    """The JSON messages as they come; sound is passed over."""
    for message in call:
        if isinstance(message, str):
            yield json.loads(message)


def expect(call: ClientConnection, **wanted: object) -> dict:
    return next(message for message in told(call) if wanted.items() <= message.items())


def expect_said(call: ClientConnection) -> dict:
    return next(message["said"] for message in told(call) if "said" in message)


def wait_until_closed(call: ClientConnection) -> None:
    """Raises ConnectionClosed when it is."""
    while True:
        call.recv(10)


def exchange(service: SmallService, name: str = "A1") -> State:
    return next(line.exchange.state for line in service.phones() if line.name == name)


@pytest.mark.parametrize(
    ("path", "media_type", "contains"),
    [
        ("/", "text/html; charset=utf-8", "http://127.0.0.1:8330/"),
        ("/phone", "text/html; charset=utf-8", "拨打 12329"),
        ("/phone/phone.js", "text/javascript; charset=utf-8", "WebSocket"),
        ("/phone/worklet.js", "text/javascript; charset=utf-8", "AudioWorkletProcessor"),
        ("/phone/phone.css", "text/css; charset=utf-8", "--main"),
        ("/phone/icon.svg", "image/svg+xml", "<svg"),
        ("/healthz", "text/plain; charset=utf-8", "ok"),
    ],
)
def test_pages(service: SmallService, path: str, media_type: str, contains: str) -> None:
    status, headers, body = fetch(service, path)
    assert (status, headers["content-type"]) == (200, media_type)
    assert contains in body


@pytest.mark.parametrize("path", ["/phone/web.py", "/phone/../web.py", "/phone/%2e%2e/web.py", "/phone/", "/docs"])
def test_nothing_else_is_served(service: SmallService, path: str) -> None:
    assert fetch(service, path)[0] in (307, 404)
    assert "import" not in fetch(service, path)[2]


def test_lines_and_hints(service: SmallService) -> None:
    lines = json.loads(fetch(service, "/api/lines")[2])
    assert lines[0] == {
        "name": "A1",
        "driver": "simulated",
        "state": "on-hook",
        "in_call_since": None,
        "alarm": None,
        "levels": None,
        "events": [],
        "phone": True,
    }
    assert [line["name"] for line in lines] == ["A1", "A2"]
    (engine,) = json.loads(fetch(service, "/api/engines")[2])
    assert engine["cpu_seconds"] > 0
    hints = json.loads(fetch(service, "/api/hints")[2])
    assert hints[1] == {
        "title": "末位是 X",
        "number": "99010119870316005X",
        "keys": "99010119870316005*",
        "expect": "X 用 * 键代替",
    }


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8329", "[::2]:8329", "[", "127.0.0.1.evil.example"])
def test_a_foreign_host_name_is_refused(service: SmallService, host: str) -> None:
    assert fetch(service, "/phone", host)[0] == 403


@pytest.mark.parametrize("host", ["localhost", "localhost:9000", "127.0.0.1:8329", "[::1]:8329"])
def test_names_of_this_machine_are_served(service: SmallService, host: str) -> None:
    assert fetch(service, "/phone", host)[0] == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "file://"])
def test_a_page_of_another_site_cannot_dial(service: SmallService, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        dial(service, origin=origin)
    assert refusal.value.response.status_code == 403
    assert exchange(service) is State.IDLE


def test_a_call_from_ringing_to_hanging_up(service: SmallService) -> None:
    with dial(service, "line=A2") as call:
        assert next(told(call)) == {"state": "ringing", "line": "A2"}
        expect(call, state="talking")
        assert expect_said(call) == {"at": pytest.approx(0.2, abs=0.03), "who": "系统", "text": GREETING}
        assert exchange(service, "A1") is State.IDLE
    service.until(lambda: exchange(service, "A2") is State.CLEARED)


@pytest.mark.parametrize(("number", "shown"), [("13900001234", "13900001234"), ("", "号码未显示")])
def test_the_callers_number_comes_after_the_first_ring(number: str, shown: str) -> None:
    with SmallService(["A1"], rings_for=2.5).running() as service, dial(service, f"caller={number}") as call:
        assert expect_said(call) == {"at": pytest.approx(2.0, abs=0.05), "who": "来电", "text": shown}


def test_ring_back_and_prompt_are_heard(service: SmallService) -> None:
    """Both are sound from the exchange: 450 Hz while it rings, the prompt's 440 Hz once it is answered."""

    def loudest_hz(sound: bytes) -> float:
        samples = np.frombuffer(sound, "<i2")[-4000:].astype(float)
        return float(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))).argmax()) * 8000 / len(samples)

    with dial(service) as call:
        heard: dict[str, bytes] = {"": b"", "ringing": b"", "talking": b""}
        state = ""
        for message in call:
            if isinstance(message, bytes):
                assert len(message) % (2 * FRAME) == 0
                heard[state] += message
                if len(heard["talking"]) > 2 * 8000:
                    break
            else:
                state = json.loads(message).get("state", state)
    assert loudest_hz(heard["ringing"][:16000]) == pytest.approx(450, abs=3)
    assert loudest_hz(heard["talking"]) == pytest.approx(440, abs=3)


def test_keys_in_the_sound_reach_the_detector(service: SmallService) -> None:
    with dial(service) as call:
        expect(call, state="talking")
        for digit in "159#":
            call.send(generate.dtmf(digit, 100, 80, -9.0, 0.0).tobytes())
        assert expect_said(call)["text"] == GREETING
        for digit in "159#":
            assert expect_said(call)["text"] == digit


def test_the_service_hanging_up_is_seen_and_heard(service: SmallService) -> None:
    with dial(service) as call:
        expect(call, state="talking")
        service.ask(service.hang_up)
        expect(call, state="ended")
        assert any(np.frombuffer(sound, "<i2").any() for sound in call if isinstance(sound, bytes))


def test_a_forgotten_receiver_is_put_down(service: SmallService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_call, "BUSY_TONE", 0.3)
    with dial(service) as call:
        expect(call, state="talking")
        service.ask(service.hang_up)
        expect(call, state="ended")
        with pytest.raises(ConnectionClosed) as end:
            wait_until_closed(call)
    assert end.value.rcvd is not None
    assert end.value.rcvd.code == 1000


def test_a_browser_that_vanishes_puts_the_receiver_down(service: SmallService) -> None:
    with dial(service) as call:
        expect(call, state="talking")
        call.socket.shutdown(socket.SHUT_RDWR)
        service.until(lambda: exchange(service) is State.CLEARED)


def test_two_pages_never_share_a_line(service: SmallService) -> None:
    with dial(service, "line=A1") as first:
        expect(first, state="ringing")
        with dial(service, "line=A1") as second:
            assert "另一个页面" in next(told(second))["refused"]
        with dial(service) as third:
            assert next(told(third)) == {"state": "ringing", "line": "A2"}
            with dial(service) as fourth:
                assert "另一个页面" in next(told(fourth))["refused"]
            expect(third, state="talking")
        expect(first, state="talking")


def test_a_line_still_clearing_is_refused_kindly(service: SmallService) -> None:
    with dial(service, "line=A1") as call:
        expect(call, state="talking")
    service.until(lambda: exchange(service) is State.CLEARED)
    with dial(service, "line=A1") as again:
        assert "请过几秒" in next(told(again))["refused"]
    service.ask(service.hang_up)
    with dial(service, "line=A1") as again:
        expect(again, state="talking")


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("line=B9", "没有线路“B9”"),
        ("caller=12a", "主叫号码"),
        ("caller=" + "1" * 21, "主叫号码"),
        ("caller=%D9%A1", "主叫号码"),
    ],
)
def test_what_cannot_be_dialled_is_refused(service: SmallService, query: str, reason: str) -> None:
    with dial(service, query) as call:
        assert reason in next(told(call))["refused"]


@pytest.mark.parametrize("message", ["text", b"", b"\0", b"\0" * (2 * FRAME + 2), b"\0" * 17_000])
def test_bad_messages_end_the_call(service: SmallService, message: str | bytes) -> None:
    with dial(service) as call:
        expect(call, state="talking")
        call.send(message)
        with pytest.raises(ConnectionClosed):
            wait_until_closed(call)
    service.until(lambda: exchange(service) is State.CLEARED)


def test_the_service_stopping_ends_the_calls() -> None:
    with ExitStack() as later:
        with SmallService(["A1"]).running() as service:
            call = later.enter_context(dial(service))
            expect(call, state="talking")
        with pytest.raises(ConnectionClosed):
            wait_until_closed(call)
    assert service.phones()[0].state is HookState.ON_HOOK
    assert service.followers == 0


def test_a_port_in_use_is_said_plainly(service: SmallService) -> None:
    port = urlsplit(service.address).port or 0

    async def serve_again() -> None:
        async with serving(create_app(service, ""), "127.0.0.1", port):
            pass

    with pytest.raises(WebError, match=rf"\[web\] port = {port}"):
        serve_again().send(None)


def test_only_loopback_is_served(service: SmallService) -> None:
    async def serve_all() -> None:
        async with serving(create_app(service, ""), "0.0.0.0", 0):
            pass

    with pytest.raises(WebError, match="127"):
        serve_all().send(None)
