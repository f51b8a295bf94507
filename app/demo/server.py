"""The demo site over real HTTP, on loopback: a thin shell round `app.demo.site`."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler
from importlib.resources import files
from socketserver import ThreadingTCPServer
from string import Template
from types import TracebackType

from app.demo.site import Response, Site

IDLE_SECONDS = 10
"""A connection that sends nothing is dropped after this."""


class Server:
    """A demo site that answers until it is closed."""

    def __init__(self, site: Site, host: str, port: int) -> None:
        self.site = site
        self.requests: list[tuple[str, str, int]] = []
        """(method, path, status) of every request, in the order they were answered."""
        self.times: list[float] = []
        """When each came, by a clock that only goes on."""
        self._listener = _Listener((host, port), _handler(site, self.requests, self.times))
        self.port: int = self._listener.server_address[1]
        self.url = f"http://{host}:{self.port}"
        """Where it answers, without a closing slash."""
        site.origin = self.url
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering and free the port. Closing twice is no error."""
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def serve(host: str = "127.0.0.1", port: int = 0, *, site: Site | None = None) -> Server:
    """Serve the site, a fresh one unless one is given. Port 0 takes any free one. Raises `OSError` for one in use."""
    return Server(site or Site(), host, port)


def source(url: str) -> str:
    """The TOML text of the source file, to be named `demo.toml`, that watches the site at this address."""
    return Template((files("app.demo") / "source.toml").read_text("utf-8")).substitute(url=url.rstrip("/"))


class _Listener(ThreadingTCPServer):
    """Not `http.server.HTTPServer`: that one asks the resolver for the host's name first."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


def _handler(site: Site, log: list[tuple[str, str, int]], times: list[float]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = IDLE_SECONDS
        server_version = "WorldDefenseDemo"
        sys_version = ""

        def do_GET(self) -> None:
            times.append(time.monotonic())
            response = site.get(self.path, {name.lower(): value for name, value in self.headers.items()})
            log.append((self.command, self.path, response.status))
            self._send(response)

        def do_HEAD(self) -> None:
            self.do_GET()

        def _send(self, response: Response) -> None:
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            if response.status != 304:
                self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            if self.command == "GET" and response.status != 304:
                self.wfile.write(response.body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent: the requests are in the log that the server keeps."""

    return Handler
