"""Scrapy's process around one run: settings in, report out; signals end it cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable
from typing import Any, cast

from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import Settings

from app.cli.terminal import safe
from crawler import limits
from crawler.fetching import drop_waiting
from crawler.health import SIGNALLED, judge_run
from crawler.items import RunReport
from crawler.report import Report
from crawler.source import Source
from crawler.spiders.news import NewsSpider
from crawler.workers import Readers
from db.connect import DatabaseProblem

GRACE_SECONDS = 10
"""For closing the run, after the last download has had its time."""
ENDING_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


def crawl_once(
    chosen: tuple[Source, ...], changed: dict[str, Any], readers: Readers, *, again: bool = False, progress: bool
) -> RunReport | None:
    """One run over these sources, whose answers these readers read; None when it could not even begin.

    Raises `DatabaseProblem` when that is what kept it from beginning.
    """
    settings = Settings()
    settings.setmodule("crawler.settings")
    settings.setdict(changed, priority="cmdline")
    process = AsyncCrawlerProcess(settings)
    _quiet_logging(settings)
    crawler = process.create_crawler(NewsSpider)
    if progress:
        _show_progress(crawler)
    _end_on_signal(process, crawler)
    task = process.crawl(crawler, chosen=chosen, again=again, readers=readers)
    process.start(install_signal_handlers=False)
    if isinstance(task, asyncio.Future) and task.done() and not task.cancelled() and task.exception():
        logging.getLogger(__name__).error("the crawl broke", exc_info=task.exception())
    report = _report(crawler)
    if report and not report.run_id and report.ending.database:
        raise DatabaseProblem(report.ending.database)
    if report is None or report.result or not report.ending.signal:
        return report.result if report else None
    return judge_run({}, {}, report.ending)  # a signal came before the run began


def _report(crawler: Crawler) -> Report | None:
    """None also when the crawler broke before it had any extension."""
    with contextlib.suppress(RuntimeError):  # Scrapy's, before there are extensions
        return cast(Report | None, crawler.get_extension(Report))
    return None


def _end_on_signal(process: AsyncCrawlerProcess, crawler: Crawler) -> None:
    """The first signal lets pages in flight finish and closes the run; the second, or a deadline, leaves at once.

    A signal that comes before the engine runs waits for it: an engine that is stopped while it starts never ends.
    """
    loop = asyncio.get_event_loop()
    started = asyncio.Event()
    tasks: list[asyncio.Task[None]] = []
    crawler.signals.connect(lambda: started.set(), signal=signals.engine_started, weak=False)

    def first(number: int, _: Any) -> None:
        for each in ENDING_SIGNALS:
            signal.signal(each, second)
        loop.call_soon_threadsafe(lambda: tasks.append(loop.create_task(stop(number))))

    def second(number: int, _: Any) -> None:
        os._exit(SIGNALLED + number)

    async def stop(number: int) -> None:
        loop.call_later(limits.DOWNLOAD_SECONDS + GRACE_SECONDS, os._exit, SIGNALLED + number)
        await started.wait()
        report = _report(crawler)
        if report:
            report.interrupted(number)
        stopping = asyncio.ensure_future(process.stop())
        drop_waiting(crawler)
        await stopping

    for each in ENDING_SIGNALS:
        signal.signal(each, first)


def _quiet_logging(settings: Settings) -> None:
    """Scrapy's own words only when asked for; no log line can drive a terminal."""
    for handler in logging.root.handlers:
        handler.setFormatter(_SafeFormatter(settings["LOG_FORMAT"], settings["LOG_DATEFORMAT"]))
    if settings["LOG_LEVEL"] == "ERROR":
        logging.getLogger("scrapy").setLevel(logging.CRITICAL)


class _SafeFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Page titles and addresses stand in log lines too."""
        return safe(super().format(record))


def _show_progress(crawler: Crawler) -> None:
    """A line on the terminal that counts; gone at the end."""
    from rich.console import Console

    status = Console(stderr=True).status("starting")
    counts = {"pages": 0, "stored": 0}

    def update(name: str) -> Callable[..., None]:
        def count(**_: Any) -> None:
            counts[name] += 1
            status.update(f"{counts['pages']} answers, {counts['stored']} articles read")

        return count

    pages, stored = update("pages"), update("stored")
    crawler.signals.connect(pages, signal=signals.response_received, weak=False)
    crawler.signals.connect(stored, signal=signals.item_scraped, weak=False)
    crawler.signals.connect(lambda: status.start(), signal=signals.spider_opened, weak=False)
    crawler.signals.connect(lambda: status.stop(), signal=signals.spider_closed, weak=False)
