"""DTMF digits (ITU-T Q.23, Q.24) on many lines at once, streaming.

Every 10 ms a Hann window of 30 ms is looked at in three stages, each for the few that passed the one before:

1. all lines: the eight tones, one matrix product. One row and one column must stand out, above the floor, within the
   twist. Lines too quiet to hold a tone at all are left out of the product.
2. candidates: reference frequencies between and outside the grid, and second harmonics, must be weaker than the pair.
   Nothing is compared with the energy of the whole band, so dial tone, hum, DC and clipping do not matter.
3. what is left: `keypress.judge` measures the last 100 ms: length from the half-amplitude crossings of the envelope
   (with a Hann window they lie where the tone begins and ends), frequency by phase advance, steadiness, and the
   strongest other component once both tones are subtracted.

The stages are evaluated at fixed positions and the last is a pure function of the samples, so neither how a signal is
cut into frames nor what other lines carry changes an event.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from . import goertzel, keypress
from .generate import HIGH, KEYS, LOW
from .keypress import HISTORY, LIMITS, WINDOW, Limits, Press
from .levels import amplitude, decibels, ms, ratio, sine_dbm0

__all__ = ["LIMITS", "Detector", "Digit", "Event", "Limits", "Onset", "Refused"]

STEP = ms(10)
BLOCK = 65536  # samples of all lines taken at once; longer feeds are cut, so that the work fits the processor's cache
# Between and outside the grid, at least 1.3 bins of the window (43 Hz) from every tone 3 % off.
REFERENCES = (590.0, 1040.0, 1110.0, 1272.0, 1406.0, 1555.0, 1740.0, 1850.0)


@dataclass(frozen=True, slots=True)
class Onset:
    """A key is held and certain; `at` is the sample index, since the line's reset, by which it was known."""

    line: int
    digit: str
    at: int


@dataclass(frozen=True, slots=True)
class Digit:
    """A key was released. Positions are sample indexes since the line's reset; levels are those of each tone, and
    `level_dbm0` is the stronger; twist is high group minus low group; deviations are in per cent of nominal."""

    line: int
    digit: str
    start: int
    end: int
    declared: int
    level_dbm0: float
    low_dbm0: float
    high_dbm0: float
    twist_db: float
    low_percent: float
    high_percent: float


@dataclass(frozen=True, slots=True)
class Refused:
    """A pair of tones that was looked at and is no key: which check it failed (a field of Limits), with what value."""

    line: int
    digit: str
    at: int
    check: str
    value: float
    limit: float


Event = Onset | Digit | Refused


@dataclass(slots=True)
class _Held:
    """A press that was declared. Positions count from the detector's beginning."""

    digit: int
    start: float
    declared: int
    press: Press
    ended: float | None = None


class Detector:
    """Finds keys on `lines` lines at once. With `explain`, also reports what it refused and why."""

    def __init__(self, lines: int, limits: Limits = LIMITS, *, explain: bool = False) -> None:
        self._limits = limits
        self._explain = explain
        self._room = max(ms(200), BLOCK // max(lines, 1))
        self._samples = np.zeros((lines, HISTORY + self._room), np.float32)
        self._filled = HISTORY  # columns of _samples that hold signal
        self._position = 0  # samples fed to every line so far
        self._began = np.zeros(lines, np.int64)  # the position at which each line's call began
        self._loud_until = np.zeros(lines, np.int64)
        self._held: dict[int, _Held] = {}
        window = goertzel.hann(WINDOW)
        self._tones = goertzel.basis(LOW + HIGH, window).astype(np.float32)
        self._others = goertzel.basis(REFERENCES + tuple(2 * f for f in LOW + HIGH), window).astype(np.float32)
        self._floor = amplitude(limits.floor)
        # A window whose samples all stay below this cannot hold a tone of the floor: its first Fourier
        # coefficient is at most 4/pi of the largest sample (a square wave's).
        self._quiet = self._floor * np.pi / 4

    def reset(self, line: int) -> None:
        """A new call begins on this line: what it carried is forgotten, its positions restart at 0."""
        self._samples[line] = 0
        self._began[line] = self._position
        self._loud_until[line] = 0
        self._held.pop(line, None)

    def feed(self, frames: NDArray[np.int16]) -> list[Event]:
        """The next n >= 0 samples of every line, int16 (lines, n) at 8000 Hz; events in order for each line.

        A key is followed to its end only by further samples: after a file feed 100 ms of silence."""
        if frames.ndim != 2 or frames.shape[0] != len(self._samples) or frames.dtype != np.int16:
            raise ValueError(f"frames are {frames.dtype} {frames.shape}; expected int16 ({len(self._samples)}, n)")
        events: list[Event] = []
        for begin in range(0, frames.shape[1], self._room):
            events += self._advance(frames[:, begin : begin + self._room])
        return events

    def _advance(self, frames: NDArray[np.int16]) -> list[Event]:
        count = frames.shape[1]
        if self._filled + count > self._samples.shape[1]:
            self._samples[:, :HISTORY] = self._samples[:, self._filled - HISTORY : self._filled].copy()
            self._filled = HISTORY
        self._samples[:, self._filled : self._filled + count] = frames
        first = (self._position // STEP + 1) * STEP
        self._filled += count
        self._position += count
        loud = (frames.max(axis=1) > self._quiet) | (frames.min(axis=1) < -self._quiet)
        self._loud_until[loud] = self._position + WINDOW
        ends = np.arange(first, self._position + 1, STEP)
        if not len(ends):
            return []
        active = self._loud_until >= first
        active[list(self._held)] = True
        rows = np.flatnonzero(active)
        if not len(rows):
            return []
        powers = self._powers(rows, ends)
        return self._follow(rows, ends, powers, *self._candidates(rows, ends, powers))

    def _columns(self, ends: NDArray[np.int64]) -> NDArray[np.int64]:
        """Columns of _samples just after windows that end at these positions."""
        return ends - self._position + self._filled

    def _powers(self, rows: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.float32]:
        """Squared amplitude of the eight tones: (8, hops, rows)."""
        columns = self._columns(ends)
        parts = np.empty((16, len(ends), len(rows)), np.float32)
        if len(ends) > len(rows):  # a file: windows that touch without overlapping are rows of one matrix
            for i, row in enumerate(rows):
                for k in range(min(WINDOW // STEP, len(ends))):
                    mine = columns[k :: WINDOW // STEP]
                    touching = self._samples[row, mine[0] - WINDOW : mine[-1]].reshape(-1, WINDOW)
                    parts[:, k :: WINDOW // STEP, i] = self._tones @ touching.T
        else:
            whole = len(rows) > 0.7 * len(self._samples)  # picking rows costs a copy
            wide = self._samples if whole else self._samples[rows, columns[0] - WINDOW : columns[-1]]
            offset = 0 if whole else columns[0] - WINDOW
            for k, column in enumerate(columns - offset):
                product = self._tones @ wide[:, column - WINDOW : column].T
                parts[:, k] = product[:, rows] if whole and len(rows) < len(wide) else product
        np.multiply(parts, parts, out=parts)
        return parts[:8] + parts[8:]

    def _candidates(
        self, rows: NDArray[np.int64], ends: NDArray[np.int64], powers: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Stages 1 and 2: (hop, row, digit) of the windows in which a pair of tones stands out."""
        limits = self._limits
        low, high = powers[:4].max(axis=0), powers[4:].max(axis=0)
        share = 1 / (1 + ratio(-limits.group) ** 2)
        stands_out = (low >= share * powers[:4].sum(axis=0)) & (high >= share * powers[4:].sum(axis=0))
        stands_out &= np.minimum(low, high) >= self._floor**2 / 2  # half: noise may take some; `judge` decides
        stands_out &= (high <= low * ratio(limits.twist_high + 1) ** 2) & (
            high >= low * ratio(limits.twist_low - 1) ** 2
        )
        hop, row = np.nonzero(stands_out)
        if not len(hop):
            return hop, row, hop
        tones = powers[:, hop, row]
        r, c = tones[:4].argmax(axis=0), tones[4:].argmax(axis=0)
        each = np.arange(len(hop))
        weaker = np.minimum(tones[r, each], tones[4 + c, each])
        windows = sliding_window_view(self._samples, WINDOW, axis=1)[rows[row], self._columns(ends[hop]) - WINDOW]
        others = np.abs(goertzel.bank(self._others, windows)) ** 2
        references, harmonics = others[:, : len(REFERENCES)], others[:, len(REFERENCES) :]
        pure = references.max(axis=1) <= weaker * ratio(-limits.reference) ** 2
        pure &= np.maximum(harmonics[each, r], harmonics[each, 4 + c]) <= weaker * ratio(-limits.harmonic) ** 2
        return hop[pure], row[pure], (4 * r + c)[pure]

    def _follow(
        self,
        rows: NDArray[np.int64],
        ends: NDArray[np.int64],
        powers: NDArray[np.float32],
        hop: NDArray[np.int64],
        row: NDArray[np.int64],
        digit: NDArray[np.int64],
    ) -> list[Event]:
        """Stage 3, line by line where there is a candidate or a key held."""
        candidates: dict[int, dict[int, int]] = {int(np.searchsorted(rows, line)): {} for line in self._held}
        for h, r, d in zip(hop.tolist(), row.tolist(), digit.tolist(), strict=True):
            candidates.setdefault(r, {})[h] = d
        events: list[Event] = []
        for r in sorted(candidates):
            events += self._follow_line(int(rows[r]), ends, powers[:, :, r], candidates[r])
        return events

    def _follow_line(
        self, line: int, ends: NDArray[np.int64], powers: NDArray[np.float32], candidates: dict[int, int]
    ) -> list[Event]:
        events: list[Event] = []
        waiting = sorted(candidates)
        hop = 0
        while hop < len(ends):
            held = self._held.get(line)
            if held is None:
                hop = next((h for h in waiting if h >= hop), len(ends))
                if hop == len(ends):
                    break
            end = int(ends[hop])
            if held is not None and self._released(line, held, end, powers[:, hop]):
                events.append(self._digit(line, held))
                held = None
            digit = candidates.get(hop)
            if digit is not None and (held is None or digit != held.digit or held.ended is not None):
                events += self._judge(line, held, digit, end)
            hop += 1
        return events

    def _recent(self, line: int, end: int) -> NDArray[np.float64]:
        column = end - self._position + self._filled
        return self._samples[line, column - HISTORY : column].astype(np.float64)

    def _released(self, line: int, held: _Held, end: int, powers: NDArray[np.float32]) -> bool:
        """Follow a key held up to the hop that ends here; true once its pause is longer than a break."""
        press, low, high = held.press, held.digit // 4, 4 + held.digit % 4
        sounding = powers[low] >= 0.25 * press.low**2 and powers[high] >= 0.25 * press.high**2
        if sounding == (held.ended is None):
            return held.ended is not None and end - WINDOW / 2 - held.ended > ms(self._limits.bridge)
        edge = end + keypress.edge(self._recent(line, end), held.digit, press.low, press.high, rising=sounding)
        if not sounding:
            held.ended = edge
        elif held.ended is not None and edge - held.ended > ms(self._limits.bridge):
            return True
        else:
            held.ended = None
        return False

    def _judge(self, line: int, held: _Held | None, digit: int, end: int) -> list[Event]:
        verdict = keypress.judge(self._recent(line, end), digit, self._limits)
        began = int(self._began[line])
        if not isinstance(verdict, Press):
            if not self._explain:
                return []
            return [Refused(line, KEYS[digit], end - began, verdict.check, verdict.value, verdict.limit)]
        start = max(float(began), end + verdict.start)
        events: list[Event] = []
        if held is not None:
            if digit == held.digit and held.ended is not None and start - held.ended <= ms(self._limits.bridge):
                held.press, held.ended = verdict, None  # the same key, weaker or stronger after a break
                return []
            held.ended = start if held.ended is None else min(held.ended, start)
            events.append(self._digit(line, held))
        self._held[line] = _Held(digit, start, end, verdict)
        events.append(Onset(line, KEYS[digit], end - began))
        return events

    def _digit(self, line: int, held: _Held) -> Digit:
        del self._held[line]
        began, press = int(self._began[line]), held.press
        low, high = (float(level) for level in sine_dbm0([press.low, press.high]))
        return Digit(
            line,
            KEYS[held.digit],
            round(held.start) - began,
            round(held.ended if held.ended is not None else held.start) - began,
            held.declared - began,
            round(max(low, high), 1),
            round(low, 1),
            round(high, 1),
            round(decibels(press.high / press.low), 1),
            round(press.low_percent, 2),
            round(press.high_percent, 2),
        )
