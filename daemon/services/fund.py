"""fund.account, fund.loan, fund.unit: what forms of the dialog submit to.

Each takes what a caller keyed: one of id_number, account_number, card_number (unit_number for a unit),
and pin where the settings ask for one. The outcomes are those of daemon.fund, and two more:

    denied  the PIN is wrong, or nobody has this number: the caller is not told which
    locked  too many wrong PINs for this number or from this telephone
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ...desk.errors import RecordsError
from .. import identity
from ..call import Call
from ..fund import FundDatabase, Login
from ..outcome import Outcome

log = logging.getLogger(__name__)

LOGINS: tuple[Login, ...] = ("id_number", "account_number", "card_number")


async def account(call: Call, fields: Mapping[str, object]) -> Outcome:
    """The personal account; values as FundDatabase.account gives them."""
    fund: FundDatabase = call.site.fund
    login, number = _login(call, fields)
    refusal = await _refusal(call, login, number, fields)
    return refusal if refusal is not None else await call.work(fund.account, login, number, lane="fund")


async def loan(call: Call, fields: Mapping[str, object]) -> Outcome:
    """The loan; values as FundDatabase.loan gives them."""
    fund: FundDatabase = call.site.fund
    login, number = _login(call, fields)
    refusal = await _refusal(call, login, number, fields)
    return refusal if refusal is not None else await call.work(fund.loan, login, number, lane="fund")


async def unit(call: Call, fields: Mapping[str, object]) -> Outcome:
    """The account of an employer; values as FundDatabase.unit gives them."""
    fund: FundDatabase = call.site.fund
    number = str(fields["unit_number"])
    refusal = await _refusal(call, "unit", number, fields)
    return refusal if refusal is not None else await call.work(fund.unit, number, lane="fund")


def _login(call: Call, fields: Mapping[str, object]) -> tuple[Login, str]:
    """Which kind of number the form asked for, and the number. Raises KeyError for a form that asks for none.

    The kind of the settings goes first: an answer earlier in the call may have left a number of another kind.
    """
    usual: Login = call.site.settings.identity.login
    for login in (usual, *LOGINS):
        if login in fields:
            return login, str(fields[login])
    raise KeyError(f"the form submits none of {', '.join(LOGINS)}")


async def _refusal(call: Call, kind: str, number: str, fields: Mapping[str, object]) -> Outcome | None:
    """Why the caller may not hear the data, or None. A form that forgot the PIN is refused like a wrong one.

    `kind` is one of desk.models.Pin.KINDS.
    """
    if call.site.settings.identity.pin == "off":
        return None
    login = number
    if kind == "id_number":
        try:
            login = identity.long_form(identity.normal(number))  # one PIN, whichever form the caller keys
        except ValueError:
            return Outcome("typo")
    try:
        verdict = await call.work(call.site.pins.check, kind, login, str(fields.get("pin", "")), call.number)
    except RecordsError as error:
        log.error("%s: a PIN could not be checked: %s", call.line, error)
        return Outcome("unreachable")
    if verdict == "ok":
        return None
    return Outcome("locked" if verdict == "locked" else "denied")
