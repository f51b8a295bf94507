"""Several people on one server: a password lets in, a name says who decides. Only for servers that others can reach.

It stands behind the guard, which has looked at host, origin and size of a request, and before the rooms. The password
is the same for all; the name is what the person says it is, and goes with each decision.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from app.web.forms import FOREIGN, Fields
from app.web.guard import App, Key, Receive, Scope, Send
from app.web.pages import html
from crawler.text import line
from moderation.exchange import NAME_CHARACTERS

LOGIN, LOGOUT = "/login", "/logout"
FREE = ("/static/frame.css", "/static/look.css", "/static/icon.svg")
"""What a page is made of that those see who are not in."""
SESSIONS = 200
"""People who are in at once; the one who came first goes when more come."""
TRIES = 10
"""Wrong passwords a minute, from everybody together; then all wait, but those who are in."""
WAIT = "Too many wrong passwords. Wait a minute, then try again."
COST = {"n": 2**14, "r": 8, "p": 1}
"""Of a look at the password (RFC 7914, 2: about a twentieth of a second and 16 MB)."""
SHORTEST = 8
"""Characters of a password that a network may try."""


class Door:
    """An ASGI application that knows who asks; `app` gets the name as `scope["reviewer"]`."""

    def __init__(self, app: App, key: Key, password: str, *, token: str, free: Callable[[str, str], bool]) -> None:
        """`key` lets in too, by the address that is printed at the start; `token` is what forms of ours hold; `free`
        is what checks itself who asks."""
        self._app, self._key, self._token, self._free = app, key, token, free
        self._salt = secrets.token_bytes(16)
        self._hash = self._hashed(password)
        self._sessions: OrderedDict[str, str] = OrderedDict()
        self._wrong: list[float] = []
        self._cookie = f"{key.cookie}-name"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands the request on with a name, or asks for the password."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request, path = Request(scope, receive), scope["path"]
        name = self._sessions.get(_morsel(request, self._cookie))
        if path == LOGIN:
            return await (await self._login(request))(scope, receive, send)
        if path == LOGOUT and request.method == "POST":
            return await (await self._out(request))(scope, receive, send)
        if name is not None:
            return await self._app({**scope, "reviewer": name}, receive, send)
        if self._key.opens(request.headers.get("cookie", "")) or path in FREE or self._free(scope["method"], path):
            return await self._app(scope, receive, send)
        return await self._closed(request)(scope, receive, send)

    async def _login(self, request: Request) -> Response:
        if request.method != "POST":
            return _page(request)
        try:
            fields = Fields(await request.body())
        except HTTPException as e:
            return _page(request, e.detail, status=e.status_code)
        name = line(fields["name"], NAME_CHARACTERS)
        if self._too_many():
            return _page(request, WAIT, name=name, status=429)
        if not name:
            return _page(request, "Say who you are: the name goes with each decision.", status=400)
        given = await run_in_threadpool(self._hashed, fields["password"])
        if not hmac.compare_digest(given, self._hash):
            self._wrong.append(time.monotonic())
            return _page(request, "That is not the password. Try again.", name=name, status=403)
        secret = secrets.token_urlsafe(32)
        self._sessions[secret] = name
        while len(self._sessions) > SESSIONS:
            self._sessions.popitem(last=False)
        answer = RedirectResponse("/review", status_code=303)
        answer.set_cookie(self._cookie, secret, httponly=True, samesite="strict", path="/")
        return answer

    async def _out(self, request: Request) -> Response:
        try:
            ours = Fields(await request.body()).ours(self._token)
        except HTTPException:
            ours = False
        if not ours:
            return _page(request, FOREIGN, status=403)
        self._sessions.pop(_morsel(request, self._cookie), None)
        answer = RedirectResponse(LOGIN, status_code=303)
        answer.delete_cookie(self._cookie, path="/", httponly=True, samesite="strict")
        return answer

    def _closed(self, request: Request) -> Response:
        navigates = request.method == "GET" and "text/html" in request.headers.get("accept", "")
        return RedirectResponse(LOGIN, 303) if navigates else PlainTextResponse("This needs a password.\n", 401)

    def _too_many(self) -> bool:
        self._wrong = [at for at in self._wrong if at > time.monotonic() - 60]
        return len(self._wrong) >= TRIES

    def _hashed(self, password: str) -> bytes:
        return hashlib.scrypt(password.encode("utf-8", "surrogatepass")[:1_000], salt=self._salt, **COST)


def _page(request: Request, told: str = "", *, name: str = "", status: int = 200) -> Response:
    return html("login.html", request, status=status, told=told, name=name, rooms=())


def _morsel(request: Request, name: str) -> str:
    try:
        morsel = SimpleCookie(request.headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return quote(morsel.value, safe="-_") if morsel else ""
