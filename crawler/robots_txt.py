"""A host's robots.txt, asked for once a run before anything else of it, and what it means when it cannot be had.

RFC 9309, 2.3.1: a host that has none (4xx, or redirects without end) lets everyone in; one whose robots.txt cannot be
had (5xx, no answer) is not asked for anything, for the rest of the run. Of a large one the first half megabyte counts.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Self
from urllib.parse import urlsplit

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import StopDownload
from scrapy.http import Request, Response
from scrapy.http.request import NO_CALLBACK
from scrapy.robotstxt import RobotParser, decode_robotstxt
from twisted.python.failure import Failure

from crawler import limits
from crawler.fetching import (
    ENDLESS,
    FORBIDDEN,
    NOT_LISTENING,
    REFUSED,
    UNKNOWN_HOST,
    Barred,
    Failed,
    Interrupted,
    what_failed,
)
from crawler.robots import AGENT, parsed
from crawler.text import tidy
from crawler.urls import host_of

log = logging.getLogger(__name__)
NOT_HAD = "robots.txt cannot be had"
OF_THE_HOST = frozenset({UNKNOWN_HOST, NOT_LISTENING, REFUSED})
"""Failures that are facts about the host, whatever was asked of it."""
TOO_MANY = 429
"""The one answer of 4xx that does not say that there is no such file, but that it is not the time to ask."""
ASKED = "robots_txt"
"""In the `meta` of a request for a robots.txt: how many bytes of it have come."""
PRIORITY = 1000
"""Before all that waits for it."""


class Rules(RobotParser):
    """A robots.txt, read within limits of size and time."""

    def __init__(self, body: bytes, spider: Any = None) -> None:
        whole = len(body) <= limits.ROBOTS_BYTES
        counts = body if whole else body[: limits.ROBOTS_BYTES].rpartition(b"\n")[0]  # half a line says something else
        text = decode_robotstxt(counts, spider)
        self._rules = parsed(text)
        self.text = tidy(text, limits.ROBOTS_CHARACTERS)

    @classmethod
    def from_crawler(cls, crawler: Crawler, robotstxt_body: bytes) -> Self:
        """As Scrapy makes it."""
        return cls(robotstxt_body, crawler.spider if crawler else None)

    def allowed(self, url: str | bytes, user_agent: str | bytes = AGENT) -> bool:
        """True when we may ask for this address."""
        return bool(self._rules.can_fetch(_text(url), _text(user_agent)))

    def crawl_delay(self, user_agent: str | bytes = AGENT) -> float | None:
        """Seconds that we should leave between requests; None where nothing is said of it."""
        return self._rules.crawl_delay(_text(user_agent))


def _text(stated: str | bytes) -> str:
    return stated if isinstance(stated, str) else stated.decode("utf-8", "replace")


class RobotsTxt:
    """Downloader middleware in the place of Scrapy's own, which lets everything pass when robots.txt cannot be had."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._hosts: dict[str, asyncio.Task[Rules | None]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Made by Scrapy for each run."""
        ours = cls(crawler)
        crawler.signals.connect(ours.bytes_received, signal=signals.bytes_received)
        crawler.signals.connect(ours.response_downloaded, signal=signals.response_downloaded)
        return ours

    async def process_request(self, request: Request) -> None:
        """Raises `Barred` for what robots.txt forbids, and for all of a host whose robots.txt cannot be had."""
        if ASKED in request.meta:
            request.meta.update({ASKED: 0, "download_maxsize": 0})  # `bytes_received` has the limit
            return
        host = host_of(request.url)
        if host not in self._hosts:
            self._hosts[host] = asyncio.ensure_future(self._rules(request, host))
        rules = await asyncio.shield(self._hosts[host])
        if rules and not rules.allowed(request.url):
            raise Barred(Failed(outcome="skipped", reason=FORBIDDEN))

    def bytes_received(self, data: bytes, request: Request) -> None:
        """The rest of a large one is not waited for."""
        if ASKED in request.meta:
            request.meta[ASKED] += len(data)
            if request.meta[ASKED] > limits.ROBOTS_BYTES:
                raise StopDownload(fail=False)

    def response_downloaded(self, response: Response, request: Request) -> None:
        """What has come may be packed: unpacked it has a limit too."""
        if ASKED in request.meta:
            request.meta["download_maxsize"] = limits.PAGE_BYTES

    async def _rules(self, request: Request, host: str) -> Rules | None:
        """What the host allows, None for everything. Raises `Barred` where that cannot be known."""
        parts = urlsplit(request.url)
        wanted = Request(
            f"{parts.scheme}://{parts.netloc}/robots.txt",
            callback=NO_CALLBACK,
            headers={"Accept-Encoding": "identity"},  # packed, the first half megabyte might be a bomb
            meta={ASKED: 0},
            priority=PRIORITY,
        )
        assert self.crawler.engine
        try:
            response = await self.crawler.engine.download_async(wanted)
        except Interrupted:
            raise
        except Exception as e:  # noqa: BLE001 - whatever a server brings about
            why = what_failed(Failure(e), host.partition(":")[0])  # type: ignore[no-untyped-call]
            if why.reason == ENDLESS:
                return None
            raise self._without(host, why, led_away=isinstance(e, Barred)) from None
        status = response.status
        if status == TOO_MANY or not 200 <= status < 500:
            raise self._without(host, Failed(outcome="failed", reason=f"HTTP {status}", status=status))
        rules = Rules(response.body if status < 300 else b"", self.crawler.spider)
        await self.crawler.signals.send_catch_log_async(signals.robots_parsed, robotparser=rules, request=request)
        return rules

    def _without(self, host: str, why: Failed, *, led_away: bool = False) -> Barred:
        log.info("%s: %s: %s %s", host, NOT_HAD, why.reason, why.detail)
        if why.reason in OF_THE_HOST and not led_away:
            return Barred(why)
        detail = ": ".join(filter(None, (why.reason, why.detail)))
        return Barred(Failed(outcome="failed", reason=NOT_HAD, detail=detail, status=why.status))
