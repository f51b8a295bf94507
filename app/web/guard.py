"""Who may speak with a page of ours: a wall of plain ASGI round any application that serves one person on this machine.

Right host names only (a rebound DNS name reaches loopback too), one start address swapped for a cookie (other users of
the machine reach loopback too), no request that another site's page has made, small bodies, and headers that hold for
every answer, errors included. What is refused never reaches the application.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

ENTRANCE = "/start"
"""Where the printed address leads: with the token there, once, to a cookie and on to `/`."""
TOKEN_BYTES = 32
"""256 bits for token and cookie: nobody guesses them."""
GUESSES = 10
"""Wrong tries a minute; more are told to wait. The right token and the cookie open all the same."""
BODY_BYTES = 64 * 1024
"""A decision, a filter or a note is a hundred times smaller."""
HEAD_BYTES = 16 * 1024
"""Of a request before its body; browsers send about one."""
VERSIONS = ("1.0", "1.1", "2")
READING = frozenset({"GET", "HEAD"})
"""Methods that change nothing."""

STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy: nothing inline, nothing from elsewhere, in nobody's frame (W3C, CSP 3)."""
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""On every answer, in place of what the application says."""

_log = logging.getLogger("watchfloor.web")


class Key:
    """The one-time token of a start and the secret of the cookie that it is swapped for. Dies with the process."""

    def __init__(self, port: int) -> None:
        self.token = secrets.token_urlsafe(TOKEN_BYTES)
        self.cookie = f"watchfloor-{port}"
        """Its name. Browsers share cookies between the ports of a host: each server has a name of its own."""
        self._secret = secrets.token_urlsafe(TOKEN_BYTES)
        self._spent = False
        self._wrong: list[float] = []

    def opens(self, cookies: str) -> bool:
        """True when this Cookie header holds the secret."""
        try:
            morsel = SimpleCookie(cookies).get(self.cookie)
        except CookieError:
            return False
        return morsel is not None and _same(morsel.value, self._secret)

    def spend(self, token: str) -> bool:
        """True for the right token, the first time only."""
        right = not self._spent and _same(token, self.token)
        self._spent = self._spent or right
        return right

    def too_many(self, now: float) -> bool:
        """Counts a wrong try; True when there were too many within a minute."""
        self._wrong = [at for at in self._wrong[-GUESSES:] if at > now - 60] + [now]
        return len(self._wrong) > GUESSES

    def set_cookie(self) -> str:
        """The Set-Cookie header. Strict: no other site's page can make a browser send it."""
        return f"{self.cookie}={self._secret}; HttpOnly; SameSite=Strict; Path=/"


class Guard:
    """An ASGI application that lets through what may reach `app`, and dresses every answer."""

    def __init__(
        self,
        app: App,
        key: Key,
        port: int,
        *,
        methods: frozenset[str] = READING,
        policies: Mapping[str, str] = {},
        opened: Callable[[str, str], bool] = lambda method, path: False,
        hosts: Iterable[str] = (),
        page: Callable[[int, str], str] | None = None,
    ) -> None:
        """`policies`: other Content-Security-Policies for paths that begin so; `STRICT` holds for all others.

        `opened` says of a method and a path whether the application checks itself who asks: no cookie is needed there.
        `hosts` are further names, with the port where browsers send it, that the server answers to. `page` makes a page
        of what a stranger's browser is told; programs get the bare text.
        """
        self._page = page
        self._app, self._key, self._methods, self._opened = app, key, methods, opened
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")} | set(hosts)
        self._policies = dict(policies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request. WebSockets are not spoken here."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        dressed = _Dressed(send, self._policy(scope["path"]))
        refusal = self._refusal(scope)
        if refusal:
            return await _answer(dressed, *refusal)
        if scope["path"] == ENTRANCE:
            return await self._enter(scope, dressed)
        if not self._key.opens(_header(scope, "cookie")) and not self._opened(scope["method"], scope["path"]):
            return await self._stranger(scope, dressed, CLOSED)
        await self._pass(scope, receive, dressed)
        return None

    async def _pass(self, scope: Scope, receive: Receive, send: _Dressed) -> None:
        try:
            await self._app(scope, _Measured(receive), send)
        except _TooLong:
            await _answer(send, 413, TOO_LONG)
        except Exception:  # noqa: BLE001 - whatever it is, the page says little and the log all
            name = secrets.token_hex(4)
            _log.exception("error %s", name)
            await _answer(send, 500, f"Something went wrong here. The log calls it error {name}.")

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """What to say to a request that must not come any further, whoever sends it."""
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or hosts[0].decode("latin-1").lower() not in self._hosts:
            return 421, ""
        if not _plain(scope):
            return 400, "An address that this server does not take."
        if sum(len(name) + len(value) for name, value in scope["headers"]) + len(scope["query_string"]) > HEAD_BYTES:
            return 431, TOO_LONG
        if scope["method"] not in self._methods:
            return 405, "Nothing can be changed here."
        if not self._from_here(scope):
            return 403, "Asked by a page from elsewhere."
        length = _header(scope, "content-length")
        if length and (not length.isdecimal() or int(length) > BODY_BYTES):
            return 413, TOO_LONG
        return None

    def _from_here(self, scope: Scope) -> bool:
        """False for what another origin's page asks (W3C, Fetch Metadata); a link that a person follows may come."""
        site = _header(scope, "sec-fetch-site")
        if scope["method"] not in READING:
            own = f"{scope['scheme']}://{_header(scope, 'host')}".lower()
            origin = _header(scope, "origin")
            return site in ("same-origin", "none") if site else origin.lower() == own
        followed = _header(scope, "sec-fetch-mode") == "navigate" and _header(scope, "sec-fetch-dest") == "document"
        return site in ("", "same-origin", "none") or followed

    async def _enter(self, scope: Scope, send: _Dressed) -> None:
        """The token for the cookie. HEAD never spends it: programs that look at links use it."""
        token = (parse_qs(scope["query_string"].decode("latin-1")).get("token") or [""])[0]
        if self._key.opens(_header(scope, "cookie")):
            return await _answer(send, 303, "", location="/")
        if scope["method"] != "GET" or not self._key.spend(token):
            return await self._stranger(scope, send, SPENT)
        return await _answer(send, 303, "", location="/", set_cookie=self._key.set_cookie())

    async def _stranger(self, scope: Scope, send: _Dressed, text: str) -> None:
        """Somebody without the cookie; who tries too often waits."""
        status, more = 401, {}
        if self._key.too_many(time.monotonic()):
            status, text, more = 429, WAIT, {"retry_after": "60"}
        if self._page and "text/html" in _header(scope, "accept"):
            text, more = self._page(status, text), {**more, "content-type": "text/html; charset=utf-8"}
        return await _answer(send, status, text, **more)

    def _policy(self, path: str) -> str:
        return next((policy for start, policy in self._policies.items() if path.startswith(start)), STRICT)


CLOSED = "This opens with the address that watchfloor printed when it started, in the browser that used that address."
SPENT = "This address was used already, or is not whole. Start the command again for a new one."
TOO_LONG = "More than this server takes."
WAIT = "Too many tries. Wait a minute, then try again."


class _TooLong(Exception):
    """A body went on beyond the limit."""


class _Measured:
    """Receives a body, up to the limit."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._bytes = receive, 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._bytes += len(message.get("body", b""))
        if self._bytes > BODY_BYTES:
            raise _TooLong
        return message


class _Dressed:
    """Sends an answer with the headers that hold for all; once begun, a second one is not sent."""

    def __init__(self, send: Send, policy: str) -> None:
        self._send = send
        self._headers = {**HEADERS, "content-security-policy": policy}
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            message = {**message, "headers": self._dress(message.get("headers", ()))}
        await self._send(message)

    def _dress(self, headers: Any) -> list[tuple[bytes, bytes]]:
        """Without what would let other origins in (CORS), and with ours."""
        kept = [
            (name.lower(), value)
            for name, value in headers
            if name.lower().decode("latin-1") not in self._headers and not name.lower().startswith(b"access-control-")
        ]
        return kept + [(name.encode(), value.encode()) for name, value in self._headers.items()]


async def _answer(send: _Dressed, status: int, text: str, **headers: str) -> None:
    if send.begun:
        return
    body = f"{text}\n".encode() if text else b""
    fields = {"content-type": "text/plain; charset=utf-8", "content-length": str(len(body)), **headers}
    listed = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body})


def _plain(scope: Scope) -> bool:
    """True for HTTP as we know it and a path of ASCII from the root of this host: no `//other.host`, no NUL."""
    raw = scope.get("raw_path") or scope["path"].encode()
    if scope.get("http_version", "1.1") not in VERSIONS:
        return False
    ascii_alone = raw.isascii() and scope["query_string"].isascii()
    return bool(ascii_alone and raw[:1] == b"/" and raw[:2] not in (b"//", b"/\\") and "\0" not in scope["path"])


def _header(scope: Scope, name: str) -> str:
    """The header's value; empty when it is missing or given twice."""
    found = [value for key, value in scope["headers"] if key == name.encode()]
    return found[0].decode("latin-1") if len(found) == 1 else ""


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), secret.encode())
