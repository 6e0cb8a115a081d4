"""How soon the next prompt follows a key: a menu's after its key, a balance after the last digit of the ID.

    python -m hotline.bench.latency [--lines 16]

Measured on the line, in media time: from the key's first sample, and from its last (keys are 100 ms long), to the
first sample of the next prompt. In virtual time the clock stands still while the fund database is asked, in real
time it runs, so the second table has ODBC (SQLite) and the threads in it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from ..config.settings import Line
from ..daemon import demo
from ..daemon.journal import Entry
from ..daemon.service import Service
from ..drivers.line import RATE
from ..drivers.simulated.telephone import KeypadTelephone, Said

TICK = 0.02  # seconds
ID = "990101198503070017"
WORDS = {"menu": 2, "balance": 20}  # which key of the call brings it


class Caller:
    """Keys his way to a balance, and notes at which sample of the line each prompt begins."""

    def __init__(self, service: Service, index: int) -> None:
        self.begun: dict[int, int] = {}  # keys pressed so far to the first sample of the prompt
        self._telephone = KeypadTelephone()
        self._telephone.wait(0.5 + 0.013 * index)  # not all in the same tick, nor all at its beginning
        self._telephone.keys("11" + ID)
        line = service.phones()[index]
        service.subscribe(line.name, self._hear)
        line.exchange.call(self._telephone, None)

    @property
    def served(self) -> bool:
        """Whether the balance has begun."""
        return max(WORDS.values()) in self.begun

    def after(self, keys: int) -> tuple[float, float]:
        """Milliseconds from the first and from the last sample of this key to the prompt."""
        key: Said = self._telephone.said[keys - 1]
        begun = self.begun[keys]
        return (begun - key.start) / RATE * 1000, (begun - key.end) / RATE * 1000

    def _hear(self, entry: Entry) -> None:
        if entry.who == "系统":  # told in the tick whose frame begins with it
            self.begun.setdefault(len(self._telephone.said), self._telephone.position)


def measure(state: Path, lines: int, paced: bool) -> list[Caller]:
    """One call on each line, all at once."""
    settings = demo.prepare(state, **{"identity.pin": "off"}).settings
    names = {f"L{i:03d}": Line(driver="simulated", rings=1) for i in range(lines)}
    service = Service(settings.model_copy(update={"lines": names}), virtual=not paced)
    service.open()
    try:
        callers = [Caller(service, index) for index in range(lines)]
        due = time.monotonic()
        while not all(caller.served for caller in callers):
            service.tick()
            due += TICK
            if paced:
                time.sleep(max(0.0, due - time.monotonic()))
        return callers
    finally:
        service.close()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--lines", type=int, default=16)
    options = parser.parse_args()
    print("ms of media time                  from its start   from its end")
    print("                                    p50     p99     p50     p99")
    with tempfile.TemporaryDirectory() as folder:
        for paced in (False, True):
            callers = measure(Path(folder), options.lines, paced)
            for word, keys in WORDS.items():
                starts, ends = zip(*(caller.after(keys) for caller in callers), strict=True)
                columns = [*np.percentile(starts, [50, 99]), *np.percentile(ends, [50, 99])]
                name = f"{'real' if paced else 'virtual'} time, key to {word}"
                print(f"{name:<31}" + "".join(f"{column:8.1f}" for column in columns), flush=True)


if __name__ == "__main__":
    main()
