"""The receivers we are compared with, as Debian has them: libspandsp (through spandsp.c) and multimon-ng."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soxr

from ...dsp.generate import to_int16
from ...dsp.levels import RATE
from .pieces import Case, Samples
from .score import Heard

PACKAGES = {"gcc": "gcc", "multimon-ng": "multimon-ng", "espeak-ng": "espeak-ng"}  # program: package
MULTIMON_RATE = 22050
MULTIMON_TAIL = RATE // 10  # it works in blocks and says nothing about one that is not full
SOURCE = Path(__file__).with_name("spandsp.c")


class MissingError(RuntimeError):
    """A program or library is not there; the text names the Debian package."""


def require() -> None:
    """Raises MissingError, naming all that is missing, unless every program is there."""
    missing = [package for program, package in PACKAGES.items() if shutil.which(program) is None]
    if missing:
        raise MissingError(f"missing programs; Debian has them in: {' '.join(missing)}")


def versions() -> str:
    """What Debian calls the versions compared with; just the names on another system."""
    names = ("libspandsp-dev", "multimon-ng")
    if shutil.which("dpkg-query") is None:
        return ", ".join(names)
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *names], capture_output=True, text=True)
    return ", ".join(done.stdout.split("\n")[:-1])


class Spandsp:
    """libspandsp, compiled into `folder`. Raises MissingError if it cannot be."""

    def __init__(self, folder: Path) -> None:
        self._program = folder / "spandsp"
        command = ["gcc", "-O2", "-Wall", "-o", str(self._program), str(SOURCE), "-lspandsp", "-lm"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise MissingError(f"spandsp.c does not compile; is libspandsp-dev installed?\n{done.stderr}")

    def _run(self, signals: Sequence[Samples], what: str) -> list[str]:
        """A line of output for each signal."""
        pieces = [piece for signal in signals for piece in (np.int32(len(signal)).tobytes(), signal.tobytes())]
        done = subprocess.run([str(self._program), what], input=b"".join(pieces), capture_output=True, check=True)
        return done.stdout.decode().split("\n")[: len(signals)]

    def keys(self, cases: Sequence[Case]) -> list[str]:
        """The keys heard in each."""
        return self._run([case.samples for case in cases], "keys")

    def tones(self, cases: Sequence[Case]) -> list[list[Heard]]:
        """The tones declared in each."""
        lines = self._run([case.samples for case in cases], "tones")
        pairs = [[one.split("@") for one in line.split()] for line in lines]
        return [[Heard(name, int(at)) for name, at in line] for line in pairs]

    def seconds(self, samples: Samples) -> float:
        """Processor seconds of the DTMF receiver for one line that carries these samples, tick by tick."""
        return float(self._run([samples], "speed")[0])

    def tone_seconds(self, samples: Samples) -> float:
        """The same of the receiver of China's tones."""
        return float(self._run([samples], "tone-speed")[0])


def multimon(samples: Samples) -> str:
    """The keys multimon-ng hears. It wants 22050 Hz."""
    padded = np.concatenate([samples, np.zeros(MULTIMON_TAIL, np.int16)]).astype(float)
    raw = to_int16(soxr.resample(padded, RATE, MULTIMON_RATE)).tobytes()
    return decode(raw)


def decode(raw: bytes) -> str:
    """The keys in int16 samples at its own rate."""
    command = ["multimon-ng", "-q", "-t", "raw", "-a", "DTMF", "-"]
    done = subprocess.run(command, input=raw, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    lines = done.stdout.decode().splitlines()
    return "".join(line.removeprefix("DTMF: ").strip() for line in lines if line.startswith("DTMF: "))


def multimon_keys(cases: Sequence[Case]) -> list[str]:
    """The keys heard in each."""
    return [multimon(case.samples) for case in cases]
