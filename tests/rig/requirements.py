"""Which tests show which row of docs/requirements.md; run as a program it writes the table's last column."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

TESTS = Path(__file__).parents[1]
TABLE = TESTS.parent / "docs" / "requirements.md"
ROW = re.compile(r"^\| (?P<id>[A-L]\d\d) \| (?P<what>.*) \| (?P<shown>.*) \|$", re.MULTILINE)
ID = re.compile(r"\b[A-L]\d\d\b")
NOT_YET = "not yet"


def shown_by() -> dict[str, list[str]]:
    """Row to the tests that name it before the first colon or full stop of their docstring, in order."""
    found = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            for test in [node, *getattr(node, "body", [])] if isinstance(node, ast.ClassDef) else [node]:
                if isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef) and test.name.startswith("test_"):
                    head = re.split("[:.]", ast.get_docstring(test) or "", maxsplit=1)[0]
                    for row in dict.fromkeys(ID.findall(head)):
                        found[row].append(f"{path.relative_to(TESTS).as_posix()}::{test.name}")
    return dict(found)


def rows(text: str) -> list[str]:
    """The ids of the table's rows, as they stand there."""
    return [row["id"] for row in ROW.finditer(text)]


def filled(text: str) -> str:
    """The table's text with its last column as the tests have it."""
    tests = shown_by()

    def row(found: re.Match[str]) -> str:
        shown = "<br>".join(f"`{test}`" for test in tests.get(found["id"], [])) or NOT_YET
        return f"| {found['id']} | {found['what']} | {shown} |"

    return ROW.sub(row, text)


if __name__ == "__main__":
    TABLE.write_text(filled(TABLE.read_text("utf-8")), "utf-8")
