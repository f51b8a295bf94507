"""Files that are whole or not there: written under another name, brought to the disk, then given their own."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def made_new(file: Path) -> Iterator[None]:
    """An empty file that only its owner can read while it is written. It goes when it was not given another name."""
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def settle(file: Path, like: Path) -> None:
    """Gives a file mode and owner of another, and waits until the disk has it."""
    as_there = like.stat()
    with contextlib.suppress(PermissionError):  # only root gives files away
        os.chown(file, as_there.st_uid, as_there.st_gid)
    file.chmod(as_there.st_mode & 0o777)
    sync(file)


def sync(path: Path) -> None:
    """Waits until the disk has a file, or the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
