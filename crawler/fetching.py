"""What settings cannot say: which addresses may be reached, and what a failure to reach one means.

The address guard stands at two places. The middleware sees every request, redirects and robots.txt included: http(s)
only, ports 80 and 443 unless allowed, no user name in the address, no host that is not the source's. The resolver sees
what a name turns out to be at the moment of connecting, so that a name cannot point inwards.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.internet.interfaces import IHostnameResolver, IHostResolution, IResolutionReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from crawler import limits
from crawler.items import Outcome
from crawler.source import Source
from crawler.urls import host_of

USUAL_PORTS = (80, 443)
NO_CODING = frozenset(("", "identity", "none", "utf-8", "utf8", "iso-8859-1", "binary", "8bit"))
"""Content codings that are none: servers confuse them with character sets."""
FORBIDDEN = "forbidden by robots.txt"
REFUSED = "address refused"
ENDLESS = "redirected without end"
UNKNOWN_HOST, NOT_LISTENING = "unknown host", "connection refused"
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are the IPv4 address that a gateway connects to."""
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All that IANA gives out as public; IPv4 in its older IPv6 dresses (`::127.0.0.1`) lies outside of it."""

_IPv4: TypeAlias = ipaddress.IPv4Address
_IPv6: TypeAlias = ipaddress.IPv6Address


class Interrupted(IgnoreRequest):
    """A request that waited for its turn when the run was told to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Why a request gave no page to read."""

    outcome: Outcome
    reason: str
    detail: str = ""
    status: int | None = None


class Barred(IgnoreRequest):
    """A request that is not sent or an answer that is not let in, and what the ledger says of it."""

    def __init__(self, why: Failed) -> None:
        super().__init__(f"{why.reason}: {why.detail}")
        self.why = why


@dataclass(frozen=True, slots=True)
class Addresses:
    """Which hosts and ports may be reached beyond the public internet's ports 80 and 443."""

    allowed: frozenset[tuple[str, int]] = frozenset()

    @classmethod
    def parse(cls, allowed: Iterable[str]) -> Self:
        """From `HOST:PORT` texts. Raises ValueError that names the text."""
        return cls(frozenset(_host_and_port(text) for text in allowed))

    def refusal(self, url: str) -> str:
        """Why this address may not be asked; empty when it may. A name is judged again when it is resolved."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return "a broken address"
        if parts.scheme not in ("http", "https"):
            return f"neither http nor https: {parts.scheme or 'no scheme'}"
        if parts.username is not None or parts.password is not None:
            return "a user name in the address"
        if not host:
            return "no host in the address"
        port = (443 if parts.scheme == "https" else 80) if port is None else port
        if (host, port) in self.allowed:
            return ""
        if port not in USUAL_PORTS:
            return f"port {port} is not allowed"
        return "" if self.may_connect(host, port, host) else "not a public address"

    def may_connect(self, host: str, port: int, address: str) -> bool:
        """True when `address`, which `host` turned out to be, may be connected to. A name is no address yet: True."""
        if (host, port) in self.allowed:
            return True
        ip = _ip(address)
        return ip is None or _is_public(ip)


def _ip(text: str) -> _IPv4 | _IPv6 | None:
    """The IP that a host is, in the notations that the C library takes too (`2130706433`, `0x7f.1`, `127.1`)."""
    text = text.strip("[]").partition("%")[0]
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return _loose_ipv4(text)
    if isinstance(ip, _IPv6):
        return ip.ipv4_mapped or ip.sixtofour or (_IPv4(int(ip) & 0xFFFFFFFF) if ip in NAT64 else ip)
    return ip


def _is_public(ip: _IPv4 | _IPv6) -> bool:
    return ip.is_global and not ip.is_multicast and (ip.version == 4 or ip in GLOBAL_UNICAST)


def _loose_ipv4(text: str) -> _IPv4 | None:
    parts = text.rstrip(".").split(".")
    try:
        numbers = [int(p, 16 if p[:2] in ("0x", "0X") else 8 if p[:1] == "0" and len(p) > 1 else 10) for p in parts]
    except ValueError:
        return None
    if not 1 <= len(numbers) <= 4 or any(n < 0 or n > 255 for n in numbers[:-1]):
        return None
    whole = sum(n << (24 - 8 * i) for i, n in enumerate(numbers[:-1])) + numbers[-1]
    return _IPv4(whole) if 0 <= whole < 2**32 else None


_HOST = re.compile(r"[^\s/@?#:]+|\[?[0-9a-fA-F:.]+\]?")


def _host_and_port(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not _HOST.fullmatch(host) or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} is not HOST:PORT")
    return host.strip("[]").lower(), int(port)


class Guard:
    """Downloader middleware: lets out only what `Addresses` and the request's own source allow."""

    def __init__(self, addresses: Addresses) -> None:
        self.addresses = addresses

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Made by Scrapy; the addresses come from the setting WATCHFLOOR_ADDRESSES."""
        return cls(addresses_of(crawler.settings))

    def process_request(self, request: Request) -> None:
        """Raises `Barred`, which becomes the URL's row in the ledger."""
        reason = self.addresses.refusal(request.url)
        source: Source | None = request.meta.get("source")
        if not reason and source and host_of(request.url) not in source.all_hosts:
            reason = f"leads to another host: {host_of(request.url)}"
        if reason:
            raise Barred(Failed(outcome="skipped", reason=REFUSED, detail=reason))

    def process_response(self, request: Request, response: Response) -> Response:
        """Raises `Barred` for a body in a coding that nobody could undo (RFC 9110, 8.4): it only looks like text."""
        coding = b", ".join(response.headers.getlist("Content-Encoding")).decode("latin-1").strip().lower()
        if coding not in NO_CODING:
            why = f"Content-Encoding: {coding[:40]}"
            raise Barred(Failed(outcome="failed", reason="unknown coding", detail=why, status=response.status))
        return response


def addresses_of(settings: Any) -> Addresses:
    """The setting WATCHFLOOR_ADDRESSES: texts `HOST:PORT` divided by commas."""
    return Addresses.parse(text for text in settings.get("WATCHFLOOR_ADDRESSES", "").split(",") if text)


@implementer(IHostnameResolver)
class GuardedResolver:
    """Twisted's resolver with the guard between it and whoever wants to connect."""

    def __init__(self, reactor: Any, addresses: Addresses) -> None:
        self.reactor = reactor
        self.original = reactor.nameResolver
        self.addresses = addresses
        self.refused: set[str] = set()
        """Names that turned out to lead to an address that is not public."""

    @classmethod
    def from_crawler(cls, crawler: Any, reactor: Any) -> Self:
        """Made by Scrapy when it sets its reactor up."""
        return cls(reactor, addresses_of(crawler.settings))

    def install_on_reactor(self) -> None:
        """Takes the place of the reactor's own resolver."""
        self.reactor.installNameResolver(self)

    def resolveHostName(  # noqa: N802 - Twisted's interface
        self,
        resolutionReceiver: IResolutionReceiver,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> IHostResolution:
        """As Twisted asks; addresses that may not be connected to are left out, and late ones."""
        receiver = _Sieve(resolutionReceiver, self, hostName.lower(), portNumber)
        receiver.until(self.reactor.callLater(limits.NAME_SECONDS, receiver.resolutionComplete))
        return self.original.resolveHostName(receiver, hostName, portNumber, addressTypes, transportSemantics)  # type: ignore[no-any-return]


class _Sieve:
    """Passes on what may be connected to; the resolver keeps the names of the others."""

    def __init__(self, inner: Any, resolver: GuardedResolver, host: str, port: int) -> None:
        self.inner, self.resolver, self.host, self.port = inner, resolver, host, port
        self._deadline: Any = None
        self._complete = False

    def until(self, deadline: Any) -> None:
        """Told of the call that ends this. Whoever answers later, or by then already, is done with."""
        self._deadline = deadline
        if self._complete:
            deadline.cancel()

    def resolutionBegan(self, resolution: Any) -> None:  # noqa: N802
        self.inner.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        if self._complete:
            return
        if self.resolver.addresses.may_connect(self.host, self.port, address.host):
            self.inner.addressResolved(address)
        else:
            self.resolver.refused.add(self.host)

    def resolutionComplete(self) -> None:  # noqa: N802
        if not self._complete:
            self._complete = True
            if self._deadline and self._deadline.active():
                self._deadline.cancel()
            self.inner.resolutionComplete()


def drop_waiting(crawler: Crawler) -> None:
    """Lets go of the requests that wait for their source's delay: a run that is told to end does not wait for them."""
    slots = crawler.engine.downloader.slots if crawler.engine else {}
    for slot in slots.values():
        while slot.queue:
            _, waiting = slot.queue.popleft()
            waiting.errback(Failure(Interrupted()))  # type: ignore[no-untyped-call]


# ---- what a failure means

_NAMED = (
    (DownloadTimeoutError, "timed out"),
    (CannotResolveHostError, UNKNOWN_HOST),
    (DownloadConnectionRefusedError, NOT_LISTENING),
    (ResponseDataLossError, "cut off"),
    (DownloadCancelledError, "too large"),
)
_IGNORED = (("max redirections", ENDLESS), ("DOWNLOAD_MAXSIZE", "too large"))
"""How Scrapy's own middlewares say it."""


def what_failed(failure: Failure, host: str) -> Failed:
    """What the ledger says of a request to `host` that gave no page to read."""
    error = failure.value
    detail = " ".join(str(error).split())
    if isinstance(error, HttpError):
        return _http(error.response)
    if isinstance(error, Barred):
        return error.why
    if isinstance(error, IgnoreRequest):
        reason = next((name for trace, name in _IGNORED if trace in detail), "ignored")
        return Failed(outcome="failed", reason=reason, detail=detail)
    if isinstance(error, CannotResolveHostError) and host in _refused_names():
        return Failed(outcome="skipped", reason=REFUSED, detail=f"{host} leads to a private address")
    reason = next((name for kind, name in _NAMED if isinstance(error, kind)), "no answer")
    return Failed(outcome="failed", reason=reason, detail=f"{type(error).__name__}: {detail}")


def _http(response: Response) -> Failed:
    """A page that is not there any more is a fact about the page; every other error is one about this visit."""
    outcome: Outcome = "gone" if response.status in (404, 410) else "failed"
    detail = ""
    if location := response.headers.get("Location"):
        detail = f"redirects to {location.partition(b':')[0][:20].decode('ascii', 'replace')}:"
    elif later := response.headers.get("Retry-After"):
        detail = f"Retry-After: {later[:40].decode('ascii', 'replace')}"
    return Failed(outcome=outcome, reason=f"HTTP {response.status}", detail=detail, status=response.status)


def _refused_names() -> set[str]:
    from twisted.internet import reactor  # installed only when the crawl runs

    resolver = getattr(reactor, "nameResolver", None)
    return resolver.refused if isinstance(resolver, GuardedResolver) else set()
