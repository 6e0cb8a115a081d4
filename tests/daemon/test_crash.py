"""The service is killed with SIGKILL, at one instant after the other, and started again on what it left.

Whatever the caller had been told was kept is there; what he was saying is there up to the last half second;
nothing is left half-done. tests/rig/crash_child.py says what the instants are.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hotline.drivers.line import FRAME, RATE
from hotline.voice import audiofile
from rig import crash_child
from rig.house import PIN, House

ID = "990101198503070017"
HALF_A_SECOND = RATE // 2 + FRAME  # and the frame it was noticed in


class Gallows:
    """The process that forks services, and our end of the line to it."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-P", crash_child.__file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def kill(self, state: Path, keys: str, answer: str, *way: str) -> list[str]:
        """Kill a service at the last instant of `way`; what it had told until then.

        `way` names instants by their beginnings, each looked for after the one before; "3 sql" is the third such.
        """
        steps = [(int(count), name) for count, name in (self._step(step) for step in way)]
        told: list[str] = []
        pid = 0
        self._write(f"{state} {keys} {answer}")
        while (line := self._read()) != "gone":
            told.append(line)
            if line.startswith("pid "):
                pid = int(line.split()[1])
            if steps and line.startswith(steps[0][1]):
                count, name = steps.pop(0)
                if count > 1:
                    steps.insert(0, (count - 1, name))
                elif not steps:
                    os.kill(pid, signal.SIGKILL)
                    continue
            self._write("")
        assert not steps, f"the service never came to {steps[0]}: {told[-9:]}"
        return told

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        assert self._process.wait(10) == 0

    @staticmethod
    def _step(step):
        count, _, name = step.partition(" ")
        return (count, name) if count.isdigit() else ("1", step)

    def _write(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _read(self):
        line = self._process.stdout.readline()
        assert line, "the child is no more"
        return line.rstrip("\n")


@pytest.fixture(scope="module")
def gallows():
    made = Gallows()
    yield made
    made.close()


@pytest.fixture
def crash(gallows, demo_state, tmp_path):
    """Kill a service at an instant and start it again on the same folder: what it had told, and the new one."""
    houses = []

    def make(keys, answer, *way):
        state = tmp_path / "state"
        shutil.copytree(demo_state, state)
        told = gallows.kill(state, keys, answer, *way)
        houses.append(House(state, state))
        return told, houses[0]

    yield make
    for house in houses:
        house.stop()


def closed_call():
    """The one call there is, which the crash has cut off."""
    from hotline.desk.models import Call

    call = Call.objects.get()
    assert (call.cause, call.ended_at is None) == ("crash", False)
    return call


ASKED, THANKED = "said 您对住房公积金", "said 感谢您参加调查"


@pytest.mark.parametrize(
    ("way", "votes"),
    [
        ((ASKED, "sql records BEGIN"), 0),
        ((ASKED, "sql records INSERT"), 0),
        ((ASKED, "sql records COMMIT"), 0),  # a statement is told before it is executed
        ((THANKED,), 1),
        ((THANKED, "sql journal COMMIT"), 1),
    ],
)
def test_a_vote_the_caller_was_thanked_for_is_kept(crash, way, votes):
    from hotline.desk.models import Vote

    told, _ = crash(f"62{ID}", "5", *way)
    assert any(line.startswith(THANKED) for line in told) == bool(votes)
    assert list(Vote.objects.values_list("option", flat=True)) == [5] * votes
    closed_call()


CUE = "said 请讲"


@pytest.mark.parametrize(
    ("way", "state"),
    [
        (("file open",), None),  # of this complaint nothing is known yet
        (("file open", "sql records COMMIT"), None),  # an empty file without an order is no recording
        ((CUE,), "too_short"),
        ((CUE, "51 recorded"), "repaired"),
        ((CUE, "150 recorded"), "repaired"),
        ((CUE, "270 recorded"), "repaired"),
        ((CUE, "file open"), "repaired"),  # the caller has hung up, where the speech ends is being found out
        ((CUE, "file os.rename"), "repaired"),
        (("file os.rename", "sql records UPDATE"), "repaired"),  # the file is complete, its order is not
        (("over",), "kept"),
    ],
)
def test_a_recording_is_kept_up_to_the_last_half_second(crash, way, state):
    from hotline.desk.models import Message

    told, house = crash(f"611{ID}", "voice", *way)
    recorded = max([int(line.split()[1]) for line in told if line.startswith("recorded")], default=0)
    folder = house.settings.recordings()
    assert not list(folder.glob("**/*.part"))
    assert list(Message.objects.values_list("state", flat=True)) == ([state] if state else [])
    files = list(folder.glob("*/*.wav"))
    assert len(files) == (state in ("repaired", "kept"))
    for file in files:
        sound = audiofile.read(file)
        message = Message.objects.get(path=file.relative_to(folder).as_posix())
        assert (message.kind, float(message.seconds)) == ("complaint", round(len(sound) / RATE, 1))
        begun = np.flatnonzero(sound)[0]
        said = sound[begun : begun + len(crash_child.SPEECH)]
        assert np.array_equal(said, crash_child.SPEECH[: len(said)])
        assert len(said) >= min(len(crash_child.SPEECH), recorded - begun) - HALF_A_SECOND
    if state != "kept":
        closed_call()


@pytest.mark.parametrize("way", [("query",), ("answered", "said")])
def test_a_query_leaves_nothing_behind(crash, way):
    from hotline.desk.models import Call, Step

    _, house = crash(f"11{ID}", PIN, *way)
    assert closed_call().last_node == "查询个人账户"
    assert not Step.objects.filter(detail__contains=ID).exists()
    assert house.at_rest()
    assert "一万两千三百四十五元六角七分" in house.call(f"!11{ID}{PIN} wait:0.2 hangup").spoken
    assert Call.objects.filter(cause="crash").count() == 1
