"""The pace at which sites are asked, and proof of it.

What a site asks for is kept: `Crawl-delay` in robots.txt, `Retry-After` in an answer; Scrapy reads neither. A host
that answers slowly is asked more slowly, as Scrapy's AutoThrottle does it, which would undercut what robots.txt says.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

from scrapy import signals
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.http import Request, Response
from scrapy.robotstxt import RobotParser

from crawler import limits
from crawler.patience import NO_ANSWER, Patience
from crawler.robots import AGENT
from crawler.robots_txt import Rules
from crawler.source import Source
from crawler.urls import host_of

log = logging.getLogger(__name__)
BUSY = frozenset((429, 503))
"""Answers that `Retry-After` speaks of (RFC 9110, 10.2.3; RFC 6585, 4)."""


@dataclass(slots=True)
class Pace:
    """How one source was asked in this run."""

    requests: int = 0
    """Sent to its hosts: robots.txt, redirects and retries too."""
    asked: float = 0.0
    """Seconds between two requests: the source's own delay, or what robots.txt asks for where that is longer."""
    kept: float | None = None
    """The shortest time between two requests to one host, in seconds."""


class Politeness:
    """Slows a host down when it asks for that. Never makes it faster than its source says."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._paces: dict[str, Pace] = {}
        self._owners: dict[str, str] = {}
        self._sent: dict[str, float] = {}
        self.robots: dict[str, str] = {}
        """The robots.txt of each host, as this run read it."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Made by Scrapy for each run."""
        ours = cls(crawler)
        crawler.signals.connect(ours.robots_parsed, signal=signals.robots_parsed)
        crawler.signals.connect(ours.response_downloaded, signal=signals.response_downloaded)
        return ours

    def begin(self, sources: Iterable[Source]) -> None:
        """Told whom the run visits. Where nothing says for which source a host is asked, it is the first of its."""
        for source in sources:
            self._paces[source.id] = Pace(asked=source.delay)
            for host in source.all_hosts:
                self._owners.setdefault(host, source.id)

    def pace(self, source_id: str) -> Pace:
        """How a source was asked."""
        return self._paces.get(source_id) or Pace()

    def sending(self, request: Request) -> None:
        """Told of each request at the moment when it leaves."""
        here, host = time.monotonic(), host_of(request.url)
        pace = self._pace_of(request, host)
        pace.requests += 1
        if host in self._sent:
            gap = here - self._sent[host]
            pace.kept = gap if pace.kept is None else min(gap, pace.kept)
        self._sent[host] = here

    def robots_parsed(self, robotparser: RobotParser, request: Request) -> None:
        """The host's own delay holds from here on, where it is longer than ours."""
        if not isinstance(robotparser, Rules):
            return
        self.robots[host_of(request.url)] = robotparser.text
        asked = robotparser.crawl_delay(AGENT)
        if not asked or asked <= 0:
            return
        delay = min(asked, limits.CRAWL_DELAY_SECONDS)
        key = self._downloader.get_slot_key(request)
        if delay <= self._stated(key):
            return
        log.info("%s asks for %g seconds between requests", key, asked)
        pace = self._pace_of(request, host_of(request.url))
        pace.asked = max(pace.asked, delay)
        stated = self._downloader.per_slot_settings.get(key, {})
        self._downloader.per_slot_settings[key] = {**stated, "delay": delay, "concurrency": 1, "jitter": 0}
        if slot := self._downloader.slots.get(key):
            slot.delay, slot.concurrency, slot.jitter = delay, 1, 0.0

    def response_downloaded(self, response: Response, request: Request) -> None:
        """A slow host is asked more slowly; one that is busy is left alone for as long as it says."""
        key = self._downloader.get_slot_key(request)
        slot = self._downloader.slots.get(key)
        if slot is None:
            return
        if stated := self._stated(key):  # a source that sets none has chosen so
            delay = throttled(slot.delay, request.meta.get("download_latency", 0.0), least=stated)
            slot.delay = delay if response.status == 200 else max(delay, slot.delay)  # errors come fast
        if pause := self._pause(response, request):
            slot.delay = max(slot.delay, limits.LEAST_DELAY_SECONDS)
            slot.lastseen = max(slot.lastseen, time.monotonic() + pause)

    def _pause(self, response: Response, request: Request) -> float:
        """Seconds for which a host is left alone now; one that asks for more than a run has is not asked again for
        this page, and soon not for any."""
        stated, patience = response.headers.get("Retry-After"), self.crawler.get_extension(Patience)
        busy = stated if response.status in BUSY else None
        asked = retry_after(busy.decode("latin-1"), now=datetime.now(UTC)) if busy else 0.0
        if asked:
            log.info("%s asks to be left alone for %g seconds", request.url, asked)
        if asked <= limits.RETRY_AFTER_SECONDS:
            if patience:
                patience.answered(host_of(request.url))
            return asked
        request.meta["dont_retry"] = True
        if patience:
            patience.busy(host_of(request.url))
        return limits.BUSY_SECONDS

    @property
    def _downloader(self) -> Any:
        return self.crawler.engine and self.crawler.engine.downloader

    def _stated(self, key: str) -> float:
        """The delay that a host's slot has by its source or its robots.txt."""
        stated = self._downloader.per_slot_settings.get(key, {})
        return float(stated.get("delay", self.crawler.settings.getfloat("DOWNLOAD_DELAY")))

    def _pace_of(self, request: Request, host: str) -> Pace:
        source = request.meta.get("source")
        return self._paces.setdefault(source.id if source else self._owners.get(host, ""), Pace())


class Handler(HTTP11DownloadHandler):
    """Scrapy's own, at the only place where the moment of sending is known: a request waits in its slot before."""

    async def download_request(self, request: Request) -> Response:
        """As Scrapy asks for it."""
        politeness, patience = self._crawler.get_extension(Politeness), self._crawler.get_extension(Patience)
        if patience:
            patience.check(request)  # much can have become of the host while it waited
        if politeness:
            politeness.sending(request)
        if patience is None:
            return await super().download_request(request)
        patience.sending(host_of(request.url))
        try:
            return await super().download_request(request)
        except NO_ANSWER:
            patience.silent(host_of(request.url))
            raise
        except Exception:
            patience.answered(host_of(request.url))
            raise


def throttled(delay: float, latency: float, *, least: float) -> float:
    """Seconds between requests, one answer later: as long as the host takes to answer, in steps of half the way down.

    Scrapy's AutoThrottle has the rule (docs.scrapy.org, AutoThrottle extension), for one request at a time.
    """
    return min(max(latency, (delay + latency) / 2, least), max(limits.CRAWL_DELAY_SECONDS, least))


def retry_after(stated: str, *, now: datetime) -> float:
    """Seconds to wait, from a number of them or a date; 0 for anything else and for a date that has passed."""
    text = stated.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0.0
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds())
