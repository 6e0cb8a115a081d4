"""What every test must hold to: it leaves no thread, no open file and no child process behind."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

# As the service runs: on matrices of a few lines BLAS's own threads cost more than they bring. Before numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import psutil
import pytest

THIS_PROCESS = psutil.Process()
ENDING = 2.0  # seconds: rich tells a progress bar's thread to end and does not wait until it has


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail the test that left something running or open; only what appeared during the test counts."""
    threads = set(threading.enumerate())
    files = _open_files()
    children = set(THIS_PROCESS.children())
    yield
    begun = set(threading.enumerate()) - threads
    for thread in begun:
        thread.join(ENDING)
    left = [thread.name for thread in begun if thread.is_alive()]
    assert not left, f"threads outlived their test: {left}"
    assert not _open_files() - files, f"files left open: {_open_files() - files}"
    assert not set(THIS_PROCESS.children()) - children, "a child process outlived its test"


def _open_files() -> set[str]:
    return {opened.path for opened in THIS_PROCESS.open_files()}
