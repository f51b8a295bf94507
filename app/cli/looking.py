"""Some addresses asked for once, as a crawl would: guard, robots.txt, delay, limits. Nothing is stored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import scrapy
from scrapy import Request
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response
from scrapy.settings import Settings
from twisted.python.failure import Failure

from crawler import limits
from crawler.fetching import Addresses, what_failed
from crawler.gathering import not_html
from crawler.items import Rejected
from crawler.reading import html_of
from crawler.source import Source
from crawler.spiders.answers import got
from crawler.spiders.news import MOVED, slots

ALONE = {"ITEM_PIPELINES": {}, "EXTENSIONS": {"crawler.report.Report": None}, "LOG_ENABLED": False}
"""This is no run: nothing is stored, counted or told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What an address answered."""

    url: str
    """Where redirects ended."""
    body: bytes = b""
    html: bytes = b""
    """The body with the character set that its header states."""
    refused: Rejected | None = None
    """Set where its header says that it is no page."""
    problem: str = ""
    """Why there is nothing; empty when there is."""
    moved: bool = False
    """True where a redirect that is there to stay led elsewhere."""


Then = Callable[[Mapping[str, Seen]], Iterable[str]]


class Looker(scrapy.Spider):
    """Asks for each address and keeps the answers."""

    name = "looker"

    def __init__(
        self, urls: Iterable[str], source: Source | None, seen: dict[str, Seen], then: Then, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.urls, self.source, self.seen, self.then = tuple(urls), source, seen, then
        self.asked: set[str] = set()

    async def start(self) -> AsyncIterator[Request]:
        """One request each."""
        for request in self._ask(self.urls):
            yield request

    def parse(self, response: Response, **_: Any) -> Iterator[Request]:
        """Keeps the answer."""
        answer = got(response)
        self.seen[response.meta["asked"]] = Seen(
            url=response.url,
            body=response.body,
            html=html_of(answer),
            refused=not_html(answer.content_type),
            moved=bool(set(response.meta.get("redirect_reasons", ())) & MOVED),
        )
        yield from self._further()

    def failed(self, failure: Failure) -> Iterator[Request]:
        """Keeps the reason."""
        request: Request = failure.request  # type: ignore[attr-defined]
        why = what_failed(failure, urlsplit(request.url).hostname or "")
        problem = ": ".join(filter(None, (why.reason, why.detail)))
        self.seen[request.meta["asked"]] = Seen(url=request.url, problem=problem)
        yield from self._further()

    def _further(self) -> Iterator[Request]:
        """What the answers lead to, once all of them are there."""
        if self.asked <= self.seen.keys():
            yield from self._ask(url for url in self.then(self.seen) if url not in self.asked)

    def _ask(self, urls: Iterable[str]) -> Iterator[Request]:
        for url in urls:
            self.asked.add(url)
            meta = {"asked": url, "source": self.source, "download_maxsize": limits.LISTING_BYTES}
            yield Request(url, errback=self.failed, meta=meta, dont_filter=True)


def looked_at(
    urls: Iterable[str],
    allowed: Iterable[str],
    *,
    source: Source | None = None,
    sources: Iterable[Source] = (),
    then: Then = lambda seen: (),
) -> Mapping[str, Seen]:
    """What each address answered; one that was interrupted is missing. With a source the guard holds to its hosts.

    `then` names further addresses when all answers are there; it is asked again after those.

    The delays are those of the `sources`. To be called once in a process: Twisted's reactor runs no second time.
    `allowed` are texts `HOST:PORT`; raises ValueError for one that is none.
    """
    Addresses.parse(allowed := tuple(allowed))
    settings = Settings()
    settings.setmodule("crawler.settings")
    settings.setdict({**ALONE, "DOWNLOAD_SLOTS": slots(tuple(sources))}, priority="cmdline")
    if allowed:
        settings.set("WATCHFLOOR_ADDRESSES", ",".join(allowed), priority="cmdline")
    process, seen = AsyncCrawlerProcess(settings), dict[str, Seen]()
    process.crawl(Looker, urls=tuple(dict.fromkeys(urls)), source=source, seen=seen, then=then)
    process.start()
    return seen
