"""Two services never work on one state folder."""

import pytest
from hotline.daemon.claim import StateTaken, claim


def test_the_second_is_refused_with_a_sentence_and_the_next_is_not(tmp_path):
    first = claim(tmp_path)
    with pytest.raises(StateTaken, match="另一个 hotline 正在使用"):
        claim(tmp_path)
    first.close()
    claim(tmp_path).close()


def test_a_service_holds_its_folder_from_open_to_close(house):
    made = house()
    with pytest.raises(StateTaken):
        claim(made.state)
    made.stop()
    claim(made.state).close()
    made.start()
