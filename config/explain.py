"""Say in one Chinese sentence what is wrong with a value and what is allowed there.

Pydantic knows both, but says it in English and in a programmer's words. The sentences are made from
the model's JSON schema, so a range is written once, in the model, and is the same in the error and in
the comments of hotline.toml. Settings, tone plans, dialogs and the drivers' own sections share this.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

Schema = Mapping[str, Any]
Location = tuple[str | int, ...]

NOUNS = {"integer": "整数", "number": "数", "string": "文字", "boolean": "true 或 false", "array": "列表"}
LONGEST_SHOWN = 60  # characters of a wrong value worth repeating


class Problem(NamedTuple):
    """One thing wrong: `section` leads to the table, `text` says key, value and what is allowed."""

    section: Location
    text: str


def problems(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Everything `error` complains about, in the order of the model's fields."""
    root = model.model_json_schema()
    return [_problem(root, dict(detail)) for detail in error.errors(include_url=False)]


def allowed(node: Schema) -> str:
    """What a value described by this schema node may be: '1 到 10 的整数', 'required 或 off'."""
    if "allowed" in node:  # a pattern is no sentence: its field says it in words
        return str(node["allowed"])
    if "enum" in node:
        return _choice(node["enum"])
    if "const" in node:
        return str(node["const"])
    if node.get("format") == "path":
        return "文件夹或文件的路径"
    kind = node.get("type")
    if kind in ("integer", "number"):
        return _range(node) + NOUNS[kind]
    if kind == "string" and "maxLength" in node:
        return f"{node.get('minLength', 0)} 到 {node['maxLength']} 个字"
    if kind == "array":
        return f"{NOUNS['array']}，每一项是{_spaced(allowed(node.get('items', {})))}"
    return NOUNS.get(str(kind), "一节设置")


def resolve(root: Schema, node: Schema) -> Schema:
    """Follow references, and take the section out of 'section or nothing'."""
    while True:
        if "$ref" in node:
            node = root["$defs"][node["$ref"].rpartition("/")[2]]
        elif "anyOf" in node:
            node = next(choice for choice in node["anyOf"] if choice.get("type") != "null")
        else:
            return node


def _problem(root: Schema, detail: dict[str, Any]) -> Problem:
    location: Location = detail["loc"]
    kind: str = detail["type"]
    if kind == "value_error":  # raised by a validator of ours, already a sentence
        return Problem(location, str(detail["ctx"]["error"]))
    if not location:
        return Problem((), "内容须是一节一节的设置")
    section, key = _split(location)
    node = resolve(root, _walk(root, location))
    if kind == "extra_forbidden":
        known = resolve(root, _walk(root, section)).get("properties", {})
        return Problem(section, f"{key}：没有这项设置，{_instead(key, known)}")
    if kind == "missing":
        return Problem(section, f"缺少 {key}：必须写，须是{_spaced(allowed(node))}")
    return Problem(section, f"{key} = {_shown(detail['input'], node)}：须是{_spaced(allowed(node))}")


def _split(location: Location) -> tuple[Location, str]:
    """The table a value stands in, and what to call it there: an item of a list is named after the list."""
    *section, key = location
    if isinstance(key, int):
        *section, name = section
        return tuple(section), f"{name} 的第 {key + 1} 项"
    return tuple(section), key


def _walk(root: Schema, location: Iterable[str | int]) -> Schema:
    """The schema node at a location; an unknown step leads to an empty node, which allows anything."""
    node: Schema = root
    for step in location:
        node = resolve(root, node)
        if isinstance(step, int):
            node = node.get("items", {})
        else:
            inner = node.get("properties", {})
            other = node.get("additionalProperties")
            node = inner[step] if step in inner else other if isinstance(other, dict) else {}
    return node


def _shown(value: object, node: Schema) -> str:
    if node.get("writeOnly"):
        return "（保密，不显示）"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"


def _instead(key: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return f"是不是 {near[0]}？" if near else f"这里可以写：{'、'.join(known)}"


def _spaced(text: str) -> str:
    """Chinese typography sets a space between Han characters and digits or Latin letters."""
    return f" {text}" if text[:1].isascii() else text


def _choice(values: Iterable[object]) -> str:
    *head, last = map(str, values)
    return f"{'、'.join(head)} 或 {last}" if head else last


def _range(node: Schema) -> str:
    """'1 到 10 的', '大于 0 且不超过 3600 的', or nothing where there is no limit."""
    low, high = node.get("minimum"), node.get("maximum")
    if low is not None and high is not None:
        return f"{_number(low)} 到 {_number(high)} 的"
    bounds = [
        f"{words} {_number(node[limit])}"
        for limit, words in (
            ("minimum", "不小于"),
            ("exclusiveMinimum", "大于"),
            ("maximum", "不超过"),
            ("exclusiveMaximum", "小于"),
        )
        if limit in node
    ]
    return " 且".join(bounds) + " 的" if bounds else ""


def _number(value: float) -> str:
    return f"{value:g}" if value < 1e6 else f"{value:.0f}"
