"""Following the environment to another state folder: `desk.setup` a second time in one process."""

from __future__ import annotations

from importlib import reload

from django.conf import settings as live
from django.core.signals import setting_changed
from django.db import connections

from . import settings as shipped


def point_again() -> None:
    """Make a process that is already set up follow the environment as it is now."""
    reload(shipped)
    for name in ("STATE", "KEYS", "RECORDINGS", "MEDIA_ROOT", "SECRET_KEY"):
        setattr(live, name, getattr(shipped, name))
        setting_changed.send(live, setting=name, value=getattr(shipped, name), enter=True)
    connections.close_all()
    connections.settings["default"] = connections.configure_settings(shipped.DATABASES)["default"]
    drop_stale()


def drop_stale() -> None:
    """Forget this thread's connection if the process has been pointed elsewhere since it was opened."""
    if connections["default"].settings_dict is not connections.settings["default"]:
        connections["default"].close()
        del connections["default"]
