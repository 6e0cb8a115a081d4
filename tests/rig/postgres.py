"""A real PostgreSQL for tests: Debian's package, a data folder of its own, loopback only."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil
import pyodbc


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    assert found, "PostgreSQL is missing: apt-get install postgresql"
    return found[-1]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """Made stopped; `start` and `stop` return when it answers and when it is gone."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hotline-pg-"))
        self.port = _free_port()
        self._as = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        if self._as:  # initdb and postgres refuse to run as root
            shutil.chown(self.folder, "postgres", "postgres")
        self._run("initdb", "--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8")

    @property
    def connection(self) -> str:
        """What a centre would write into its settings."""
        return f"Driver=PostgreSQL Unicode;Server=127.0.0.1;Port={self.port};Database=postgres;Uid=postgres"

    def start(self) -> None:
        options = f"-h 127.0.0.1 -p {self.port} -k {self.folder} -F"
        self._run("pg_ctl", "start", "--wait", f"--log={self.folder}/log", f"--options={options}")
        # At its first disconnect psqlodbc opens a log of its own and keeps it open: now, not in a test.
        pyodbc.connect(self.connection).close()

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "--wait", "--mode=fast")

    def is_running(self) -> bool:
        return self._postmaster() is not None

    def freeze(self) -> None:
        """All its processes stand still; connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on; quiet for a server that is not frozen, or not running."""
        self._signal(signal.SIGCONT)

    def load(self, script: Path) -> None:
        """Run a file of SQL."""
        address = ["--host=127.0.0.1", f"--port={self.port}", "--username=postgres"]
        self._run("psql", *address, "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", f"--file={script}")

    def remove(self) -> None:
        """Stop it, however it stands, and leave nothing behind."""
        self.thaw()
        if self.is_running():
            self._run("pg_ctl", "stop", "--wait", "--mode=immediate")
        shutil.rmtree(self.folder)
        for log in Path("/tmp").glob(f"psqlodbc_*{os.getpid()}.log"):
            log.unlink()

    def _postmaster(self) -> psutil.Process | None:
        try:
            return psutil.Process(int((self.folder / "data/postmaster.pid").read_text().split()[0]))
        except (FileNotFoundError, psutil.NoSuchProcess):
            return None

    def _signal(self, number: int) -> None:
        postmaster = self._postmaster()
        if postmaster is None:
            return
        postmaster.send_signal(number)
        for process in postmaster.children():
            with suppress(psutil.NoSuchProcess):  # a connection may be ending just now
                process.send_signal(number)

    def _run(self, program: str, *arguments: str) -> None:
        environment = {**os.environ, "PGDATA": str(self.folder / "data"), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            [_binaries() / program, *arguments],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # no pipe: the server would inherit it and keep it open
            stderr=(self.folder / "errors").open("w"),
            check=False,
            **self._as,  # type: ignore[arg-type]  # three keywords of three types
        )
        assert done.returncode == 0, f"{program}: {(self.folder / 'errors').read_text()}"
