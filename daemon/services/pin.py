"""A caller changes his own PIN, by the old one."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from .. import identity
from ..call import Call
from ..outcome import Outcome

log = logging.getLogger(__name__)

KIND = "id_number"


async def change(call: Call, fields: Mapping[str, object]) -> Outcome:
    """`id_number`, the old `pin`, and the new one twice: `new_pin`, `new_pin_again`.

    Outcomes: changed, differs, weak, denied, locked, unreachable.
    """
    from ...desk.errors import RecordsError
    from ...desk.pins import WeakPin

    site = call.site
    new = str(fields["new_pin"])
    if new != fields["new_pin_again"]:
        return Outcome("differs")
    try:
        login = identity.long_form(identity.normal(str(fields["id_number"])))
        verdict = await call.work(site.pins.check, KIND, login, str(fields["pin"]), call.number)
        if verdict != "ok":
            return Outcome("locked" if verdict == "locked" else "denied")
        await call.work(site.records.set_pin, KIND, login, new, "本人", site.clock(), (call.number or "",))
    except WeakPin:
        return Outcome("weak")
    except ValueError:
        return Outcome("denied")
    except RecordsError as error:
        log.error("%s: a PIN could not be changed: %s", call.line, error)
        return Outcome("unreachable")
    return Outcome("changed")
