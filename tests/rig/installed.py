"""The installed command, as somebody types it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

HOTLINE = Path(sys.executable).with_name("hotline")


def hotline(*words, folder, status=0, timeout=60, **environment):
    """Run `hotline` in a folder to its end; all it printed. `status` None: whatever it was."""
    done = subprocess.run(
        [HOTLINE, *map(str, words)],
        cwd=folder,
        env=os.environ | {"COLUMNS": "300"} | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    said = done.stdout + done.stderr
    assert status is None or done.returncode == status, said
    return said


@contextmanager
def running(*words, folder, **environment):
    """`hotline` that serves until it is told to stop; gives what it printed up to its addresses."""
    command = [HOTLINE, *map(str, words)]
    with subprocess.Popen(
        command, cwd=folder, env=os.environ | environment, stdout=subprocess.PIPE, text=True
    ) as process:
        said = ""
        while "Ctrl+C" not in said and (line := process.stdout.readline()):
            said += line
        try:
            yield said
        finally:
            process.terminate()
            process.stdout.read()
    assert process.returncode == 0


def free_ports(count):
    """Different ports nobody listens on."""
    with ExitStack() as held:
        return [held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(count)]
