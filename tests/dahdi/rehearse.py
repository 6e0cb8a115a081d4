"""usage: rehearse.py OUT, on the host before the virtual machine starts.

Makes the demo data there, which takes the machine minutes and us seconds, and writes down which files a call and the
tests' imports have opened: the machine carries them (run.sh).
"""

from __future__ import annotations

import sys
from pathlib import Path

OUT, HERE = Path(sys.argv[1]), Path(__file__).parent
opened: set[str] = set()


def note(event: str, arguments: tuple) -> None:
    if event == "open" and isinstance(arguments[0], str | Path):
        opened.add(str(arguments[0]))


sys.addaudithook(note)
sys.path.insert(0, str(HERE.parent))

import pytest  # noqa: E402  # what it imports is to be noted too
from rig.house import House, template  # noqa: E402  # likewise


def main() -> None:
    """Rehearse a call, collect the tests, write the list."""
    original = template(OUT / "state")
    house = House(original, OUT / "rehearsed")
    house.call("!1 !1 990101198503070017# !135790 wait:0.2 hangup")
    house.stop()
    tests = map(str, HERE.glob("guest_*.py"))
    if pytest.main(["-q", "--collect-only", "-p", "no:xdist", *tests]):
        sys.exit("the tests for the virtual machine cannot be imported (above)")
    libraries = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/" in line}
    wanted = {Path(path) for path in opened | libraries | {sys.executable}}
    for path in list(wanted):  # a module is looked for in both of its places
        if path.suffix == ".pyc":
            wanted.add(path.parent.parent / (path.name.split(".")[0] + ".py"))
        if path.suffix == ".py":
            wanted.update((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"))
    kept = (path for path in sorted(wanted) if path.is_absolute() and path.is_file())
    apart = (str(OUT), "/proc", "/sys", "/dev")
    (OUT / "files").write_text("".join(f"{path}\n" for path in kept if not str(path).startswith(apart)))


if __name__ == "__main__":
    main()
