"""Give parsers bytes that atheris has made up, guided by what code they reach.

    python -m hotline.bench.fuzz [TARGET …] [--seconds 60]

A target is a function of any bytes; it must return, quickly, with no error but the ones it allows itself. The first
byte says how the rest is cut. What breaks a target is left in the current folder as crash-…; libFuzzer prints the rest.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from uuid import UUID

try:
    import atheris
except ImportError:
    sys.exit("atheris is missing: make fuzz installs it (Linux, x86-64, CPython 3.11 to 3.13)")

with atheris.instrument_imports(include=["hotline.drivers", "hotline.dsp"]):
    from hotline.drivers.audiosocket import agi, protocol
    from hotline.drivers.modem import at, dle
    from hotline.dsp import callerid

LONGEST = 2 * protocol.LONGEST  # bytes of an input


def pieces(data: bytes) -> Iterator[bytes]:
    """The bytes after the first, in pieces of as many."""
    size = max(1, data[0]) if data else 1
    return (data[at : at + size] for at in range(1, len(data), size))


def audiosocket(data: bytes) -> None:
    """Any stream after the UUID: the same events as in one piece, and no more memory than a message."""
    identified = protocol.uuid_message(UUID(int=0))
    decoder, found = protocol.Decoder(), protocol.Decoder().receive(identified)
    decoder.receive(identified)
    for piece in pieces(data):
        found += decoder.receive(piece)
        assert len(decoder._rest) < protocol.HEADER + protocol.LONGEST
    assert found == protocol.Decoder().receive(identified + data[1:])
    assert not any(isinstance(event, protocol.Broken) for event in found[:-1])


def asterisk_agi(data: bytes) -> None:
    """Any request, and no more memory than one may take."""
    decoder = agi.Decoder()
    for piece in pieces(data):
        if any(isinstance(event, agi.Broken) for event in decoder.receive(piece)):
            return
        assert len(decoder._rest) <= agi.MOST


def modem_text(data: bytes) -> None:
    """What a modem says between streams: any text, and no more memory than a line."""
    decoder = at.Decoder()
    for piece in pieces(data):
        decoder.receive(piece)
        assert len(decoder._line) <= at.LONGEST_LINE


def modem_audio(data: bytes) -> None:
    """A stream shielded by DLE: never more sound than bytes."""
    decoder = dle.Decoder()
    for piece in pieces(data):
        events, rest = decoder.receive(piece)
        # DLE SUB, cut between two pieces, is two samples for the second byte.
        assert sum(len(event.data) for event in events if isinstance(event, dle.Audio)) + len(rest) <= len(piece) + 1


def caller_id(data: bytes) -> None:
    """A demodulated message, its checksum made right so that what is inside is looked at."""
    for content in (data, data + bytes([-sum(data) % 256])):
        callerid._read(content, 0, 0)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "audiosocket": audiosocket,
    "agi": asterisk_agi,
    "modem-text": modem_text,
    "modem-audio": modem_audio,
    "caller-id": caller_id,
}


def main() -> None:
    """Run every target in a process of its own: libFuzzer ends the process it runs in."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="all without one")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = options.targets or list(TARGETS)
    if options.here:
        limits = [f"-max_total_time={options.seconds}", f"-max_len={LONGEST}", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], *limits], TARGETS[names[0]])
        atheris.Fuzz()
    for name in names:
        print(f"# {name}", flush=True)
        again = [sys.executable, "-P", "-m", "hotline.bench.fuzz", name, "--seconds", str(options.seconds), "--here"]
        if subprocess.run(again, check=False).returncode:
            sys.exit(f"{name} broke")


if __name__ == "__main__":
    main()
