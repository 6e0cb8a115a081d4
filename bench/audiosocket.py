"""What reading and writing AudioSocket lines costs a tick, every line in a call.

    python -m hotline.bench.audiosocket [--lines 100,200,400,500] [--ticks 500]

Real TCP on loopback. The callers are in a process of their own, which sends each line a frame and reads what it was
sent between two ticks; only the lines' own calls are timed, in this thread's processor time. `two` is the reading of a
tick that comes late and finds two frames on every line, `none` that of the next, which comes at once and finds nothing.
The last column is the bare system calls, one recv and one send a line, in a loop that does nothing else: what no driver
can go below.
"""

from __future__ import annotations

import argparse
import multiprocessing
import socket
import time
from multiprocessing.connection import Connection

import numpy as np

from ..drivers.audiosocket.caller import FRAME_BYTES, Caller
from ..drivers.audiosocket.line import AudioSocketLine, Settings
from ..drivers.audiosocket.protocol import MESSAGE, audio_message
from ..drivers.line import FRAME, Frame, HookState, Line

CAME = (1, 1, 1, 2, 0)  # frames a tick finds on every line: one now and then is late, and the next makes up for it
NOISE = np.random.default_rng(1).integers(-3000, 3000, FRAME, np.int16)


def _callers(port: int, count: int, orders: Connection) -> None:
    """Once for each order: every caller sends so many frames and takes what has come; less than none is the end."""
    callers = [Caller("127.0.0.1", port) for _ in range(count)]
    frame = NOISE.tobytes()
    assert len(frame) == FRAME_BYTES
    orders.send(None)
    while (frames := orders.recv()) >= 0:
        for caller in callers:
            caller.receive()
            for _ in range(frames):
                caller.send(frame)
        orders.send(None)
    for caller in callers:
        caller.hang_up()


def _lines(count: int, port: int) -> list[Line]:
    lines = AudioSocketLine.several([f"L{n}" for n in range(count)], Settings(port=port), 0)
    for line in lines:
        line.open()
    return lines


def _tick(lines: list[Line], frames: Frame) -> tuple[float, float]:
    """Seconds reading and writing take, as the switchboard does it."""
    assert lines[0].group is not None
    begun = time.thread_time()
    for place in lines[0].group.read(frames):
        lines[place].events()
    read = time.thread_time()
    lines[0].group.write(frames)
    return read - begun, time.thread_time() - read


def measure(count: int, ticks: int) -> tuple[float, ...]:
    """Milliseconds of a tick: reading, writing, and both; medians, then the 99th percentile of both, and the medians of
    reading two frames, and none."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    lines, frames = _lines(count, port), np.zeros((count, FRAME), np.int16)
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_callers, args=(port, count, theirs))
    process.start()
    while not ours.poll() or any(line.state is not HookState.RINGING for line in lines):
        _tick(lines, frames)
    ours.recv()
    for line in lines:
        line.off_hook()
    spent, came = np.empty((ticks, 2)), np.resize(CAME, ticks)
    for tick in range(ticks):
        ours.send(int(came[tick]))
        ours.recv()
        spent[tick] = _tick(lines, frames)
    late = sum(line.late_frames for line in lines)
    if late > count * ticks / 1000:
        raise RuntimeError(f"{late} frames of {count * ticks} were late: the callers do not keep up")
    ours.send(-1)
    process.join()
    for line in lines:
        line.close()
    spent *= 1000
    usual = spent[came == 1]
    both, worst = np.percentile(usual.sum(axis=1), [50, 99])
    two, none = (np.median(spent[came == each, 0]) for each in (2, 0))
    return (*map(float, (*np.median(usual, axis=0), both, worst, two, none)),)


def bare(count: int, ticks: int) -> float:
    """Milliseconds of a tick's system calls alone, the median."""
    pairs = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        for _ in range(count):
            far = socket.create_connection(server.getsockname())
            near, _ = server.accept()
            pairs.append((near, far))
    for near, _far in pairs:
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    message, room, spent = audio_message(NOISE), bytearray(MESSAGE), np.empty(ticks)
    for tick in range(ticks):
        for _near, far in pairs:
            far.send(message)
        begun = time.thread_time()
        for near, _far in pairs:
            near.recv_into(room)
            near.send(message)
        spent[tick] = time.thread_time() - begun
        for _near, far in pairs:
            far.recv_into(room)
    for pair in pairs:
        for end in pair:
            end.close()
    return float(np.median(spent)) * 1000


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--lines", default="100,200,400,500")
    parser.add_argument("--ticks", type=int, default=500)
    options = parser.parse_args()
    print("lines     read    write      sum  sum p99      two     none     bare   ms a tick of 20 ms")
    for count in map(int, options.lines.split(",")):
        row = (*measure(count, options.ticks), bare(count, options.ticks))
        print(f"{count:5d}" + "".join(f"{value:9.2f}" for value in row), flush=True)


if __name__ == "__main__":
    main()
