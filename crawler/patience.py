"""How long hosts and the run itself may take: a host that gives no answers, asks to be left alone or has had its time
is not asked for more in this run, and the run ends at its deadline. What is left has its row, and comes next time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
)
from scrapy.http import Request

from crawler import limits
from crawler.fetching import Barred, Failed, drop_waiting
from crawler.urls import host_of

log = logging.getLogger(__name__)
NO_ANSWER = (DownloadTimeoutError, DownloadConnectionRefusedError, CannotResolveHostError)
SILENT, BUSY, LATE = "the host gives no answers", "the host asks to be left alone", "the host had its time"
"""Why a host is not asked for more: reasons in the ledger."""
ENDED = "it was ended after {:g} minutes, its limit"


class Patience:
    """A Scrapy extension: what it knows of the hosts of one run."""

    def __init__(self, crawler: Crawler, clock: Callable[[], float] = time.monotonic) -> None:
        self.crawler = crawler
        self.run_minutes = crawler.settings.getfloat("WATCHFLOOR_RUN_MINUTES", limits.RUN_MINUTES)
        self.ended = ""
        """Why the run did not come to its own end; empty when it did."""
        self.cut_short: dict[str, str] = {}
        """By source: why not all of its pages were asked for."""
        self._clock = clock
        self._began: dict[str, float] = {}
        self._in_vain: dict[str, Counter[str]] = {}
        self._over: dict[str, str] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[Any] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Made by Scrapy for each run."""
        ours = cls(crawler)
        crawler.signals.connect(ours.opened, signal=signals.spider_opened)
        crawler.signals.connect(ours.closed, signal=signals.spider_closed)
        return ours

    def opened(self) -> None:
        """The run begins."""
        self._alarm = asyncio.get_running_loop().call_later(60 * self.run_minutes, self._end)

    def closed(self) -> None:
        """The run has ended."""
        if self._alarm:
            self._alarm.cancel()

    def sending(self, host: str) -> None:
        """Told of each request when it leaves."""
        self._began.setdefault(host, self._clock())

    def answered(self, host: str) -> None:
        """The host gave an answer of whatever kind."""
        self._in_vain.pop(host, None)

    def silent(self, host: str) -> None:
        """The host gave none."""
        self._vain(host, SILENT, limits.SILENCES)

    def busy(self, host: str) -> None:
        """The host asked for more time than a run can give."""
        self._vain(host, BUSY, limits.BUSY_ANSWERS)

    def check(self, request: Request) -> None:
        """Raises `Barred` for a host that is not asked for more. A page that was asked for already has failed; the
        others wait for the next run."""
        host = host_of(request.url)
        why = self.over(host)
        if not why:
            return
        if source := request.meta.get("source"):
            self.cut_short.setdefault(source.id, f"{why}: {host}")
        raise Barred(Failed(outcome="failed" if request.meta.get("retry_times") else "skipped", reason=why))

    def over(self, host: str) -> str:
        """Why this host is not asked for more; empty when it may be."""
        if host not in self._over and self._clock() - self._began.get(host, self._clock()) > 60 * limits.HOST_MINUTES:
            self._give_up(host, LATE)
        return self._over.get(host, "")

    def _vain(self, host: str, why: str, most: int) -> None:
        counts = self._in_vain.setdefault(host, Counter())
        counts[why] += 1
        if counts[why] >= most:
            self._give_up(host, why)

    def _give_up(self, host: str, why: str) -> None:
        log.info("%s: %s", host, why)
        self._over.setdefault(host, why)

    def _end(self) -> None:
        """The deadline: pages on their way are still read, and the rest waits for the next run."""
        log.warning("the run is ended after %g minutes", self.run_minutes)
        self.ended = ENDED.format(self.run_minutes)
        engine = self.crawler.engine
        if engine and engine.spider:
            self._ending = asyncio.ensure_future(engine.close_spider_async(reason="deadline"))
            drop_waiting(self.crawler)


class Gate:
    """Downloader middleware: lets nothing out to a host that is not asked for more."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Made by Scrapy for each run."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Raises `Barred`."""
        if patience := self.crawler.get_extension(Patience):
            patience.check(request)
