"""The web application as people have it: served over real HTTP behind its guard, looked at in the system's Chromium.

A page fails its test when anything on it opens a dialog, asks another host for anything, breaks the
Content-Security-Policy or raises an error.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from filelock import FileLock

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = (
    "There is no Chromium here. As root: apt-get update && apt-get install -y --no-install-recommends chromium "
    "fonts-dejavu-core. Or name one in WATCHFLOOR_CHROMIUM; WATCHFLOOR_NO_BROWSER=1 leaves these tests out."
)
FLAGS = (
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
"""No window, and no host but this machine."""
PATIENCE_MS = 10_000
"""The longest that anything on a page may take on a busy machine."""
WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


def chromium_file() -> str | None:
    """Where the system's Chromium is."""
    return os.environ.get("WATCHFLOOR_CHROMIUM") or next((f for name in NAMES if (f := shutil.which(name))), None)


@contextlib.contextmanager
def launched() -> Iterator[Any]:
    """A Chromium without a window. While it runs, this thread has a running loop: `asyncio.run` cannot be used."""
    from playwright.sync_api import sync_playwright

    file = chromium_file()
    assert file, MISSING
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=file, args=flags)
        yield browser
        browser.close()


@dataclass
class Room:
    """The application on a database of the test's own, until the test ends."""

    db: Path
    home: Path
    url: str = ""
    start: str = ""
    """The address that lets in, once."""
    key: Any = None

    @property
    def cookie(self) -> str:
        """What a Cookie header of somebody who is let in says."""
        return str(self.key.set_cookie().partition(";")[0])

    def write(self, sql: str, *values: Any) -> int:
        """Changes the database beside the application, for what a test needs to be there; the new row's number."""
        with contextlib.closing(sqlite3.connect(self.db, timeout=30)) as connection:
            connection.executescript("PRAGMA trusted_schema = ON; PRAGMA synchronous = OFF")
            with connection:
                return connection.execute(sql, values).lastrowid or 0

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What is in the database."""
        with contextlib.closing(sqlite3.connect(f"file:{self.db}?mode=ro", uri=True)) as connection:
            return connection.execute(sql, values).fetchall()


@contextlib.contextmanager
def served(db: Path, home: Path) -> Iterator[Room]:
    """Serves the application on this database in a thread, as `watchfloor serve` does in its process."""
    from app.web.application import walled
    from app.web.guard import ENTRANCE, Key
    from app.web.serving import HOST, listen, server

    with listen(0) as listening:
        port = listening.getsockname()[1]
        key = Key(port)
        serving: uvicorn.Server = server(walled(db, key, port, home=home))
        thread = threading.Thread(target=serving.run, args=([listening],), daemon=True)
        thread.start()
        while not serving.started and thread.is_alive():
            time.sleep(0.005)
        url = f"http://{HOST}:{port}"
        try:
            yield Room(db=db, home=home, url=url, start=f"{url}{ENTRANCE}?token={key.token}", key=key)
        finally:
            serving.should_exit = serving.force_exit = True
            thread.join(10)


@dataclass
class Visitor:
    """A person's browser: opens pages of the room, and remembers what went wrong on any of them."""

    browser: Any
    room: Room
    faults: list[str] = field(default_factory=list)
    contexts: list[Any] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    """Beginnings of console messages that a test provokes, such as an answer 409."""
    allowed: tuple[str, ...] = ()
    """Beginnings of addresses elsewhere that a test provokes."""

    def opens(self, path: str = "/", *, dark: bool = False, phone: bool = False, enter: bool = True) -> Any:
        """A Playwright page in a browser of its own, let in by the cookie unless it is not to `enter`."""
        context = self.browser.new_context(
            viewport=PHONE if phone else WIDE, color_scheme="dark" if dark else "light", accept_downloads=False
        )
        self.contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        if enter:
            name, _, value = self.room.cookie.partition("=")
            where = {"domain": urlsplit(self.room.url).hostname, "path": "/"}
            context.add_cookies([{"name": name, "value": value, "httpOnly": True, "sameSite": "Strict", **where}])
        page = context.new_page()
        page.on("request", self._asked)
        page.on("dialog", self._dialog)
        page.on("pageerror", lambda error: self.faults.append(f"error on the page: {error}"))
        page.on("console", self._console)
        if path:
            page.goto(self.room.url + path)
        return page

    def leave(self) -> None:
        """Closes all pages; raises AssertionError for whatever went wrong on them."""
        for context in self.contexts:
            context.close()
        assert not self.faults, "\n".join(self.faults)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((f"{self.room.url}/", *self.allowed)):
            self.faults.append(f"a request elsewhere: {request.url}")

    def _dialog(self, dialog: Any) -> None:
        self.faults.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, message: Any) -> None:
        told = message.text
        if message.type == "error" and not told.startswith(self.expected or ("\0",)):
            self.faults.append(f"on the console: {told}")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser for the tests of a module."""
    if os.environ.get("WATCHFLOOR_NO_BROWSER") == "1":
        pytest.skip("WATCHFLOOR_NO_BROWSER=1 leaves tests in a browser out")
    if not chromium_file():
        pytest.fail(MISSING)
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def demo_db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database that `watchfloor demo` fills, made once for all workers; to be copied, not used."""
    from conftest import watchfloor

    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    db = folder / "demo" / "watchfloor.db"
    with FileLock(folder / "demo.lock"):
        if not db.exists():
            half = db.with_name("half.db")
            half.parent.mkdir(exist_ok=True)
            ran = watchfloor("demo", "--db", half)
            assert ran.code == 0, ran.err
            copied(half, db)
    return db


def copied(db: Path, to: Path) -> Path:
    """A copy of a database, whole."""
    with contextlib.closing(sqlite3.connect(db)) as old, contextlib.closing(sqlite3.connect(to)) as new:
        old.backup(new)
    return to


@pytest.fixture
def room(demo_db: Path, tmp_path: Path) -> Iterator[Room]:
    """The application over a copy of the demo's database."""
    with served(copied(demo_db, tmp_path / "watchfloor.db"), tmp_path) as serving:
        yield serving


@pytest.fixture
def visitor(chromium: Any, room: Room) -> Iterator[Visitor]:
    """A browser for as many pages as a test opens."""
    visiting = Visitor(chromium, room)
    yield visiting
    visiting.leave()


@pytest.fixture
def page(visitor: Visitor) -> Any:
    """A wide, light page of somebody who was let in, at the front page."""
    return visitor.opens("/")


def violations(page: Any) -> list[str]:
    """What axe-core finds wrong on a page, in lines, its contrast in the other theme included. Its script comes by the
    debugger, which no policy stops."""
    page.evaluate(_axe())
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    page.emulate_media(color_scheme="dark")
    dark = "() => axe.run(document, {resultTypes: ['violations'], runOnly: ['color-contrast', 'link-in-text-block']})"
    found["violations"] += page.evaluate(dark)["violations"]
    page.emulate_media(color_scheme="light")
    return [
        f"{v['id']} ({v['impact']}): {v['help']}: {node['html'][:200]}"
        for v in found["violations"]
        for node in v["nodes"]
    ]


@functools.cache
def _axe() -> str:
    from importlib.resources import files

    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
