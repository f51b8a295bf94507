"""Datasette on watchfloor's database, read-only, as an ASGI application: made for us by a plugin, templates, metadata.

It trusts whoever reaches it: a server puts `app.web.guard` round it. It changes nothing: the file is opened as every
reader of ours opens it (`db.connect.open_reader`: mode=ro, query_only, no trusted schema).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from datasette.app import Datasette
from datasette.database import Database
from datasette.utils import tilde_encode

from app.sql.plugin import SECONDS, Rooms, register, whole
from app.web.guard import App, Message, Receive, Scope, Send
from db.connect import open_reader, problems_of
from db.metadata import DATABASE, Relation, addresses, described
from db.queries import Query

HERE = Path(__file__).parent
ROWS = 1000
"""Rows of one answer; more come page by page, or with `watchfloor export`."""
CELL = 240
"""Characters of a cell in a table; a row's own page shows all of it."""
FORMS = ("", "json", "csv")
"""How an answer may be asked for, after the point in its address."""
COUNT, COUNT_MILLISECONDS = "select count(*) from ", 300
"""How Datasette counts the rows of a table, and how long it may take; then a page says that there are many."""
SETTINGS = {
    "default_page_size": 50,
    "max_returned_rows": ROWS,
    "sql_time_limit_ms": int(SECONDS * 1000),
    "facet_time_limit_ms": 150,  # each; a large table says that it has too many rows to count by them
    "suggest_facets": False,  # tries every column of every page; the menu of a column does it when asked
    "allow_download": False,
    "allow_csv_stream": False,
    "default_cache_ttl": 0,
    "truncate_cells_html": CELL,
}
"""Where Datasette's own defaults are not ours."""
ROW = 2
"""Slashes in the address of a table; that of a row has more."""
OPEN = ("/-/static/table.js",)
"""Of Datasette's own pages under `/-/`: the others show its versions, settings, paths and threads."""


def datasette_app(path: Path, queries: Mapping[str, Query], *, base: str = "/", rooms: Rooms = ()) -> App:
    """The database at `path` with the query pack, for a server's root, or to be mounted at `base` (`/sql/`) beside
    other `rooms`.

    Mounted by Starlette, the mount's `/sql` may be in `path` and `root_path` both, or in `root_path` alone. Raises
    `DatabaseProblem` when there is no database that can be read.
    """
    relations = _relations(path)
    desk = Datasette(
        [],
        metadata=described(relations, queries),
        settings={**SETTINGS, "base_url": base},
        template_dir=str(HERE / "templates"),
        static_mounts=[("look", str(HERE / "look"))],
    )
    desk.remove_database("_memory")
    desk.add_database(Live(desk, path=str(path), is_mutable=True), name=DATABASE)
    asked = addresses(relations, queries)
    register(desk, asked, rooms)
    return Mounted(desk.app(), base, asked)


class Live(Database):  # type: ignore[misc]  # Datasette has no types
    """A database that others write to meanwhile."""

    def connect(self, write: bool = False) -> Any:
        """A connection as all our readers have. Raises `DatabaseProblem`; nothing here writes."""
        assert not write, "this database is only read here"
        return open_reader(Path(self.path)).conn

    async def execute(self, sql: str, *args: Any, **kwargs: Any) -> Any:
        """As Datasette does, without its line on standard error for each mistake in somebody's SQL.

        How many rows a page has in all is worth less time than the page.
        """
        if sql.startswith(COUNT):
            kwargs.setdefault("custom_time_limit", COUNT_MILLISECONDS)
        return await super().execute(sql, *args, **{**kwargs, "log_sql_errors": False})


class Mounted:
    """Between a mount and Datasette: one spelling of paths both ways, and only those that are meant to be seen."""

    def __init__(self, app: App, base: str, queries: Mapping[str, Query]) -> None:
        self._app, self._base = app, base.rstrip("/")
        self._queries = {f"/{DATABASE}/{tilde_encode(name)}": query for name, query in queries.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        path = self._within(scope["path"])
        if path.startswith("/-/") and path not in OPEN:
            return await _answer(send, 404, b"")
        if scope["method"] not in ("GET", "HEAD"):
            return await _answer(send, 405, b"")
        if missing := self._defaults(path, scope["query_string"].decode("latin-1")):
            return await _answer(send, 302, missing.encode())
        raw = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
        inner = {**scope, "path": path, "raw_path": self._within(raw).encode("latin-1"), "root_path": ""}
        whole.set(path.count("/") > ROW)
        await self._app(inner, receive, self._relocated(send))
        return None

    def _within(self, path: str) -> str:
        return path.removeprefix(self._base) or "/" if path.startswith(f"{self._base}/") else path

    def _defaults(self, path: str, query_string: str) -> str | None:
        """Where to go when an address of the query pack leaves parameters out: the same, with their defaults."""
        name, dot, form = path.partition(".")
        query = self._queries.get(name)
        given = parse_qsl(query_string, keep_blank_values=True)
        missing = [key for key in (query.params if query else ()) if key not in dict(given)]
        if not query or not missing or form not in FORMS:
            return None
        filled = [(key, str(query.params[key].default)) for key in missing]
        return f"{self._base}{name}{dot}{form}?{urlencode([*given, *filled])}"

    def _relocated(self, send: Send) -> Send:
        """Sends redirections to where they lead from outside: Datasette forgets the mount in some."""

        def moved(name: bytes, value: bytes) -> bytes:
            base = f"{self._base}/".encode()
            if name.lower() != b"location" or value.startswith(base) or not value.startswith(b"/"):
                return value
            return base + value.lstrip(b"/")

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(name, moved(name, value)) for name, value in message.get("headers", ())]
                message = {**message, "headers": headers}
            await send(message)

        return sending


async def _answer(send: Send, status: int, location: bytes) -> None:
    headers = [(b"content-length", b"0"), *([(b"location", location)] if location else [])]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _relations(path: Path) -> list[Relation]:
    """Every table and view as it is there."""
    db = open_reader(path)
    try:
        with problems_of(path):
            db.execute("PRAGMA trusted_schema = ON")  # only names are read here; see the JSON functions of SQLite 3.40
            found = db.execute("SELECT type, name, sql FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
            return [
                Relation(
                    name=name,
                    sql=sql,
                    is_view=kind == "view",
                    columns=tuple(row[1] for row in db.execute("SELECT * FROM pragma_table_info(?)", [name])),
                )
                for kind, name, sql in found
            ]
    finally:
        db.close()
