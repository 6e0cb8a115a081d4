"""What can be wrong with the desk; every text says, in Chinese, where and what to do."""

from __future__ import annotations


class DeskError(Exception):
    """Anything the service is told by the desk instead of an answer."""


class KeyMissing(DeskError):
    """A key file the database depends on is not there."""


class DatabaseUrlError(DeskError):
    """The URL cannot be used. Its text never repeats the URL: there is a password in it."""


class DatabaseUnavailable(DeskError):
    """The database cannot be opened or brought up to date at start."""


class Unsealable(DeskError):
    """No key in seal.key opens what is sealed."""


class RecordsError(DeskError):
    """The database did not take it, and nothing of it was written."""
