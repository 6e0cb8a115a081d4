"""The survey: one vote a call, kept before the caller is thanked."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ..call import Call
from ..outcome import Outcome

log = logging.getLogger(__name__)


async def vote(call: Call, fields: Mapping[str, object]) -> Outcome:
    """Keep the vote (`option` 1 to 5, `id_number`). Outcomes: kept, failed."""
    from ...desk.errors import RecordsError

    site = call.site
    option = fields["option"]
    assert isinstance(option, int)
    try:
        await call.work(site.records.vote_cast, call.id, str(fields["id_number"]), option, site.clock(), call.line)
    except RecordsError as error:
        log.error("%s: a vote could not be kept: %s", call.line, error)
        return Outcome("failed")
    return Outcome("kept")
