"""docs/requirements.md has every row once, and names only tests that exist."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
TABLE = (ROOT / "docs" / "requirements.md").read_text("utf-8")
ROW = re.compile(r"^\| ([A-L]\d\d) \| (.+) \| (.+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")

# How many rows the requirements have in each group.
ROWS = {"A": 13, "B": 13, "C": 10, "D": 8, "E": 14, "F": 7, "G": 14, "H": 4, "I": 6, "J": 7, "K": 14, "L": 12}


@lru_cache
def functions_in(path):
    """The names of all test functions of a file."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_row_is_there_once():
    expected = [f"{group}{number:02d}" for group, count in ROWS.items() for number in range(1, count + 1)]
    assert [row[0] for row in ROW.findall(TABLE)] == expected
    assert len(expected) == 122


def test_every_row_says_how_it_is_shown():
    for row, _, shown in ROW.findall(TABLE):
        named = TEST.findall(shown)
        assert shown == "not yet" or "<br>".join(f"`{path}::{name}`" for path, name in named) == shown, row


def test_every_test_named_exists():
    for path, name in TEST.findall(TABLE):
        assert (ROOT / path).is_file(), path
        assert name in functions_in(path), f"{path}::{name}"
