"""Serves the site of the benchmarks, fast and in a process of its own, whose CPU is nobody's.

    python -m bench.static [FOLDER...] [--pages N] [--tells nothing|receipts|lastmod] [--port N] [--also HOST:PORT]

Over HTTP/1.1 with connections that stay, on loopback alone, uncompressed. By what it tells that nothing has changed:
nothing, receipts (ETag and Last-Modified, and 304 for them), or `lastmod` in its sitemaps as well. Prints its address
when it is ready; `/.asked` counts since it was last asked. With no folder the pages of the evaluation data are served.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

from bench.site import ROOT, Answer, Site, saved_pages, usual_folders

HOST = "127.0.0.1"
TELLS = ("nothing", "receipts", "lastmod")
HEAD_BYTES = 64 * 1024
"""Of a request; more is not answered."""
EVERY_SECONDS = 2.0
"""Between two looks at whether somebody is still there who wants the site."""
ASKED = "/.asked"
REASONS = {200: b"OK", 304: b"Not Modified", 404: b"Not Found", 405: b"Method Not Allowed"}


class Served(NamedTuple):
    """A site that is being served."""

    url: str
    """Without a closing slash."""
    port: int
    also: str
    """The same site at another address; empty where that could not be had."""
    pages: int
    mean_bytes: float
    paths: tuple[str, ...]
    """Of its articles, the newest first."""
    source: str
    """The TOML text of a source that watches it."""

    def asked(self) -> dict[str, int]:
        """Requests since this was last asked: for articles by status, `other` for everything else."""
        with urllib.request.urlopen(self.url + ASKED, timeout=30) as answer:
            return cast(dict[str, int], json.load(answer))


@contextmanager
def served(
    folders: Sequence[Path], pages: int, *, tells: str = TELLS[-1], also: str = "", mean: int = 0
) -> Iterator[Served]:
    """The site, until the block ends. Raises `ValueError` with what is wrong where it cannot be served."""
    command = [
        sys.executable,
        "-m",
        "bench.static",
        *map(str, folders),
        "--pages",
        str(pages),
        "--tells",
        tells,
        "--json",
    ]
    command += ["--also", also] * bool(also) + ["--mean", str(mean)] * bool(mean)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout and server.stderr
        try:
            told = server.stdout.readline()
            if not told:
                raise ValueError(server.stderr.read().strip() or "the server ended")
            site = json.loads(told)
            yield Served(**{**site, "paths": tuple(site["paths"])})
        finally:
            server.terminate()


class Connection(asyncio.Protocol):
    """One client's; any number of requests after one another."""

    def __init__(self, site: Site, tells: str, asked: Counter[str]) -> None:
        self.site, self.receipts, self.asked = site, tells != TELLS[0], asked
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._out = cast(asyncio.Transport, transport)
        host, port = transport.get_extra_info("sockname")[:2]
        self._base = f"http://{host}" if port == 80 else f"http://{host}:{port}"

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while b"\r\n\r\n" in self._unread:
            head, _, self._unread = self._unread.partition(b"\r\n\r\n")
            self._answer(head)
        if len(self._unread) > HEAD_BYTES:
            self._out.close()

    def _answer(self, head: bytes) -> None:
        line, *rest = head.split(b"\r\n")
        method, _, target = line.partition(b" ")
        path = target.partition(b" ")[0].partition(b"?")[0].decode("latin-1")
        headers = {name.strip().lower(): value.strip() for name, _, value in (each.partition(b":") for each in rest)}
        if path == ASKED:
            found: Answer | None = Answer("application/json", json.dumps(self.asked).encode())
            self.asked.clear()
        else:
            found = self.site.answer(path, self._base)
        status = 405 if method not in (b"GET", b"HEAD") else 200 if found else 404
        if found and self.receipts and found.article >= 0 and self._known(found.article, headers):
            status = 304
        if path != ASKED:
            self.asked[str(status) if found and found.article >= 0 else "other"] += 1
        body = found.body if found and status == 200 else b"" if status == 304 else b"There is nothing here.\n"
        self._out.write(self._head(status, found, len(body)) + (body if method == b"GET" else b""))
        if line.endswith(b"1.0") or headers.get(b"connection", b"").lower() == b"close":
            self._out.close()

    def _known(self, article: int, headers: Mapping[bytes, bytes]) -> bool:
        """RFC 9110, 13.2.2: an ETag counts alone where one is given."""
        if (etag := headers.get(b"if-none-match")) is not None:
            return self._etag(article) in etag
        return headers.get(b"if-modified-since") == self._modified(article)

    def _head(self, status: int, found: Answer | None, length: int) -> bytes:
        kind = found.kind if found and status == 200 else "text/plain"
        lines = [b"HTTP/1.1 %d %s" % (status, REASONS[status]), b"Server: bench"]
        if status != 304:
            lines += [b"Content-Type: %s" % kind.encode(), b"Content-Length: %d" % length]
        if found and found.article >= 0 and self.receipts:
            lines += [b"ETag: " + self._etag(found.article), b"Last-Modified: " + self._modified(found.article)]
        return b"\r\n".join((*lines, b"", b""))

    def _etag(self, article: int) -> bytes:
        return b'"%06d-%d"' % (article, self.site.now)

    def _modified(self, article: int) -> bytes:
        return formatdate(self.site.changed(article), usegmt=True).encode()


async def serve(site: Site, tells: str, port: int, also: str, *, as_json: bool) -> None:
    """Until SIGTERM or SIGINT; what only a program asked for with `--json`, until that has ended."""
    loop, over, asked = asyncio.get_running_loop(), asyncio.Event(), Counter[str]()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    connection = partial(Connection, site, tells, asked)
    first = await loop.create_server(connection, HOST, port, backlog=1024)
    port = first.sockets[0].getsockname()[1]
    second = await _second(loop, connection, also)
    url = f"http://{HOST}:{port}"
    paths = tuple(map(site.path, range(site.articles)))
    told = Served(url, port, second, site.articles, site.mean_bytes(), paths, site.source(url))
    text = json.dumps(told._asdict()) if as_json else f"{url} {told.pages} pages of {told.mean_bytes / 1000:.0f} KB"
    print(text, flush=True)
    asked_by = os.getppid()
    while not over.is_set() and (not as_json or os.getppid() == asked_by):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), EVERY_SECONDS)


async def _second(loop: asyncio.AbstractEventLoop, connection: partial[Connection], also: str) -> str:
    """The further address, where it can be had."""
    host, _, port = also.rpartition(":")
    try:
        if also:
            await loop.create_server(connection, host, int(port), backlog=1024)
    except OSError as e:
        print(f"static: not at {also}: {e.strerror}", file=sys.stderr)
        return ""
    return f"http://{also}".removesuffix(":80") if also else ""


def main(arguments: list[str] | None = None) -> int:
    """Serves until it is interrupted; 2 where there is nothing to serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--pages", type=int, default=400)
    parser.add_argument("--mean", type=int, default=0, help="bytes of a page; default 170,000 where it can be had")
    parser.add_argument("--tells", choices=TELLS, default=TELLS[-1])
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument("--also", default="", metavar="HOST:PORT", help="for clients that cannot take a port")
    parser.add_argument("--json", action="store_true", help="print all that is known of the site")
    given = parser.parse_args(arguments)
    try:
        saved = saved_pages(given.folders or usual_folders(), **({"mean": given.mean} if given.mean else {}))
        site = Site(saved, given.pages, time.time(), lastmod=given.tells == TELLS[-1])
        asyncio.run(serve(site, given.tells, given.port, given.also, as_json=given.json))
    except (OSError, ValueError) as e:
        print(f"static: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
