"""What the tests of the city flow share: callers in a hurry, prompts by name, and what a call left behind.

A word like `!11990101198503070017#135790` is keyed a second into the first prompt, every menu ahead of its
prompt, as callers do who know the way: a call then lasts seconds.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hotline.drivers.line import RATE
from hotline.voice.catalogue import Catalogue
from rig.house import PIN

TEXTS = {key: prompt.text for key, prompt in Catalogue.load().items()}
FAST = {"on_ms": 60, "off_ms": 60}

NORMAL = "990101198503070017"
LOAN = "990101199005150027"
STOP = " wait:0.2 hangup"  # the transcript has what was being said; nobody need hear it out


def keyed(number):
    """An ID number as callers key it."""
    return number.replace("X", "*") + "#"


def account(number=NORMAL, pin=PIN):
    """The script of a query that ends as soon as the answer has begun."""
    return f"!11{keyed(number)}{pin}{STOP}"


def loan(number=LOAN, pin=PIN):
    """The same for a loan."""
    return f"!21{keyed(number)}{pin}{STOP}"


def quick(house, script, **options):
    """A call by somebody who keys fast."""
    return house.call(script, **options, **FAST)


def prompts(told):
    """All the service said, a prompt an item."""
    return [entry.text for entry in told.entries if entry.who == "系统"]


def last(told):
    """What was said last."""
    return prompts(told)[-1]


def clip(house, key):
    """The samples of a prompt as the house plays it now."""
    library = house.service.site.library
    found = library.clip(key)
    return library.pool[found.start : found.end]


def where(told, samples, after=0):
    """At which sample of what was heard exactly these are heard; -1 when they are not."""
    heard, wanted = told.heard[after:].tobytes(), np.ascontiguousarray(samples).tobytes()
    at = heard.find(wanted)
    while at > 0 and at % 2:  # half a sample off is no match
        at = heard.find(wanted, at + 1)
    return after + at // 2 if at >= 0 else -1


def pauses(heard, at_least=0.5):
    """Silences of the line, as pairs of samples: from the last sound before to the first one after."""
    sounding = np.flatnonzero(heard)
    return [(a, b) for a, b in pairwise(sounding.tolist()) if b - a > at_least * RATE]


def record(told):
    """The row of a call."""
    from hotline.desk.models import Call

    return Call.objects.get(pk=told.entries[0].call)


def steps(told):
    """What is on record of a call: (node's title, kind, detail) in order."""
    return list(record(told).steps.order_by("seq").values_list("node", "kind", "detail"))


def path(told):
    """The names of the nodes a call came through."""
    return [detail for _, kind, detail in steps(told) if kind == "prompt"]
