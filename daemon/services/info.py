"""What the centre tells everybody: its branches, policies and procedures, as edited on its pages.

Texts are read when a caller asks for them, so that an edit is heard on the next call; one whose audio is
not there yet is spoken by the speech program in the same worker thread.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..call import Call
from ..outcome import Outcome

if TYPE_CHECKING:
    from ...desk.selectors import Outlet
    from ..site import Site

log = logging.getLogger(__name__)

TOPICS = {"address": "地址", "service_phone": "服务电话", "complaint_phone": "投诉电话"}  # fields of an Outlet


async def branches(call: Call, fields: Mapping[str, object]) -> Outcome:
    """Tell one thing of every branch: `topic` is a key of TOPICS. Outcomes: found (body), missing, unreachable."""
    return await call.work(_branches, call.site, str(fields["topic"]))


async def text(call: Call, fields: Mapping[str, object]) -> Outcome:
    """A node of the policy or procedure tree: `kind`, and `path`, the keys that lead there, as in "1/2".

    Outcomes: text (body), menu (body or None, titles and children by key), missing, unreachable.
    """
    return await call.work(_text, call.site, str(fields["kind"]), str(fields["path"]))


async def parent(_call: Call, fields: Mapping[str, object]) -> Outcome:
    """One level up from `path`. Outcomes: deeper (path), or the kind itself when that was the top."""
    above, _, _ = str(fields["path"]).rpartition("/")
    return Outcome("deeper", {"path": above}) if above else Outcome(str(fields["kind"]))


def _branches(site: Site, topic: str) -> Outcome:
    from ...desk.errors import RecordsError

    try:
        outlets = site.records.branches()
    except RecordsError as error:
        log.error("branches cannot be read: %s", error)
        return Outcome("unreachable")
    body = branches_text(outlets, topic)
    return _spoken(site, Outcome("found", {"body": body})) if body else Outcome("missing")


def _text(site: Site, kind: str, path: str) -> Outcome:
    from ...desk.errors import RecordsError

    try:
        node = site.records.texts(kind, tuple(path.split("/")))
    except RecordsError as error:
        log.error("texts cannot be read: %s", error)
        return Outcome("unreachable")
    if node is None or not (node.text or node.children):
        return Outcome("missing")
    if not node.children:
        return _spoken(site, Outcome("text", {"body": node.text}))
    values = {
        "body": node.text or None,
        "titles": {child.key: child.title for child in node.children},
        "children": {child.key: f"{path}/{child.key}" for child in node.children},
    }
    return _spoken(site, Outcome("menu", values), *(child.title for child in node.children))


def branches_text(outlets: list[Outlet], topic: str) -> str:
    """One sentence for each branch that has something to tell about the topic."""
    told = [(outlet.name, getattr(outlet, topic)) for outlet in outlets]
    return "".join(f"{name}，{TOPICS[topic]}：{value}。" for name, value in told if value)


def _spoken(site: Site, outcome: Outcome, *titles: str) -> Outcome:
    """Make sure that the body and the titles can be heard; what cannot be spoken counts as missing."""
    from ...voice.synthesis import SynthesisError

    try:
        for text in (outcome.values["body"], *titles):
            if text:
                site.library.text(str(text))
    except SynthesisError as error:
        log.error("a text of the centre's own cannot be spoken: %s", error)
        return Outcome("missing")
    return outcome
