"""The table of a seat's life: every pair it has, and every pair it lacks."""

import pytest
from hotline.daemon.call_state import TRANSITIONS, Move, State, after


def test_every_state_has_a_row_and_leads_to_states_that_have_one():
    assert set(TRANSITIONS) == set(State)
    assert all(target in TRANSITIONS for row in TRANSITIONS.values() for target in row.values())


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("move", Move)
def test_a_pair_the_table_lacks_raises(state, move):
    if move in TRANSITIONS[state]:
        assert after(state, move) is TRANSITIONS[state][move]
    else:
        with pytest.raises(ValueError, match=f"a line that is {state.value} cannot {move.value}"):
            after(state, move)


@pytest.mark.parametrize("state", State)
def test_a_fault_is_possible_everywhere_and_every_state_finds_back_to_rest(state):
    assert Move.FAIL in TRANSITIONS[state]
    seen, todo = set(), [state]
    while todo:
        here = todo.pop()
        if here not in seen:
            seen.add(here)
            todo += TRANSITIONS[here].values()
    assert State.IDLE in seen
