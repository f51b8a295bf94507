"""An article's visit, held back until its comments were read everywhere they stand; then it goes down the line, once.

One request at a time for each article. What cannot be had costs only itself: it has its row in the ledger, the page
has a cut, and nothing that is missing counts as gone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.archiving import Archiving
from crawler.fetching import Interrupted
from crawler.gathering import Gathering
from crawler.items import Fetch
from crawler.merging import Route
from crawler.report import Report
from crawler.spiders.answers import got, seen
from crawler.urls import normal
from crawler.workers import Readers, Unreadable
from pipelines.stages import Visit

PRIORITY = 20
"""Before listings and pages: few visits are held at once."""


@dataclass(slots=True)
class Held:
    """A visit that waits for more comments."""

    visit: Visit
    gathering: Gathering


class Further:
    """Follows the comments of articles for one spider."""

    def __init__(
        self,
        readers: Readers,
        report: Callable[[], Report],
        archiving: Callable[[], Archiving],
        failed: Callable[[Failure], object],
    ) -> None:
        self._readers, self._report, self._archiving, self._failed = readers, report, archiving, failed

    def hold(self, visit: Visit, response: Response, routes: tuple[Route, ...]) -> Request | Visit:
        """The visit itself where there is nothing more to read, else the first request."""
        gathering = Gathering(visit.page, routes, visit.source, url=response.url, asked_as=visit.fetch.url)
        held = Held(visit, gathering)
        return self._next(held) if self._report().run_id else visit

    async def parse(self, response: Response, held: Held, route: Route) -> AsyncIterator[Request | Visit]:
        """One answer → the next request, or the visit."""
        source = held.visit.source
        outcome = replace(seen(response, source), outcome="read", etag="", last_modified="")
        self._archiving().comments(response, outcome)
        try:
            given = await self._readers.answer(route.kind, got(response), source)
        except Unreadable as e:
            held.gathering.missed()
            outcome = replace(outcome, outcome=e.outcome, reason=e.reason, detail=e.detail)
        else:
            if problem := held.gathering.answered(route, given, url=response.url):
                outcome = replace(outcome, outcome="rejected", reason="no comments", detail=problem)
        self._report().record(outcome)
        yield self._next(held)

    def failed(self, failure: Failure) -> Iterator[Request | Visit]:
        """A request that gave nothing → its row; the others are not touched by it."""
        self._failed(failure)
        held: Held = failure.request.cb_kwargs["held"]  # type: ignore[attr-defined]
        held.gathering.missed()
        if isinstance(failure.value, Interrupted):
            held.gathering.stop()
        yield self._next(held)

    def _next(self, held: Held) -> Request | Visit:
        visit = held.visit
        route = held.gathering.next()
        if route is None:
            return _whole(held)
        fetch = Fetch(url=normal(route.url), source_id=visit.source.id, outcome="failed", found_on=visit.fetch.url)
        self._report().take_up(fetch)
        return Request(
            route.url,
            callback=self.parse,
            errback=self.failed,
            cb_kwargs={"held": held, "route": route},
            meta={"source": visit.source, "fetch": fetch},
            priority=PRIORITY,
            dont_filter=True,
        )


def _whole(held: Held) -> Visit:
    """The visit with every comment.

    A receipt speaks for one page alone: a 304 for it would hide what is new on the others, and what could not be read
    this time. So an article for which more than its page was asked keeps none, and is read whole at each visit.
    """
    visit = replace(held.visit, page=held.gathering.page)
    if held.gathering.asked:
        visit = replace(visit, fetch=replace(visit.fetch, etag="", last_modified=""))
    return visit
