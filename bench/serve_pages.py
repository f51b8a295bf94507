"""Serve saved pages as a local site, so that a crawl can be pointed at them.

    python bench/serve_pages.py FOLDER... [--port N] [--source FILE]

Each file of a folder is served under `/FOLDER/FILE`; a name that ends in `.gz` is unpacked and loses the ending. Bytes
go out as they were saved, HTML without a charset, so that the reader has to find it out. Beside them: a front page that
links to all, `/sitemap.xml` and a `/robots.txt` that allows all. Nothing tells that a page has not changed. Prints the
site's address when it is ready. (`bench.static` serves a site of any size, made of saved pages, and faster.)
"""

from __future__ import annotations

import argparse
import gzip
import html
import signal
import sys
import threading
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from string import Template
from types import TracebackType
from urllib.parse import quote, unquote

HOST = "127.0.0.1"
IDLE_SECONDS = 10
"""A connection that sends nothing is dropped after this."""
TYPES = {
    ".xml": "application/xml",
    ".rss": "application/xml",
    ".atom": "application/xml",
    ".rdf": "application/xml",
    ".json": "application/json",
    ".txt": "text/plain",
    ".css": "text/css",
    ".js": "text/javascript",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".svg": "image/svg+xml",
}
"""By the name's ending; everything else is a page."""
PAGE = "text/html"
ROBOTS = "User-agent: *\nAllow: /\n"

FRONT = Template("""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Saved pages</title></head>
<body><h1>Saved pages</h1><ul>
$items
</ul></body></html>
""")
FRONT_ITEM = Template('<li><a href="$path">$name</a></li>')
SITEMAP = Template("""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
$items
</urlset>
""")
SITEMAP_ITEM = Template("<url><loc>$url</loc></url>")
SOURCE = Template("""# The source that watches saved pages served on this machine.
name = "Saved pages"
home = "$url/"
kind = "news"
note = "Written by bench/serve_pages.py for one run."
sitemaps = ["$url/sitemap.xml"]
delay = 0
max_pages = $count
max_links = $count
""")


class Server:
    """Saved pages that are served until it is closed."""

    def __init__(self, pages: Mapping[str, Path], port: int) -> None:
        self.pages = dict(pages)
        """The file behind each path."""
        self.requests: list[tuple[str, str, int]] = []
        """(method, path, status) of every request, in the order they were answered."""
        self._listener = _Listener((HOST, port), _handler(self))
        self.port: int = self._listener.server_address[1]
        self.url = f"http://{HOST}:{self.port}"
        """Where it answers, without a closing slash."""
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def answer(self, path: str) -> tuple[str, bytes] | None:
        """Content type and body of a path, or None when there is no such page."""
        if path in self.pages:
            return content_type(path), read(self.pages[path])
        made = {"/": (PAGE, self._front), "/sitemap.xml": ("application/xml", self._sitemap)}
        if path == "/robots.txt":
            return "text/plain", ROBOTS.encode()
        if path in made:
            kind, text = made[path]
            return kind, text().encode()
        return None

    def close(self) -> None:
        """Stop answering and free the port. Closing twice is no error."""
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _front(self) -> str:
        items = (FRONT_ITEM.substitute(path=quote(path), name=html.escape(path)) for path in self.pages)
        return FRONT.substitute(items="\n".join(items))

    def _sitemap(self) -> str:
        items = (SITEMAP_ITEM.substitute(url=html.escape(self.url + quote(p))) for p in self.pages)
        return SITEMAP.substitute(items="\n".join(items))


def start(folders: Iterable[str | Path], port: int = 0) -> Server:
    """Serve these folders. Port 0 takes any free one.

    Raises `ValueError` when two files would stand under one path or there is none, `OSError` for a folder that cannot
    be read or a port in use.
    """
    return Server(find_pages(folders), port)


def find_pages(folders: Iterable[str | Path]) -> dict[str, Path]:
    """Path to file, for every file that stands directly in one of the folders. Hidden files are left out."""
    pages: dict[str, Path] = {}
    for folder in (Path(folder).resolve() for folder in folders):
        for file in sorted(folder.iterdir()):
            if file.name.startswith(".") or not file.is_file():
                continue
            path = f"/{folder.name}/{file.name.removesuffix('.gz')}"
            if path in pages:
                raise ValueError(f"{file} and {pages[path]} would both be served as {path}")
            pages[path] = file
    if not pages:
        raise ValueError("no files in these folders")
    return pages


def content_type(path: str) -> str:
    """What the name's ending says, without a charset."""
    return TYPES.get(Path(path).suffix.lower(), PAGE)


def read(file: Path) -> bytes:
    """The page's bytes, unpacked where the name says that they are packed."""
    data = file.read_bytes()
    return gzip.decompress(data) if file.name.endswith(".gz") else data


def source(server: Server) -> str:
    """The TOML text of a source file that watches the served pages, with room for all of them."""
    return SOURCE.substitute(url=server.url, count=len(server.pages))


class _Listener(ThreadingTCPServer):
    """Not `http.server.HTTPServer`: that one asks the resolver for the host's name first."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = IDLE_SECONDS

        def do_GET(self) -> None:
            found = server.answer(unquote(self.path.partition("?")[0]))
            kind, body = found or ("text/plain", b"There is no such page.\n")
            status = 200 if found else 404
            server.requests.append((self.command, self.path, status))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            """Silent: the requests are in the log that the server keeps."""

    return Handler


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted. Returns 2 for folders that cannot be served."""
    parser = argparse.ArgumentParser(description="Serve saved pages as a local site.")
    parser.add_argument("folders", nargs="+", metavar="FOLDER", type=Path)
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument("--source", type=Path, metavar="FILE", help="write the source file that watches the site here")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server = start(options.folders, options.port)
        with server:
            if options.source:
                options.source.write_text(source(server), "utf-8")
            print(server.url, flush=True)
            threading.Event().wait()
    except (OSError, ValueError) as e:
        print(f"serve_pages: {e}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
