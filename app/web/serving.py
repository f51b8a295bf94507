"""One ASGI application on loopback, for one person, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.web.guard import HEAD_BYTES, App

HOST = "127.0.0.1"
"""Nobody else's machine reaches this one."""
READ_SECONDS = 10.0
"""For a request to arrive whole; here it takes no time at all. uvicorn itself would wait for ever."""
CLOSE_SECONDS = 2
"""For answers under way when the server is stopped."""


def listen(port: int, host: str = HOST) -> socket.socket:
    """A listening socket, on loopback when nothing else is said; port 0 takes any free one. Raises `OSError` for one in
    use, or an address that is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def run(app: App, listening: socket.socket) -> None:
    """Serves until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        server(app).run(sockets=[listening])


def server(app: App) -> uvicorn.Server:
    """A server that says nothing: addresses hold tokens, and no log should."""
    config = uvicorn.Config(
        app,
        http=Impatient,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=HEAD_BYTES,
        timeout_graceful_shutdown=CLOSE_SECONDS,
    )
    return uvicorn.Server(config)


class Impatient(H11Protocol):
    """HTTP that drops a connection whose request does not arrive in time."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """The clock runs from the start."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """More of a request does not give it more time; its end stops the clock."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for any more."""
        super().connection_lost(exc)
        self._stop()

    def _watch(self) -> None:
        arriving = self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
        if not arriving:
            self._stop()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(READ_SECONDS, self.transport.close)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
