"""How long a look-up takes, from the worker that asks to the outcome: SQLite, and PostgreSQL over loopback.

    python -m hotline.bench.odbc_latency [--look-ups 2000]

The demo data, four connections as in the settings. "first" opens the connection. With more callers than
connections the rest is waiting. PostgreSQL is started for this by the tests' own fixture, so it takes a checkout.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.table import Table

from ..config.settings import Fund
from ..daemon import demo_fund
from ..daemon.fund import FundDatabase

PEOPLE = ("990101198503070017", "99010119870316005X", "990101600101123", "990101197511120059", "990101199508080067")
CALLERS = (1, 4, 16)


@contextmanager
def postgresql() -> Iterator[str]:
    """The connection string of a server that lives as long as the block."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from rig.postgres import Server  # type: ignore[import-not-found]  # no package: part of the checkout's tests

    server = Server()
    try:
        server.start()
        server.load(Path(str(demo_fund.SCRIPT)))
        yield server.connection
    finally:
        server.remove()


def look_up(fund: FundDatabase, number: str) -> float:
    """Seconds one look-up took."""
    begun = perf_counter()
    outcome = fund.account("id_number", number)
    spent = perf_counter() - begun
    assert outcome.name == "found", fund.trouble
    return spent


def measure(connection: str, look_ups: int) -> Iterator[tuple[int, float, Sequence[float]]]:
    """Callers, the first look-up and the sorted others, in seconds."""
    for callers in CALLERS:
        with (
            closing(FundDatabase(Fund(connection=connection, sql=demo_fund.SQL))) as fund,
            ThreadPoolExecutor(callers) as threads,
        ):
            first = look_up(fund, PEOPLE[0])
            numbers = [PEOPLE[i % len(PEOPLE)] for i in range(look_ups)]
            yield callers, first, sorted(threads.map(lambda number, fund=fund: look_up(fund, number), numbers))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--look-ups", type=int, default=2000)
    look_ups: int = parser.parse_args().look_ups
    table = Table("database", "callers", "first ms", "p50 ms", "p99 ms", title="fund.account over ODBC")
    with tempfile.TemporaryDirectory() as folder, postgresql() as server:
        file = Path(folder) / "fund.db"
        demo_fund.create(file)
        for name, connection in (("SQLite", demo_fund.connection(file)), ("PostgreSQL", server)):
            for callers, first, spent in measure(connection, look_ups):
                p50, p99 = spent[len(spent) // 2], spent[len(spent) * 99 // 100]
                table.add_row(name, str(callers), *(f"{1000 * seconds:.2f}" for seconds in (first, p50, p99)))
    Console().print(table)


if __name__ == "__main__":
    main()
