"""The telephone page in a real browser: its keys are recognised by the real detector, its call states are seen.

Chromium runs headless and without a sound device, as on the servers where the tests run.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from hotline.drivers.simulated.exchange import State
from hotline.dsp import dtmf
from hotline.dsp.levels import RATE
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from rig.small_service import GREETING, HINTS, SmallService

ALL_KEYS = "1234567890*#"
CHROMIUM = "/usr/bin/chromium"
SWITCHES = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",  # a microphone that beeps once a second
    "--use-fake-ui-for-media-stream",
]

expect.set_options(timeout=30_000)  # two rings last five seconds, and the machine may be busy


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def running() -> Iterator[SmallService]:
    with SmallService(["A1", "A2"]).running() as service:
        yield service


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture
def service(running: SmallService) -> SmallService:
    running.keys.clear()
    return running


@pytest.fixture
def page(service: SmallService, context: BrowserContext) -> Iterator[Page]:
    """The page, freshly opened; afterwards its line is at rest again, and nothing went wrong in it."""
    faults: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("response", lambda response: faults.extend([response.url] if response.status >= 400 else []))
    page.goto(f"{service.address}phone")
    yield page
    page.close()
    service.rest()
    assert not faults


@pytest.fixture
def demonstration(tmp_path: Path) -> Iterator[str]:
    """`hotline demo`, as `make run` starts it; gives the address of its telephone page."""
    with ExitStack() as ports:
        port, desk_port = (
            ports.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(2)
        )
    hotline = str(Path(sys.executable).with_name("hotline"))
    command = [hotline, "demo", "--state", str(tmp_path / "demo"), "--port", str(port), "--desk-port", str(desk_port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = ""
        for said in process.stdout:
            if "/phone" in said:
                break
        assert said.split("：")[-1].strip() == f"http://127.0.0.1:{port}/phone"
        yield f"http://127.0.0.1:{port}/phone"
        process.terminate()
        process.stdout.read()
    assert process.returncode == 0


def state(page: Page, text: str) -> None:
    expect(page.get_by_role("status")).to_have_text(text)


def dial(page: Page) -> None:
    page.get_by_role("button", name="拨打 12329").click()
    state(page, "通话中")


def recognised(page: Page, keys: str) -> None:
    expect(page.locator("#transcript [data-who=按键] .text")).to_have_text(keys)


def test_a_call_goes_through_its_states(page: Page, service: SmallService) -> None:
    state(page, "待机")
    expect(page.get_by_role("button", name="挂机")).to_be_disabled()
    expect(page.get_by_role("button", name="井号")).to_be_disabled()
    dial(page)
    expect(page.get_by_role("log")).to_contain_text(GREETING)
    expect(page.locator("#where")).to_have_text("线路 A1")
    expect(page.locator("#line option")).to_have_text(["自动选一条空闲线路", "A1（通话中）", "A2（空闲）"])
    expect(page.get_by_role("button", name="拨打 12329")).to_be_disabled()
    service.ask(service.hang_up)
    state(page, "对方已挂机")
    expect(page.locator("#where")).to_have_text("请按“挂机”放下听筒")
    page.get_by_role("button", name="挂机").click()
    state(page, "待机")
    expect(page.get_by_role("log")).to_contain_text(GREETING)


def test_ringing_is_seen_and_the_callers_number_arrives(browser: Browser) -> None:
    with SmallService(["A1"], rings_for=2.5).running() as service:
        page = browser.new_page()
        page.goto(f"{service.address}phone")
        page.get_by_label("主叫号码").fill("02155550001")
        page.get_by_role("button", name="拨打 12329").click()
        state(page, "振铃")
        expect(page.get_by_role("log")).to_contain_text("02155550001")
        state(page, "通话中")
        page.close()
        service.rest()


def test_sound_from_the_line_moves_the_meter(page: Page) -> None:
    """The prompt's -15 dB on a scale that begins at -60."""
    dial(page)
    page.get_by_label("听到的声音").evaluate(
        """meter => new Promise((done) => {
            const look = () => Math.abs(meter.value - 75) < 1 ? done() : setTimeout(look, 10);
            look();
        })"""
    )


def test_every_key_by_mouse(page: Page, service: SmallService) -> None:
    dial(page)
    for key in page.locator("[data-key]").all():
        key.click(no_wait_after=True)
    recognised(page, "123456789*0#")
    assert service.keys["A1"] == "123456789*0#"


def test_keys_typed_faster_than_anyone_can(page: Page, service: SmallService) -> None:
    dial(page)
    page.keyboard.type(ALL_KEYS + "11##")
    recognised(page, ALL_KEYS + "11##")
    assert service.keys["A1"] == ALL_KEYS + "11##"


def test_a_whole_number_at_the_press_of_a_button(page: Page, service: SmallService) -> None:
    dial(page)
    page.get_by_role("button", name="键入末位是 X：99010119870316005X").click()
    recognised(page, "99010119870316005*")


def test_keys_without_any_sound_in_the_browser(context: BrowserContext, page: Page, service: SmallService) -> None:
    context.add_init_script("delete window.AudioContext")
    page.reload()
    dial(page)
    expect(page.get_by_role("alert")).to_contain_text("放不出声音")
    page.keyboard.type("159#")
    recognised(page, "159#")


def test_typing_the_callers_number_presses_no_key(page: Page, service: SmallService) -> None:
    page.get_by_label("主叫号码").fill("")
    page.get_by_label("主叫号码").type("139")
    page.keyboard.press("Enter")
    state(page, "通话中")
    assert service.keys["A1"] == ""


def test_the_microphone_is_heard_and_closes_with_the_call(page: Page, service: SmallService) -> None:
    dial(page)
    loudest = 0

    def microphone_heard() -> bool:
        nonlocal loudest
        loudest = max(loudest, int(np.abs(service.received[0]).max()))
        return loudest > 1000

    page.get_by_role("button", name="打开话筒").click()
    expect(page.get_by_role("button", name="关闭话筒")).to_have_attribute("aria-pressed", "true")
    service.until(microphone_heard)
    page.keyboard.type("5")
    recognised(page, "5")
    page.get_by_role("button", name="挂机").click()
    expect(page.get_by_role("log")).to_contain_text("您已挂机")
    expect(page.get_by_role("button", name="打开话筒")).to_have_attribute("aria-pressed", "false")


def test_a_second_page_is_told_kindly(page: Page, context: BrowserContext, service: SmallService) -> None:
    page.get_by_label("线路").select_option("A1")
    dial(page)
    second = context.new_page()
    second.goto(f"{service.address}phone")
    second.get_by_label("线路").select_option("A1")
    second.get_by_role("button", name="拨打 12329").click()
    expect(second.get_by_role("alert")).to_contain_text("另一个页面")
    state(second, "待机")
    state(page, "通话中")
    second.close()


def test_closing_the_page_puts_the_receiver_down(page: Page, service: SmallService) -> None:
    dial(page)
    page.goto("about:blank")
    service.until(lambda: service.phones()[0].exchange.state is State.CLEARED)


def test_a_service_that_stops_is_noticed(browser: Browser) -> None:
    page = browser.new_page()
    with SmallService(["A1"]).running() as service:
        page.goto(f"{service.address}phone")
        dial(page)
    expect(page.get_by_role("alert")).to_contain_text("断开")
    state(page, "待机")
    page.close()


def test_nothing_is_fetched_from_elsewhere(context: BrowserContext, service: SmallService) -> None:
    page = context.new_page()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(urlsplit(request.url).netloc))
    page.goto(f"{service.address}phone")
    expect(page.locator("#hint-list li")).to_have_count(len(HINTS))
    dial(page)
    assert set(fetched) == {urlsplit(service.address).netloc}
    page.close()
    service.rest()


def test_it_fits_a_telephones_screen(browser: Browser, service: SmallService) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.goto(f"{service.address}phone")
    dial(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for name in ("星号", "挂机"):
        expect(page.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    page.close()
    service.rest()


def test_every_control_has_a_name(page: Page) -> None:
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, meter, a')]
            .filter((e) => !(e.ariaLabel || e.textContent.trim() || e.labels?.length)).map((e) => e.outerHTML)"""
    )
    assert unnamed == []


def test_the_sound_of_each_key(page: Page) -> None:
    """Frequencies, levels and length as the detector measures them; no step of a click at the edges."""
    sounds = page.evaluate(
        """async (keys) => {
            const { keySamples } = await import('/phone/dtmf.js');
            return [...keys].map((key) => [...keySamples(key)]);
        }""",
        ALL_KEYS,
    )
    for key, sound in zip(ALL_KEYS, np.array(sounds, np.int16), strict=True):
        assert len(sound) == 1440
        events = dtmf.Detector(1).feed(np.concatenate((np.zeros(800, np.int16), sound))[np.newaxis])
        [digit] = [event for event in events if isinstance(event, dtmf.Digit)]
        assert digit.digit == key
        assert (digit.end - digit.start) / RATE == pytest.approx(0.097, abs=0.005)
        assert (digit.low_dbm0, digit.high_dbm0) == (pytest.approx(-10, abs=0.3), pytest.approx(-8, abs=0.3))
        assert abs(digit.low_percent) < 0.1
        assert abs(digit.high_percent) < 0.1
        assert np.abs(sound[[0, 799]]).max() < 10
        assert not sound[800:].any()


def test_the_jitter_buffer(page: Page) -> None:
    played = page.evaluate(
        """async () => {
            const { JitterBuffer } = await import('/phone/jitter.js');
            const buffer = new JitterBuffer(4, 8);
            const play = () => { const out = new Float32Array(2); buffer.mixInto(out, 32768); return [...out]; };
            const push = (...samples) => buffer.push(Int16Array.from(samples));
            const heard = [];
            push(1, 2, 3); heard.push(play());               // too little to begin
            push(4, 5, 6); heard.push(play(), play(), play(), play());  // runs dry
            push(7, 8); heard.push(play());                  // fills up again before it goes on
            push(9, 10, 11); heard.push(play());
            push(12, 13, 14, 15, 16, 17); heard.push(play()); // more than 8 wait: back to 4
            return heard;
        }"""
    )
    assert played == [[0, 0], [1, 2], [3, 4], [5, 6], [0, 0], [0, 0], [7, 8], [14, 15]]


def test_a_caller_dials_keys_an_id_number_and_hears_the_balance(demonstration: str, browser: Browser) -> None:
    """The real service on demo data, in real time; each key barges into the prompt that asks for it."""
    page = browser.new_page()
    page.goto(demonstration)
    log = page.get_by_role("log")
    dial(page)
    expect(log).to_contain_text("13900001234")
    for asked, keys in [
        ("查询公积金余额请按", "1"),
        ("查询公积金余额帮助请按", "1"),
        ("请输入您的个人身份证号", "990101198503070017"),
    ]:
        expect(log).to_contain_text(asked)
        page.keyboard.type(keys)
    expect(log).to_contain_text("密码")
    page.get_by_role("button", name="135790").click()
    expect(log).to_contain_text("一万两千三百四十五元六角七分")
    page.keyboard.type("**7")
    state(page, "对方已挂机")
    expect(log).to_contain_text("再见")
    page.get_by_role("button", name="挂机").click()
    state(page, "待机")
    page.close()
