"""The checks of `python -m hotline.bench.fuzz`, by Hypothesis: what means something, damaged, and anything at all."""

from __future__ import annotations

import pytest
from hotline.bench.fuzz.checks import PARSERS, Parser
from hypothesis import given, settings
from hypothesis import strategies as st


@st.composite
def inputs(draw: st.DrawFn, parser: Parser) -> bytes:
    """A seed with a piece of it replaced, and twice over, or any bytes."""
    seed = draw(st.sampled_from([b"", *parser.seeds]))
    at = draw(st.integers(0, len(seed)))
    patched = seed[:at] + draw(st.binary(max_size=40)) + seed[at + draw(st.integers(0, 40)) :]
    return (draw(st.sampled_from([b"", seed])) + patched)[: parser.longest]


@pytest.mark.parametrize("parser", PARSERS.values(), ids=PARSERS)
def test_promises_are_kept_whatever_the_bytes(parser: Parser) -> None:
    for seed in parser.seeds:
        parser.check(seed)

    @settings(max_examples=25, deadline=None)
    @given(inputs(parser))
    def check(data: bytes) -> None:
        parser.check(data)

    check()
