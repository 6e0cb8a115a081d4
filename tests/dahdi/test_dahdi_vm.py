"""DAHDI lines on a real DAHDI: Debian's kernel and its unmodified DAHDI modules, in a virtual machine of QEMU.

What runs there are the files guest_*.py, by their own pytest; prepare.sh makes the machine and run.sh starts it. The
machine keeps a time of its own, so how long all this takes says nothing about the lines.
"""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest
from hotline.drivers.dahdi import abi

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
QUIET = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def run(*command: object) -> str:
    """What a command prints, both streams; it must end well."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, env=QUIET)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-20_000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def machine() -> Path:
    """The folder the machine is kept in, of this checkout alone."""
    folder = CHECKOUT / ".venv" / "dahdi"
    run(HERE / "prepare.sh", folder)
    return folder


@pytest.mark.timeout(1800)
def test_numbers_are_those_of_the_kernels_header(machine: Path, tmp_path: Path) -> None:
    run("gcc-12", f"-I{machine}/include", HERE / "abi.c", "-o", tmp_path / "abi")
    told = dict(line.split() for line in run(tmp_path / "abi").splitlines())
    ours = {name: value for name, value in vars(abi).items() if name.isupper() and name != "RXSIG_ONHOOK"}
    assert {name: str(value) for name, value in ours.items()} == told


@pytest.mark.timeout(1800)
def test_everything_that_needs_the_kernel(machine: Path, tmp_path: Path) -> None:
    """Contract, driver and whole calls, each test by its name; none may be left out."""
    listed = run(sys.executable, HERE / "rehearse.py", tmp_path)
    collected = {line.partition("::")[2] for line in listed.splitlines() if "::" in line}
    command = (HERE / "guest.sh", Path(sys.executable).absolute(), *sorted(HERE.glob("guest_*.py")))
    done = subprocess.run(
        [HERE / "run.sh", machine, tmp_path, *command], capture_output=True, text=True, errors="replace", check=False
    )
    results = tmp_path / "results.xml"
    assert results.is_file(), done.stdout[-20_000:] + done.stderr[-20_000:]
    cases = xml.parse(results).getroot().findall(".//testcase")
    faults = [f"{case.get('name')}:\n{fault.text}" for case in cases for fault in case]
    assert not faults, "\n\n".join(faults)
    assert done.returncode == 0, done.stdout[-20_000:]
    assert {case.get("name") for case in cases} == {name.rpartition("::")[2] for name in collected}
