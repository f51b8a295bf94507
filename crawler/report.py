"""The one account of a run: every outcome passes here, into the ledger and into the numbers; judged at the close."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

from scrapy import signals
from scrapy.crawler import Crawler
from twisted.python.failure import Failure

from crawler import limits
from crawler.health import Ending, judge_run
from crawler.items import Delta, Fetch, Known, RunReport, SourceTally
from crawler.source import Source
from crawler.text import tidy
from db.connect import CRAWL_WAIT_SECONDS, DatabaseBusy, DatabaseProblem
from db.store import Store

log = logging.getLogger(__name__)


class Report:
    """A Scrapy extension that owns the run: its number, its numbers and its connection to the database."""

    def __init__(self, crawler: Crawler) -> None:
        """Touches nothing yet: `scrapy shell` and `scrapy parse` make no run."""
        self.crawler = crawler
        self._store: Store | None = None
        self.failed_share = crawler.settings.getfloat("WATCHFLOOR_FAILED_SHARE", limits.FAILED_SHARE)
        self.run_id = 0
        self.ending = Ending()
        self.result: RunReport | None = None
        self._counts: dict[str, Counter[str]] = {}
        self._clock: dict[str, tuple[float, float]] = {}
        self._reasons: dict[str, Counter[str]] = {}
        self._first: dict[tuple[str, str], Fetch] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Made by Scrapy, and told of what goes wrong outside of our own hands."""
        report = cls(crawler)
        crawler.signals.connect(report.page_raised, signal=signals.spider_error)
        crawler.signals.connect(report.save_raised, signal=signals.item_error)
        crawler.signals.connect(report.close, signal=signals.spider_closed)
        return report

    def begin(self, sources: Iterable[Source]) -> None:
        """Opens the database that the setting WATCHFLOOR_DB names and starts the run. Raises `DatabaseProblem`."""
        listed = tuple(sources)
        self._store = Store(Path(self.crawler.settings["WATCHFLOOR_DB"]), wait=CRAWL_WAIT_SECONDS)
        self.run_id = self.store.begin_run(listed, version=our_version(), now=now())
        self._counts = {source.id: Counter() for source in listed}

    @property
    def store(self) -> Store:
        """The run's own connection."""
        assert self._store is not None, "the run has not begun"
        return self._store

    def known(self, url: str) -> Known:
        """What the database has of this article; nothing outside of a run."""
        return self.store.known(url) if self.run_id else Known()

    def record(self, fetch: Fetch) -> None:
        """Writes down what became of a URL that gave no article: a listing, or a page that is none."""
        if not self.run_id:
            return
        counts = self._counted(fetch)
        if fetch.kind == "listing" and fetch.outcome != "skipped":
            counts["listings"] += 1
            counts["listings_failed"] += fetch.outcome == "failed"
        else:
            counts[fetch.outcome] += 1
        if fetch.outcome == "failed":
            self._reasons.setdefault(fetch.source_id, Counter())[fetch.reason] += 1
            self._first.setdefault((fetch.source_id, fetch.reason), fetch)
        self._stat(fetch.outcome)
        try:
            self.store.record(fetch, run_id=self.run_id, now=now())
        except DatabaseBusy as e:
            log.warning("%s", e)
        except DatabaseProblem as e:
            self._database_gone(e)

    def save(self, delta: Delta, fetch: Fetch) -> None:
        """Stores one visit, and counts it once it is stored. Raises what the database raises."""
        if not self.run_id:
            return
        saved = self.store.apply(delta, fetch, run_id=self.run_id, now=now())
        outcome = "new" if saved.new else "edited" if saved.edited else "unchanged"
        counts = self._counted(fetch)
        counts[outcome] += 1
        counts["comments_new"] += saved.comments_new
        counts["comments_flagged"] += saved.comments_flagged
        self._stat(outcome)

    def fetching(self, source_id: str) -> None:
        """Counts an article page that is about to be asked for."""
        self._counts[source_id]["fetched"] += 1
        self._tick(source_id)

    def linked(self, source_id: str, number: int) -> None:
        """Counts links that a listing offered for the first time in this run."""
        self._counts[source_id]["links"] += number

    def page_raised(self, failure: Failure, response: Any) -> None:
        """A page on which our own code raised: one row with the reason; the run goes on."""
        fetch = response.request.meta.get("fetch") if response.request else None
        if fetch:
            self._lost(fetch, "exception", failure)

    def save_raised(self, item: Any, failure: Failure) -> None:
        """A page that was read and could not be stored."""
        self._lost(item.fetch, "not saved", failure)
        if isinstance(failure.value, DatabaseProblem) and not isinstance(failure.value, DatabaseBusy):
            self._database_gone(failure.value)

    def close(self, reason: str) -> None:
        """Judges the run and writes it down."""
        if not self.run_id:
            return
        tallies = {id: self._tally(id) for id in self._counts}
        try:
            past = {id: self.store.past_tallies(id) for id in tallies}
        except DatabaseProblem as e:
            past = {}
            self.ending = self.ending if self.ending.database else Ending(database=str(e))
        judge = partial(judge_run, tallies, past, failed_share=self.failed_share, because=self._because())
        self.result = judge(self.ending)
        try:
            self.store.end_run(self.run_id, self.result, now=now())
        except DatabaseProblem as e:
            self.result = judge(Ending(database=str(e)))
        self.store.close()

    def _because(self) -> dict[str, str]:
        """For each source the commonest reason of its failures, how often, and the first page it struck."""
        return {id: self._commonest(id, *reasons.most_common(1)[0]) for id, reasons in self._reasons.items()}

    def _commonest(self, source_id: str, reason: str, times: int) -> str:
        first = self._first[source_id, reason]
        detail = f" ({first.detail[:120]})" if first.detail else ""
        return f"{reason}, {times} times, first {first.url}{detail}" if times > 1 else f"{reason}, {first.url}{detail}"

    def interrupted(self, signal: int) -> None:
        """Told that a signal ends the run."""
        self.ending = Ending(signal=signal, database=self.ending.database)

    def _lost(self, fetch: Fetch, reason: str, failure: Failure) -> None:
        detail = f"{type(failure.value).__name__}: {failure.value}"[: limits.DETAIL_CHARACTERS]
        log.warning("%s: %s: %s", fetch.url, reason, detail)
        self.record(replace(fetch, outcome="failed", reason=reason, detail=tidy(detail), etag="", last_modified=""))

    def _stat(self, name: str) -> None:
        if self.crawler.stats:
            self.crawler.stats.inc_value(f"watchfloor/{name}")

    def _counted(self, fetch: Fetch) -> Counter[str]:
        counts = self._counts[fetch.source_id]
        counts["bytes"] += fetch.bytes
        self._tick(fetch.source_id)
        return counts

    def _tick(self, source_id: str) -> None:
        here = time.monotonic()
        first, _ = self._clock.get(source_id, (here, here))
        self._clock[source_id] = (first, here)

    def _tally(self, source_id: str) -> SourceTally:
        counts = self._counts[source_id]
        first, last = self._clock.get(source_id, (0.0, 0.0))
        names = SourceTally.__dataclass_fields__.keys() - {"seconds"}
        return SourceTally(seconds=round(last - first, 3), **{name: counts[name] for name in names})

    def _database_gone(self, problem: DatabaseProblem) -> None:
        if not self.ending.database:
            log.error("%s", problem)
            self.ending = Ending(signal=self.ending.signal, database=str(problem))
            if self.crawler.engine and self.crawler.spider:
                self.crawler.engine.close_spider(self.crawler.spider, "database")


def now() -> str:
    """This moment in UTC, as the database has times."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def our_version() -> str:
    """The version of watchfloor that is running."""
    try:
        return version("watchfloor")
    except PackageNotFoundError:
        return "unknown"
