"""A switchboard on simulated lines with a small program, for tests of the vocabulary and the tick."""

from __future__ import annotations

import numpy as np
from hotline.config import tones
from hotline.daemon.switchboard import HANGUP, Switchboard
from hotline.drivers.line import FRAME
from hotline.drivers.simulated.line import SimulatedLine
from hotline.drivers.simulated.telephone import KeypadTelephone

PLAN = tones.load("cn")


class Clip:
    """A range of the pool."""

    def __init__(self, start, end):
        self.start, self.end = start, end


class Speech:
    """Something to say, with its words."""

    def __init__(self, *clips, text="…"):
        self.clips, self.text = clips, text


class Pool:
    """Samples that tell where they are: sample n of the pool is n % 20000 + 1, loud enough and never silence."""

    def __init__(self, length=400_000):
        self.pool = (np.arange(length) % 20000 + 1).astype(np.int16)


class Notes:
    """An observer that writes everything down."""

    def __init__(self):
        self.rings, self.calls, self.told_, self.steps, self.over, self.alarms = [], [], [], [], [], []

    def rang(self, line):
        self.rings.append(line)

    def began(self, call):
        self.calls.append(call)

    def told(self, call, who, text):
        self.told_.append((call.line, who, text))

    def stepped(self, call, kind, detail):
        self.steps.append((call.line, kind, detail))

    def ended(self, call, error):
        self.over.append((call.line, call.cause, error))

    def alarm(self, line, reason):
        self.alarms.append((line, reason))


class Board:
    """The switchboard, its lines and a telephone for each."""

    def __init__(self, program, lines=1, rings=1, made=SimulatedLine, pool=None, hangup=HANGUP):
        self.notes = Notes()
        self.pool = pool or Pool()
        self.lines = [made(f"L{i}") for i in range(lines)]
        self.phones = [KeypadTelephone() for _ in range(lines)]
        ports = [(line, rings) for line in self.lines]
        self.board = Switchboard(ports, PLAN, self.pool, program, self.notes, hangup=hangup)
        self.board.open()

    def ring(self, line=0, number="13900000000"):
        self.phones[line] = KeypadTelephone()
        self.lines[line].exchange.call(self.phones[line], number)
        return self.phones[line]

    def ticks(self, count=1):
        for _ in range(count):
            self.board.work.settle()
            self.board.tick()

    def until(self, condition, limit=3000):
        """Tick until the condition holds; how many ticks it took."""
        for count in range(limit):
            if condition():
                return count
            self.ticks()
        raise AssertionError("it never happened")

    def answered(self, line=0):
        """Ring and tick until the call is up; the call."""
        self.ring(line)
        self.until(lambda: self.board.seats[line].call is not None)
        return self.board.seats[line].call

    def heard(self, line=0, last=None):
        """What the telephone has heard, in whole; or the last so many frames."""
        sound = self.phones[line].heard
        return sound if last is None else sound[-last * FRAME :]

    def close(self):
        self.board.close()
