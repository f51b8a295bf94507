"""One at a time: who fills a database, or takes pages out of its archive, holds its lock."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from db.connect import DatabaseProblem


class Held(Exception):
    """Another process holds the lock. The message says which."""


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Holds the lock of the database at this resolved path, also where there is none yet. Raises `Held`, and
    `DatabaseProblem` where no lock can be made."""
    ours = FileLock(f"{path}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        ours.acquire(timeout=0)
    except Timeout:
        raise Held(f"{path}: another crawl holds it ({_holder(path)}); this one ends") from None
    except OSError as e:
        raise DatabaseProblem(f"{path}: {e.strerror or e}") from None
    try:
        _say_holder(path)
        yield
    finally:
        _holder_file(path).unlink(missing_ok=True)
        ours.release()


def _say_holder(path: Path) -> None:
    """For whoever meets the lock. Only a courtesy: the lock holds without it."""
    with contextlib.suppress(OSError):
        since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        _holder_file(path).write_text(f"process {os.getpid()}, since {since}", "utf-8")


def _holder_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock-holder")


def _holder(path: Path) -> str:
    try:
        return _holder_file(path).read_text("utf-8")[:200]
    except OSError:
        return "it has not said who it is"
