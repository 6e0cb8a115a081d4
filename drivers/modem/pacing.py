"""How much is under way between the ticks and the modem's own clock.

A modem's crystal and ours differ by some millionths, and reads come in bursts. What it sends goes through a small
buffer (drivers/simulated/telephone.py has it). What we send is metered out: there is no way to ask a modem how much it
still has to play, so we keep account of it, and never let more than 200 ms lie in the device, because that much is
heard after a caller has pressed a key.

In duplex the account is settled by what the modem has sent: as many samples as arrived have been played, so both
directions keep in step for hours. What it sends before our first samples reach it is counted too, so what lies there is
more than we think by the time bytes take there and back, some 20 ms. While only playing, nothing arrives, and ticks
are counted.
"""

from __future__ import annotations

from ..line import FRAME

DUPLEX_AHEAD = 2 * FRAME  # 40 ms, and those 20; echo cancelling wants the way to be short
PLAY_AHEAD = 10 * FRAME  # 200 ms
DRY = FRAME * 3 // 2  # so much room, and silence is sent: nothing was written. Reads bring 160, give or take 64
MOST = 50 * FRAME  # waiting here at most: the time to turn from recording to playing, and a little


class Outgoing:
    """Bytes on their way to one stream, one a sample."""

    def __init__(self, ahead: int, silence: bytes, fill: bool) -> None:
        """`ahead`: samples that may lie in the device. `fill`: send silence when there is nothing else, as a stream
        that must not run dry wants; `silence` is one sample of it."""
        self._ahead = ahead
        self._room = ahead
        self._silence = silence
        self._fill = fill

    def played(self, samples: int) -> None:
        """So many samples have left the device."""
        self._room = min(self._ahead, self._room + samples)

    def dry(self) -> None:
        """The device says it has nothing left: whatever went wrong with the account before, this is certain."""
        self._room = self._ahead

    @property
    def urgent(self) -> bool:
        """Whether something must be sent before the next frame is written."""
        return self._fill and self._room >= DRY

    def take(self, waiting: bytearray) -> bytes:
        """What may be sent now, taken from `waiting`."""
        data = bytes(waiting[: self._room])
        del waiting[: len(data)]
        self._room -= len(data)
        if self.urgent:
            data += self._silence * self._room
            self._room = 0
        return data


def queue(waiting: bytearray, codes: bytes, silent: bool) -> None:
    """Put a frame behind what waits. Silence is left out where more than a frame waits, which makes up for a clock
    that is slower than ours, and for what waited while the modem turned round."""
    if not (silent and len(waiting) > FRAME):
        waiting += codes
    if len(waiting) > MOST:
        del waiting[: len(waiting) - MOST]
