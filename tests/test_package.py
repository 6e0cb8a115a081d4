"""`pip install .` into a clean virtual environment gives everything the service needs, and the command runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
NOT_SHIPPED = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "var", "node_modules")
# Folders of the checkout that are no part of the package.
NOT_PACKAGED = {"docs", "systemd", "tests"}


class Installation:
    """A clean environment with the package in it, away from the checkout."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "source"
        self.bin = folder / "venv" / "bin"
        shutil.copytree(CHECKOUT, self.source, ignore=NOT_SHIPPED)  # building writes into the source's folder
        venv.create(folder / "venv", with_pip=False)
        self.packages = Path(self.output(self.bin / "python", "-c", "import site; print(site.getsitepackages()[0])"))
        # The libraries come from the environment of the tests, so that no network is needed; a path added this
        # way brings no .pth files with it, and therefore not the editable installation of this package.
        (self.packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
        pip = [sys.executable, "-m", "pip", "--python", self.bin / "python", "install", "-q"]
        self.output(*pip, "--no-deps", "--no-build-isolation", "--no-index", self.source)

    def output(self, *command: str | Path) -> str:
        """What a command prints that is run from elsewhere; it must end well."""
        surroundings = os.environ | {"TMPDIR": str(self.folder)}  # where demonstrations keep their data
        run = subprocess.run(
            [*map(str, command)], cwd=self.folder, env=surroundings, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout.strip()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    return Installation(tmp_path_factory.mktemp("package"))


def packaged(folder: Path) -> set[str]:
    """Every file of the package, by its path in it."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and len(path.relative_to(folder).parts) > 1
        and path.relative_to(folder).parts[0] not in NOT_PACKAGED
        and not path.relative_to(folder).parts[0].endswith((".egg-info", "build"))
    }


def test_every_module_and_every_file_the_service_reads_is_there(installed: Installation) -> None:
    here = Path(installed.output(installed.bin / "python", "-c", "import hotline; print(hotline.__path__[0])"))
    assert here == installed.packages / "hotline"
    assert packaged(installed.source) - packaged(here) == set()
    assert (here / "py.typed").is_file()


def test_the_command_tells_its_version_and_finds_nothing_wrong(installed: Installation) -> None:
    hotline = installed.bin / "hotline"
    assert installed.output(hotline, "--version").startswith("hotline ")
    settings = installed.folder / "hotline.toml"
    shutil.copy(installed.packages / "hotline" / "config" / "demo" / "hotline.toml", settings)
    said = installed.output(hotline, "check", "--config", settings)
    assert "✗" not in said
    assert "提示语" in said


def test_a_call_from_ring_to_balance(installed: Installation) -> None:
    said = installed.output(installed.bin / "hotline", "call", "1 1 990101198503070017# 135790")
    assert "一万两千三百四十五元六角七分" in said
