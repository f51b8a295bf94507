"""Files wherever they lie: there whole or not at all, and in one line why they cannot be had."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import IO, Any

ASKED = ("aiohttp", "aiobotocore", "botocore", "fsspec", "s3fs")
"""Libraries whose errors are of types of their own."""


@contextlib.contextmanager
def whole(fs: Any, path: str) -> Iterator[IO[bytes]]:
    """A new file of an fsspec file system. On this machine it gets its name when all is written; elsewhere, as on S3,
    it is only there when it is closed."""
    fs.makedirs(fs._parent(path), exist_ok=True)
    local = "file" in getattr(fs, "fs", fs).protocol
    name, how = (f"{path}.half", {}) if local else (path, {"autocommit": False})
    file = fs.open(name, "wb", **how)
    try:
        yield file
        file.close()
    except BaseException:
        with contextlib.suppress(Exception):
            file.close() if local else file.discard()
        raise
    fs.mv(name, path) if local else file.commit()


@contextlib.contextmanager
def told_as(error: type[Exception], path: str) -> Iterator[None]:
    """Turns what goes wrong with a path or address into this error, which names it."""
    try:
        yield
    except (OSError, ValueError, ImportError) as e:
        raise error(f"{path}: {getattr(e, 'strerror', None) or _said(e)}") from None
    except Exception as e:
        if type(e).__module__.partition(".")[0] not in ASKED:
            raise
        raise error(f"{path}: {_said(e)}") from None


def _said(e: Exception) -> str:
    return f"{type(e).__name__}: {' '.join(str(e).split())}"[:300]
