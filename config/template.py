"""hotline.toml with every setting explained, written from the models: `python -m hotline.config.template`.

The shipped config/hotline.toml is this module's output (a test compares them), so a comment cannot
tell another default or range than the one that is checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .explain import Schema, allowed, resolve
from .settings import Settings

HEAD = """\
# 12329 住房公积金热线的全部设置。
#
# 每项上面写着用途和允许的值，等号后面是默认值。要改一项：去掉行首的 #，改等号后面的值，保存为
# UTF-8 编码，然后运行 hotline check。相对路径从本文件所在的文件夹算起。
"""
EXAMPLE_NAMES = {"lines": "1"}  # tables whose keys the centre chooses itself


def render() -> str:
    """The text of hotline.toml; each setting stands there as a comment holding its default."""
    schema = Settings.model_json_schema()
    return HEAD + "".join(_table(schema, schema, ""))


def _table(root: Schema, node: Schema, heading: str) -> Iterator[str]:
    """One section: its own settings first, as TOML wants it, then the sections inside it."""
    required = node.get("required", [])
    inner: list[tuple[str, Schema]] = []
    for key, field in node["properties"].items():
        target = resolve(root, field)
        if target.get("type") == "object":
            inner.append((key, target))
        else:
            note = "必须写，下面是例子。" if key in required else ""
            yield f"\n# {field['description']}\n# 允许：{allowed(target)}。{note}\n#{key} = {_value(field)}\n"
    for key, target in inner:
        name = f"{heading}.{key}" if heading else key
        if isinstance(target.get("additionalProperties"), dict):
            name, target = f"{name}.{EXAMPLE_NAMES[key]}", resolve(root, target["additionalProperties"])
        # A section with a setting that must be written would be at fault as soon as it stood there empty.
        mark = "#" if target.get("required") else ""
        yield f"\n\n# {target['description']}\n{mark}[{name}]\n"
        yield from _table(root, target, name)


def _value(field: Schema) -> str:
    value: Any = field["examples"][0] if "examples" in field else field["default"]
    return json.dumps(value, ensure_ascii=False)  # strings, numbers, truth and lists look the same in TOML


if __name__ == "__main__":
    print(render(), end="")
