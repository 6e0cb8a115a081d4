"""What forms submit to: a table of services by name, each with the outcomes a dialog must handle.

A service is `async def name(call, fields) -> Outcome`. It gets what the caller keyed and what earlier
services returned; what blocks in it runs through `call.work`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from ..call import Call
from ..outcome import Outcome
from . import fund, info, message, pin, survey


class Service(NamedTuple):
    """One entry of the table."""

    run: Callable[[Call, Mapping[str, object]], Awaitable[Outcome]]
    outcomes: frozenset[str]


PERSON = frozenset({"found", "none", "several", "empty", "typo", "denied", "locked", "unreachable"})
UNIT = frozenset({"found", "closed", "empty", "none", "several", "denied", "locked", "unreachable"})

SERVICES: dict[str, Service] = {
    "fund.account": Service(fund.account, PERSON),
    "fund.loan": Service(fund.loan, PERSON),
    "fund.unit": Service(fund.unit, UNIT),
    "info.branches": Service(info.branches, frozenset({"found", "missing", "unreachable"})),
    "info.text": Service(info.text, frozenset({"text", "menu", "missing", "unreachable"})),
    "info.parent": Service(info.parent, frozenset({"deeper", "policy", "procedure"})),
    "message.record": Service(message.record, frozenset({"kept", "full", "too_short", "failed"})),
    "pin.change": Service(pin.change, frozenset({"changed", "differs", "weak", "denied", "locked", "unreachable"})),
    "survey.vote": Service(survey.vote, frozenset({"kept", "failed"})),
}
