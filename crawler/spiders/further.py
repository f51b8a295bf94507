"""An article's visit, held back until its comments were read everywhere they stand; then it goes down the line, once.

One request at a time for each article. What cannot be had costs only itself: it has its row in the ledger, the page
has a cut, and nothing that is missing counts as gone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler import limits
from crawler.fetching import Interrupted
from crawler.items import Fetch
from crawler.report import Report
from crawler.routes import Answer, Kind, Route, answer, further, merged
from crawler.spiders.answers import html_of, seen
from crawler.text import tidy
from crawler.urls import normal
from pipelines.stages import Visit

PRIORITY = 20
"""Before listings and pages: few visits are held at once."""


@dataclass(slots=True)
class Held:
    """A visit that waits for more comments."""

    visit: Visit
    todo: deque[Route] = field(default_factory=deque)
    known: set[str] = field(default_factory=set)
    """Every address that was taken up or left out."""
    asked: int = 0
    answers: list[tuple[Kind, Answer]] = field(default_factory=list)
    unread: int = 0

    def take(self, routes: Iterable[Route]) -> None:
        """Those routes that are new; beyond the cap they are only counted, as are pages where the source wants none."""
        routes = tuple(routes)
        self.known.update(normal(route.here) for route in routes if route.here)
        for route in routes:
            key = normal(route.url)
            if not key or key in self.known:
                continue
            self.known.add(key)
            barred = route.kind == "page" and not self.visit.source.comment_pages
            if barred or self.asked + len(self.todo) >= limits.COMMENT_PAGES:
                self.unread += 1
            else:
                self.todo.append(route)


class Further:
    """Follows the comments of articles for one spider."""

    def __init__(self, report: Callable[[], Report], failed: Callable[[Failure], object]) -> None:
        self._report, self._failed = report, failed

    def hold(self, visit: Visit, response: Response) -> Iterator[Request | Visit]:
        """The visit itself where there is nothing more to read, else the first request."""
        every = replace(visit.source, comment_pages=True)  # what is not followed is counted
        held = Held(visit, known={normal(response.url), visit.fetch.url})
        held.take(further(response.body, response.url, visit.page, every))
        yield self._next(held) if self._report().run_id else visit

    def parse(self, response: Response, held: Held, route: Route) -> Iterator[Request | Visit]:
        """One answer → the next request, or the visit."""
        source = held.visit.source
        body = html_of(response) if route.kind == "page" else response.body
        given = answer(route.kind, body, response.url, source)
        outcome = replace(seen(response, source), outcome="read", etag="", last_modified="")
        if given.problem:
            held.unread += 1
            problem = tidy(given.problem, limits.DETAIL_CHARACTERS)
            outcome = replace(outcome, outcome="rejected", reason="no comments", detail=problem)
        else:
            held.answers.append((route.kind, given))
            held.known.add(normal(response.url))
            held.take(given.more)
        self._report().record(outcome)
        yield self._next(held)

    def failed(self, failure: Failure) -> Iterator[Request | Visit]:
        """A request that gave nothing → its row; the others are not touched by it."""
        self._failed(failure)
        held: Held = failure.request.cb_kwargs["held"]  # type: ignore[attr-defined]
        held.unread += 1
        if isinstance(failure.value, Interrupted):
            held.unread += len(held.todo)
            held.todo.clear()
        yield self._next(held)

    def _next(self, held: Held) -> Request | Visit:
        visit = held.visit
        if not held.todo:
            return _whole(held)
        route = held.todo.popleft()
        held.asked += 1
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
    visit = held.visit
    if not (held.answers or held.unread):
        return visit
    page = merged(visit.page, held.answers, held.unread)
    if held.asked:
        visit = replace(visit, fetch=replace(visit.fetch, etag="", last_modified=""))
    return replace(visit, page=page)
