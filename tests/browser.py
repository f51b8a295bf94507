"""The web application as people have it: served over real HTTP behind its guard, looked at in the system's Chromium.

A page fails its test when anything on it opens a dialog, asks another host for anything, breaks the
Content-Security-Policy or raises an error.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import shutil
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
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
    "--renderer-process-limit=1",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
"""No window, and no host but this machine."""
PATIENCE_MS = 10_000
"""The longest that anything on a page may take on a busy machine."""
PORT = 8001
HOST = f"127.0.0.1:{PORT}"
"""Of applications that are asked without a server."""
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

    def client(self, *, enter: bool = True, **headers: str) -> httpx.Client:
        """Somebody with a program: let in by the cookie unless it is not to `enter`. Without TLS, which costs more to
        set up than any page."""
        name, _, value = self.cookie.partition("=")
        known = {name: value} if enter else {}
        return httpx.Client(base_url=self.url, cookies=known, headers=headers, timeout=30, verify=False)

    def raw(self, request: bytes) -> bytes:
        """The answer to bytes that no client would send."""
        host, _, port = self.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(request)
            answer = b""
            while part := connection.recv(65536):
                answer += part
            return answer

    def write(self, sql: str, *values: Any) -> int:
        """Changes the database beside the application, for what a test needs to be there; the new row's number."""
        return self._writing.execute(sql, values).lastrowid or 0

    @functools.cached_property
    def _writing(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.db, timeout=30, isolation_level=None)
        connection.executescript("PRAGMA trusted_schema = ON; PRAGMA synchronous = OFF")
        return connection

    def columns(self, table: str) -> list[str]:
        """The names of a table's columns."""
        return [name for _, name, *_ in self._writing.execute(f"PRAGMA table_info({table})")]

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What is in the database."""
        with contextlib.closing(sqlite3.connect(f"file:{self.db}?mode=ro", uri=True)) as connection:
            return connection.execute(sql, values).fetchall()


def ask(app: Any, path: str, method: str = "GET", headers: dict[str, Any] | None = None, **how: Any) -> httpx.Response:
    """One request to an application in this process, which takes itself to be at `HOST`."""

    async def asking() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
            return await client.request(method, path, headers=headers, **how)

    return asyncio.run(asking())


@contextlib.contextmanager
def served(db: Path, home: Path, password: str = "") -> Iterator[Room]:
    """Serves the application on this database in a thread, as `watchfloor serve` does in its process."""
    from app.web.application import walled
    from app.web.guard import ENTRANCE, Key
    from app.web.serving import HOST as LOOPBACK
    from app.web.serving import listen, server

    with listen(0) as listening:
        port = listening.getsockname()[1]
        key = Key(port)
        serving: uvicorn.Server = server(walled(db, key, port, home=home, password=password))
        thread = threading.Thread(target=serving.run, args=([listening],), daemon=True)
        thread.start()
        while not serving.started and thread.is_alive():
            time.sleep(0.005)
        url = f"http://{LOOPBACK}:{port}"
        try:
            yield Room(db=db, home=home, url=url, start=f"{url}{ENTRANCE}?token={key.token}", key=key)
        finally:
            serving.should_exit = serving.force_exit = True
            thread.join(10)


def new_window(browser: Any) -> Any:
    """A browser context: cookies and storage of its own."""
    context = browser.new_context(accept_downloads=False)
    context.set_default_timeout(PATIENCE_MS)
    return context


@dataclass
class Visitor:
    """A person's browser: opens pages of the room, and remembers what went wrong on any of them."""

    browser: Any
    room: Room
    faults: list[str] = field(default_factory=list)
    window: Any = None
    """A browser context that others used and will use; each room's cookie has a name of its own there."""
    pages: list[Any] = field(default_factory=list)
    contexts: list[Any] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    """Beginnings of console messages that a test provokes, such as an answer 409."""
    allowed: tuple[str, ...] = ()
    """Beginnings of addresses elsewhere that a test provokes."""

    def opens(self, path: str = "/", *, dark: bool = False, phone: bool = False, enter: bool = True) -> Any:
        """A Playwright page of somebody let in by the cookie; when not to `enter`, in a browser that is nobody's."""
        context = self.window if enter and self.window else new_window(self.browser)
        if context is not self.window:
            self.contexts.append(context)
        if enter:
            name, _, value = self.room.cookie.partition("=")
            where = {"domain": urlsplit(self.room.url).hostname, "path": "/"}
            context.add_cookies([{"name": name, "value": value, "httpOnly": True, "sameSite": "Strict", **where}])
        page = context.new_page()
        self.pages.append(page)
        page.set_viewport_size(PHONE if phone else WIDE)
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.on("request", self._asked)
        page.on("dialog", self._dialog)
        page.on("pageerror", lambda error: self.faults.append(f"error on the page: {error}"))
        page.on("console", self._console)
        if path:
            page.goto(self.room.url + path)
        return page

    def leave(self) -> None:
        """Closes all pages; raises AssertionError for whatever went wrong on them."""
        for page in self.pages:
            page.close()
        for context in self.contexts:
            context.close()
        if self.window:
            self.window.unroute_all()
            self.window.clear_cookies()
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
def client(room: Room) -> Iterator[httpx.Client]:
    """A program that was let in."""
    with room.client() as asking:
        yield asking


@pytest.fixture(scope="module")
def common_room(demo_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """The application for all those tests of a module that change nothing in it."""
    home = tmp_path_factory.mktemp("common")
    with served(copied(demo_db, home / "watchfloor.db"), home) as serving:
        yield serving


@pytest.fixture(scope="module")
def reader(common_room: Room) -> Iterator[httpx.Client]:
    """A program that was let in there, and is to change nothing."""
    with common_room.client() as asking:
        yield asking


@pytest.fixture(scope="module")
def window(chromium: Any) -> Any:
    """A browser context for all tests of a module: another process for each would cost more than their pages."""
    return new_window(chromium)


@pytest.fixture
def visitor(chromium: Any, window: Any, room: Room) -> Iterator[Visitor]:
    """A browser for as many pages as a test opens."""
    visiting = Visitor(chromium, room, window=window)
    yield visiting
    visiting.leave()


@pytest.fixture
def page(visitor: Visitor) -> Any:
    """A wide, light page of somebody who was let in, at the front page."""
    return visitor.opens("/")


def wide(page: Any) -> bool:
    """Whether the page is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def wide_somewhere(page: Any) -> bool:
    """Whether it is so on a phone, or in the window that it is in afterwards."""
    found = []
    for size in (PHONE, WIDE):
        page.set_viewport_size(size)
        found.append(wide(page))
    return any(found)


SHORTENED = """
() => {
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  document.querySelectorAll('ul, ol, dl, tbody, select').forEach(list => {
    const seen = new Set();
    for (const one of [...list.children]) {
      const made = [one, ...one.querySelectorAll('*')].map(e => e.tagName + ' ' + e.getAttribute('class')).join();
      if (seen.has(made)) one.remove(); else seen.add(made);
    }
  });
  return ids.filter((id, at) => ids.indexOf(id) !== at).map(id => `two elements are #${id}`);
}
"""
"""Of a list, leaves one of each kind: what is wrong with one is wrong with all that are made alike, save that two may
have the same id."""
LOOK = """
async only => (await axe.run(document, {resultTypes: ['violations'], preload: false, selectors: false, ...only}))
  .violations.flatMap(v => v.nodes.map(n => `${v.id} (${v.impact}): ${v.help}: ${n.html.slice(0, 200)}`))
"""


def violations(page: Any) -> list[str]:
    """What axe-core finds wrong on a page, in lines, its colours in the other theme too. Its script comes by the
    debugger, which no policy stops. Lists are shortened for it: the page is of no other use afterwards."""
    if not page.evaluate("typeof axe === 'object'"):
        page.add_init_script(_axe())  # for the pages that come; half a megabyte is sent once
        page.evaluate(_axe())
    found: list[str] = page.evaluate(SHORTENED)
    found += page.evaluate(LOOK, {})
    page.emulate_media(color_scheme="dark")
    found += page.evaluate(LOOK, {"runOnly": ["color-contrast", "link-in-text-block"]})
    page.emulate_media(color_scheme="light")
    return found


@functools.cache
def _axe() -> str:
    from importlib.resources import files

    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
