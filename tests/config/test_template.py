"""The shipped hotline.toml names every setting, with the default and the range that are really in force."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from typing import Any

from hotline.config.settings import Settings
from hotline.config.template import render

SHIPPED = resources.files("hotline.config") / "hotline.toml"


def switched_on() -> dict[str, Any]:
    """The shipped file with every setting's '#' taken away."""
    text = SHIPPED.read_text(encoding="utf-8")
    return tomllib.loads(re.sub(r"^#(?! |$)", "", text, flags=re.MULTILINE))


def named(node: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """Every field of the models, as a tree."""
    if "$ref" in node:
        node = root["$defs"][node["$ref"].rpartition("/")[2]]
    if "anyOf" in node:
        return named(node["anyOf"][0], root)
    if isinstance(node.get("additionalProperties"), dict):
        return {"1": named(node["additionalProperties"], root)}
    return {key: named(field, root) for key, field in node.get("properties", {}).items()}


def keys(tree: object) -> object:
    return {key: keys(value) for key, value in tree.items()} if isinstance(tree, dict) else {}


def test_the_shipped_file_is_what_the_models_say() -> None:
    shipped = SHIPPED.read_text(encoding="utf-8")
    assert shipped == render(), "run: python -m hotline.config.template > config/hotline.toml"


def test_every_field_of_every_section_is_named() -> None:
    schema = Settings.model_json_schema()
    assert keys(switched_on()) == named(schema, schema)


def test_every_field_is_explained_in_chinese() -> None:
    for name, model in Settings.model_json_schema()["$defs"].items():
        assert re.search("[一-鿿]", model["description"]), name
        for key, field in model["properties"].items():
            assert "$ref" in field or "anyOf" in field or re.search("[一-鿿]", field["description"]), f"{name}.{key}"


def test_the_defaults_shown_are_the_defaults() -> None:
    shown = switched_on()
    del shown["lines"], shown["fund"]["sql"]  # examples: these have no defaults
    assert Settings.model_validate(shown) == Settings()


def test_the_file_loads_as_it_is_and_with_everything_switched_on() -> None:
    assert Settings.model_validate(tomllib.loads(SHIPPED.read_text(encoding="utf-8"))) == Settings()
    assert Settings.model_validate(switched_on()).fund.sql is not None
