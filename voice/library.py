"""All audio callers hear, in one array; a clip is a range of it.

The switchboard gathers the next frame of every line from `Library.pool` with one index operation. Samples are
only ever added: a range once given out stays valid, so a prompt may be replaced while calls are playing it.
What was replaced is given back at the next start.
"""

from __future__ import annotations

import hashlib
import re
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from . import audiofile, overrides, reading, synthesis
from .audiofile import AudioError, Samples
from .catalogue import PROMPTS, Catalogue, CatalogueError
from .numbers import Style
from .overrides import Version
from .synthesis import Voice

# Silences, in milliseconds, by the key of their clip: between groups of digits, and between sentences.
PAUSES: Final = {"pause": 120, "gap": 300}
_SPARE: Final = 60 * audiofile.RATE  # samples of room for what comes while running, before the pool must move
_SENTENCE: Final = re.compile(r"[^。！？；\n]+[。！？；\n]*")


@dataclass(frozen=True)
class Clip:
    """What is said in one piece: samples start..end of `Library.pool`."""

    key: str
    text: str
    start: int
    end: int


class Library:
    """The pool and its clips.

    `pool` is int16, shape (n,), 8000 Hz; read the attribute anew for each gather, it is swapped when it grows.
    `state` is the service's state folder; without it nothing can be replaced and free texts are not kept.
    `faults` lists, in Chinese, own prompts that could not be used; the shipped ones are played in their place.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        state: Path | None = None,
        voice: Voice | None = None,
        style: Style = "spoken",
        yao: bool = True,
    ) -> None:
        self.catalogue = catalogue
        self.voice = voice or Voice()
        self.style: Style = style
        self.yao = yao
        self.faults: list[str] = []
        self.pool: Samples = np.zeros(0, np.int16)
        self._state = state
        self._used = 0
        self._clips: dict[str, Clip] = {}
        self._own: dict[str, int] = {}  # prompt to the number of its own version that is loaded
        self._spoken: dict[str, Clip] = {}  # sentences of free texts, by what the synthesiser was given
        self._lock = threading.Lock()
        self._load()

    def clip(self, key: str) -> Clip:
        """The prompt, or one of PAUSES, as it is to be played now. CatalogueError for an unknown key."""
        try:
            return self._clips[key]
        except KeyError:
            raise CatalogueError(f"没有名为 {key!r} 的提示音（见 voice/prompts/texts.toml）") from None

    def text(self, text: str) -> list[Clip]:
        """Free text, such as a branch's address: clips that say it. Nothing to say gives `text-missing`.

        It is taken sentence by sentence: whoever changes one hears the others from where they are kept, and no
        piece of work is long enough to hold up a tick. BLOCKS on sentences that were never heard (espeak-ng,
        disk). Raises synthesis.SynthesisError.
        """
        clips: list[Clip] = []
        for sentence in map(str.strip, _SENTENCE.findall(text)):
            if said := reading.aloud(sentence, self.style, self.yao):
                clips += [self.clip("gap")] * bool(clips)
                clips.append(replace(self._sentence(said), text=sentence))
        return clips or [self.clip("text-missing")]

    def replace(self, key: str, samples: Samples, text: str | None = None) -> Clip:
        """Make `samples` (int16, 8000 Hz) the prompt from the next playing on; the old version is kept. BLOCKS."""
        if self._state is None:
            raise CatalogueError(f"{key}：没有状态目录，不能更换提示音")
        overrides.add(self._state, key, samples, self.clip(key).text if text is None else text)
        self.refresh()
        return self.clip(key)

    def put(self, key: str, text: str, samples: Samples | None) -> Clip:
        """Play the prompt like this until the next start, for wording that is kept elsewhere (a page's records).

        A recording is brought to the usual level; without one `text` is spoken; with neither the prompt is as
        shipped again. BLOCKS. Raises CatalogueError, synthesis.SynthesisError.
        """
        self.clip(key)
        said = reading.aloud(text, self.style, self.yao)
        if samples is not None:
            samples = audiofile.normalise(audiofile.trim(samples))
        else:
            samples = self._kept(said) if said else _shipped(key)
        self._clips[key] = self._add(key, text.strip() or self.catalogue[key].text, samples)
        return self._clips[key]

    def rewrite(self, key: str, text: str) -> Clip:
        """Give the prompt another wording, spoken by espeak-ng. BLOCKS. Raises synthesis.SynthesisError."""
        said = reading.aloud(text, self.style, self.yao)
        if not said:
            raise CatalogueError(f"{key}：提示音的文字不能是空的")
        return self.replace(key, synthesis.speak(said, self.voice), text)

    def versions(self, key: str) -> list[Version]:
        """The centre's own versions of a prompt, oldest first; the last is in force."""
        self.clip(key)
        return [] if self._state is None else overrides.history(self._state, key)

    def refresh(self) -> list[str]:
        """Take up what another process (a page, the command line) put into the state folder. BLOCKS.

        Returns the keys that changed.
        """
        changed = []
        for key, version in (overrides.current(self._state) if self._state else {}).items():
            if key not in self.catalogue or self._own.get(key) == version.number:
                continue
            self._own[key] = version.number
            try:
                samples = audiofile.read_pcm(version.path)
            except AudioError as error:
                self.faults.append(str(error))
                continue
            self._clips[key] = self._add(key, version.text or self.catalogue[key].text, samples)
            changed.append(key)
        return changed

    def _load(self) -> None:
        """Read the silences and every shipped prompt, then the centre's own."""
        silence = {key: np.zeros(ms * audiofile.RATE // 1000, np.int16) for key, ms in PAUSES.items()}
        shipped = {key: _shipped(key) for key in self.catalogue}
        self.pool = np.zeros(_SPARE + sum(samples.size for samples in shipped.values()), np.int16)
        for key, samples in silence.items():
            self._clips[key] = self._add(key, " " if key == "pause" else "", samples)
        for key, samples in shipped.items():
            self._clips[key] = self._add(key, self.catalogue[key].text, samples)
        self.refresh()

    def _sentence(self, said: str) -> Clip:
        known = self._spoken.get(said)
        if known is None:
            known = self._spoken[said] = self._add("text", "", self._kept(said))
        return known

    def _kept(self, said: str) -> Samples:
        """A text's audio: from the state folder, or made and kept there."""
        if self._state is None:
            return synthesis.speak(said, self.voice)
        name = hashlib.sha256(f"{self.voice}\n{said}".encode()).hexdigest()
        path = overrides.folder(self._state) / "texts" / f"{name[:32]}.wav"
        try:
            return audiofile.read_pcm(path)
        except AudioError:
            samples = synthesis.speak(said, self.voice)
            path.parent.mkdir(parents=True, exist_ok=True)
            overrides.write_whole(path, samples)
            return samples

    def _add(self, key: str, text: str, samples: Samples) -> Clip:
        with self._lock:
            start, end = self._used, self._used + samples.size
            if end > self.pool.size:
                grown = np.zeros(max(2 * self.pool.size, end + _SPARE), np.int16)
                grown[:start] = self.pool[:start]
                self.pool = grown
            self.pool[start:end] = samples
            self._used = end
        return Clip(key, text, start, end)


def _shipped(key: str) -> Samples:
    path = PROMPTS / f"{key}.wav"
    if not path.is_file():
        raise CatalogueError(f"{path}：提示音 {key} 没有音频，请运行 hotline prompts build")
    return audiofile.read_pcm(path)
