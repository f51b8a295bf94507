"""Addresses for feed readers, which have no cookie: each with a secret in it that opens the feeds and nothing else.

The secrets lie in `feeds.json` beside what people configured, readable by this user alone, and can be revoked.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.web.forms import Fields, posted
from app.web.pages import html, missing, reading
from db import browse
from db.connect import now

SECRET_BYTES = 32
"""256 bits: nobody guesses them."""
MOST = 50
"""Addresses that are good at once: a person has a few readers."""
NAME = 60
"""Characters of a name."""
GUESSES = 10
"""Wrong secrets a minute; then every address that is not right waits."""
FEED = re.compile(
    r"/feeds/([A-Za-z0-9_-]{20,100})(/(?:index|search|stories|stories/\d{1,18}|sources/[^/]{1,100}))\.atom"
)
"""What a secret opens: feeds of the reading room."""

Row = dict[str, Any]


class Feeds:
    """The secrets that are good."""

    def __init__(self, home: Path) -> None:
        self._file = home / "feeds.json"
        self._wrong: list[float] = []

    def all(self) -> list[Row]:
        """Each with id, name, secret and when it was made; the first first. None in a file that is not ours."""
        try:
            found = json.loads(self._file.read_text("utf-8"))
            return [{key: str(row[key]) for key in ("id", "name", "secret", "made_at")} for row in found][:MOST]
        except (OSError, ValueError, KeyError, TypeError):
            return []

    def make(self, name: str) -> None:
        """One more. Raises `HTTPException` when there are too many."""
        with self._changing() as rows:
            if len(rows) >= MOST:
                raise HTTPException(409, f"There are {MOST} addresses already. Revoke one first.")
            made = {"id": secrets.token_hex(8), "name": name, "secret": secrets.token_urlsafe(SECRET_BYTES)}
            rows.append({**made, "made_at": now()})

    def revoke(self, id: str) -> None:
        """This one opens nothing any more."""
        with self._changing() as rows:
            rows[:] = [row for row in rows if row["id"] != id]

    def opens(self, secret: str) -> bool:
        """True for a secret that is good; every one of them is compared, whichever it is."""
        given = secret.encode("utf-8", "surrogateescape")
        return sum(hmac.compare_digest(given, row["secret"].encode()) for row in self.all()) > 0

    def too_many(self) -> bool:
        """Counts a wrong try; True when there were too many within a minute."""
        at = time.monotonic()
        self._wrong = [when for when in self._wrong[-GUESSES:] if when > at - 60] + [at]
        return len(self._wrong) > GUESSES

    @contextlib.contextmanager
    def _changing(self) -> Iterator[list[Row]]:
        """The rows, to be changed in place; the file is replaced at once or not at all."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self._file}.lock", timeout=10, mode=0o600):
            rows = self.all()
            yield rows
            handle, half = tempfile.mkstemp(dir=self._file.parent, prefix=".feeds-")  # made with mode 0600
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(rows, file, indent=1)
                    file.flush()
                    os.fsync(file.fileno())
                Path(half).replace(self._file)
            except BaseException:
                Path(half).unlink(missing_ok=True)
                raise


def is_feed(method: str, path: str) -> bool:
    """True for a request that the guard hands on without a cookie: a feed's address with a secret in it."""
    return method == "GET" and FEED.fullmatch(path) is not None


async def feed_path(feeds: Feeds, path: str) -> str | int:
    """The path of the feed behind an address with a good secret; else the status to answer with."""
    parts = FEED.fullmatch(path)
    if parts is not None:
        opens: bool = await run_in_threadpool(feeds.opens, parts[1])
        if opens:
            return parts[2].removesuffix("/index") or "/"
    return 429 if feeds.too_many() else 404


def feeds(request: Request) -> Response:
    """The page of the addresses."""
    if request.scope.get("suffix"):
        raise missing("such form of this page")
    with reading(request.app.state.path) as db:
        sources, waiting = browse.choices(db)["source"], browse.held(db)
    base = f"{request.url.scheme}://{request.url.netloc}/feeds"
    kept = request.app.state.feeds.all()
    token = request.app.state.desk.token
    return html("feeds.html", request, kept=kept, base=base, sources=sources, waiting=waiting, token=token)


@posted
def make(request: Request, fields: Fields) -> Response:
    """A new address."""
    name = fields["name"].replace("\0", "").encode("utf-8", "ignore").decode().strip()[:NAME]
    request.app.state.feeds.make(name or "a feed reader")
    return RedirectResponse("/feeds", 303)


@posted
def revoke(request: Request, fields: Fields) -> Response:
    """An address opens nothing any more."""
    request.app.state.feeds.revoke(fields["id"])
    return RedirectResponse("/feeds", 303)


ROUTES = [
    Route("/feeds", feeds, methods=["GET"]),
    Route("/feeds", make, methods=["POST"]),
    Route("/feeds/revoke", revoke, methods=["POST"]),
]
