"""Logging without personal data: to the journal or a terminal, and to files in the state folder.

What can block (a disk, a pipe) must not stand in the way of the 20 ms tick, so the engine only puts
records on a queue; a thread of its own writes them. Every record is masked before it gets there,
whoever wrote it: of identity numbers the first six and last four characters are left, of PINs nothing.
"""

from __future__ import annotations

import logging
import os
import queue
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import QueueHandler, QueueListener, TimedRotatingFileHandler
from pathlib import Path
from types import TracebackType

from .identity import mask as mask_number

# The cyber-security law wants network logs kept for six months; a file a day, and some days to spare.
KEPT_DAYS = 200

# A run of 15 digits or more is an identity, account or card number, or one of them with a PIN behind it.
# Keyed numbers come with '*' for X, and in transcripts the keys stand apart ("9 9 0 1 0 1 ...").
LONG_NUMBER = re.compile(r"(?<!\d)\d(?:[ ,]?\d){14,}(?: ?[Xx*](?:[ ,]?\d)*)?")
# Whatever calls itself a PIN, as a word of a sentence, a keyword or a key of a dictionary: pin=135790, 'pin': '135790'.
PIN = re.compile(r"""((?:(?<![A-Za-z])pin|密码)\w*['"]?\s*[:=：是为]?\s*['"]?)\d[\d ]*""", re.IGNORECASE)

STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}

# Levels of syslog, as sd-daemon(3) wants them at the start of each line that goes to the journal.
PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


def mask(text: str) -> str:
    """The text with every identity-like number shortened and everything marked as a PIN blotted out."""
    return PIN.sub(r"\1******", LONG_NUMBER.sub(_masked_number, text))


class Masking(logging.Filter):
    """Masks the message, its arguments, the exception, the stack and all extra fields of every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; none is ever dropped."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError):  # wrong arguments for the format: not the moment to fail
            message = f"{record.msg} {record.args}"
        record.msg, record.args = mask(message), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = mask(record.exc_text)
        if record.stack_info:
            record.stack_info = mask(record.stack_info)
        for name in vars(record).keys() - STANDARD_FIELDS:
            setattr(
                record, name, "******" if "pin" in name.lower().split("_") else _masked_extra(getattr(record, name))
            )
        return True


class JournalFormatter(logging.Formatter):
    """Lines for the journal, which keeps the time itself and reads the level from the start of a line."""

    def format(self, record: logging.LogRecord) -> str:
        """One priority mark on each line: the journal makes an entry of each."""
        start = f"<{PRIORITIES.get(record.levelno, 6)}>"
        return "\n".join(start + line for line in super().format(record).splitlines())


@contextmanager
def logging_to(folder: Path | None, level: str = "info", name: str = "hotline.log") -> Iterator[None]:
    """Log to standard error, and to `folder`/`name` where a folder is given, until the block ends.

    The folder is made if it is missing; OSError where that or the file is refused. An exception that
    nobody caught is logged too, masked like the rest.
    """
    handlers: list[logging.Handler] = [_standard_error()]
    if folder is not None:
        handlers.append(_daily_file(folder / name))
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    entrance = QueueHandler(records)
    entrance.addFilter(Masking())
    listener = QueueListener(records, *handlers)
    root = logging.getLogger()
    before = root.level, sys.excepthook, threading.excepthook
    root.setLevel(level.upper())
    root.addHandler(entrance)
    sys.excepthook, threading.excepthook = _log_crash, _log_thread_crash
    listener.start()
    try:
        yield
    finally:
        listener.stop()
        root.removeHandler(entrance)
        root.level, sys.excepthook, threading.excepthook = before
        for handler in handlers:
            handler.close()


def _standard_error() -> logging.Handler:
    handler = logging.StreamHandler()
    journal = "JOURNAL_STREAM" in os.environ
    handler.setFormatter(
        JournalFormatter("%(name)s: %(message)s")
        if journal
        else logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
    )
    return handler


def _daily_file(path: Path) -> logging.Handler:
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = TimedRotatingFileHandler(
        path, when="midnight", backupCount=KEPT_DAYS, encoding="utf-8", errors="backslashreplace"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    return handler


def _masked_number(found: re.Match[str]) -> str:
    """An identity number as the pages show it; a longer run may end in a PIN, so nothing of it is shown."""
    number = found[0]
    return mask_number(number) if len(number) in (15, 18) else "*" * len(number)


def _masked_extra(value: object) -> object:
    """A number stays a number unless it is one to hide; anything else becomes the text it would be logged as."""
    text = str(value)
    hidden = mask(text)
    return value if hidden == text else hidden


def _log_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger("hotline").critical("程序因未料到的错误结束", exc_info=(kind, error, trace))


def _log_thread_crash(crash: threading.ExceptHookArgs) -> None:
    if crash.exc_value is not None:
        name = crash.thread.name if crash.thread else "?"
        logging.getLogger("hotline").critical(
            "线程 %s 因未料到的错误结束", name, exc_info=(crash.exc_type, crash.exc_value, crash.exc_traceback)
        )
