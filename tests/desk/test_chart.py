from __future__ import annotations

from itertools import pairwise

import pytest
from hotline.desk import chart
from hotline.desk.selectors import OptionCount


def test_the_largest_bar_is_the_longest_and_the_rest_in_proportion():
    drawn = chart.bars(
        [OptionCount(1, "非常满意", 8, 0.8), OptionCount(2, "满意", 2, 0.2), OptionCount(3, "一般", 0, 0.0)]
    )
    assert [bar.width for bar in drawn] == [chart.LONGEST, chart.LONGEST // 4, 0]
    assert drawn[0].value == "8 票 80.0%"
    assert all(above.y + above.height < below.y for above, below in pairwise(drawn))


def test_nothing_to_draw():
    assert [bar.width for bar in chart.bars([OptionCount(1, "非常满意", 0, None)])] == [0]
    assert chart.bars([]) == []


@pytest.mark.parametrize(("share", "text"), [(None, "—"), (0.0, "0.0%"), (1 / 3, "33.3%"), (1.0, "100.0%")])
def test_percent(share, text):
    assert chart.percent(share) == text
