"""The socket Asterisk connects to, for all lines of one section of the settings.

On one port, told apart by their first byte: AudioSocket connections, each a call for a free line, and AGI requests
(agi.py), by which the dialplan announces a call and asks where it is to go afterwards.

`tick` does all reading, once for all lines, without a selector: a call in progress brings 20 ms every tick, so each
socket is simply read, which costs the one system call that would be needed anyway. A tick that comes late finds more
on every line, and must not cost much more for it, or the next would be late too. Nothing here waits. Whoever does
not say what he wants within two seconds, says it wrongly, or comes when all lines are taken, is let go.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections import Counter, deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..line import Alarm, FarHangup, Frame, HardwareDigit, LineError, Restored
from . import agi, quick
from .address import Address
from .arrivals import Arrivals
from .book import Book
from .port import Port, say_goodbye
from .protocol import FRAME_HEADER, HEADER, MESSAGE, Audio, Broken, Decoder, Digit, Event, HangUp, Identified, plain

log = logging.getLogger(__name__)

SECOND = 50  # ticks
UNIDENTIFIED = 2 * SECOND  # a connection says in this time what it is: Asterisk does so at once
GOODBYE = SECOND  # what is left of an ended call is read and thrown away so long, for a close would lose our last words
# Bytes; the kernel doubles it for its own book-keeping: about 400 ms of frames, which are heard late.
SEND_BUFFER = 8192
READ = 6 * MESSAGE  # bytes of one connection in one tick: after a stall it is caught up with six-fold
# Rows have a byte in front, so that the samples of a row's first message lie on even addresses.
ROW = 1 + READ + 1
OUT = 1 + MESSAGE
ACCEPTED = 64  # connections taken in one tick

# The process or the kernel is short of something: it may be better in a moment, and calls in progress go on.
SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
# One connection was not worth accepting, as accept(2) lists them.
STILLBORN = frozenset({errno.ECONNABORTED, errno.EINTR, errno.EPROTO, errno.EPERM})


@dataclass(eq=False)
class Guest:
    """A connection that is no line's: not yet, never, or no more."""

    socket: socket.socket
    until: int  # tick
    decoder: Decoder | agi.Decoder | None = None  # None: its first byte has not come
    leaving: bool = False  # what it sends is thrown away


class Server:
    """Shared by its lines; the first of them that reads in a tick drives it."""

    def __init__(self, address: Address, token: str, lines: int) -> None:
        self.address = address
        self.now = 0
        self.deaf: list[Port] = []  # whose peer has not read for a second
        self.refused: Counter[str] = Counter()  # connections since the start, by reason
        self.book = Book(token, lines)
        self.late: list[int] = []  # lines that had no sound in this tick and should have had
        self._listener: socket.socket | None = None
        self._members: set[int] = set()  # slots whose line is open
        self._free: deque[Port] = deque()  # the one that has rested longest is first
        self._guests: list[Guest] = []
        self._most_guests = 2 * lines + 16  # every line's call may come at once, announced and begun
        self._talking: list[Port] = []  # in a call, which we may not have answered yet
        self._speaking: list[Port] = []  # and those we have
        self._received = np.zeros((lines, ROW), np.uint8)
        self._pending = np.zeros(lines, np.bool_)  # lines whose stream stands inside a message
        self.arrivals = Arrivals(self._received[:, 1 + HEADER : 1 + MESSAGE].view("<i2"))
        out = np.zeros((lines, OUT), np.uint8)
        out[:, 1 : 1 + HEADER] = np.frombuffer(FRAME_HEADER, np.uint8)
        self.sending: Frame = out[:, 1 + HEADER :].view("<i2")  # what lines say next, shape (lines, 160)
        self.stirring: set[int] = set()  # lines that have more to do in a tick than to pass sound on
        rooms = self._received[:, 1 : 1 + READ]
        self.ports = [Port(n, rooms[n], out[n, 1:], self.deaf, self.stirring) for n in range(lines)]
        self._retry_at = 0
        self._silent_until = 0  # log of refusals
        self._short = False

    # What lines call.

    def open(self, slot: int) -> None:
        """This line takes calls from now on; the first one opens the socket. Raises LineError."""
        if slot in self._members:
            return
        if self._listener is None:
            if self._members:
                raise LineError(f"{self.address} 出了故障，正在重新打开")
            self._listener = self.address.listen(self._most_guests)
        self._members.add(slot)
        self.ports[slot].failed = False
        self._free.append(self.ports[slot])

    def close(self, slot: int) -> None:
        """This line takes no more calls; the last one closes the socket."""
        if slot not in self._members:
            return
        self._members.remove(slot)
        self.hang_up(self.ports[slot])
        self.seize(self.ports[slot])
        self.ports[slot].told()
        if not self._members:
            self._shut()

    def seize(self, port: Port) -> None:
        """This line is in use from our side: no call comes for it."""
        with suppress(ValueError):
            self._free.remove(port)

    def answer(self, port: Port) -> None:
        """Hear and be heard from now on, where there is a call; no other comes for this line."""
        self.seize(port)
        self.arrivals.listen(port.slot, True)
        if port.socket is not None:
            self._speaking.append(port)

    def hang_up(self, port: Port) -> None:
        """End the call on this line, if there is one, and take the next."""
        self.arrivals.listen(port.slot, False)
        if port.socket is not None:
            if port.target and port.uuid is not None:
                self.book.left(port.uuid, port.target, self.now)
            say_goodbye(port.socket, port.cut)
            self._release(port)
        if port.slot in self._members and port not in self._free and not port.failed:
            self._free.append(port)

    def speak(self) -> None:
        """Send everybody what stands in `sending`."""
        for port in self._speaking:
            port.send()

    def tick(self) -> None:
        """20 ms: take in what has come."""
        self.now += 1
        if not self._members:
            return
        if self._listener is None:
            self._reopen()
            return
        self._accept()
        for port in self.deaf:
            self._gone(port, "对方一秒钟没有取走声音")
        self.deaf.clear()
        if self._guests:
            self._serve_guests()
        self.late = self.arrivals.serve(self._read())
        if self.now % SECOND == 0:
            self.book.forget(self.now)

    # Calls in progress.

    def _read(self) -> npt.NDArray[np.bool_]:
        """One system call for each connection. Returns the lines for which it brought just a frame, as it nearly always
        does; what else came has been followed."""
        whole: list[int] = []
        several: dict[int, list[int]] = {}  # lines by how many whole messages may have come
        for port in self._talking:
            count = port.receive()
            if count == MESSAGE:
                whole.append(port.slot)
            elif count == quick.FAILED:
                self._broken(port, quick.why())
            elif count % MESSAGE or count == 0:
                self._take(port, count)
            else:
                several.setdefault(count // MESSAGE, []).append(port.slot)
        frames = np.zeros(len(self.ports), np.bool_)
        frames[whole] = True
        frames &= ~self._pending
        frames &= plain(self._received[:, 1 : 1 + HEADER])
        for slot in whole if frames.sum() < len(whole) else ():
            if not frames[slot]:
                self._take(self.ports[slot], MESSAGE)
        for messages, slots in several.items():
            self._take_frames(np.array(slots), messages)
        return frames

    def _take_frames(self, slots: npt.NDArray[np.intp], messages: int) -> None:
        """So many messages on each of these lines, as far as they are nothing but frames."""
        came = self._received[slots, 1 : 1 + messages * MESSAGE].reshape(-1, messages, MESSAGE)
        frames = plain(came[:, :, :HEADER]).all(axis=1) & ~self._pending[slots]
        self.arrivals.add_frames(slots[frames], np.ascontiguousarray(came[frames, :, HEADER:]).view("<i2"))
        for slot in slots[~frames].tolist():
            self._take(self.ports[slot], messages * MESSAGE)

    def _take(self, port: Port, count: int) -> None:
        """So many bytes of whatever it is; none is the end."""
        if count == 0:
            self._gone(port, "Asterisk 结束了连接")
        else:
            self._follow(port, port.decoder.receive(self._received[port.slot, 1 : 1 + count].tobytes()))
            self._pending[port.slot] = port.decoder.pending

    def _broken(self, port: Port, error: int) -> None:
        """Nothing could be read."""
        if error not in quick.LATER:
            self._gone(port, f"连接断开（{os.strerror(error)}）")

    def _follow(self, port: Port, events: Iterable[Event]) -> None:
        """What else there may be in a call than plain frames."""
        for event in events:
            match event:
                case Audio(samples):
                    self.arrivals.add(port.slot, np.frombuffer(samples, "<i2"))
                case Digit(digit):
                    port.tell(HardwareDigit(digit))
                case HangUp(reason) | Broken(reason):
                    self._gone(port, reason)
                    return

    def _gone(self, port: Port, reason: str) -> None:
        """The far end has left; our line stays as it is until it hangs up."""
        if port.socket is not None:
            self._release(port, close=True)
            self.arrivals.listening[port.slot] = False
            port.tell(FarHangup(reason))

    def _release(self, port: Port, close: bool = False) -> None:
        connection = port.disconnect()
        self._talking = [other for other in self._talking if other is not port]
        self._speaking = [other for other in self._speaking if other is not port]
        if connection is None:
            return
        if close:
            connection.close()
        else:
            self._guests.append(Guest(connection, self.now + GOODBYE, leaving=True))

    # Connections that are no line's.

    def _accept(self) -> None:
        assert self._listener is not None
        for _ in range(ACCEPTED):
            try:
                connection, _ = self._listener.accept()
            except BlockingIOError:
                self._short = False
                return
            except OSError as error:
                if error.errno in STILLBORN:
                    continue
                if error.errno in SHORTAGES:
                    if not self._short:
                        log.error("%s: no call can be taken: %s", self.address, error.strerror)
                    self._short = True
                else:
                    self._fail(f"{self.address} 不再接受连接（{error.strerror}），正在重新打开")
                return
            connection.setblocking(False)
            with suppress(OSError):  # who is gone already is found gone when he is read
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            if len(self._guests) >= self._most_guests:
                self._refuse(connection, "同时来的连接太多")
            else:
                self._guests.append(Guest(connection, self.now + UNIDENTIFIED))

    def _serve_guests(self) -> None:
        guests, self._guests = self._guests, []
        stay = [guest for guest in guests if self._serve_guest(guest)]
        self._guests += stay

    def _serve_guest(self, guest: Guest) -> bool:
        """Whether it is still a guest."""
        if self.now >= guest.until:
            guest.socket.close()
            if not guest.leaving:
                self._note_refusal("没有说明来意")
            return False
        try:
            data = guest.socket.recv(READ)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        if not data:
            guest.socket.close()
            return False
        if guest.leaving:
            return True
        if guest.decoder is None:
            guest.decoder = agi.Decoder() if data[:1] == b"a" else Decoder()
        if isinstance(guest.decoder, agi.Decoder):
            return self._serve_request(guest, guest.decoder.receive(data))
        return self._serve_call(guest, guest.decoder, data)

    def _serve_request(self, guest: Guest, events: list[agi.Event]) -> bool:
        for event in events:
            match event:
                case agi.Request():
                    name, value = self.book.answer(event, self.now, len(self._free))
                    with suppress(OSError):
                        guest.socket.send(agi.set_variable(name, value))
                    if value == "refused":
                        self._note_refusal("AGI 请求里口令不对，或没有 UUID")
                case agi.Acknowledged():
                    guest.socket.close()
                    return False
                case agi.Broken(reason):
                    self._refuse(guest.socket, reason)
                    return False
        return True

    def _serve_call(self, guest: Guest, decoder: Decoder, data: bytes) -> bool:
        """Whether its first message has still not come, or it is sent away."""
        events = iter(decoder.receive(data))
        first = next(events, None)
        if first is None:
            return True
        if not isinstance(first, Identified):
            self._refuse(guest.socket, first.reason if isinstance(first, Broken) else "没有 UUID")
            return False
        visitor = self.book.arrived(first.uuid)
        if visitor is None:
            self._refuse(guest.socket, "没有凭口令登记过")
            return False
        if not self._free:
            self._note_refusal("线路全忙")
            say_goodbye(guest.socket)
            guest.leaving, guest.until = True, self.now + GOODBYE
            return True
        port = self._free.popleft()
        port.connect(guest.socket, first.uuid, visitor, decoder)
        self._talking.append(port)
        self._follow(port, events)
        self._pending[port.slot] = decoder.pending
        return False

    def _refuse(self, connection: socket.socket, why: str) -> None:
        connection.close()
        self._note_refusal(why)

    def _note_refusal(self, why: str) -> None:
        self.refused[why] += 1
        if self.now >= self._silent_until:
            self._silent_until = self.now + SECOND
            log.warning("%s: a connection is refused: %s (%d so far)", self.address, why, self.refused[why])

    # The listening socket.

    def _shut(self) -> None:
        for guest in self._guests:
            guest.socket.close()
        self._guests.clear()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _fail(self, reason: str) -> None:
        """Everything is given up, every line is told; `_reopen` goes on from here."""
        for slot in sorted(self._members):
            port = self.ports[slot]
            self._release(port, close=True)
            self.arrivals.listen(slot, False)
            port.failed = True
            port.tell(Alarm(reason))
        self._free.clear()
        self._shut()
        self._retry_at = self.now + SECOND

    def _reopen(self) -> None:
        if self.now < self._retry_at:
            return
        try:
            self._listener = self.address.listen(self._most_guests)
        except LineError:
            self._retry_at = self.now + SECOND
            return
        for slot in sorted(self._members):
            self.ports[slot].failed = False
            self.ports[slot].tell(Restored())
            self._free.append(self.ports[slot])
