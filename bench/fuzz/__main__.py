"""Coverage-guided fuzzing of the parsers in checks.py: no crash, no hang, no unbounded memory.

    python -m hotline.bench.fuzz [parser ...] [--seconds 2]

Atheris (pip install 'hotline[fuzz]') finds its way by what a parser does with its input. Each parser runs in a process
of its own, for libFuzzer ends the process it runs in; an input that fails is printed, and the status is 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from .checks import PARSERS

HANG = 10  # seconds one input may take
MEMORY = 1024  # MiB

CHILD = """
import sys, logging, atheris
logging.disable()
with atheris.instrument_imports(include=["hotline"]):
    from hotline.bench.fuzz.checks import PARSERS
atheris.Setup(sys.argv[:1] + sys.argv[2:], PARSERS[sys.argv[1]].check)
atheris.Fuzz()
"""


def fuzz(name: str, seconds: int) -> str | None:
    """Run one parser; what was found, printed, or None."""
    parser = PARSERS[name]
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(parser.seeds):
            (corpus / str(number)).write_bytes(seed)
        options = [f"-max_total_time={seconds}", f"-timeout={HANG}", f"-rss_limit_mb={MEMORY}"]
        options += [f"-max_len={parser.longest}", f"-artifact_prefix={folder}/", "-seed=1", str(corpus)]
        run = subprocess.run(
            [sys.executable, "-P", "-c", CHILD, name, *options], capture_output=True, text=True, errors="replace"
        )
        kept = len(list(corpus.iterdir()))
        done = re.search(r"Done (\d+) runs in (\d+) second", run.stderr)
        print(f"{name:12} {done[1] if done else '?':>9} inputs, {kept:5} kept as different", flush=True)
        if run.returncode == 0:
            return None
        failed = [path.read_bytes() for path in Path(folder).glob("*-*")]
        return f"{name}: {failed}\n{run.stdout[-3000:]}\n{run.stderr[-3000:]}"


def main() -> None:
    """Run the parsers named, or all."""
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("parser", nargs="*", choices=[[], *PARSERS], help="all of them if none is named")
    parse.add_argument("--seconds", type=int, default=2, help="for each parser (2)")
    given = parse.parse_args()
    if importlib.util.find_spec("atheris") is None:
        print("Atheris is not installed: pip install 'hotline[fuzz]' (Linux on x86-64).")
        return
    found = [failure for name in given.parser or PARSERS if (failure := fuzz(name, given.seconds))]
    sys.exit("\n".join(found) or 0)


if __name__ == "__main__":
    main()
