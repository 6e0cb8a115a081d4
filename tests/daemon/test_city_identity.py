"""Who may hear what: IDs and PINs as they are keyed, refused, locked, and kept out of every log and record."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import yaml
from hotline.config import dialog
from hotline.config.settings import Settings
from hotline.dsp import dtmf
from hotline.voice import wavefile
from hotline.voice.catalogue import PROMPTS
from rig.city import LOAN, NORMAL, STOP, TEXTS, account, keyed, last, path, prompts, quick, record, steps
from rig.house import PIN

WRONG = "246801"
UNKNOWN = "990101198708080008"
SHIPPED = dialog.SHIPPED / "city.yaml"


# H01, H04: nothing without a PIN of six digits.


def test_every_way_to_data_asks_for_the_pin():
    """H01: the shipped flow has no form that submits to a fund service and asks for no PIN."""
    nodes = yaml.safe_load(SHIPPED.read_text("utf-8"))["nodes"]
    asking = {name: node for name, node in nodes.items() if str(node.get("submit", "")).startswith("fund.")}
    assert set(asking) == {"account-query", "loan-query", "unit-query"}
    for name, node in asking.items():
        assert node["form"][-1]["field"] == "pin", name
        assert node["form"][-1]["when"] == {"identity.pin": "required"}, name
    assert Settings().identity.pin == "required"


def test_a_flow_that_forgot_the_pin_reads_out_nothing(house, tmp_path):
    """H01: a centre's own dialog cannot leave the question out."""
    tree = yaml.safe_load(SHIPPED.read_text("utf-8"))
    for name in ("account-query", "loan-query"):
        tree["nodes"][name]["form"].pop()
    careless = tmp_path / "careless.yaml"
    careless.write_text(yaml.safe_dump(tree, allow_unicode=True, sort_keys=False), "utf-8")
    centre = house(**{"dialog.file": str(careless)})
    for keys in ("11", "21"):
        told = quick(centre, f"!{keys}{LOAN}{STOP}")
        assert last(told) == TEXTS["pin-wrong"]


def test_the_pin_is_asked_for_before_anything_is_looked_up(city):
    """H01: with the ID alone the caller hears the question, not whether the ID is on file."""
    for number in (NORMAL, UNKNOWN):
        assert last(quick(city, f"!11{number}{STOP}")) == TEXTS["pin-ask"]


def test_five_digits_are_refused(city):
    """H04: with # at once, without it after the pause; the sixth digit needs nothing."""
    told = quick(city, f"!11{keyed(NORMAL)}13579# !{PIN}{STOP}")
    assert prompts(told)[-2] == TEXTS["pin-short"]
    assert last(told).startswith(TEXTS["P08"])
    told = quick(city, f"!11{keyed(NORMAL)}13579 wait:6{STOP}")
    assert last(told) == TEXTS["no-input"]


def test_hash_after_the_pin_is_swallowed(city):
    """H04, L01: the read-out goes on."""
    told = quick(city, f"!11{keyed(NORMAL)}{PIN}# wait:1 1{STOP}")
    assert path(told)[-1] == "account-found"
    assert path(told).count("account-found") == 2  # the 1 came through, the # did not


# H02, H03: what one may log in with.


def test_login_by_account_number(house):
    """H02: the account's own number and its own PIN; the loan is found by it too."""
    centre = house(**{"identity.login": "account_number"})
    told = quick(centre, f"!11990100000001#{PIN}{STOP}")
    assert prompts(quick(centre, "!11" + STOP))[-1] == TEXTS["account-number-ask"]
    assert last(told).startswith(f"{TEXTS['account-number-is']} 九九零幺零零零零零零零幺 {TEXTS['P09']}")
    assert "一万两千三百四十五元六角七分" in last(told)
    assert NORMAL not in told.spoken
    told = quick(centre, f"!11990100000001#{WRONG}{STOP}")
    assert last(told) == TEXTS["pin-wrong-number"]
    told = quick(centre, f"!21990100000001#{PIN} wait:3{STOP}")
    assert last(told).startswith(TEXTS["P15"])


def test_two_accounts_in_one_call(house):
    """H01, L09: the second answer belongs to the second number, whatever the first one brought."""
    from hotline.desk import pins

    centre = house(**{"identity.login": "account_number"})
    pins.set("account_number", "990100000002", "975310", "test")
    told = quick(centre, f"!11990100000001#{PIN} !* !1990100000002#975310{STOP}")
    assert "一万两千三百四十五元六角七分" in told.spoken
    assert "十万元零五分" in last(told)
    told = quick(centre, f"!11990100000001#{PIN} !* !1990100000002#{PIN}{STOP}")
    assert last(told) == TEXTS["pin-wrong-number"]


def test_login_by_card_number(house):
    """H02: by the number of the card, where the centre gives a query for it."""
    from hotline.desk import pins

    sql = "SELECT zjhm, grzh, jzny, yjce, grzhye, grzhzt FROM v_ivr_gjj WHERE '6222' || grzh = ?"
    centre = house(**{"identity.login": "card_number", "fund.sql.account_by_card": sql})
    pins.set("card_number", "6222990100000001", PIN, "test")
    told = quick(centre, f"!116222990100000001#{PIN}{STOP}")
    assert last(told).startswith(TEXTS["card-number-is"])
    assert "一万两千三百四十五元六角七分" in last(told)


def test_unit(house):
    """H03: the employer's account, its own PIN; a closed one is refused."""
    centre = house(**{"extras.unit_account": True})
    told = quick(centre, f"!139901001#{PIN}{STOP}")
    assert last(told) == (
        f"{TEXTS['unit-people-is']} 二百八十六人 {TEXTS['unit-paid-to']} 二零二六年十月"
        f" {TEXTS['unit-balance-is']} 五百二十三万零八百一十七元四角六分 {TEXTS['P13']}"
    )
    assert last(quick(centre, f"!139901009#{PIN}{STOP}")) == TEXTS["unit-closed"]
    assert last(quick(centre, f"!139901001#{WRONG}{STOP}")) == TEXTS["pin-wrong-number"]
    assert last(quick(centre, f"!139909999#{PIN}{STOP}")) == TEXTS["pin-wrong-number"]
    assert last(quick(centre, "!1" + STOP)) == f"{TEXTS['P02']} {TEXTS['unit-key']}"


def test_unit_switched_off(city):
    """H03: key 3 is not said and leads nowhere."""
    told = quick(city, "!13" + STOP)
    assert last(told) == TEXTS["invalid-key"]


# Wrong PINs.


@pytest.mark.parametrize("number", [NORMAL, UNKNOWN])
def test_wrong_and_unknown_sound_the_same(city, number):
    """H02: whoever guesses learns nothing, and has spent no less time."""
    told = quick(city, account(number, WRONG), number=None)
    assert last(told) == TEXTS["pin-wrong"]


def test_three_wrong_pins_end_the_call(house):
    """H02: and the right one afterwards is accepted: three are not five."""
    centre = house()
    told = quick(centre, f"!11{keyed(NORMAL)}{WRONG}" + f" !{keyed(NORMAL)}{WRONG}" * 2 + " wait:20")
    assert prompts(told)[-2:] == [TEXTS["pin-wrong"], f"{TEXTS['too-many-tries']} {TEXTS['goodbye']}"]
    assert record(told).cause == "silence"
    assert last(quick(centre, account())).startswith(TEXTS["P08"])


def test_an_account_is_locked_until_tomorrow(house):
    """H02: from every telephone, with the right PIN too; another account is not."""
    centre = house(**{"identity.wrong_per_day": 2})
    assert last(quick(centre, account(pin=WRONG))) == TEXTS["pin-wrong"]
    assert last(quick(centre, account(pin=WRONG), number="13900000001")) == TEXTS["pin-locked"]
    assert last(quick(centre, account(), number="13900000002")) == TEXTS["pin-locked"]
    assert last(quick(centre, account("99010119870316005X"))).startswith(TEXTS["P08"])
    centre.service.clock.skip(24 * 3600)
    assert last(quick(centre, account())).startswith(TEXTS["P08"])


def test_a_telephone_is_locked_until_tomorrow(house):
    """H02: one that tries many accounts; others go on."""
    centre = house(**{"identity.wrong_per_number": 2})
    assert last(quick(centre, account("990101197511120059", WRONG))) == TEXTS["pin-wrong"]
    assert last(quick(centre, account("99010119870316005X", WRONG))) == TEXTS["pin-locked"]
    assert last(quick(centre, account())) == TEXTS["pin-locked"]
    assert last(quick(centre, account(), number="13900000001")).startswith(TEXTS["P08"])


def test_without_pins(house):
    """H01: a deliberate setting; then the ID alone is enough, as in the city's own flow."""
    centre = house(**{"identity.pin": "off"})
    told = quick(centre, f"!11{NORMAL}{STOP}")
    assert last(told).startswith(TEXTS["P08"])
    assert TEXTS["pin-ask"] not in told.spoken


# L01, L02: # and * while an ID is keyed.


@pytest.mark.parametrize("gap", [0, 2])
def test_hash_after_18_digits(house, gap):
    """L01: within three seconds it is no key; the read-out is not broken off."""
    centre = house(**{"identity.pin": "off"})
    told = quick(centre, f"!11{NORMAL} wait:{gap} !# wait:1{STOP}")
    assert path(told)[-1] == "account-found"
    assert path(told).count("account-found") == 1
    assert not [step for step in steps(told) if step[1] == "note" and "按键" in step[2]]


def test_star_on_nothing_is_back(city):
    """L02."""
    told = quick(city, "!11*" + STOP)
    assert path(told) == ["main", "account", "account-query", "account"]


def test_star_in_18th_place_is_x(city):
    """L02."""
    told = quick(city, f"!1199010119870316005* !{PIN}{STOP}")
    assert "零零五X" in last(told)


@pytest.mark.parametrize("keys", ["9*", NORMAL[:15] + "*", NORMAL[:16] + "*"])
def test_star_elsewhere_is_no_digit(city, keys):
    """L02: the number is asked for again."""
    told = quick(city, f"!11{keys} 1{STOP}")
    assert prompts(told)[-2:] == [TEXTS["P06"], TEXTS["P03"]]


def test_hash_on_nothing_asks_again(city):
    told = quick(city, f"!11# 1{STOP}")
    assert prompts(told)[-2:] == [TEXTS["P06"], TEXTS["P03"]]


# L07: in no log, no record, no file.


SECRETS = (NORMAL, NORMAL[6:], LOAN, "990101600101123", "99010119870316005", PIN, WRONG)


def test_no_number_and_no_pin_is_left_anywhere(house, caplog):
    """L07: queries right and wrong, a complaint and a vote; then every byte the service has written is searched."""
    caplog.set_level(logging.DEBUG)
    centre = house(**{"service.log": "debug"})
    words = PROMPTS / "P36.wav"
    scripts = (
        f"!11{keyed(NORMAL)}{PIN} !* !2# !* !*" + STOP,
        f"!11{keyed(NORMAL)}{WRONG} !{keyed('99010119870316005X')}{PIN}{STOP}",
        f"!21{keyed(LOAN)}{PIN}{STOP}",
        f"!11{keyed('990101600101123')}{PIN}{STOP}",
        f"!11{keyed(NORMAL[:17])}{STOP}",
        f"!611{keyed(NORMAL)} say:{words} hangup",
        f"!62{keyed(NORMAL)} !1{STOP}",
    )
    calls = [quick(centre, script) for script in scripts]
    fund = centre.state / "fund.sqlite"
    good = fund.read_bytes()
    fund.write_bytes(b"this is no database" * 1000)  # drivers quote what they choke on
    calls.append(quick(centre, account()))
    fund.write_bytes(good)
    centre.stop()
    written = [file for file in centre.state.rglob("*") if file.is_file() and file.name != "fund.sqlite"]
    assert any(file.name.startswith("hotline.sqlite3") for file in written)
    for secret in SECRETS:
        assert secret not in caplog.text
        for file in written:
            assert secret not in str(file.relative_to(centre.state))
            assert secret.encode() not in file.read_bytes(), file.name
        for told in calls:
            assert not [entry for entry in told.entries if secret in entry.text]
    centre.start()


def test_what_is_on_record_of_what_was_keyed(city):
    """L07, A13: the ID masked, six stars for the PIN."""
    told = quick(city, account())
    assert ("查询个人账户", "key", "990101********0017") in steps(told)
    assert ("查询个人账户", "secret", "******") in steps(told)


def test_no_keys_in_a_recording(house):
    """L07: whoever listens to a recording cannot read an ID from its tones."""
    centre = house()
    quick(centre, f"!11{keyed(NORMAL)}{PIN} !* !* !611{keyed(NORMAL)} say:{PROMPTS / 'P36.wav'} hangup")
    (file,) = centre.settings.recordings().rglob("*.wav")
    samples = wavefile.read(file)
    assert np.any(samples)
    assert dtmf.Detector(1).feed(samples[None, :]) == []
