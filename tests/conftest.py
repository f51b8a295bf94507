"""What many tests need: the demo site over real HTTP, the real command, the real file it fills."""

from __future__ import annotations

import functools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from app.demo.server import Server, serve, source

settings.register_profile("ours", max_examples=40, deadline=None)  # a busy machine is no failure
settings.load_profile("ours")

pytest_plugins = ("browser",)
"""Fixtures of the web application in a browser."""

ROOT = Path(__file__).parent.parent
LONGEST = 120
"""Seconds for one command."""


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def watchfloor(*args: str | Path, **how: Any) -> Ran:
    """The command as a user runs it; `how` as for `forked`."""
    return forked("app.cli.main", *args, **how)


def forked(
    module: str,
    *args: str | Path,
    stdin: bytes | Path = b"",
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
) -> Ran:
    """`python -m module`, in a process of its own; of what it imports, the libraries are loaded already."""
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / name for name in ("stdin", "stdout", "stderr")}
        for file in files.values():
            file.write_bytes(stdin if file.name == "stdin" and isinstance(stdin, bytes) else b"")
        if isinstance(stdin, Path):
            files["stdin"] = stdin
        request = {
            "module": module,
            "args": [str(arg) for arg in args],
            "env": {**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
            "cwd": str(cwd or ROOT),
            "timeout": LONGEST,
            **{name: str(file) for name, file in files.items()},
        }
        code = _preloaded().ask(request)
        return Ran(code, files["stdout"].read_text("utf-8"), files["stderr"].read_text("utf-8"))


class Preloaded:
    """The process that commands are forked from, one for each worker of the tests."""

    def __init__(self) -> None:
        command = [sys.executable, str(ROOT / "tests" / "preloaded.py")]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=env)
        self._lock = threading.Lock()

    def ask(self, request: dict[str, Any]) -> int:
        """The exit code of a command. Raises TimeoutError."""
        process = self._process
        assert process.stdin and process.stdout
        with self._lock:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            code = json.loads(process.stdout.readline())
        if code is None:
            raise TimeoutError(f"{request['args']}: longer than {LONGEST} seconds")
        return int(code)


@functools.cache
def _preloaded() -> Preloaded:
    return Preloaded()


class Watch:
    """A demo site, a source file that watches it, and a database that a crawl fills."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.db = folder / "watchfloor.db"
        self.file = folder / "demo.toml"
        self.file.write_text(source(server.url), "utf-8")

    def crawl(self, *args: str | Path, **how: Any) -> Ran:
        """`watchfloor crawl` of the site, reported as JSON."""
        allowed = f"127.0.0.1:{self.server.port}"
        return watchfloor(
            "crawl", "--sources", self.file, "--db", self.db, "--allow-address", allowed, "--json", *args, **how
        )

    def __call__(self, command: str, *args: str | Path) -> Ran:
        """Another command on the same database."""
        return watchfloor(command, *args, "--db", self.db)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What is in the database."""
        with sqlite3.connect(f"file:{self.db}?mode=ro", uri=True) as connection:
            return connection.execute(sql, values).fetchall()

    def evidence(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of what the site said, and of every verdict."""
        tables = (
            "articles",
            "article_revisions",
            "field_evidence",
            "comments",
            "comment_revisions",
            "links",
            "verdicts",
        )
        return {table: self.rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables}

    def copied(self, folder: Path) -> Watch:
        """The same site with a copy of all files."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Watch(self.server, folder)

    def path_of(self, article: int = 1) -> str:
        """The path of a stored article on the site."""
        ((url,),) = self.rows("SELECT url FROM articles WHERE id = ?", article)
        return str(url).removeprefix(self.server.url)


class Inbox:
    """A server that takes what is sent."""

    def __init__(self) -> None:
        self.messages: list[dict[str, str]] = []
        self.pings: list[str] = []
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                inbox.pings.append(self.path)
                self._ok()

            def do_POST(self) -> None:
                inbox.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self._ok()

            def _ok(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.address = f"json://127.0.0.1:{self.port}/"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> Inbox:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _served() -> Server:
    """A fresh demo site, mostly at one port for all of this process: what a crawl of one stored holds for the next."""
    below_those_of_connections = 20_000 + os.getpid() % 12_000
    try:
        return serve(port=below_those_of_connections)
    except OSError:  # somebody has it
        return serve()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Watch]:
    """A fresh demo site that nobody has crawled yet."""
    with _served() as server:
        yield Watch(server, tmp_path)


@pytest.fixture(scope="session")
def demo_crawled(tmp_path_factory: pytest.TempPathFactory) -> Watch:
    """What one crawl of the demo site stored: for copies, and to be read. Its server has gone."""
    with _served() as server:
        watch = Watch(server, tmp_path_factory.mktemp("demo_crawled"))
        ran = watch.crawl()
        assert ran.code == 0, ran.err
    return watch


@pytest.fixture
def stored_before(demo_crawled: Watch, site: Watch) -> None:
    """The site has been crawled once and did not change since; no request of that crawl is in its log."""
    if demo_crawled.server.port == site.server.port:
        demo_crawled.copied(site.folder)
    else:
        assert site.crawl().code == 0
        site.server.requests.clear()


once_crawled = pytest.mark.usefixtures("stored_before")
"""For tests of what happens after a first crawl, which are many: its database and archive are copies."""


@pytest.fixture
def serving() -> Iterator[Callable[[], Server]]:
    """More demo sites, as many as a test asks for."""
    servers: list[Server] = []

    def another() -> Server:
        servers.append(serve())
        return servers[-1]

    yield another
    for server in servers:
        server.close()
