"""The service's end of the process that holds a sound device (worker.py). Nothing here blocks but `wait` and `stop`."""

from __future__ import annotations

import os
import select
import subprocess
import sys

from .records import SIZE, Decoder, Kind, record, text

# A hiccup of the sound server on a busy machine is a moment's silence; a second of it is a fault (the callback of a
# dead server's stream is never called again).
STALLED = 50  # ticks
# The first sound comes after 0.4 to 2 s.
STARTING = 500  # ticks

AT_ONCE = 64 * SIZE  # bytes read in one tick at most: a second and more


class Device:
    """One sound device, by name. `ready`: sound flows; `fault`: why it does not any more; `about`: what it is."""

    def __init__(self, source: str, sink: str) -> None:
        self.ready = False
        self.fault = ""
        self.about = ""
        self.late = 0  # frames lost, or late to be played, since the start
        self._command = [sys.executable, "-P", "-m", "hotline.drivers.sound.worker", source, sink]
        self._process: subprocess.Popen[bytes] | None = None
        self._killed: list[subprocess.Popen[bytes]] = []  # not yet buried
        self._decoder = Decoder()
        self._quiet = 0  # ticks without a word

    @property
    def started(self) -> bool:
        """Whether there is a process, or was one that ended by itself."""
        return self._process is not None

    def start(self) -> None:
        """Start the process, in place of one that may still be there."""
        self._end()
        self.ready, self.fault, self._quiet, self._decoder = False, "", 0, Decoder()
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
        for end in (self._process.stdin, self._process.stdout):
            assert end is not None
            os.set_blocking(end.fileno(), False)

    def stop(self) -> None:
        """End the process; quiet when there is none."""
        self._end()
        self.ready, self._process = False, None
        for process in self._killed:
            process.wait()
        self._killed.clear()

    def wait(self, seconds: float) -> bool:
        """Sleep until the process says something, or so long; whether it did."""
        assert self._process is not None
        assert self._process.stdout is not None
        return bool(select.select([self._process.stdout], [], [], seconds)[0])

    def frames(self) -> list[bytes]:
        """The sound that has arrived since the last tick, 320 bytes a frame; also notes what the process says."""
        if self._process is None or self.fault:
            return []
        assert self._process.stdout is not None
        data = self._process.stdout.read(AT_ONCE)  # None: nothing yet
        if data == b"":
            self._lost(f"声卡的进程意外结束（{self._process.poll()}），正在重新启动")
            return []
        try:
            records = self._decoder.receive(data or b"")
        except ValueError:
            self._lost("声卡的进程说的话看不懂，正在重新启动")
            return []
        arrived = []
        for kind, payload in records:
            match kind:
                case Kind.AUDIO:
                    arrived.append(payload)
                case Kind.LATE:
                    self.late += 1
                case Kind.READY:
                    self.ready, self.about = True, text(payload)
                case Kind.FAULT:
                    self._lost(text(payload))
                    return []
        self._quiet = 0 if arrived else self._quiet + 1
        if self._quiet > (STALLED if self.ready else STARTING):
            self._lost("声卡没有声音传来：请看它是否还插着，声音服务是否在运行；好了会自动恢复")
        return arrived

    def play(self, frame: bytes) -> None:
        """Send a frame to the line; one the process has no room for is late."""
        self._tell(record(Kind.AUDIO, frame))

    def clear(self) -> None:
        """Forget what has not been played yet."""
        self._tell(record(Kind.CLEAR))

    def _tell(self, data: bytes) -> None:
        if not self.ready:
            return
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            if self._process.stdin.write(data) is None:
                self.late += 1
        except BrokenPipeError:
            self._lost("声卡的进程意外结束，正在重新启动")

    def _lost(self, reason: str) -> None:
        self.ready, self.fault = False, reason
        self._end()

    def _end(self) -> None:
        """Kill it: closing a stream whose device is gone may take for ever."""
        self._killed = [process for process in self._killed if process.poll() is None]
        if self._process is not None and self._process not in self._killed:
            self._process.kill()
            self._killed.append(self._process)
            for end in (self._process.stdin, self._process.stdout):
                if end is not None:
                    end.close()
