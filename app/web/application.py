"""The web application: which address leads to which room. Everything in it is read or decided by rooms of their own."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path

from anyio.to_thread import current_default_thread_limiter
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from app.web import audit, deciding, feeds, reading, review, watching
from app.web.desk import Desk
from app.web.feeds import Feeds, feed_path, is_feed
from app.web.guard import READING, App, Guard, Key, Receive, Scope, Send
from app.web.login import FREE, Door
from app.web.pages import LOOK, ROOMS, closed, html
from db.connect import DatabaseBusy, DatabaseProblem
from db.queries import pack

STATIC = {
    "frame.css": "text/css",
    "look.css": "text/css",
    "icon.svg": "image/svg+xml",
    "review.css": "text/css",
    "review.js": "text/javascript",
}
"""The only files that are served, by name: no path of a request ever reaches the disk."""
SUFFIXES = ("json", "atom")
THREADS = 16
"""Pages that are made at once; more wait. One person opens one at a time."""
_log = logging.getLogger("watchfloor.web")
TOLD = {404: "There is no such feed.\n", 429: "Too many tries. Wait a minute.\n"}


def walled(
    path: Path, key: Key, port: int, *, home: Path, by: str = "", password: str = "", hosts: Sequence[str] = ()
) -> App:
    """The whole application behind its guard, as a server runs it; `home` is the folder of what people configured, `by`
    decides where a session has no name. With a password people log in; `hosts` are what else the server is called."""
    token, methods = secrets.token_urlsafe(32), READING | {"POST"}
    rooms = application(path, home, by, token)
    if not password:
        return Guard(rooms, key, port, methods=methods, opened=_open_to_all, hosts=hosts, page=closed)
    door = Door(rooms, key, password, token=token, free=is_feed)
    return Guard(door, key, port, methods=methods, opened=lambda method, path: True, hosts=hosts, page=closed)


def _open_to_all(method: str, path: str) -> bool:
    """Feeds look themselves who asks; how a page looks is no secret."""
    return is_feed(method, path) or (method in READING and path in FREE)


def application(path: Path, home: Path, by: str = "", token: str = "") -> App:
    """The rooms, on this database. The guard stands before it (`app.web.guard`); forms hold `token`."""
    routes = [
        Route("/static/{name}", static),
        *reading.ROUTES,
        *watching.ROUTES,
        *review.ROUTES,
        *deciding.ROUTES,
        *audit.ROUTES,
        *feeds.ROUTES,
        Mount("/sql", Database(path, home)),
    ]
    handlers = {HTTPException: refused, DatabaseBusy: busy, DatabaseProblem: unusable, Exception: broken}
    made = Starlette(routes=routes, exception_handlers=handlers)
    made.state.path, made.state.home, made.state.feeds = path, home, Feeds(home)
    made.state.desk = Desk(path, home, by, token=token or secrets.token_urlsafe(32))
    made.state.desk.start()
    return Suffixed(made, made.state.feeds)


class Database:
    """Datasette with the query pack, made when somebody first asks for it: loading it takes a second."""

    def __init__(self, path: Path, home: Path) -> None:
        self._path, self._home = path, home
        self._app: App | None = None
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands the request on."""
        await (await run_in_threadpool(self._made))(scope, receive, send)

    def _made(self) -> App:
        from app.sql.app import datasette_app

        with self._lock:
            if self._app is None:
                self._app = datasette_app(self._path, pack(self._home / "queries.toml"), base="/sql/", rooms=ROOMS)
        return self._app


class Suffixed:
    """Takes `.json` and `.atom` from the end of an address and tells the room; a secret out of a feed's address."""

    def __init__(self, app: App, feeds: Feeds) -> None:
        self._app, self._feeds = app, feeds
        self._limited = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands the request on."""
        if not self._limited:
            current_default_thread_limiter().total_tokens = THREADS
            self._limited = True
        if scope["type"] == "http" and is_feed(scope["method"], scope["path"]):
            found = await feed_path(self._feeds, scope["path"])
            if isinstance(found, int):
                return await Response(TOLD[found], found, media_type="text/plain")(scope, receive, send)
            scope = {**scope, "path": found, "suffix": "atom"}
        elif scope["type"] == "http" and not scope["path"].startswith(("/static/", "/sql")):
            stem, _, suffix = scope["path"].rpartition(".")
            if suffix in SUFFIXES:
                scope = {**scope, "path": stem.removesuffix("/index") or "/", "suffix": suffix}
        try:
            await self._app(scope, receive, send)
        except Exception:
            if not scope.get("told"):  # Starlette hands on what `broken` has answered and logged
                raise


def static(request: Request) -> Response:
    """A file of ours."""
    name = request.path_params["name"]
    if name not in STATIC or not (file := LOOK / name).exists():
        raise HTTPException(404, "There is no such file.")
    return Response(file.read_bytes(), media_type=STATIC[name])


def refused(request: Request, error: Exception) -> Response:
    """What is not there, or not allowed, in a sentence."""
    assert isinstance(error, HTTPException)
    told = error.detail if error.status_code != 404 or " " in error.detail else "There is no such page."
    return _told(request, error.status_code, told)


def busy(request: Request, _: Exception) -> Response:
    """Another program writes for longer than a person should wait."""
    return _told(request, 503, "The database is busy. Nothing was lost; try again in a moment.")


def unusable(request: Request, _: Exception) -> Response:
    """The file cannot be read; what is wrong with it stands on the terminal, by `watchfloor doctor`."""
    told = "The database cannot be used just now. On the machine that it is on, `watchfloor doctor` says why."
    return _told(request, 500, told)


def broken(request: Request, error: Exception) -> Response:
    """What nobody thought of: the page says little and the log all."""
    name = secrets.token_hex(4)
    _log.error("error %s", name, exc_info=error)
    request.scope["told"] = True
    return _told(request, 500, f"Something went wrong here. The log calls it error {name}.")


def _told(request: Request, status: int, told: str) -> Response:
    """In the form that was asked for."""
    if request.scope.get("suffix"):
        return JSONResponse({"error": told}, status)
    return html("refused.html", request, status=status, told=told)
