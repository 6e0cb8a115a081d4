"""Our detectors on cases, one line at a time, as a call would feed them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...config.tones import load
from ...dsp import dtmf, echo
from ...dsp import progress as progress_tones
from ...dsp.levels import ms
from .pieces import Case, Samples
from .score import Heard

TAIL = ms(200)  # of silence, so that the last key ends


def cancelled(received: Samples, sent: Samples) -> Samples:
    """The received samples without the echo of those sent; both (n,)."""
    whole = -(-len(received) // echo.FRAME) * echo.FRAME
    pair = np.zeros((2, 1, whole), np.int16)
    pair[0, 0, : len(received)], pair[1, 0, : len(sent)] = received, sent
    canceller = echo.Canceller(1)
    frames = [
        canceller.feed(pair[0, :, at : at + echo.FRAME], pair[1, :, at : at + echo.FRAME])
        for at in range(0, whole, echo.FRAME)
    ]
    cleaned: Samples = np.concatenate(frames, axis=1)[0]
    return cleaned


def keys(cases: Sequence[Case], *, cancel: bool = True) -> list[str]:
    """The keys heard in each; where a prompt is sent, after its echo has been cancelled."""
    detector, found = dtmf.Detector(1), []
    for case in cases:
        samples = case.samples
        if cancel and case.sent is not None:
            samples = cancelled(samples, case.sent)
        detector.reset(0)
        events = detector.feed(np.concatenate([samples, np.zeros(TAIL, np.int16)])[None])
        found.append("".join(event.digit for event in events if isinstance(event, dtmf.Onset)))
    return found


def tones(cases: Sequence[Case]) -> list[list[Heard]]:
    """The tones of China's plan declared in each."""
    detector, found = progress_tones.Detector(1, load("cn")), []
    for case in cases:
        detector.reset(0)
        events = detector.feed(case.samples[None])
        heard = [event for event in events if isinstance(event, progress_tones.Tone)]
        found.append([Heard(event.name, event.declared) for event in heard])
    return found
