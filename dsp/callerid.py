"""Who is calling, as the exchange sends it before or between the first rings: by FSK or by DTMF.

FSK: 1200 bit/s, either Bell 202 (1 is 1200 Hz, 0 is 2200 Hz; China, North America) or V.23 (1300 and 2100 Hz; ETSI
EN 300 659-1). A bit lasts 6.67 samples, too short to tell 100 Hz apart, so one demodulator hears both. Channel seizure
(0101...), a stretch of ones, then bytes of one start bit, eight bits from the lowest, one stop bit: message type,
length, content, and a checksum that makes the sum of all bytes 0 modulo 256. In single data message format (SDMF, type
04) the content is MMDDHHMM and the number; in multiple data message format (MDMF, type 80) a list of parameters, each
with type and length: 01 time, 02 number, 04 why there is no number, 07 name (Telcordia GR-30-CORE, GR-31-CORE).

DTMF: a start code A, B or D, the digits, an end code C or #; which of them differs by exchange (ETSI EN 300 659-1
annex, and practice).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .levels import RATE, amplitude, ms

BAUD = 1200.0
BIT = RATE / BAUD  # samples
BELL_202 = (1200.0, 2200.0)  # Hz of 1 and of 0
V23 = (1300.0, 2100.0)
BETWEEN = (1250.0, 2150.0)  # what the carrier is known by
MIDDLE, SWING = 1700.0, 450.0  # Hz: the demodulator's zero, and about how far both standards swing from it
BAND = np.hanning(15)[1:-1] / 7  # 6 dB down 570 Hz from the middle
SMOOTH = 5  # samples, three quarters of a bit
SEIZURE = 300  # bits of 0101...
MARKS = 180  # bits of 1 before the message

SDMF, MDMF = 0x04, 0x80
TIME, NUMBER, NO_NUMBER, NAME = 0x01, 0x02, 0x04, 0x07
REASONS = {"P": "withheld", "O": "unavailable"}

START_CODES, END_CODES = "ABD", "C#"  # of a number in DTMF

TAPS = 7  # samples a bit is correlated over
STEP = 80  # samples, 10 ms: in such steps the carrier is looked for
FAINTEST = amplitude(-45.0) ** 2 / 2  # mean square
CARRIER = 0.6  # of all power is at the two frequencies while there is a carrier; 1.0 in a perfect channel
GONE = 2  # steps without carrier that end a message
SHORTEST = 20 * STEP  # samples: the least message with the fewest ones before it takes longer
LONGEST = 4 * RATE  # no message takes so long (258 bytes: 2.6 s with what comes before)
LEAST_BYTES = 4  # rightly framed, that are worth calling a damaged message: speech makes one or two now and then
MOST_DIGITS = 20  # of a number: 15 at most (ITU-T E.164), and an exit code before them
LONGEST_KEYED = 1 + MOST_DIGITS + 1  # with start and end code; of more, no more is kept
DIGIT_PAUSE = ms(500)  # the longest between two digits of a number; exchanges make 70 ms (EN 300 659-1)
LEAST_MARKS = 20  # bits of 1 without a break that may stand before a message; a byte has nine at most

Samples = NDArray[np.int16]
Signal = NDArray[np.float64]


@dataclass(frozen=True)
class CallerId:
    """What the exchange said: digits or None, and then why not ("withheld", "unavailable", ""); name and MMDDHHMM where
    it sends them. `start` and `end` are samples since reset."""

    number: str | None
    reason: str = ""
    name: str = ""
    when: str = ""
    start: int = 0
    end: int = 0


class Bad(NamedTuple):
    """A message that cannot be trusted: "checksum" or "short". Its digits are not told."""

    fault: str
    start: int
    end: int


class Receiver:
    """Listens for FSK messages on one line."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.int16)
        self._kept: list[Samples] = []  # the steps with carrier so far, and the one before them
        self._start = 0  # position of the first of them
        self._position = 0  # of the rest
        self._without = GONE

    def feed(self, samples: Samples) -> list[CallerId | Bad]:
        """Messages that ended within these samples, shape (n,), any n. One is known 20 ms after its carrier ends."""
        found = []
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) // STEP * STEP
        self._rest = samples[whole:]
        steps = samples[:whole].reshape(-1, STEP)
        for step, there in zip(steps, _carrier(steps), strict=True):
            self._without = 0 if there else self._without + 1
            if not self._kept or (self._without >= GONE and len(self._kept) == 1):
                self._kept, self._start = [step], self._position
            else:
                self._kept.append(step)
            self._position += STEP
            length = len(self._kept) * STEP
            if (self._without >= GONE and len(self._kept) > GONE) or length > LONGEST:
                if length >= SHORTEST:
                    found += decode(np.concatenate(self._kept), self._start)
                self._kept = []
        return found


def decode(samples: Samples, start: int = 0) -> list[CallerId | Bad]:
    """The messages in a stretch of FSK, shape (n,); `start` is added to their positions."""
    found: list[CallerId | Bad] = []
    soft = _demodulate(samples.astype(np.float64))
    at = 0
    while (begin := _after_marks(soft, at)) is not None:
        content, end = _message(soft, begin)
        at = max(end, begin + 1)
        message = _read(content, start + begin, start + end)
        if isinstance(message, CallerId) or (len(content) >= LEAST_BYTES and content[0] in (SDMF, MDMF)):
            found.append(message)
    return found


class Keyed:
    """Listens for a number sent as DTMF on one line: a string of digits that begins with a start code, after a pause,
    and has an end code. People's telephones have no A to D, so what they key is none."""

    def __init__(self) -> None:
        self._digits = ""
        self._start = 0
        self._end = 0

    def key(self, digit: str, start: int, end: int) -> CallerId | None:
        """A digit heard from sample `start` to `end`; the caller, once the end code is in."""
        if start - self._end > DIGIT_PAUSE or not self._digits:
            self._digits, self._start = "", start
        self._digits, self._end = (self._digits + digit)[: LONGEST_KEYED + 1], end
        if digit not in END_CODES or self._digits[0] not in START_CODES:
            return None
        told, self._digits = from_digits(self._digits) if len(self._digits) <= LONGEST_KEYED else None, ""
        return told and replace(told, start=self._start, end=end)


def from_digits(digits: str) -> CallerId | None:
    """The caller in a string of DTMF keys heard before the first ring; None if it has no start and end code. "B00" and
    "B10" tell why there is no number (ETSI EN 300 659-1)."""
    if match := re.search(r"B(00|10)[C#]", digits):
        return CallerId(None, "unavailable" if match[1] == "00" else "withheld")
    if match := re.search(rf"[ABD](\d{{2,{MOST_DIGITS}}})(?:[C#]|$)", digits):
        return CallerId(match[1])
    return None


def to_digits(number: str | None) -> str:
    """A number as DTMF keys, the way Chinese exchanges that use DTMF send it: D, the number, C; None is withheld."""
    return "B10C" if number is None else f"D{number}C"


def sdmf(number: str, when: str = "01010000") -> bytes:
    """A single data message; the number may be "P" or "O", see REASONS."""
    return _sealed(SDMF, (when + number).encode("ascii"))


def mdmf(number: str, name: str = "", when: str = "01010000") -> bytes:
    """A multiple data message; the number may be "P" or "O", a name in Chinese is sent in GB 2312."""
    parameters = [(TIME, when.encode("ascii")), (NO_NUMBER if number in REASONS else NUMBER, number.encode("ascii"))]
    if name:
        parameters.append((NAME, name.encode("gb2312")))
    return _sealed(MDMF, b"".join(bytes([kind, len(content)]) + content for kind, content in parameters))


def modulate(
    message: bytes,
    level_dbm0: float = -13.0,
    frequencies: tuple[float, float] = BELL_202,
    *,
    seizure: int = SEIZURE,
    marks: int = MARKS,
    baud: float = BAUD,
    twist_db: float = 0.0,
) -> Signal:
    """A message as an exchange sends it, float samples not yet clipped; twist is the level of 0 minus that of 1 in
    dB."""
    bits = [0, 1] * (seizure // 2) + [1] * marks
    for byte in message:
        bits += [0, *(byte >> place & 1 for place in range(8)), 1]
    bits += [1, 1]
    time = np.arange(int(len(bits) * RATE / baud))
    sent = np.array(bits)[(time * baud / RATE).astype(np.int64)]
    phase = 2 * np.pi * np.cumsum(np.where(sent, frequencies[0], frequencies[1])) / RATE
    return amplitude(level_dbm0) * np.where(sent, 1.0, 10 ** (twist_db / 20)) * np.sin(phase)


def _sealed(kind: int, content: bytes) -> bytes:
    message = bytes([kind, len(content)]) + content
    return message + bytes([-sum(message) % 256])


def _correlated(samples: Signal) -> tuple[Signal, Signal]:
    """Squared amplitudes at the frequencies of 1 and of 0 over TAPS samples around each sample; 1.0 is the square of
    a sine's peak."""
    time = np.arange(TAPS) - TAPS // 2
    powers = []
    for frequency in BETWEEN:
        kernel = np.exp(2j * np.pi * frequency * time / RATE) * (2.0 / TAPS)
        powers.append(np.abs(np.convolve(samples, kernel, "same")) ** 2)
    return powers[0], powers[1]


def _carrier(steps: Samples) -> NDArray[np.bool_]:
    """Whether each step of samples, shape (n, STEP), is FSK and little else."""
    signal = steps.reshape(-1).astype(np.float64)
    if not len(signal):
        return np.zeros(0, np.bool_)
    mark, space = _correlated(signal)
    of_fsk = np.maximum(mark, space).reshape(steps.shape).mean(axis=1) / 2
    varying = signal.reshape(steps.shape)
    power = np.maximum(np.mean(varying**2, axis=1) - np.mean(varying, axis=1) ** 2, 1e-9)
    there: NDArray[np.bool_] = (power >= FAINTEST) & (of_fsk >= CARRIER * power)
    return there


def _demodulate(samples: Signal) -> Signal:
    """How far each sample is a 1 (towards 1) or a 0 (towards -1), by its frequency, so that the line's loss at 2200 Hz
    does not matter; 0 where there is no carrier."""
    time = np.arange(len(BAND)) - len(BAND) // 2
    band = np.convolve(samples, BAND * np.exp(2j * np.pi * MIDDLE * time / RATE), "same")
    strength = np.abs(band)
    turn = np.angle(band[1:] * band[:-1].conj(), deg=False) * RATE / (2 * np.pi)
    ones = np.clip((MIDDLE - turn) / SWING, -1.5, 1.5)
    smooth = np.convolve(np.append(ones[:1], ones), np.full(SMOOTH, 1 / SMOOTH), "same")
    soft: Signal = np.where(strength > 0.15 * np.percentile(strength, 75), smooth, 0.0)
    return soft


def _after_marks(soft: Signal, at: int) -> int | None:
    """The sample at which the first start bit after at least LEAST_MARKS ones begins; None if there is none."""
    other = np.flatnonzero(soft[at:] <= 0) + at
    gaps = np.diff(other, prepend=at - 1)
    begins = other[(gaps > LEAST_MARKS * BIT) & (soft[other] < 0)]
    return int(begins[0]) if len(begins) else None


def _message(soft: Signal, begin: int) -> tuple[bytes, int]:
    """The bytes from this start bit on, as many as the message says it has, and where they end."""
    content = bytearray()
    position = float(begin)
    while len(content) < 2 or len(content) < content[1] + 3:
        edge = _start_bit(soft, position)
        if edge is None:
            break
        centres = np.rint(edge + (np.arange(10) + 0.5) * BIT).astype(np.int64)
        if centres[-1] >= len(soft):
            break
        bits = soft[centres] > 0
        if not bits[9]:
            break
        content.append(int(np.dot(bits[1:9], 1 << np.arange(8))))
        position = edge + 9.25 * BIT
    return bytes(content), int(position)


def _start_bit(soft: Signal, position: float) -> float | None:
    """Where, to a part of a sample, the next 0 begins within a few bits of here: the 0 must last, a glitch does not."""
    first = int(position)
    ahead = soft[first : first + int(30 * BIT)]
    half = int(BIT / 2)
    starts = np.flatnonzero((ahead[:-half] < 0) & (ahead[half:] < 0) & (ahead[1 : 1 - half] < 0))
    if not len(starts):
        return None
    at = first + int(starts[0])
    if at == 0 or soft[at - 1] < 0:
        return float(at)
    return at - 1 + float(soft[at - 1] / (soft[at - 1] - soft[at]))


def _read(content: bytes, start: int, end: int) -> CallerId | Bad:
    if len(content) < 3 or len(content) < content[1] + 3:
        return Bad("short", start, end)
    if sum(content) % 256 or content[0] not in (SDMF, MDMF):
        return Bad("checksum", start, end)
    inner = content[2:-1]
    if content[0] == SDMF:
        when, number = inner[:8], inner[8:]
        return _caller(number, b"", when, start, end)
    fields: dict[int, bytes] = {}
    while len(inner) >= 2:
        fields[inner[0]], inner = inner[2 : 2 + inner[1]], inner[2 + inner[1] :]
    number = fields.get(NUMBER, fields.get(NO_NUMBER, b""))
    return _caller(number, fields.get(NAME, b""), fields.get(TIME, b""), start, end)


def _caller(number: bytes, name: bytes, when: bytes, start: int, end: int) -> CallerId:
    digits = number.decode("ascii", "replace").strip()
    known = bool(re.fullmatch(rf"[0-9*#+]{{1,{MOST_DIGITS}}}", digits))
    return CallerId(
        digits if known else None,
        "" if known else REASONS.get(digits, ""),
        name.decode("gb2312", "replace").strip(),
        when.decode("ascii", "replace"),
        start,
        end,
    )
