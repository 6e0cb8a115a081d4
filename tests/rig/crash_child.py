"""Services that are going to be killed, each in a child process that stops at every instant that matters.

This process reads lines `STATE KEYS ANSWER` and forks a service for each: a fork costs a third of a fresh start.
One caller keys KEYS as soon as he is answered, and ANSWER once the service waits for him after that; "voice" is
no keys but six seconds of speech. At every instant named below the service writes a line and waits for one,
so whoever kills it knows exactly how far it has come. `gone` says that it is no more.

    pid NUMBER             whom to kill
    sql THREAD STATEMENT   a thread's connection to our own database is about to execute it
    file EVENT NAME        a recording's file is about to be opened, renamed or removed
    query, answered        the fund database is asked, and has answered
    said TEXT              the caller hears this from the next frame on
    recorded N             N samples have been given to the recorder; what is to be on disk by now is there
    over                   the call has ended
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import numpy as np
from hotline.config.settings import Line
from hotline.daemon import demo
from hotline.daemon.service import Service
from hotline.drivers.line import RATE
from hotline.drivers.simulated.telephone import KeypadTelephone

SPEECH = (np.random.default_rng(1).standard_normal(6 * RATE) * 3000).astype(np.int16)
FAST = {"on_ms": 50, "off_ms": 50}

_one_at_a_time = threading.Lock()


def instant(name: str) -> None:
    """Say where we are, and go on when told to."""
    with _one_at_a_time:
        print(name, flush=True)
        if not sys.stdin.readline():
            raise SystemExit("nobody is there to kill us")


def watch_database() -> None:
    """Every statement of a connection that is made from now on is an instant."""
    from django.db.backends.signals import connection_created

    def trace(connection, **_):
        thread = threading.current_thread().name.partition("_")[0]
        connection.connection.set_trace_callback(lambda sql: instant(f"sql {thread} {sql.split()[0]}"))

    connection_created.connect(trace, weak=False)


def watch_files(folder: Path) -> None:
    """So is everything that happens to the names of recordings."""

    def hook(event, args):
        if event in ("open", "os.rename", "os.remove") and ".wav" in str(args[0]) and str(folder) in str(args[0]):
            instant(f"file {event} {Path(args[0]).name}")

    sys.addaudithook(hook)


def watch_queries(service: Service) -> None:
    """And the two ends of a look-up."""
    account = service.site.fund.account

    def asked(*args):
        instant("query")
        outcome = account(*args)
        instant("answered")
        return outcome

    service.site.fund.account = asked


def serve(state: Path, keys: str, answer: str) -> None:
    """One service, one call."""
    instant(f"pid {os.getpid()}")
    settings = demo.prepare(state).settings
    service = Service(settings.model_copy(update={"lines": {"L01": Line(driver="simulated", rings=1)}}), virtual=True)
    service.open()
    seat, line, telephone = service.board.seats[0], service.phones()[0], KeypadTelephone(record=False)
    service.subscribe("L01", lambda entry: entry.who == "系统" and instant(f"said {entry.text}"))
    service.journal.flush()
    watch_database()
    watch_files(settings.recordings())
    watch_queries(service)
    line.exchange.call(telephone, "13900000000")
    telephone.keys(keys, **FAST)
    asked = False
    while not asked or seat.call:
        service.tick()
        if seat.take is not None:
            service.board.work.settle()
            instant(f"recorded {seat.take.samples}")
        if not asked and telephone.idle and seat.call.waits_for:
            asked = True
            if answer == "voice":
                telephone.say(SPEECH)
            else:
                telephone.keys(answer, **FAST)
        elif asked and telephone.idle and seat.call and seat.call.waits_for:
            line.exchange.hang_up()
    instant("over")
    service.close()


def main() -> None:
    """Fork a service for each line until there are no more."""
    while request := sys.stdin.readline().split():
        child = os.fork()
        if not child:
            serve(Path(request[0]), *request[1:])
            os._exit(0)
        os.waitpid(child, 0)
        print("gone", flush=True)


if __name__ == "__main__":
    main()
