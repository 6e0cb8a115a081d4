"""Keys 3, 4 and 5 of the city flow: branches, policies and procedures, and that what is edited is heard."""

from __future__ import annotations

import pytest
from rig.city import STOP, TEXTS, last, path, prompts, quick

NAMES = ("市中心营业部", "城东管理部", "铁路分中心")

DEPOSIT = (
    "住房公积金由单位和职工按月共同缴存，单位和个人的缴存比例均为百分之五至百分之十二，"
    "缴存基数每年七月按上年度月平均工资核定一次。"
)


def save(house, row):
    """What a page does when a clerk presses 保存; a minute has passed since whatever was saved before."""
    from hotline.desk import services

    house.service.clock.skip(60)
    services.text_save(text=row, by="张三", at=house.service.clock())


def versions(row):
    """How the text read after each change, oldest first."""
    from hotline.desk.models import Version
    from hotline.desk.services import subject_of

    return list(Version.objects.filter(subject=subject_of(row)).order_by("pk").values_list("fields", flat=True))


@pytest.mark.parametrize(("key", "prompt"), [("3", "P21"), ("4", "P23"), ("5", "P24")])
def test_menus(city, key, prompt):
    """D02, D05, D08."""
    assert last(quick(city, f"!{key}{STOP}")) == TEXTS[prompt]


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("1", ("地址：示范市人民路12号。", "地址：示范市东湖路88号一楼。", "地址：示范市站前街6号。")),
        ("2", ("服务电话：0990-6512329。", "服务电话：0990-6512331。", "服务电话：0990-6512345。")),
        ("3", ("投诉电话：0990-6512300。",) * 3),
    ],
)
def test_branches(city, key, told):
    """D03: one sentence for each branch, then P22; 1 repeats, * returns to the menu of branches."""
    call = quick(city, f"!3{key} !1 !*{STOP}")
    sentence = "".join(f"{name}，{words}" for name, words in zip(NAMES, told, strict=True))
    assert prompts(call)[2:] == [f"{sentence} {TEXTS['P22']}"] * 2 + [TEXTS["P21"]]


@pytest.mark.parametrize(
    ("keys", "begins", "menu"),
    [
        ("41", DEPOSIT, "P23"),
        ("43", "连续足额缴存满六个月的职工", "P23"),
        ("51", "单位新开户请持营业执照", "P24"),
        ("52", "请本人持身份证、联名卡", "P24"),
        ("53", "贷款分为申请、审批、签约", "P24"),
    ],
)
def test_leaves(city, keys, begins, menu):
    """D06, D08: the text, then P22; 1 repeats, * returns to the menu above."""
    told = quick(city, f"!{keys} !1 !*{STOP}")
    first, again, back = prompts(told)[2:]
    assert first.startswith(begins)
    assert first.endswith(TEXTS["P22"])
    assert again == first
    assert back == TEXTS[menu]


def test_a_third_level(city):
    """D06, D07: a category that branches further: the same rules one level down."""
    told = quick(city, f"!42 !2 !1 !* !*{STOP}")
    menu = (
        "符合规定情形的职工，可以申请提取本人账户内的住房公积金。"
        " 租房提取请按 1 购房提取请按 2 退休提取请按 3 " + TEXTS["press-star"]
    )
    leaf = f"购买自住住房的，可以在购房合同备案之日起一年内申请提取。 {TEXTS['P22']}"
    assert prompts(told)[2:] == [menu, leaf, leaf, menu, TEXTS["P23"]]


def test_a_node_added_on_a_page(house):
    """D06, D08: added between two calls, deeper than anything shipped."""
    from hotline.desk.models import PolicyText

    centre = house()
    assert "贷款分为" in last(quick(centre, "!53" + STOP))
    above = PolicyText.objects.get(kind="procedure", key="3")
    second = PolicyText(kind="procedure", category="loan", parent=above, key="1", title="申请材料", text="")
    save(centre, second)
    save(centre, PolicyText(kind="procedure", category="loan", parent=second, key="4", title="身份", text="带身份证。"))
    told = quick(centre, f"!53 !14 !* !* !*{STOP}")
    assert "申请材料请按 1" in prompts(told)[2]
    assert f"带身份证。 {TEXTS['P22']}" in prompts(told)
    assert prompts(told)[-1] == TEXTS["P24"]
    assert path(told)[-1] == "procedures"


def test_nothing_typed_in(house):
    """D03, D06: a centre that has written nothing yet says so, and its callers are back in the menu."""
    from hotline.desk.models import Branch, PolicyText

    empty = house()
    Branch.objects.update(enabled=False)
    PolicyText.objects.update(enabled=False)
    told = quick(empty, f"!31 wait:4{STOP}")
    assert prompts(told)[2:] == [TEXTS["text-missing"], TEXTS["P21"]]
    told = quick(empty, f"!41 wait:4{STOP}")
    assert prompts(told)[2:] == [TEXTS["text-missing"], TEXTS["P23"]]


def test_edited_texts_are_heard_on_the_next_call(house):
    """D03, L11: a branch, a policy and a prompt; the version before is kept."""
    from hotline.desk.models import Branch, PolicyText, PromptText

    centre = house()
    before = [last(quick(centre, f"!{keys}{STOP}")) for keys in ("31", "41", "4")]
    branch = Branch.objects.get(name="城东管理部")
    branch.address = "示范市新街100号"
    policy = PolicyText.objects.get(kind="policy", key="1", parent=None)
    policy.text = "缴存比例自七月起为百分之八。"
    prompt = PromptText.objects.get(key="P23")
    prompt.text = "缴存政策请按 1。"
    for row in (branch, policy, prompt):
        save(centre, row)
    after = [last(quick(centre, f"!{keys}{STOP}")) for keys in ("31", "41", "4")]
    assert "城东管理部，地址：示范市新街100号。" in after[0]
    assert "示范市人民路12号" in after[0]
    assert after[1] == f"缴存比例自七月起为百分之八。 {TEXTS['P22']}"
    assert after[2] == "缴存政策请按 1。"
    assert not set(before) & set(after)
    assert [fields["地址"] for fields in versions(branch)] == ["示范市东湖路88号一楼", "示范市新街100号"]
    assert [fields["播报内容"] for fields in versions(policy)] == [DEPOSIT, "缴存比例自七月起为百分之八。"]
    assert [fields["本中心文字"] for fields in versions(prompt)] == ["缴存政策请按 1。"]
    prompt.text = ""
    save(centre, prompt)
    assert last(quick(centre, "!4" + STOP)) == TEXTS["P23"]
    assert len(versions(prompt)) == 2


def test_an_edited_prompt_is_taken_up_once(house):
    """L11: the pool of samples must not grow with every call after an edit."""
    from hotline.desk.models import PromptText

    centre = house()
    save(centre, PromptText(key="P23", text="缴存政策请按 1。"))
    quick(centre, "!4" + STOP)
    used = centre.service.site.library.clip("P23")
    quick(centre, "!4" + STOP)
    assert centre.service.site.library.clip("P23") == used
