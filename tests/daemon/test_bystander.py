"""A caller at a software exchange who knows only what he hears."""

from __future__ import annotations

from hotline.daemon.bystander import Bystander
from hotline.daemon.caller import parse


def until_over(house, caller, ticks=60 * 50):
    for _ in range(ticks):
        house.service.tick()
        caller.step()
        if caller.over:
            house.service.journal.flush()
            return
    raise AssertionError(caller.entries)


def test_he_keys_when_a_prompt_has_ended_and_hangs_up(house):
    from hotline.desk.models import Call

    home = house(line={"rings": 1})
    caller = Bystander(home.service.phones()[0].exchange, parse("!1 !1 hangup"), "13900000000")
    until_over(home, caller)
    assert [entry.text for entry in caller.entries if entry.who == "按键"] == ["1", "1"]
    assert caller.over == "near"
    for _ in range(200):
        home.service.tick()
    home.service.journal.flush()
    assert Call.objects.get().cause == "caller"


def test_he_notices_that_nobody_answers(house):
    home = house(lines=1)
    exchange = home.service.phones()[0].exchange
    caller = Bystander(exchange, parse("1"), None)
    exchange.hang_up()
    for _ in range(400):
        exchange.tick()
        caller.step()
    assert caller.over == "unanswered"
