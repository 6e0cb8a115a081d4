"""Dialogs as data: what callers walk through, in the words of W3C VoiceXML 2.1.

A dialog is a set of named nodes. Each node does, in this order, what it has:

    form      fields the caller fills by keys, each with its prompt and its grammar
    prompt    what is said
    submit    a service by name (fund.account, survey.vote ...), whose outcome chooses the way on
    menu      keys and the nodes they lead to; the node waits for one of them
    to        the next node, where neither menu nor submit decides
    exit      the call ends here, for this cause

`*` leads to the node's parent, from everywhere. `when` leaves out a field, a piece of a prompt or a key
unless a setting or a value holds. A file may be `based_on` another: it has all of that one's nodes but those
it writes anew, or takes away by writing null. `load` refuses a file with a sentence that names file, line, key,
value and what is allowed; nothing of a refused file is used.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from .explain import problems

SHIPPED = Path(__file__).parent / "dialogs"

KEYS = "0123456789#"  # '*' is not among them: it always means back

Condition = str | dict[str, str]
Items = list[Any]


class DialogError(ValueError):
    """The file cannot be used; the text says where, what is wrong and what is allowed, a line for each finding."""


class Part(BaseModel):
    """A piece of a dialog: unknown keys are errors, what was checked never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Choice(Part):
    """A key of a menu."""

    to: str
    when: Condition | None = None
    values: dict[str, str | int] = Field({}, alias="set")


class FieldSpec(Part):
    """Something the caller keys; `grammar` is one of daemon/fields.py."""

    field: str
    grammar: str
    prompt: Items
    wrong: Items
    when: Condition | None = None


class OutcomeSpec(Part):
    """What follows an outcome of a service."""

    say: Items = []
    to: str | None = None
    retry: bool = False  # the caller may try the same node again, `dialog.attempts` times in all


def _choices(value: object) -> object:
    """Let `1: account` stand for `1: {to: account}`, and a bare number for the key it is on a telephone."""
    if not isinstance(value, dict):
        return value
    return {str(key): {"to": way} if isinstance(way, str) else way for key, way in value.items()}


class Branch(Part):
    """A menu whose keys come from a value: a mapping of key to what `value` is set to when it is pressed."""

    choices: str
    value: str
    to: str


class Node(Part):
    """One place in the dialog."""

    title: str = ""
    parent: str | None = None
    form: list[FieldSpec] = []
    prompt: Items = []
    barge_in: Literal["all", "back", "none"] = "all"  # back: only '*' cuts the prompt short
    submit: str | None = None
    values: dict[str, str | int] = Field({}, alias="set")
    outcomes: dict[str, OutcomeSpec] = {}
    menu: Annotated[dict[str, Choice], BeforeValidator(_choices)] = {}
    branch: Branch | None = None
    to: str | None = None
    exit: Literal["exit", "silence", "closed"] | None = None


class Dialog(Part):
    """The whole file."""

    name: str
    title: str
    start: str
    closed: str  # where callers go while the service is switched off
    give_up: str  # where callers go who failed too often
    invalid: Items  # said after a key that leads nowhere
    silent: Items  # said after no key came
    fault: Items  # said when a service failed in a way its outcomes do not know
    shortcuts: Annotated[dict[str, Choice], BeforeValidator(_choices)] = {}  # keys that work in every menu without them
    nodes: dict[str, Node]


Path_ = tuple[str | int, ...]
Finding = tuple[Path_, str]


class _Source(NamedTuple):
    """A file as read: what it says, and where."""

    path: Path
    data: dict[Any, Any]
    tree: yaml.Node | None


def load(
    name: str,
    services: Mapping[str, Collection[str]],
    grammars: Collection[str],
    check_items: Callable[[Items], list[str]],
) -> Dialog:
    """Read and check a dialog by its shipped name or by its path.

    `services` maps each known service to the outcomes it has, `grammars` are the known field grammars, and
    `check_items` returns what is wrong with a list of prompt pieces. Raises DialogError.
    """
    sources = _sources(find(name))
    try:
        dialog = Dialog.model_validate(_merged(sources))
    except ValidationError as error:
        places = [detail["loc"] for detail in error.errors()]
        findings: list[Finding] = [
            (where, problem.text) for where, problem in zip(places, problems(error, Dialog), strict=True)
        ]
    else:
        findings = [*_check(dialog, services, grammars, check_items)]
    if findings:
        raise DialogError("\n".join(f"{_place(sources, where)}：{text}" for where, text in findings))
    return dialog


def files(name: str) -> list[Path]:
    """The file of this dialog and those it is based on: what to watch for changes. Raises DialogError."""
    return [source.path for source in _sources(find(name))]


def _sources(path: Path) -> list[_Source]:
    """The file itself, then what it is based on."""
    sources = [_read(path)]
    while (base := sources[-1].data.get("based_on")) is not None:
        here = sources[-1].path
        beside = here.parent / str(base)
        there = beside if beside.is_file() else find(str(base))
        if there in [source.path for source in sources]:
            raise DialogError(f"{here}：based_on = {base!r}：绕成了圈")
        sources.append(_read(there))
    return sources


def _read(path: Path) -> _Source:
    try:
        text = path.read_text("utf-8")
        data, tree = yaml.safe_load(text), yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        raise DialogError(f"{path}：读不出流程文件（{error.strerror}）") from error
    except UnicodeDecodeError as error:
        raise DialogError(f"{path}：不是 UTF-8 文本，请用 UTF-8 编码保存") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DialogError(f"{path} 第 {line} 行：YAML 语法错误：{error.problem}") from error
    if not isinstance(data, dict) or not isinstance(data.get("nodes", {}), dict):
        raise DialogError(f"{path}：应当是“键: 值”的列表，最外层要有 name、start、nodes 等键")
    return _Source(path, data, tree)


def _merged(sources: list[_Source]) -> dict[Any, Any]:
    """One dialog of all files, the first one's words before the others'."""
    data: dict[Any, Any] = {}
    nodes: dict[Any, Any] = {}
    for source in reversed(sources):
        data |= source.data
        nodes |= source.data.get("nodes", {})
    data.pop("based_on", None)
    return data | {"nodes": {name: node for name, node in nodes.items() if node is not None}}


def _place(sources: list[_Source], where: Path_) -> str:
    """File and line of a finding: in the file that wrote the node, else in the first."""
    deepest = max(sources, key=lambda source: _depth(source.tree, where)[0])
    return f"{deepest.path} 第 {_depth(deepest.tree, where)[1]} 行"


def find(name: str) -> Path:
    """Where a dialog of this name is: a file of the centre's own, else a shipped one."""
    return Path(name) if Path(name).is_file() or not (SHIPPED / name).is_file() else SHIPPED / name


def _depth(tree: yaml.Node | None, where: Path_) -> tuple[int, int]:
    """How many steps of `where` a file has, and the line (from 1) of the deepest."""
    depth, line = 0, 1
    for step in where:
        if isinstance(tree, yaml.MappingNode):
            entry = next(((k, v) for k, v in tree.value if k.value == str(step)), None)
            if entry is None:
                break
            line, tree = entry[0].start_mark.line + 1, entry[1]
        elif isinstance(tree, yaml.SequenceNode) and isinstance(step, int) and step < len(tree.value):
            tree = tree.value[step]
            line = tree.start_mark.line + 1
        else:
            break
        depth += 1
    return depth, line


def _check(
    dialog: Dialog,
    services: Mapping[str, Collection[str]],
    grammars: Collection[str],
    check_items: Callable[[Items], list[str]],
) -> Iterator[Finding]:
    """What a schema cannot see: names that lead nowhere, outcomes nobody handles, nodes nobody reaches."""
    for where, items in _all_items(dialog):
        yield from ((where, text) for text in check_items(items))
    for where, target in _all_ways(dialog):
        if target not in dialog.nodes:
            known = "、".join(dialog.nodes)
            yield where, f"{where[-1]} = {target!r}：没有这个节点，已有：{known}"
    for name, node in dialog.nodes.items():
        yield from _check_node(("nodes", name), node, services, grammars)
        yield from _check_parents(dialog, name)
    for name in sorted(set(dialog.nodes) - _reached(dialog)):
        yield ("nodes", name), f"节点 {name}：从起点 {dialog.start} 走不到，请接上或删去"


def _check_node(
    where: Path_, node: Node, services: Mapping[str, Collection[str]], grammars: Collection[str]
) -> Iterator[Finding]:
    for i, field in enumerate(node.form):
        if field.grammar not in grammars:
            known = "、".join(sorted(grammars))
            yield (*where, "form", i, "grammar"), f"grammar = {field.grammar!r}：没有这种输入，可用：{known}"
    for key in node.menu:
        if len(key) != 1 or key not in KEYS:
            yield (*where, "menu", key), f"按键 {key!r} 不能用，可用 0–9 和 #（* 总是返回上层）"
    ways = [bool(node.submit), bool(node.menu or node.branch), bool(node.to), bool(node.exit)]
    if sum(ways) != 1:
        yield where, f"节点 {where[-1]}：submit、menu（或 branch）、to、exit 要有且只有一种，现有 {sum(ways)} 种"
    if node.submit:
        yield from _check_submit(where, node.submit, node.outcomes, services)
    elif node.outcomes:
        yield (*where, "outcomes"), "outcomes 只能跟在 submit 之后"


def _check_submit(
    where: Path_, service: str, outcomes: Mapping[str, OutcomeSpec], services: Mapping[str, Collection[str]]
) -> Iterator[Finding]:
    if service not in services:
        yield (*where, "submit"), f"submit = {service!r}：没有这个服务，可用：{'、'.join(sorted(services))}"
        return
    known = services[service]
    for outcome, way in outcomes.items():
        if outcome not in known:
            yield (*where, "outcomes", outcome), f"{service} 没有结果 {outcome!r}，可用：{'、'.join(sorted(known))}"
        if (way.to is None) != way.retry:
            yield (*where, "outcomes", outcome), f"结果 {outcome}：to 和 retry: true 要有且只有一个"
    for outcome in sorted(set(known) - set(outcomes)):
        yield (*where, "outcomes"), f"{service} 的结果 {outcome} 没有写怎样继续"


def _check_parents(dialog: Dialog, name: str) -> Iterator[Finding]:
    """Going back from anywhere must end at the start."""
    seen = [name]
    while (parent := dialog.nodes[seen[-1]].parent) is not None and parent in dialog.nodes:
        if parent in seen:
            yield ("nodes", name, "parent"), f"节点 {name}：上层绕成了圈：{' → '.join([*seen, parent])}"
            return
        seen.append(parent)
    last = dialog.nodes[seen[-1]]
    if last.parent is None and seen[-1] != dialog.start and (last.menu or last.form or last.branch):
        yield ("nodes", seen[-1]), f"节点 {seen[-1]}：没有 parent，按 * 无处可回"


def _all_items(dialog: Dialog) -> Iterator[tuple[Path_, Items]]:
    yield ("invalid",), dialog.invalid
    yield ("silent",), dialog.silent
    yield ("fault",), dialog.fault
    for name, node in dialog.nodes.items():
        where: Path_ = ("nodes", name)
        yield (*where, "prompt"), node.prompt
        for i, field in enumerate(node.form):
            yield (*where, "form", i, "prompt"), field.prompt
            yield (*where, "form", i, "wrong"), field.wrong
        for outcome, way in node.outcomes.items():
            yield (*where, "outcomes", outcome, "say"), way.say


def _all_ways(dialog: Dialog) -> Iterator[tuple[Path_, str]]:
    yield from ((("start",), dialog.start), (("closed",), dialog.closed), (("give_up",), dialog.give_up))
    for key, choice in dialog.shortcuts.items():
        yield ("shortcuts", key), choice.to
    for name, node in dialog.nodes.items():
        for path, target in _ways(node):
            yield ("nodes", name, *path), target


def _ways(node: Node) -> Iterator[tuple[Path_, str]]:
    """Every way out of a node, with its place in the file."""
    if node.parent is not None:
        yield ("parent",), node.parent
    if node.to is not None:
        yield ("to",), node.to
    if node.branch is not None:
        yield ("branch", "to"), node.branch.to
    for key, choice in node.menu.items():
        yield ("menu", key), choice.to
    for outcome, way in node.outcomes.items():
        if way.to is not None:
            yield ("outcomes", outcome, "to"), way.to


def _reached(dialog: Dialog) -> set[str]:
    todo = [dialog.start, dialog.closed, dialog.give_up, *(choice.to for choice in dialog.shortcuts.values())]
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name in dialog.nodes and name not in seen:
            seen.add(name)
            todo += [target for _, target in _ways(dialog.nodes[name])]
    return seen
