"""The one account of a run: every outcome passes here, into the ledger and into the numbers; judged at the close."""

from __future__ import annotations

import contextlib
import logging
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any, Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler import limits
from crawler.drift import doubtful
from crawler.health import Ending, clock_off, judge_run
from crawler.incidents import Incidents, keeps_out
from crawler.items import Delta, Fetch, Known, Met, Past, RunReport, SourceTally
from crawler.patience import Patience
from crawler.politeness import Pace, Politeness
from crawler.quarantine import resting
from crawler.settings import our_version
from crawler.source import Source
from crawler.text import tidy
from db.connect import CRAWL_WAIT_SECONDS, DatabaseBusy, DatabaseProblem, Unstorable, now
from db.store import Store

log = logging.getLogger(__name__)

CLOCK_ANSWERS = 5
"""Answers of a source that are asked for the time."""
NOT_VISITED = "the run ended before its turn"


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
        self._open: dict[str, Fetch] = {}
        self._unwritten: list[Fetch] = []
        self._incidents: dict[str, Incidents] = {}
        self._past: dict[str, Past] = {}
        self._resting: frozenset[str] = frozenset()
        self._offsets: dict[str, list[float]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Made by Scrapy, and told of what goes wrong outside of our own hands."""
        report = cls(crawler)
        crawler.signals.connect(report.page_raised, signal=signals.spider_error)
        crawler.signals.connect(report.save_raised, signal=signals.item_error)
        crawler.signals.connect(report.close, signal=signals.spider_closed)
        crawler.signals.connect(report.told_time, signal=signals.response_received)
        return report

    def begin(self, sources: Iterable[Source]) -> tuple[Source, ...]:
        """Opens the database that the setting WATCHFLOOR_DB names and starts the run. Raises `DatabaseProblem`.

        Returns the sources to visit: some rest after failures, unless the setting WATCHFLOOR_NAMED says that each of
        them was asked for by name.
        """
        try:
            return self._begun(tuple(sources))
        except DatabaseProblem as e:
            self.ending = replace(self.ending, database=str(e))
            raise

    def _begun(self, listed: tuple[Source, ...]) -> tuple[Source, ...]:
        began = now()
        self._store = Store(Path(self.crawler.settings["WATCHFLOOR_DB"]), wait=CRAWL_WAIT_SECONDS)
        self.ending = replace(self.ending, started=began, last_end=self.store.last_end())
        self._past = {source.id: self.store.past(source.id) for source in listed}
        named = self.crawler.settings.getbool("WATCHFLOOR_NAMED")
        self._resting = frozenset() if named else resting(self._past, began)
        self.run_id = self.store.begin_run(listed, version=our_version(), now=began)
        self._counts = {source.id: Counter() for source in listed}
        self._incidents = {source.id: Incidents(self._past[source.id]) for source in listed}
        if politeness := self._politeness:
            politeness.begin(listed)
        return tuple(source for source in listed if source.id not in self._resting)

    @property
    def store(self) -> Store:
        """The run's own connection."""
        assert self._store is not None, "the run has not begun"
        return self._store

    @property
    def _politeness(self) -> Politeness | None:
        return self.crawler.get_extension(Politeness)

    def known(self, url: str) -> Known:
        """What the database has of this article; nothing outside of a run."""
        return self.store.known(url) if self.run_id else Known()

    def speaks_for_itself(self, url: str) -> bool:
        """True for an article that its own address gave at the last visit."""
        return bool(self.run_id) and self.store.speaks_for_itself(url)

    # ---- what the spider tells

    def take_up(self, fetch: Fetch) -> None:
        """Told of a URL that is about to be asked for. From here on it will have a row, whatever happens."""
        self._open[fetch.url] = fetch
        self._tick(fetch.source_id)

    def linked(self, source_id: str, number: int) -> None:
        """Counts links that listings offered for the first time in this run."""
        self._counts[source_id]["links"] += number

    def left_alone(self, source_id: str, *, not_due: int, skipped: int) -> None:
        """Counts links to known pages that are not asked for: nothing speaks for a change, or the cap is reached."""
        self._counts[source_id].update(not_due=not_due, skipped=skipped)

    def record(self, fetch: Fetch) -> None:
        """Writes down what became of a URL that gave no article: a listing, or a page that is none."""
        if not self.run_id:
            return
        self._count(fetch)
        try:
            if fetch.kind == "page":
                before = self.store.visited(fetch.url)
                self._incidents[fetch.source_id].answered(fetch, before.outcome if before else None)
            self.store.record(fetch, run_id=self.run_id, now=now())
        except (DatabaseBusy, Unstorable) as e:
            log.warning("%s: row not written: %s", fetch.url, e)
            self._unwritten.append(fetch)
        except DatabaseProblem as e:
            self._database_gone(e)

    def save(self, delta: Delta, fetch: Fetch) -> None:
        """Stores one visit, and counts it once it is stored. Raises what the database raises."""
        if not self.run_id:
            return
        saved = self.store.apply(delta, fetch, run_id=self.run_id, now=now())
        counts = self._counted(fetch)
        counts["fetched"] += 1
        counts["new" if saved.new else "edited" if saved.edited else "unchanged"] += 1
        counts["comments_new"] += saved.comments_new
        counts["comments_flagged"] += saved.comments_flagged
        self._incidents[fetch.source_id].read(delta, fetch.url)
        self._stat(fetch.outcome)

    def interrupted(self, signal: int) -> None:
        """Told that a signal ends the run."""
        self.ending = replace(self.ending, signal=signal)

    def not_archived(self, why: str) -> None:
        """Told that pages from here on are not in the archive."""
        self.ending = replace(self.ending, archive=why)

    # ---- what Scrapy tells

    def told_time(self, response: Response, request: Request) -> None:
        """An answer says what time its server has. One from a cache says what time it was."""
        source: Source | None = request.meta.get("source")
        offsets = self._offsets.setdefault(source.id, []) if source else None
        if offsets is None or len(offsets) >= CLOCK_ANSWERS or response.headers.get("Age"):
            return
        with contextlib.suppress(ValueError, TypeError, AttributeError):
            stated = parsedate_to_datetime((response.headers.get("Date") or b"").decode("latin-1"))
            offsets.append((stated - datetime.now(UTC)).total_seconds())

    def page_raised(self, failure: Failure, response: Any) -> None:
        """A page on which our own code raised: one row with the reason; the run goes on."""
        fetch = response.request.meta.get("fetch") if response.request else None
        if fetch:
            self._lost(fetch, "exception", failure)

    def save_raised(self, item: Any, failure: Failure) -> None:
        """A page that was read and could not be stored."""
        if isinstance(failure.value, DatabaseProblem) and not isinstance(failure.value, DatabaseBusy):
            self._database_gone(failure.value)
        self._lost(item.fetch, "not saved", failure)

    def close(self, reason: str) -> None:
        """Gives every URL that never had its turn its row, judges the run and writes it down."""
        if not self.run_id:
            return
        self._settle()
        self._keep_robots()
        if patience := self.crawler.get_extension(Patience):
            self.ending = replace(self.ending, deadline=patience.ended, cut_short=patience.cut_short)
        tallies = {id: self._tally(id) for id in self._counts}
        met = {id: incidents.met() for id, incidents in self._incidents.items()}
        self._past = {id: self._with_fields(id, met[id]) for id in tallies}
        judge = partial(judge_run, tallies, self._past, failed_share=self.failed_share, met=met)
        self.ending = replace(self.ending, run_id=self.run_id, now=now(), clock_off=clock_off(self._offsets))
        self.result = judge(self.ending)
        try:
            self.store.end_run(self.run_id, self.result, now=self.ending.now)
        except DatabaseProblem as e:
            self.result = judge(replace(self.ending, database=str(e)))
        self.store.close()

    # ---- at the end

    def _settle(self) -> None:
        """Tries the rows again that could not be written, and writes those of URLs without an answer."""
        left, self._unwritten = self._unwritten, []
        for fetch in left:
            try:
                self.store.record(fetch, run_id=self.run_id, now=now())
            except (DatabaseProblem, Unstorable) as e:
                log.error("%s: row not written: %s", fetch.url, e)
                self._unwritten.append(fetch)
        waiting = [replace(f, outcome="skipped", reason=NOT_VISITED) for f in self._open.values()]
        try:
            self.store.record_unvisited(waiting, run_id=self.run_id, now=now())
        except (DatabaseProblem, Unstorable) as e:
            log.error("%s", e)
            self._unwritten += waiting
        self.ending = replace(self.ending, unrecorded=len(self._unwritten))

    def _with_fields(self, source_id: str, met: Met) -> Past:
        """What is known of a source, with the past of the fields that are in doubt by now."""
        past = self._past[source_id]
        try:
            return replace(past, fields=self.store.past_fields(source_id, doubtful(met.fields, past)))
        except DatabaseProblem as e:
            self._database_gone(e)
            return past

    def _keep_robots(self) -> None:
        try:
            self.store.keep_robots(self._politeness.robots if self._politeness else {}, run_id=self.run_id, now=now())
        except (DatabaseProblem, Unstorable) as e:
            log.error("%s", e)

    def _tally(self, source_id: str) -> SourceTally:
        if source_id in self._resting:
            return SourceTally(resting=1)
        counts = self._counts[source_id]
        first, last = self._clock.get(source_id, (0.0, 0.0))
        names = SourceTally.__dataclass_fields__.keys() - {"seconds", "requests", "delay_asked", "delay_kept"}
        pace = self._politeness.pace(source_id) if self._politeness else Pace()
        return SourceTally(
            seconds=round(last - first, 3),
            requests=pace.requests,
            delay_asked=pace.asked,
            delay_kept=None if pace.kept is None else round(pace.kept, 3),
            **{name: counts[name] for name in names},
        )

    # ---- counting

    def _count(self, fetch: Fetch) -> None:
        counts = self._counted(fetch)
        if fetch.outcome == "skipped":
            counts["skipped"] += 1
        elif fetch.kind == "listing":
            counts["listings"] += 1
            counts["listings_failed"] += fetch.outcome == "failed"
        else:
            counts["fetched"] += 1
            counts[fetch.outcome] += 1
            counts["blocked"] += keeps_out(fetch)
        self._incidents[fetch.source_id].add(fetch)
        self._stat(fetch.outcome)

    def _counted(self, fetch: Fetch) -> Counter[str]:
        self._open.pop(fetch.url, None)
        counts = self._counts[fetch.source_id]
        if fetch.status == 304:
            counts["not_modified"] += 1
            counts["bytes_saved"] += fetch.bytes
        else:
            counts["bytes"] += fetch.bytes
        self._tick(fetch.source_id)
        return counts

    def _stat(self, name: str) -> None:
        if self.crawler.stats:
            self.crawler.stats.inc_value(f"watchfloor/{name}")

    def _tick(self, source_id: str) -> None:
        here = time.monotonic()
        first, _ = self._clock.get(source_id, (here, here))
        self._clock[source_id] = (first, here)

    # ---- what goes wrong

    def _lost(self, fetch: Fetch, reason: str, failure: Failure) -> None:
        detail = tidy(f"{type(failure.value).__name__}: {failure.value}", limits.DETAIL_CHARACTERS)
        log.warning("%s: %s: %s", fetch.url, reason, detail)
        self.record(replace(fetch, outcome="failed", reason=reason, detail=detail, etag="", last_modified=""))

    def _database_gone(self, problem: DatabaseProblem) -> None:
        """The run cannot go on without its database."""
        if not self.ending.database:
            log.error("%s", problem)
            self.ending = replace(self.ending, database=str(problem))
            if self.crawler.engine and self.crawler.spider:
                self.crawler.engine.close_spider(self.crawler.spider, "database")
