"""What a service tells the dialog: the name of an outcome, and the values its prompts speak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Outcome(NamedTuple):
    """`name` chooses the branch the dialog takes; `values` are what that branch may read out."""

    name: str
    values: Mapping[str, object] = {}
