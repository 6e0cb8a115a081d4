"""Key files: what makes a stolen database unreadable, so they live beside it, never in it.

    seal.key    Fernet keys, one a line; the first seals, all of them open (rotation)
    search.key  finds an ID number again without opening anything
    pin.key     goes into every PIN's hash: there are only a million PINs, a hash alone hides nothing
    web.key     signs the pages' cookies; losing it only logs everybody out

The first three are made once, together with the database. Should one be missing later, a new one
would turn every PIN into a wrong one and every sealed number into rubbish without a word, so that is
an error instead.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet

from .errors import KeyMissing

SEAL, SEARCH, PIN, WEB = "seal.key", "search.key", "pin.key", "web.key"


def _random() -> bytes:
    return secrets.token_hex(32).encode()


LASTING: dict[str, Callable[[], bytes]] = {SEAL: Fernet.generate_key, SEARCH: _random, PIN: _random}


def read(folder: Path, name: str) -> bytes:
    """The content of a key file, without the newline. Read on every use: a rotation needs no restart."""
    try:
        return (folder / name).read_bytes().strip()
    except FileNotFoundError:
        raise KeyMissing(f"{folder / name}: 密钥文件不存在；请从备份（或另一台机器）复制原文件，不能重新生成") from None


def make_lasting(folder: Path) -> None:
    """Make the keys a new database needs; existing files stay."""
    for name, content in LASTING.items():
        make(folder, name, content)


def make(folder: Path, name: str, content: Callable[[], bytes] = _random) -> bytes:
    """Read a key file, making it first when missing. Two processes at once get the same key."""
    path = folder / name
    if not path.exists():
        draft = _write_draft(folder, name, content())
        try:
            os.link(draft, path)  # unlike a rename this never replaces what another process just made
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return read(folder, name)


def rotate_seal(folder: Path) -> None:
    """Put a new sealing key in front; what the older ones sealed still opens."""
    lines = Fernet.generate_key() + b"\n" + read(folder, SEAL)
    os.replace(_write_draft(folder, SEAL, lines), folder / SEAL)


def _write_draft(folder: Path, name: str, content: bytes) -> Path:
    """A complete file, readable by its owner only, still under another name."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f".{name}.{secrets.token_hex(4)}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return draft
