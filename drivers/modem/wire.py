"""Everything the modem sends, text and streams in one row of bytes.

A stream of samples begins behind CONNECT and ends with DLE ETX; text follows at once. While we play, the modem
sends no samples but reports between lines of text, so only a stream that `listens` is read as samples.
"""

from __future__ import annotations

from . import at, dle

Event = at.Event | dle.Event


class Wire:
    """Bytes in, events out."""

    def __init__(self) -> None:
        self.listens = False  # samples follow the next CONNECT
        self._text = at.Decoder()
        self._stream: dle.Decoder | None = None

    def receive(self, data: bytes) -> list[Event]:
        """What these bytes say."""
        events: list[Event] = []
        while data:
            if self._stream is not None:
                found, data = self._stream.receive(data)
                events += found
                if found and found[-1] is dle.Report.STREAM_END:
                    self._stream = None
            else:
                said, data = self._text.receive(data)
                events += said
                if self.listens and said and said[-1] is at.Result.CONNECT:
                    self._stream = dle.Decoder()
        return events

    def reset(self) -> None:
        """Whatever was going on is over: text from here."""
        self.listens = False
        self._text = at.Decoder()
        self._stream = None
