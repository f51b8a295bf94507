"""The one spider: a source's listings → requests; a response → core → items."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import urlsplit

import scrapy
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler import limits
from crawler.archiving import Archiving
from crawler.fetching import FORBIDDEN, Interrupted, what_failed
from crawler.gathering import Read, not_html
from crawler.items import Fetch, Found, Listing, ListingKind, Receipt, Rejected
from crawler.report import Report
from crawler.schedule import due
from crawler.settings import cleaned_by, home
from crawler.source import Source, catalogue, choose
from crawler.spiders.answers import got, seen
from crawler.spiders.further import Further
from crawler.text import tidy
from crawler.urls import host_of, normal
from crawler.workers import Readers, Unreadable, usual_count
from pipelines.stages import Visit

log = logging.getLogger(__name__)
MOVED = frozenset((301, 308))
"""Redirects that are there to stay (RFC 9110, 15.4): the source's file should have the new address."""


@dataclass(slots=True)
class Progress:
    """How far one source has come in this run."""

    listings: set[str] = field(default_factory=set)
    unread: int = 0
    """Listings asked for that have not answered yet."""
    offered: set[str] = field(default_factory=set)
    lastmods: dict[str, str] = field(default_factory=dict)
    """When listings of this run say that pages changed last; one listing may know what another does not."""
    known: dict[str, Found] = field(default_factory=dict)
    """Links to known pages. What is due of them is decided when all listings have said what they know."""
    pages: int = 0


class NewsSpider(scrapy.Spider):
    """Visits every source it is given: `-a sources=ID,ID`, of `-a files=FILE|DIR`; all that are enabled without.

    `-a again=1` asks for every page that the listings offer, due or not.
    """

    name = "news"

    def __init__(
        self,
        sources: str = "",
        files: str = "",
        chosen: tuple[Source, ...] | None = None,
        again: bool | str = False,
        readers: Readers | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.readers = readers or Readers(usual_count())
        listed = {} if chosen else catalogue(Path(files) if files else None, home())
        given = chosen or choose(listed, filter(None, sources.split(",")))
        self.chosen = given
        self.again = bool(again)
        self.progress = {source.id: Progress() for source in given}
        self.further = Further(self.readers, lambda: self.report, lambda: self.archiving, self.failed)

    @classmethod
    def handles_request(cls, request: Request) -> bool:
        """True: the one spider for every source. Scrapy's own commands ask."""
        return True

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Made by Scrapy; the delays of the sources go into its settings."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.idle, signal=signals.spider_idle)
        crawler.signals.connect(spider.readers.close, signal=signals.spider_closed)
        stated = crawler.settings.getdict("DOWNLOAD_SLOTS")
        if not crawler.settings.frozen:  # as they are in `scrapy shell`, which fetches one page
            crawler.settings.set("DOWNLOAD_SLOTS", {**slots(spider.chosen), **stated})
        return spider

    @property
    def report(self) -> Report:
        """The run's account."""
        return cast(Report, self.crawler.get_extension(Report))

    @property
    def archiving(self) -> Archiving:
        """Where the answers of the run are kept."""
        return cast(Archiving, self.crawler.get_extension(Archiving))

    async def start(self) -> AsyncIterator[Request]:
        """The listings of each source, the sources in turn."""
        visited = self.report.begin(self.chosen)
        self.archiving.begin()
        for source in visited:
            for kind, url in source.listings:
                request = self._listing(source, kind, url, depth=0)
                if request:
                    yield request

    async def parse_listing(self, response: Response, source: Source, kind: str, depth: int) -> AsyncIterator[Request]:
        """A listing → requests for what it offers, and its own row."""
        try:
            listing = await self.readers.listing(kind, response.body, response.url, source)
        except Unreadable as e:
            listing = Listing(kind=cast(ListingKind, kind), problem=str(e))
        finally:
            self.progress[source.id].unread -= 1
        for request in self._listed(response, source, kind, depth, listing):
            yield request

    def _listed(self, response: Response, source: Source, kind: str, depth: int, listing: Listing) -> Iterator[Request]:
        new = self._offered(source, listing)
        pages = self._pages(source, new)
        more = [self._listing(source, kind, url, depth=depth + 1) for url in listing.more]
        asked = self.progress[source.id].listings
        beyond = sum(normal(url) not in asked for url in listing.more)
        left_out = listing.left_out + len(new) - len(pages)
        moved = f"moved to {response.url}" if set(response.meta.get("redirect_reasons", ())) & MOVED else ""
        more_text = f"{beyond} further listings beyond the cap" if beyond else ""
        detail = "; ".join(filter(None, (listing.problem, more_text, moved)))
        self.report.record(
            replace(
                seen(response, source),
                outcome="failed" if listing.problem and not listing.links else "read",
                reason="" if not listing.problem else "read in part" if listing.links else "not a listing",
                detail=tidy(detail, limits.DETAIL_CHARACTERS),
                links_found=len(listing.links) + listing.left_out,
                links_left_out=left_out,
            )
        )
        yield from pages
        yield from (request for request in more if request)
        yield from self._again_when_listed(source)

    async def parse(
        self, response: Response, source: Source | None = None, found: Found | None = None
    ) -> AsyncIterator[Request | Visit]:
        """An article page → its visit, with its comments from wherever they stand; one that is none → its row."""
        if source is None or found is None:
            source, found = self._stranger(response)
        fetch = seen(response, source)
        fetch = replace(fetch, lastmod=self._progress(source).lastmods.get(fetch.url, ""))
        if response.status == 304:
            self.report.record(replace(_with_receipt(fetch, response.meta.get("receipt")), outcome="unchanged"))
            return
        answer = got(response)
        refused = not_html(answer.content_type)
        if not refused:
            self.archiving.page(response, fetch, found)
        try:
            read = Read(page=refused) if refused else await self.readers.page(answer, source)
        except Unreadable as e:
            self.report.record(_unread(fetch, e))
            return
        if isinstance(read.page, Rejected):
            self.report.record(
                replace(fetch, outcome="rejected", reason=read.page.reason, detail=tidy(read.page.detail))
            )
        else:
            visit = Visit(source=source, found=found, page=read.page, fetch=fetch)
            yield self.further.hold(visit, response, read.routes)

    def failed(self, failure: Failure) -> list[Request]:
        """A request that gave nothing to read → its row; after the last listing, requests for known pages."""
        if isinstance(failure.value, Interrupted):
            return []  # it stays open, and has its row when the run is closed
        request: Request = failure.request  # type: ignore[attr-defined]
        fetch: Fetch = request.meta["fetch"]
        why = what_failed(failure, urlsplit(request.url).hostname or "")
        outcome = why.outcome
        if fetch.kind == "listing" and why.reason != FORBIDDEN:
            outcome = "failed"  # a source whose listings cannot be had is in trouble, unless its robots.txt says so
        log.info("%s: %s %s", fetch.url, why.reason, why.detail)
        detail = tidy(why.detail, limits.DETAIL_CHARACTERS)
        self.report.record(replace(fetch, outcome=outcome, reason=why.reason, detail=detail, status=why.status))
        if fetch.kind != "listing":
            return []
        source: Source = request.meta["source"]
        self.progress[source.id].unread -= 1
        return self._again_when_listed(source)

    def idle(self) -> None:
        """Nothing is left to do: known pages whose last listing broke in our hands have their turn."""
        waiting = [request for source in self.chosen for request in self._again(source)]
        for request in waiting:
            self.crawler.engine.crawl(request)
        if waiting:
            raise DontCloseSpider

    def _offered(self, source: Source, listing: Listing) -> list[Found]:
        """The pages that a listing offers and nobody has seen before; known ones wait for the other listings."""
        progress, new = self.progress[source.id], []
        fresh = 0
        for found in listing.links:
            key = normal(found.url)
            if found.lastmod:
                progress.lastmods.setdefault(key, found.lastmod.iso)
            if key not in progress.offered:
                progress.offered.add(key)
                fresh += 1
                if self.report.store.visited(key) is None:
                    new.append(found)
                else:
                    progress.known[key] = found
            elif found.lastmod and key in progress.known and not progress.known[key].lastmod:
                progress.known[key] = found
        self.report.linked(source.id, fresh)
        return new

    def _again_when_listed(self, source: Source) -> list[Request]:
        """Requests for the known pages that are due, once every listing has answered."""
        return [] if self.progress[source.id].unread else self._again(source)

    def _again(self, source: Source) -> list[Request]:
        progress, store, by = self.progress[source.id], self.report.store, cleaned_by(source)
        known, progress.known = progress.known, {}
        now = datetime.now(UTC)
        wanted = [
            found
            for key, found in known.items()
            if (self.again and not store.pruned(key)) or due(store.visited(key), found, now=now, cleaned_by=by).now
        ]
        pages = self._pages(source, wanted)
        self.report.left_alone(source.id, not_due=len(known) - len(wanted), skipped=len(wanted) - len(pages))
        return pages

    def _progress(self, source: Source) -> Progress:
        """That of a stranger is empty: `scrapy parse` has no run."""
        return self.progress.get(source.id) or Progress()

    def _pages(self, source: Source, wanted: list[Found]) -> list[Request]:
        """Requests for these pages, as many as the source's cap has room for."""
        progress = self.progress[source.id]
        room = max(0, source.max_pages - progress.pages)
        progress.pages += len(wanted[:room])
        return [self._page(source, found) for found in wanted[:room]]

    def _listing(self, source: Source, kind: str, url: str, *, depth: int) -> Request | None:
        """A request for a listing; None beyond the caps, or for one that this run has asked for already."""
        progress = self.progress[source.id]
        key = normal(url)
        full = len(progress.listings) >= source.max_listings or depth > limits.LISTING_DEPTH
        if not key or key in progress.listings or full:
            return None
        progress.listings.add(key)
        progress.unread += 1
        fetch = Fetch(url=key, source_id=source.id, outcome="failed", kind="listing")
        self.report.take_up(fetch)
        return Request(
            url,
            callback=self.parse_listing,
            errback=self.failed,
            cb_kwargs={"source": source, "kind": kind, "depth": depth},
            meta={"source": source, "fetch": fetch, "download_maxsize": limits.LISTING_BYTES},
            priority=10,
            dont_filter=True,
        )

    def _page(self, source: Source, found: Found) -> Request:
        key = normal(found.url)
        fetch = Fetch(url=key, source_id=source.id, outcome="failed", found_on=found.listing)
        receipt = self.report.store.receipt(key, cleaned_by=cleaned_by(source))
        self.report.take_up(fetch)
        return Request(
            found.url,
            errback=self.failed,
            headers=_conditions(receipt) if receipt else {},
            cb_kwargs={"source": source, "found": found},
            meta={
                "source": source,
                "fetch": fetch,
                "receipt": receipt,
                "handle_httpstatus_list": [304] * bool(receipt),
            },
            dont_filter=True,
        )

    def _stranger(self, response: Response) -> tuple[Source, Found]:
        """For `scrapy parse URL`: the source whose host it is, or one without any rules."""
        host = host_of(response.url)
        unknown = Source(id="unknown", name="", home=response.url)
        source = next((s for s in self.chosen if host in s.all_hosts), unknown)
        return source, Found(url=response.url, listing="")


def slots(sources: tuple[Source, ...]) -> dict[str, dict[str, float | int]]:
    """Scrapy's DOWNLOAD_SLOTS: one request at a time and the source's delay, or several where it sets none."""
    delays: dict[str, float] = {}
    for source in sources:
        for host in source.all_hosts:
            name = urlsplit(f"//{host}").hostname or host
            delays[name] = max(source.delay, delays.get(name, 0.0))
    return {
        host: {"delay": delay, "concurrency": 1 if delay else limits.PARALLEL_A_HOST, "jitter": 0}
        for host, delay in delays.items()
    }


def _unread(fetch: Fetch, why: Unreadable) -> Fetch:
    """The row of a page that was not read; where that is not the page's own doing, it is asked for again whole."""
    fetch = replace(fetch, outcome=why.outcome, reason=why.reason, detail=why.detail)
    return fetch if why.outcome == "rejected" else replace(fetch, etag="", last_modified="")


def _conditions(receipt: Receipt) -> dict[str, str]:
    stated = {"If-None-Match": receipt.etag, "If-Modified-Since": receipt.last_modified}
    return {name: value for name, value in stated.items() if value}


def _with_receipt(fetch: Fetch, receipt: Receipt | None) -> Fetch:
    """A 304 need not repeat what it answers to, and the page has the size that it had."""
    if receipt is None:
        return fetch
    fetch = replace(fetch, bytes=receipt.bytes)
    if fetch.etag or fetch.last_modified:
        return fetch
    return replace(fetch, etag=receipt.etag, last_modified=receipt.last_modified)
