"""A small site on loopback that does what sites should not: bombs, lies, traps, ways inwards. Each route is a function
that writes to the socket, so that it can break every rule of HTTP."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from typing import TypeAlias

Answer: TypeAlias = bytes | Callable[[socket.socket], None]

SECRET = "not-for-crawlers-7f3a"
"""Stands on what must never be fetched, and so never in a database."""
GOOD = 4
"""Ordinary articles, numbered from 1."""
LONGEST = 15
"""Seconds that any answer goes on for."""
STORY = "".join(
    f"<p>The shipyard handed over hull {n} on time, the ministry said; trials begin after the winter, and the crew of "
    f"the second boat has moved in while the yard finishes the work on its sonar.</p>"
    for n in ("one", "two", "three", "four", "five")
)


def http(body: str | bytes, *headers: str, status: str = "200 OK", kind: str = "text/html; charset=utf-8") -> bytes:
    """A whole answer; its length is told unless a header tells another one."""
    raw = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", "Connection: close", *([f"Content-Type: {kind}"] if kind else []), *headers]
    if not any(h.lower().startswith(("content-length", "transfer-encoding")) for h in headers):
        lines.append(f"Content-Length: {len(raw)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + raw


def page(title: str, *, head: str = "", inside: str = "", after: str = "", story: str = STORY) -> str:
    """An article."""
    return (
        f"<!doctype html><html lang=en><head><title>{title}</title>{head}</head><body><main><article><h1>{title}</h1>"
        f"{story}{inside}</article>{after}</main></body></html>"
    )


def good(number: int) -> str:
    """An ordinary article with two comments, the second with a link."""
    said = (("a", "My uncle built the sonar of that boat."), ("b", "Cheap watches at http://buy-now.example/ today"))
    items = "".join(
        f'<li class="comment" id="comment-{number}-{key}{number}"><b class="comment-author">Reader {key}</b>'
        f'<div class="comment-body"><p>{text}</p></div></li>'
        for key, text in said
    )
    return page(f"Boat {number} handed over", after=f'<section id="comments"><ol>{items}</ol></section>')


def moved(to: str, status: str = "302 Found") -> bytes:
    """A redirect."""
    return http("", f"Location: {to}", status=status)


def hold(connection: socket.socket) -> None:
    """Says nothing."""
    end = time.monotonic() + LONGEST
    connection.settimeout(0.2)
    while time.monotonic() < end:
        try:
            if not connection.recv(1024):
                return
        except TimeoutError:
            continue


def stream(head: bytes, parts: Iterable[bytes], pause: float = 0.0) -> Callable[[socket.socket], None]:
    """Sends part after part until the other side has gone."""

    def send(connection: socket.socket) -> None:
        connection.sendall(head)
        end = time.monotonic() + LONGEST
        for part in parts:
            if time.monotonic() > end:
                return
            connection.sendall(part)
            time.sleep(pause)

    return send


def reset(connection: socket.socket) -> None:
    """A part of an answer, then a reset."""
    connection.sendall(http("half", "Content-Length: 5000"))
    time.sleep(0.05)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def for_ever(part: bytes) -> Iterable[bytes]:
    """The same again and again."""
    while True:
        yield part


def packed(size: int) -> bytes:
    """So many zeros in gzip."""
    return gzip.compress(b"\0" * size, 9)


def feed(site: str, paths: Iterable[str]) -> str:
    """An RSS feed of these pages."""
    items = "".join(f"<item><title>{path}</title><link>{site}{path}</link></item>" for path in paths)
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>{items}</channel></rss>'


BOMB = "<!DOCTYPE r [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]>"


def pages(trap: int) -> dict[str, Answer]:
    """The pages by path; `trap` is the port that nobody may ask."""
    deep = "<div>" * 50_000 + "below" + "</div>" * 50_000
    flood = "<p " + " ".join(f"a{n}=1" for n in range(60_000)) + ">flooded</p>"
    replies = "".join(f'<li class="comment" id="comment-{n}"><p>Reply {n}</p><ul>' for n in range(3_000))
    ld = '<script type="application/ld+json">{}</script>'
    latin = page("Fr\xe9gate").encode("latin-1")
    whole = http(page("Too short"))
    table: dict[str, Answer] = {f"/good/{n}": http(good(n)) for n in range(1, GOOD + 1)}
    return table | {
        "/private/x": http(page(SECRET)),
        "/bomb/gzip": http(packed(20_000_000), "Content-Encoding: gzip"),
        "/bomb/twice": http(gzip.compress(packed(20_000_000)), "Content-Encoding: gzip, gzip"),
        "/bomb/deflate": http(zlib.compress(b"\0" * 20_000_000), "Content-Encoding: deflate"),
        "/bomb/coding": http(page("In no coding"), "Content-Encoding: squeezed"),
        "/bomb/endless": stream(
            http("", "Transfer-Encoding: chunked"), for_ever(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        ),
        "/http/drip": stream(http("", "Content-Length: 9999"), for_ever(b"x"), 0.3),
        "/http/silent": hold,
        "/http/reset": reset,
        "/http/longer": http(page("Cut"), "Content-Length: 99999"),
        "/http/two": http(page("Two"), "Content-Length: 5", "Content-Length: 7"),
        "/http/chunk": http("ZZ\r\nx\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
        "/http/header": http(page("Long"), "X-Long: " + "x" * 100_000),
        "/http/noise": bytes(range(128, 256)) * 9,
        "/http/shorter": whole.replace(b"Content-Length: ", b"Content-Length: 9\r\nX: "),
        "/status/429": http("later", "Retry-After: 99999999", status="429 Too Many Requests"),
        "/status/500": http("down", status="500 Down"),
        "/status/404": http(page("Not here"), status="404 Not Found"),
        "/to/trap": moved(f"http://127.0.0.1:{trap}/"),
        "/to/number": moved(f"http://2130706433:{trap}/"),
        "/to/mapped": moved(f"http://[::ffff:127.0.0.1]:{trap}/"),
        "/to/name": moved(f"http://localhost:{trap}/"),
        "/to/metadata": moved("http://169.254.169.254/latest/"),
        "/to/user": moved("http://a:b@127.0.0.1/"),
        "/to/file": moved("file:///etc/passwd"),
        "/to/broken": moved("http://[::1"),
        "/to/itself": moved("/to/itself"),
        "/html/deep": http(page("Deep", inside=deep)),
        "/html/flood": http(page("Flood", inside=flood)),
        "/html/replies": http(page("Replies", after=f'<section id="comments"><ul>{replies}</ul></section>')),
        "/html/empty": http(""),
        "/html/links": http(
            page("Links", inside=f'<a href="http://127.0.0.1:{trap}/a">a</a><a href="javascript:x">j</a>')
        ),
        "/text/codec": http(page("Coded"), kind="text/html; charset=hex_codec"),
        "/text/latin": http(latin),
        "/text/nul": http(page("Nul\0led", inside="<p>a\0b &#xD800; c</p>")),
        "/ld/deep": http(page("Nested", head=ld.format("[" * 100_000))),
        "/ld/types": http(page("Typed", head=ld.format('{"@type":"NewsArticle","headline":NaN,"wordCount":1e999}'))),
        "/ld/big": http(page("Big", head=ld.format('{"@type":"NewsArticle","commentCount":' + "9" * 5_000 + "}"))),
    }


def listings(site: str, trap: int) -> dict[str, Answer]:
    """Listings by path: what they list is hostile, or they are."""
    inwards = f"<urlset><url><loc>file:///etc/passwd</loc></url><url><loc>http://127.0.0.1:{trap}/</loc></url></urlset>"
    again = f"<sitemapindex><sitemap><loc>{site}/map/self</loc></sitemap></sitemapindex>"
    xml = "application/xml"
    return {
        "/feed": http(feed(site, pages(trap)), kind=xml),
        "/feed/entities": http(BOMB + feed(site, ["/good/1"]).partition("?>")[2], kind=xml),
        "/feed/deep": http("<rss>" + "<a>" * 100_000, kind=xml),
        "/feed/html": http(page("Wall"), kind=xml),
        "/map/inwards": http(inwards, kind=xml),
        "/map/self": http(again, kind=xml),
        "/map/bomb.gz": http(packed(30_000_000), kind="application/gzip"),
    }


ROBOTS: dict[str, Answer] = {
    "rules": http("User-agent: *\nDisallow: /private/\n", kind="text/plain"),
    "none": http("User-agent: *\nDisallow: /\n", status="404 Not Found"),
    "huge": stream(
        http("User-agent: *\nDisallow: /none/\n", "Content-Length: 900000000"),
        for_ever(b"# nothing to be said\n" * 3_000),
    ),
    "loop": moved("/robots.txt"),
    "noise": http(bytes(range(256)) * 400, kind="application/octet-stream"),
    "all": http("User-agent: *\nDisallow: /\n", kind="text/plain"),
    "down": http("down", "Retry-After: 7200", status="503 Down"),
    "silent": hold,
    "drip": stream(http("", "Content-Length: 9999"), for_ever(b"#"), 0.3),
    "reset": reset,
}
"""What a robots.txt can be."""
LET_IN = ("rules", "none", "huge", "loop", "noise")


class Hostile:
    """A server for one table of routes: what is not in it is an endless list of pages."""

    def __init__(self, robots: str = "rules", *, routes: Callable[[str], dict[str, Answer]] | None = None) -> None:
        self.asked: list[str] = []
        """The path of every request, in order."""
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._routes = {"/robots.txt": ROBOTS[robots], **(routes(self.url) if routes else {})}
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Stops answering."""
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.settimeout(LONGEST)
                asked = connection.recv(65536).split(b" ")
                path = asked[1].decode("latin-1") if len(asked) > 1 else ""
                self.asked.append(path)
                answer = self._routes.get(path) or self._trap(path)
                if callable(answer):
                    answer(connection)
                else:
                    connection.sendall(answer)
        except OSError:
            return

    def _trap(self, path: str) -> bytes:
        number = int(path.rpartition("=")[2]) + 1 if path.rpartition("=")[2].isdigit() else 1
        links = "".join(f'<a href="/calendar/2026/11/{number}{n}">Another day in the yard {n}</a>' for n in range(3))
        return http(
            page(SECRET if "calendar" not in path else "Day", story=f"{links}<a rel=next href='/?at={number}'>")
        )
