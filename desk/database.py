"""Where the desk's database is: SQLite in the state folder, or what HOTLINE_DATABASE names."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from . import DATABASE, keys
from .errors import DatabaseUnavailable, DatabaseUrlError

ENGINES = {
    "sqlite": "django.db.backends.sqlite3",
    "postgresql": "django.db.backends.postgresql",
    "mysql": "django.db.backends.mysql",
    "oracle": "django.db.backends.oracle",
    "mssql": "mssql",
}
# A server that answers nothing must not hold a caller for the two minutes TCP is ready to wait.
OPTIONS: dict[str, dict[str, Any]] = {"postgresql": {"connect_timeout": 3}}
EXAMPLE = "postgresql://用户:密码@主机:5432/库名"


def parse(url: str, state: Path) -> dict[str, Any]:
    """One entry of Django's DATABASES.

    '' and 'sqlite:///absolute/path' are SQLite; 'ENGINE://user:password@host:port/name?option=value'
    is any other, options passed to its driver as they are.
    """
    if not url:
        return _sqlite(state / DATABASE)
    parts = urlsplit(url)
    if parts.scheme not in ENGINES:
        raise DatabaseUrlError(f"数据库地址: 不认识“{parts.scheme}”，可用 {'、'.join(ENGINES)}，例如 {EXAMPLE}")
    name = unquote(parts.path[1:])
    if not name:
        raise DatabaseUrlError(f"数据库地址: 缺少库名，例如 {EXAMPLE}")
    if parts.scheme == "sqlite":
        return _sqlite(Path("/", name))
    try:
        port = parts.port or ""
    except ValueError:
        raise DatabaseUrlError(f"数据库地址: 端口必须是 1–65535 的数字，例如 {EXAMPLE}") from None
    return {
        "ENGINE": ENGINES[parts.scheme],
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": port,
        "OPTIONS": OPTIONS.get(parts.scheme, {}) | dict(parse_qsl(parts.query)),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
    }


def _sqlite(path: Path) -> dict[str, Any]:
    """WAL lets pages read while a call writes; IMMEDIATE waits for its turn instead of failing half-way.

    synchronous=NORMAL survives a killed process; FULL also survives a power cut, which a small centre
    without a battery sees more often, for one fsync a commit. What a caller was told is kept, is kept.
    """
    pragmas = "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON;"
    return {
        "ENGINE": ENGINES["sqlite"],
        "NAME": str(path),
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 5, "init_command": pragmas},
        "CONN_MAX_AGE": None,
    }


def migrate() -> None:
    """Bring the tables up to date; costs nothing but one query when they are.

    A database that has no tables yet gets its keys first: a crash between the two leaves keys without
    a database, which the next start completes. The other way round would lock the data out.
    """
    from django.conf import settings
    from django.core.management import call_command
    from django.db import Error, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        if ("desk", "0001_initial") not in executor.loader.applied_migrations:
            keys.make_lasting(settings.KEYS)
        for name in keys.LASTING:
            keys.read(settings.KEYS, name)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", verbosity=0, interactive=False)
    except Error as error:
        place = "{HOST}:{PORT}/{NAME}" if connection.settings_dict["HOST"] else "{NAME}"
        reason = str(error).strip().partition("\n")[0]
        raise DatabaseUnavailable(f"热线数据库 {place.format(**connection.settings_dict)}: {reason}") from error
