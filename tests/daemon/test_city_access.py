"""The frame of every call: answer, menus, keys at any time, back, hours, silence, hanging up, many lines at once."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from hotline.config import dialog
from hotline.daemon.call import ticks
from hotline.daemon.rehearsal import Rehearsal, run
from hotline.drivers.line import RATE
from rig.city import (
    FAST,
    LOAN,
    NORMAL,
    STOP,
    TEXTS,
    account,
    clip,
    keyed,
    last,
    path,
    prompts,
    quick,
    record,
    steps,
    where,
)
from rig.house import NUMBER, PIN

SHANGHAI = timezone(timedelta(hours=8))
ENTER = keyed(NORMAL) + PIN

# How callers come to every place where the service waits for a key, or where '*' can be pressed while it talks.
WAYS = {
    "main": "",
    "account": "!1",
    "account-help": "!12",
    "account-query": "!11",
    "account-found": f"!11{ENTER}",
    "unit-query": "!13",
    "unit-found": f"!139901001#{PIN}",
    "loan": "!2",
    "loan-help": "!22",
    "loan-query": "!21",
    "loan-found": f"!21{keyed(LOAN)}{PIN}",
    "branches": "!3",
    "branch-read": "!31",
    "policies": "!4",
    "procedures": "!5",
    "text-read": "!51",
    "text-menu": "!42",
    "interaction": "!6",
    "message": "!61",
    "complaint": f"!611{NORMAL}",
    "suggestion": f"!612{NORMAL}",
    "survey": "!62",
    "survey-vote": f"!62{NORMAL}",
    "agent": "!0",
}
# Places a caller passes without a word being said, and the ends of a call.
PASSED = {"branch", "text", "text-up", "survey-keep"}
ENDS = {"goodbye", "give-up", "closed"}

# Where '*' leads, where that is not the parent by name: one level up in a tree that is data.
UP = {"text-read": "procedures", "text-menu": "policies", "main": "main"}


@pytest.fixture(scope="module")
def shared_house(demo_state, tmp_path_factory):
    """As everywhere, with the one service that can be switched on."""
    from rig.house import House

    settings = {"line": {"rings": 1}, "extras.unit_account": True}
    house = House(demo_state, tmp_path_factory.mktemp("access") / "state", **settings)
    house.warm_up()
    yield house
    house.stop()


def sound_ends(told, after):
    """The last sample of the prompt that was being played at `after`."""
    return after + int(np.flatnonzero(told.heard[after : after + RATE // 2])[-1])


# Answering.


def test_the_main_menu_is_heard_at_once(city):
    """A07: within 100 ms of the answer, and it is P01, to its end."""
    told = quick(city, "7")
    menu = clip(city, "P01")
    first = int(np.flatnonzero(told.heard[told.answered :])[0])
    print(f"first sound {first / RATE * 1000:.1f} ms after the answer")
    assert first < 0.1 * RATE
    assert where(told, menu) == told.answered


@pytest.mark.parametrize("epoch", [datetime(2026, 11, 20, 3, 0), datetime(2026, 10, 1, 12, 0)])
def test_at_any_hour(house, epoch):
    """A03: at three in the morning, and on the national day."""
    centre = house(epoch=epoch.replace(tzinfo=SHANGHAI))
    told = quick(centre, account())
    assert last(told).startswith(TEXTS["P08"])
    assert record(told).started_at - epoch.replace(tzinfo=SHANGHAI) < timedelta(minutes=1)


@pytest.mark.parametrize("keys", ["", "!1", "!*"])
def test_switched_off(house, keys):
    """A06: callers hear a notice to its end and nothing else, whatever they press."""
    told = quick(house(**{"service.open": False}), keys)
    assert prompts(told) == [TEXTS["closed-notice"]]
    assert record(told).cause == "closed"


# Keys.


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("1", ["P02"]), ("2", ["P14"]), ("3", ["P21"]), ("4", ["P23"]),
        ("5", ["P24"]), ("6", ["P25"]), ("0", ["P34", "P36"]), ("7", ["goodbye"]),
    ],
)  # fmt: skip
def test_keys_of_the_main_menu(city, key, answer):
    """A08, A09."""
    told = quick(city, f"!{key}{STOP if key != '7' else ''}")
    assert prompts(told)[:2] == [TEXTS["P01"], " ".join(TEXTS[name] for name in answer)] or (
        last(told).startswith(" ".join(TEXTS[name] for name in answer)) and key == "1"
    )


def test_exit(city):
    """A09, A13: 7 says goodbye to its end and puts the line down."""
    told = quick(city, "!7")
    assert where(told, clip(city, "goodbye")) > 0
    assert record(told).cause == "exit"
    assert city.at_rest()


def test_from_the_agent_back_to_the_menu(city):
    """F01 as far as it goes: P34 and P36, then the main menu again."""
    told = quick(city, f"!0 wait:8{STOP}")
    assert prompts(told)[1:] == [f"{TEXTS['P34']} {TEXTS['P36']}", TEXTS["P01"]]


def test_a_prompt_is_heard_to_its_end(city):
    """A12: without a key, all of it, and then the pause for a key."""
    told = quick(city, f"!2 wait:20{STOP}")
    menu = clip(city, "P14")
    begins = where(told, menu)
    assert begins > 0
    assert prompts(told)[1:3] == [TEXTS["P14"], TEXTS["no-input"]]
    silence = where(told, clip(city, "no-input")[: RATE // 2]) - begins - len(menu)
    assert silence / RATE == pytest.approx(8.0, abs=0.05)  # dialog.first_digit


@pytest.mark.parametrize("on_ms", [60, 100, 500])
def test_a_key_stops_the_prompt_at_its_onset(city, on_ms):
    """A12: the prompt is silent as soon as the key is certain, not when it is released; the next one begins at once."""
    told = city.call(f"!1{STOP}", on_ms=on_ms)
    (key,) = told.said
    following = clip(city, "P02")
    begins = where(told, following[: RATE // 4])
    acts = (begins - key.start) / RATE * 1000
    print(f"key of {on_ms} ms: the next prompt begins {acts:.0f} ms after the key's onset")
    assert 0 < acts <= 80
    played = begins - told.answered  # on this axis a frame is answered in the tick it is spoken: a real line adds 20 ms
    assert np.array_equal(told.heard[told.answered : begins], clip(city, "P01")[:played])


def test_a_key_silences_a_prompt_that_nothing_follows(city):
    """A12: where the caller goes on keying, the line is silent from the first key on."""
    told = city.call(f"!11 !{NORMAL[0]} wait:1 hangup", on_ms=500)
    key = told.said[-1]
    ends = (sound_ends(told, key.start) - key.start) / RATE * 1000
    print(f"key of 500 ms: the prompt's last sample is heard {ends:.0f} ms after the key's onset")
    assert 0 < ends <= 80


@pytest.mark.parametrize("node", WAYS)
def test_star_leads_one_level_up(city, node):
    """A10: from every node of the dialog to its parent."""
    told = quick(city, f"{WAYS[node]} !*{STOP}")
    parent = city.service.site.dialog.nodes[node].parent
    assert path(told)[-1] == UP.get(node, parent)
    assert node in path(told)


def test_no_node_was_forgotten(city):
    """A10: the table above is the whole dialog."""
    assert set(WAYS) | PASSED | ENDS == set(city.service.site.dialog.nodes)


def test_hear_it_again(city):
    """A11: 1 gives the same audio, sample by sample; * then leads back."""
    told = quick(city, f"!11{ENTER} 1 wait:6 !*{STOP}")
    first = where(told, clip(city, "P08"))
    second = where(told, clip(city, "P08"), after=first + 1)
    ends = where(told, clip(city, "P13")) + len(clip(city, "P13"))
    assert 0 < first < ends < second
    again = told.heard[second : second + ends - first]
    upto = told.said[-1].start - second  # the star cut the second time short
    assert upto > 6 * RATE
    assert np.array_equal(again[:upto], told.heard[first : first + upto])
    assert prompts(told)[-2] == prompts(told)[-3]
    assert path(told)[-1] == "account"


# The menu is data.


def test_another_flow_is_used_from_the_next_call_on(house, tmp_path):
    """A02: the file is changed while a call is up; that call ends as it began. A broken file is not used."""
    flow = tmp_path / "own.yaml"
    shutil.copy(dialog.SHIPPED / "city.yaml", flow)
    centre = house(lines=2, **{"dialog.file": str(flow)})
    first, second = centre.service.phones()
    before = Rehearsal(centre.service, first, f"!2 wait:2 !1{STOP}", NUMBER, **FAST)
    for _ in range(ticks(7)):
        centre.service.tick()
        before.step()
    whole = flow.read_text("utf-8")
    flow.write_text(
        whole.replace("menu: {1: loan-query, 2: loan-help}", "menu: {1: loan-help, 2: loan-query}"), "utf-8"
    )
    after = Rehearsal(centre.service, second, f"!21{STOP}", NUMBER, **FAST)
    run(centre.service, [before, after])
    assert last(before.told) == TEXTS["P03"]
    assert last(after.told) == TEXTS["P20"]
    flow.write_text(whole.replace("to: account-found", "to: nowhere"), "utf-8")
    assert last(quick(centre, "!21" + STOP)) == TEXTS["P20"]
    flow.write_text(whole, "utf-8")
    assert last(quick(centre, "!21" + STOP)) == TEXTS["P03"]


def test_two_flows_are_shipped(house):
    """A02: the guideline's own order of menus, as far as its list tells it."""
    centre = house(**{"dialog.file": "guideline.yaml"})
    assert centre.service.site.dialog.title == "导则推定流程"
    told = quick(centre, f"!211{ENTER}{STOP}")
    assert path(told)[:3] == ["main", "query", "account"]
    assert last(told).startswith(TEXTS["P08"])


# Callers who do nothing, or the wrong thing.


def test_a_silent_call_ends_by_itself(house):
    """L03: the prompt is said again, three times in all; then a polite end, and the line is free."""
    centre = house(**{"dialog.first_digit": 1})
    told = quick(centre, "!61 wait:60")
    said = [TEXTS["P26"], TEXTS["no-input"]] * 3
    assert prompts(told)[2:] == [*said, f"{TEXTS['too-many-tries']} {TEXTS['goodbye']}"]
    assert record(told).cause == "silence"
    assert centre.at_rest()


def test_keys_that_lead_nowhere(city):
    """L03: three of them end the call."""
    told = quick(city, "!3 !9 !8 !7 wait:15")
    assert prompts(told).count(TEXTS["invalid-key"]) == 3
    assert last(told) == f"{TEXTS['too-many-tries']} {TEXTS['goodbye']}"
    assert record(told).cause == "silence"
    assert ("业务网点查询", "note", "按键 9 无效") in steps(told)


# What is on record.


def test_every_step_is_on_record(house):
    """A13: in order, with the node, the keys, the masked ID, six stars for the PIN, and how it ended."""
    told = quick(house(), f"!11{ENTER} !* !* !7")
    assert steps(told) == [
        ("主菜单", "prompt", "main"),
        ("主菜单", "key", "1"),
        ("公积金余额查询", "prompt", "account"),
        ("公积金余额查询", "key", "1"),
        ("查询个人账户", "prompt", "account-query"),
        ("查询个人账户", "key", "990101********0017"),
        ("查询个人账户", "secret", "******"),
        ("查询个人账户", "outcome", "fund.account found"),
        ("播报个人账户", "prompt", "account-found"),
        ("播报个人账户", "key", "*"),
        ("公积金余额查询", "prompt", "account"),
        ("公积金余额查询", "key", "*"),
        ("主菜单", "prompt", "main"),
        ("主菜单", "key", "7"),
        ("退出查询", "prompt", "goodbye"),
    ]
    call = record(told)
    assert (call.line, call.caller_number, call.cause, call.last_node) == ("L01", NUMBER, "exit", "退出查询")
    assert call.started_at == call.answered_at < call.ended_at
    assert (call.ended_at - call.started_at).total_seconds() == pytest.approx(told.entries[-1].at, abs=0.05)


@pytest.mark.parametrize("node", ["main", "account-query", "account-found", "text-menu", "complaint"])
def test_hanging_up_anywhere(city, node):
    """A13, L08: the record says where and how, and nothing is left of the call."""
    told = quick(city, f"{WAYS[node]} wait:0.1 hangup")
    call = record(told)
    assert call.cause == "caller"
    assert call.ended_at is not None
    assert call.last_node == city.service.site.dialog.nodes[node].title
    note = [detail for _, kind, detail in steps(told) if kind == "note"][-1]
    assert note.startswith("听到忙音")
    assert note.endswith("对方已挂机")
    assert city.at_rest()


# Many at once.


def test_eight_callers_at_once(house):
    """L09: each hears his own data, and nobody a sample of anybody else's."""
    people = {
        NORMAL: "一万两千三百四十五元六角七分",
        "99010119870316005X": "十万元零五分",
        "990101196001011237": "八万六千四百二十元一角",
        "99010119550505456X": "二十万零三百元",
        "990101198402290117": "四万五千六百七十八元九角",
        "990101197511120059": "零元",
        "990101199508080067": "八千七百六十五元四角三分",
        "990101197906150121": "五万零六元",
    }
    centre = house(lines=8)
    scripts = [f"!11{keyed(number)}{PIN} wait:{8 + i / 10} hangup" for i, number in enumerate(people)]
    told = centre.calls(scripts)
    for call, (number, balance) in zip(told, people.items(), strict=True):
        assert f"{TEXTS['P11']} {balance} {TEXTS['P13']}" in last(call)
        assert [entry.text for entry in call.entries if entry.who == "按键"][2].endswith(number[-4:])
        assert len({entry.call for entry in call.entries}) == 1
        for other in people.values():
            assert (other == balance) or f" {other} " not in call.spoken
        expected = digits_of(centre, number)
        begins = where(call, clip(centre, "P08"))
        assert np.array_equal(call.heard[begins : begins + len(expected)], expected)
    assert len({record(call).line for call in told}) == 8
    assert centre.at_rest()


def digits_of(house, number):
    """The samples of P08 and the first group of an ID, as far as every one of these calls heard them."""
    from hotline.voice.speech import compose

    site = house.service.site
    clips = compose(["P08", {"id": "id_number"}], {"id_number": number}, site.library, site.settings.speech).clips
    return np.concatenate([site.library.pool[piece.start : piece.end] for piece in clips])[: 6 * RATE]


def test_a_line_nobody_calls_stays_silent(house):
    """L09: a call on one line is no event on another."""
    centre = house(lines=2)
    told = centre.call(account(), line=1, **FAST)
    assert record(told).line == "L02"
    assert centre.at_rest()
