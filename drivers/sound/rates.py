"""Between 8000 Hz and a device that only runs at a multiple of it, frame by frame.

One low-pass filter, used both ways: 6 dB down at 4 kHz, flat to 3.4 kHz, images and aliases of the telephone band
60 dB down. Its delay is 2.5 ms. soxr was tried first: as a stream it hands out 20 to 150 ms at a time (LQ to HQ), which
is more than a whole call's worth of buffers, and its QQ lets aliases through. Devices at rates that are no multiple of
8000 (44100 alone is common, and every device that has it has 48000 too) are refused.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..line import RATE

SPAN = 40  # samples at 8000 Hz the filter covers, 5 ms
KAISER = 5.65  # 60 dB

Samples = NDArray[np.int16]


def _filter(factor: int) -> NDArray[np.float32]:
    """SPAN * factor + 1 taps whose sum is 1."""
    at = np.arange(-SPAN * factor // 2, SPAN * factor // 2 + 1) / factor
    taps = np.sinc(at) * np.kaiser(len(at), KAISER)
    return np.asarray(taps / taps.sum(), np.float32)


def _clipped(samples: NDArray[np.float32]) -> Samples:
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)


class Down:
    """From `factor` times 8000 Hz to 8000 Hz."""

    def __init__(self, factor: int) -> None:
        self._factor = factor
        self._taps = _filter(factor)
        self._before = np.zeros(len(self._taps) - 1, np.float32)

    def feed(self, samples: Samples) -> Samples:
        """Shape (factor * n,) to (n,)."""
        line = np.concatenate([self._before, samples], dtype=np.float32)
        self._before = line[len(line) - len(self._before) :]
        windows = np.lib.stride_tricks.sliding_window_view(line, len(self._taps))[:: self._factor]
        return _clipped(windows @ self._taps)


class Up:
    """From 8000 Hz to `factor` times as much."""

    def __init__(self, factor: int) -> None:
        taps = _filter(factor)[:-1] * factor  # the last one is all but nothing, and the phases come out even
        self._phases = taps.reshape(SPAN, factor)[::-1]  # column: where between two samples
        self._before = np.zeros(SPAN - 1, np.float32)

    def feed(self, samples: Samples) -> Samples:
        """Shape (n,) to (factor * n,)."""
        line = np.concatenate([self._before, samples], dtype=np.float32)
        self._before = line[len(line) - SPAN + 1 :]
        windows = np.lib.stride_tricks.sliding_window_view(line, SPAN)
        return _clipped((windows @ self._phases).reshape(-1))


def factors() -> tuple[int, ...]:
    """Rates to ask a device for, as multiples of RATE, the best first: what it gives without converting anything,
    then what every device has."""
    return (1, 48000 // RATE, 16000 // RATE, 96000 // RATE)
