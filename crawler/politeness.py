"""What sites ask of our pace: `Crawl-delay` in robots.txt, `Retry-After` in an answer. Scrapy reads neither."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.http import Request, Response
from scrapy.robotstxt import RobotParser

from crawler import limits

log = logging.getLogger(__name__)
BUSY = frozenset((429, 503))
"""Answers that `Retry-After` speaks of (RFC 9110, 10.2.3; RFC 6585, 4)."""


class Politeness:
    """Slows a host down when it asks for that. Never makes it faster than its source says."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Made by Scrapy for each run."""
        ours = cls(crawler)
        crawler.signals.connect(ours.robots_parsed, signal=signals.robots_parsed)
        crawler.signals.connect(ours.response_downloaded, signal=signals.response_downloaded)
        return ours

    def robots_parsed(self, robotparser: RobotParser, request: Request) -> None:
        """The host's own delay holds from here on, where it is longer than ours."""
        parsed = getattr(robotparser, "rp", None)
        asked = parsed.crawl_delay(self.crawler.settings["ROBOTSTXT_USER_AGENT"]) if parsed else None
        if not asked or asked <= 0:
            return
        delay = min(float(asked), limits.CRAWL_DELAY_SECONDS)
        downloader: Any = self.crawler.engine and self.crawler.engine.downloader
        key = downloader.get_slot_key(request)
        stated = downloader.per_slot_settings.get(key, {})
        if delay <= stated.get("delay", self.crawler.settings.getfloat("DOWNLOAD_DELAY")):
            return
        log.info("%s asks for %g seconds between requests", key, asked)
        downloader.per_slot_settings[key] = {**stated, "delay": delay, "concurrency": 1, "jitter": 0}
        if slot := downloader.slots.get(key):
            slot.delay, slot.concurrency, slot.jitter = delay, 1, 0.0

    def response_downloaded(self, response: Response, request: Request) -> None:
        """A host that is busy is left alone for as long as it says; retries wait too."""
        stated = response.headers.get("Retry-After")
        if response.status not in BUSY or not stated:
            return
        seconds = min(retry_after(stated.decode("latin-1"), now=datetime.now(UTC)), limits.RETRY_AFTER_SECONDS)
        downloader: Any = self.crawler.engine and self.crawler.engine.downloader
        slot = downloader.slots.get(downloader.get_slot_key(request))
        if slot and seconds > 0:
            log.info("%s asks to be left alone for %g seconds", request.url, seconds)
            slot.delay = max(slot.delay, limits.LEAST_DELAY_SECONDS)
            slot.lastseen = max(slot.lastseen, time.monotonic() + seconds)


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
