"""Where recordings stand, what they are called, where they end, and what a crash left of them.

    FOLDER / 2026-11-21 / complaint-143005-3f9a1c.wav

One folder a day, so that no folder grows for years. A name says what was recorded and when, and has six
random hex digits; whoever may list the folder learns nothing about who called. Times are local, as clerks
look for them. Names are kept as text with '/' (`relative`), so that records mean the same on any system.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath

import numpy as np
import numpy.typing as npt

from ..config.tones import TonePlan
from ..dsp import meter, progress
from ..dsp.levels import RATE, power_dbm0
from . import wavefile
from .recorder import RecorderError, part
from .wavefile import WIDTH

log = logging.getLogger(__name__)

KIND = re.compile(r"[a-z]{1,20}")

# Left free whatever is recorded: the database and the log live on the same disk as a rule.
RESERVE = 64 * 1024 * 1024  # bytes


MARGIN = RATE // 2  # samples left after the last word: people trail off, and a final consonant is faint


@dataclass(frozen=True)
class Mended:
    """A recording that a crash had cut off."""

    path: Path
    seconds: float


def new(folder: Path, kind: str, at: datetime) -> Path:
    """A path nobody has used, below `folder`; `kind` is a word of a-z such as "complaint"."""
    if not KIND.fullmatch(kind):
        raise ValueError(f"recording kind {kind!r}: only a-z, up to 20")
    while True:
        path = folder / f"{at:%Y-%m-%d}" / f"{kind}-{at:%H%M%S}-{secrets.token_hex(3)}.wav"
        if not path.exists() and not part(path).exists():
            return path


def relative(folder: PurePath, path: PurePath) -> str:
    """The name records keep: the path below `folder`, with '/'."""
    return path.relative_to(folder).as_posix()


def end_of_speech(samples: npt.NDArray[np.int16], plan: TonePlan) -> int:
    """How many samples of a recording are worth keeping: all before the tone that says the far end has gone, and before
    the silence in front of it. Nothing but silence is 0. A steady noise is kept: somebody may be speaking in it."""
    tone = progress.tone_tail(samples, plan)
    body = samples[:tone]
    voice = meter.voiced(body)
    if voice is not None:
        return min(voice[1] + MARGIN, len(body))
    return len(body) if power_dbm0(body) > meter.FAINTEST else 0


def seconds(path: Path) -> float:
    """How long a closed recording is. Raises OSError."""
    return wavefile.whole_samples(path.stat().st_size) / RATE


def room(folder: Path) -> float:
    """Seconds of recording that fit on the folder's disk, leaving RESERVE free; the folder need not exist yet.

    Raises OSError when the disk cannot be asked.
    """
    there = folder.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    return max(0, shutil.disk_usage(there).free - RESERVE) / (RATE * WIDTH)


def repair(folder: Path) -> list[Mended]:
    """At start: make every .part below `folder` a WAV that is complete, and return those that hold anything.

    A recording another process is writing is left alone; so is one that cannot be mended, with an error
    in the log. An empty one is removed.
    """
    mended = []
    for left in sorted(folder.glob("*/*.wav.part")):
        try:
            length = _mend(left)
        except BlockingIOError:
            log.warning("%s: is being written by another process, left alone", left)
        except OSError as error:
            log.error("%s: cannot be repaired: %s", left, RecorderError.of(left, error))
        else:
            if length:
                mended.append(Mended(left.with_suffix(""), length))
                log.warning("%s: repaired, %.1f s", left.with_suffix(""), length)
    return mended


def _mend(left: Path) -> float:
    """One of them; the seconds it holds. The steps are those of closing, so a crash in here leaves one more .part."""
    path = left.with_suffix("")
    if path.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    with left.open("r+b", buffering=0) as file:
        wavefile.claim(file)
        samples = wavefile.whole_samples(left.stat().st_size)
        wavefile.finish(file, samples)
    if samples:
        left.replace(path)
    else:
        left.unlink()
    wavefile.sync_folder(left.parent)
    return samples / RATE
