"""The pages as a process: `python -m hotline.desk HOST PORT`, in an environment `desk.setup` has left.

It ends when its standard input does, so it does not outlive whoever started it and holds the other end, not even one
that was killed.
"""

from __future__ import annotations

import os
import sys
import threading

import uvicorn


def main() -> None:
    host, port = sys.argv[1], int(sys.argv[2])
    config = uvicorn.Config("hotline.desk.asgi:application", host=host, port=port, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    threading.Thread(target=_end_with_input, args=(server,), daemon=True).start()
    server.run()


def _end_with_input(server: uvicorn.Server) -> None:
    while os.read(sys.stdin.fileno(), 1):  # not sys.stdin.read: it holds a lock that Python's own end wants
        pass
    server.should_exit = True


if __name__ == "__main__":
    main()
