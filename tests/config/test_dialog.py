"""Dialogs: the shipped one is sound, and a broken one is refused with file, line, value and what is allowed."""

import pytest
import yaml
from hotline.config import dialog as dialogs
from hotline.config.dialog import DialogError

SERVICES = {"fund.account": {"found", "none"}}
GRAMMARS = {"pin", "id_number"}

SOUND = """\
name: small
title: 小流程
start: main
closed: bye
give_up: bye
invalid: [invalid-key]
silent: [no-input]
fault: [system-busy]
nodes:
  main:
    prompt: [P01]
    menu: {1: query, 7: bye}
  query:
    parent: main
    form:
      - {field: id_number, grammar: id_number, prompt: [P03], wrong: [P06]}
    submit: fund.account
    outcomes:
      found: {to: main}
      none: {say: [P04], retry: true}
  bye:
    prompt: [goodbye]
    exit: exit
"""


def unknown(items):
    return [f"没有 {item!r} 这个提示音" for item in items if item == "P99"]


def load(tmp_path, text):
    path = tmp_path / "流程.yaml"
    path.write_text(text, "utf-8")
    return dialogs.load(str(path), SERVICES, GRAMMARS, unknown)


def test_a_sound_file_is_read(tmp_path):
    dialog = load(tmp_path, SOUND)
    assert dialog.nodes["main"].menu["7"].to == "bye"
    assert dialog.nodes["query"].outcomes["none"].retry


def line_of(text, piece):
    return next(i for i, line in enumerate(text.splitlines(), 1) if piece in line)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("menu: {1: query, 7: bye}", "menu: {1: qurey, 7: bye}", ["'qurey'", "没有这个节点", "query"]),
        ("menu: {1: query, 7: bye}", "menu: {1: query, 77: bye}", ["'77'", "0–9"]),
        ("menu: {1: query, 7: bye}", 'menu: {1: query, "*": bye}', ["'*'", "返回上层"]),
        ("prompt: [P01]", "prompt: [P99]", ["P99"]),
        ("prompt: [goodbye]", "prompt: [P99]", ["P99"]),
        ("submit: fund.account", "submit: fund.acount", ["'fund.acount'", "fund.account"]),
        ("found: {to: main}", "fuond: {to: main}", ["'fuond'", "found"]),
        ("none: {say: [P04], retry: true}", "none: {say: [P04]}", ["none", "retry"]),
        ("none: {say: [P04], retry: true}", "none: {to: main, retry: true}", ["none", "retry"]),
        ("grammar: id_number,", "grammar: idnumber,", ["'idnumber'", "id_number"]),
        ("parent: main", "parent: query", ["绕成了圈"]),
        ("exit: exit", "exit: now", ["exit", "silence"]),
        ("    exit: exit", "    exit: exit\n    to: main", ["to", "exit", "一种"]),
        ("    exit: exit", "    to: nowhere", ["'nowhere'"]),
        ("  bye:", "  lost:\n    to: main\n  bye:", ["lost", "走不到"]),
        ("    prompt: [P01]", "    promt: [P01]", ["promt"]),
    ],
)
def test_a_fault_is_named_with_line_value_and_what_is_allowed(tmp_path, old, new, said):
    text = SOUND.replace(old, new, 1)
    with pytest.raises(DialogError) as refusal:
        load(tmp_path, text)
    sentence = str(refusal.value)
    assert str(tmp_path / "流程.yaml") in sentence
    for piece in said:
        assert piece in sentence


@pytest.mark.parametrize(
    ("old", "new", "piece"),
    [
        ("menu: {1: query, 7: bye}", "menu: {1: qurey, 7: bye}", "qurey"),
        ("submit: fund.account", "submit: fund.acount", "fund.acount"),
        ("      found: {to: main}", "      fuond: {to: main}", "fuond"),
        ("    prompt: [P01]", "    promt: [P01]", "promt"),
    ],
)
def test_the_line_is_the_one_to_mend(tmp_path, old, new, piece):
    text = SOUND.replace(old, new, 1)
    with pytest.raises(DialogError, match=f"第 {line_of(text, piece)} 行"):
        load(tmp_path, text)


def test_a_missing_outcome_is_named(tmp_path):
    text = SOUND.replace("      none: {say: [P04], retry: true}\n", "")
    with pytest.raises(DialogError, match=r"fund\.account 的结果 none"):
        load(tmp_path, text)


def test_a_node_without_a_parent_has_nowhere_to_go_back_to(tmp_path):
    with pytest.raises(DialogError, match="没有 parent"):
        load(tmp_path, SOUND.replace("    parent: main\n", "", 1))


def test_all_faults_are_named_at_once(tmp_path):
    text = SOUND.replace("1: query", "1: qurey").replace("[goodbye]", "[P99]")
    with pytest.raises(DialogError) as refusal:
        load(tmp_path, text)
    assert len(str(refusal.value).splitlines()) >= 3  # the two faults, and a node nobody reaches any more


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: [", "YAML 语法错误"),
        ("- a\n- b\n", "最外层"),
        ("", "最外层"),
        ("name: 小", "start"),
    ],
)
def test_what_is_no_dialog_at_all_is_refused(tmp_path, text, said):
    with pytest.raises(DialogError, match=said):
        load(tmp_path, text)


def test_a_file_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "gbk.yaml"
    path.write_bytes(SOUND.encode("gbk"))
    with pytest.raises(DialogError, match="UTF-8"):
        dialogs.load(str(path), SERVICES, GRAMMARS, unknown)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DialogError, match="读不出"):
        dialogs.load(str(tmp_path / "none.yaml"), SERVICES, GRAMMARS, unknown)


@pytest.mark.parametrize("name", sorted(path.name for path in dialogs.SHIPPED.glob("*.yaml")))
def test_shipped_dialogs_have_a_way_back_from_everywhere(name):
    nodes = yaml.safe_load((dialogs.SHIPPED / name).read_text("utf-8"))["nodes"]
    for node, body in nodes.items():
        waits = {"menu", "form", "branch"} & set(body)
        assert not waits or node == "main" or "parent" in body, node
