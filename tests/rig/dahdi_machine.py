"""A plugin of pytest in the virtual machine of tests/dahdi: once all tests are imported, the lines begin to run."""

import subprocess
from pathlib import Path

FOLDER = Path("/run/dahdi")


def pytest_collection_finish(session):
    """Load the kernel's modules and configure the channels, as a technician does."""
    for module in (FOLDER / "order").read_text("ascii").splitlines():
        subprocess.run(["/run/busybox", "insmod", *module.split()], cwd=FOLDER, check=True)
    configure = [FOLDER / "dahdi_cfg", "-c", FOLDER / "system.conf"]
    subprocess.run(configure, env={"LD_LIBRARY_PATH": str(FOLDER)}, check=True)


def pytest_addoption(parser):
    """Settings of a plugin that is not loaded."""
    parser.addini("timeout", "of pytest-timeout")
