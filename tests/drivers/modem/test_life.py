"""The table of a modem's life."""

from __future__ import annotations

import pytest
from hotline.drivers.modem.life import LIFTED, TABLE, Signal, State, after


def test_every_state_is_reached_and_has_a_way_out():
    reached = {State.CLOSED} | {target for row in TABLE.values() for target in row.values()}
    assert reached == set(State) == set(TABLE)
    assert all(TABLE.values())


def test_whatever_happens_in_a_call_it_can_fail():
    for state in LIFTED:
        assert after(state, Signal.SILENT) is after(state, Signal.LOST) is State.WAKING


def test_what_the_table_lacks_is_a_bug():
    with pytest.raises(ValueError, match="lift while closed"):
        after(State.CLOSED, Signal.LIFT)
