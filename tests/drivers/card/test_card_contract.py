"""Voice cards keep the promise of every line: the service's side, a worker process, and a fake vendor library in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hotline.drivers import make
from hotline.drivers.line import Line
from rig.card_board import Board, CardFar
from rig.line_contract import Far, LineContract


class CardContract(LineContract):
    driver: str

    @pytest.fixture(autouse=True)
    def _boards(self, board: Callable[..., Board]) -> None:
        self.board = board

    def make_pair(self) -> tuple[Line, Far]:
        made = self.board(self.driver)
        (line,) = make("card", made.section())
        made.use([line])
        return line, CardFar(made)


class TestSynwayLine(CardContract):
    driver = "synway"


class TestDonjinLine(CardContract):
    driver = "donjin"
    delay = 25  # blocks of 64 ms, played 128 ms ahead
