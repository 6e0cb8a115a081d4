from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest
from hotline.desk import selectors, services
from hotline.desk.models import Branch, PolicyText, PromptText
from rig.desk import NOON, SOMEBODY


def vote(records, option, at=NOON, line="line1", who=SOMEBODY):
    call = uuid4()
    records.call_started(call, line, None, at)
    records.vote_cast(call, who, option, at, line)


def counts(first, last, line=""):
    return [entry.count for entry in selectors.votes_per_option(*selectors.period(first, last), line)]


def test_votes_are_counted_by_the_days_of_the_centre(records):
    midnight = NOON.replace(hour=16)  # in Shanghai
    vote(records, 1, midnight - timedelta(microseconds=1))
    vote(records, 2, midnight)
    assert counts(date(2026, 11, 20), date(2026, 11, 20)) == [1, 0, 0, 0, 0]
    assert counts(date(2026, 11, 21), date(2026, 11, 21)) == [0, 1, 0, 0, 0]
    assert counts(date(2026, 11, 20), date(2026, 11, 21)) == [1, 1, 0, 0, 0]
    assert counts(date(2026, 11, 22), date(2026, 11, 30)) == [0, 0, 0, 0, 0]


def test_shares_and_one_line_only(records):
    for option, line in ((1, "line1"), (1, "line2"), (5, "line2"), (3, "line2")):
        vote(records, option, line=line)
    found = selectors.votes_per_option(*selectors.period(date(2026, 11, 1), date(2026, 11, 30)))
    assert [(entry.label, entry.count, entry.share) for entry in found] == [
        ("非常满意", 2, 0.5), ("满意", 0, 0), ("一般", 1, 0.25), ("不满意", 0, 0), ("非常不满意", 1, 0.25),
    ]  # fmt: skip
    assert counts(date(2026, 11, 1), date(2026, 11, 30), "line2") == [1, 0, 1, 0, 1]


def test_no_votes_have_no_share(state):
    found = selectors.votes_per_option(*selectors.period(date(2026, 11, 1), date(2026, 11, 30)))
    assert {entry.share for entry in found} == {None}


def save(text):
    services.text_save(text=text, by="clerk", at=NOON)
    return text


def test_branches_in_their_order_and_only_open_ones(records):
    for order, name in ((2, "城东"), (1, "中心"), (3, "城西")):
        save(Branch(name=name, address="路1号", order=order, enabled=name != "城西"))
    assert [outlet.name for outlet in records.branches()] == ["中心", "城东"]


@pytest.fixture
def tree(state):
    def node(key, title, parent=None, enabled=True, kind="policy"):
        return save(
            PolicyText(
                kind=kind, category="loan", parent=parent, key=key, title=title, text=title + "。", enabled=enabled
            )
        )

    top = node("3", "贷款政策")
    node("2", "贷款条件", top)
    amount = node("1", "贷款额度", top)
    node("1", "多子女家庭", amount)
    node("3", "停用的", top, enabled=False)
    node("3", "贷款流程", kind="procedure")


def test_keys_lead_down_the_tree(tree, records):
    top = records.texts("policy", ("3",))
    assert [(child.key, child.title) for child in top.children] == [("1", "贷款额度"), ("2", "贷款条件")]
    assert records.texts("policy", ("3", "1", "1")).text == "多子女家庭。"
    assert records.texts("procedure", ("3",)).children == ()
    assert [child.title for child in records.texts("policy").children] == ["贷款政策"]


@pytest.mark.parametrize("path", [("1",), ("3", "3"), ("3", "9", "1"), ("3", "1", "1", "1")])
def test_keys_that_lead_nowhere(tree, records, path):
    assert records.texts("policy", path) is None


def test_overrides_name_their_audio(records, state):
    save(PromptText(key="P01", text="", audio="prompts/p01.wav"))
    (found,) = records.prompt_overrides()
    assert (found.key, found.text, found.audio) == ("P01", "", state / "uploads" / "prompts" / "p01.wav")


def test_what_one_person_left(records):
    vote(records, 1)
    vote(records, 2, who="990101196001010074")
    votes, messages = selectors.left_by(SOMEBODY)
    assert ([found.option for found in votes], messages) == ([1], [])
