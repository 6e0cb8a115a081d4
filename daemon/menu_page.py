"""The menu tree as a page: what a centre shows its director, and checks after a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from ..config.dialog import Dialog, Items
from ..voice.catalogue import Prompt

PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="stylesheet" href="/phone/phone.css"></head>
<body><header><h1>{title}</h1></header><main class="menu"><ul>{tree}</ul></main></body></html>
"""


def render(dialog: Dialog, prompts: Mapping[str, Prompt]) -> str:
    """The tree from the start node down, with the key that leads to each node and what is said there."""
    tree = _node(dialog, prompts, "", (dialog.start,))
    return PAGE.format(title=escape(f"菜单流程：{dialog.title}"), tree=tree)


def _node(dialog: Dialog, prompts: Mapping[str, Prompt], key: str, way: tuple[str, ...]) -> str:
    """The last node of `way` and what lies below it; ways back to a node passed already end there."""
    node = dialog.nodes[way[-1]]
    ways = [(digit, choice.to) for digit, choice in sorted(node.menu.items())]
    ways += [("", node.to)] if node.to else []
    below = "".join(_node(dialog, prompts, digit, (*way, name)) for digit, name in ways if name not in way)
    pressed = f"<kbd>{escape(key)}</kbd> " if key else ""
    said = escape(" ".join(_texts([*(item for field in node.form for item in field.prompt), *node.prompt], prompts)))
    title = escape(node.title or way[-1])
    return f"<li>{pressed}<b>{title}</b> <small>{said}</small>{f'<ul>{below}</ul>' if below else ''}</li>"


def _texts(items: Items, prompts: Mapping[str, Prompt]) -> Iterator[str]:
    """The words of prompts by name; values that a service gives are left out."""
    for item in items:
        if isinstance(item, str):
            yield prompts[item].text
        elif "say" in item:
            yield from _texts(item["say"], prompts)
