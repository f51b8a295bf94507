"""From answers to one page: an article's page read, its comments gathered from wherever they stand. Pure.

A crawl and a replay of what it archived share this: the one asks for a route's answer, the other looks it up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from crawler import limits
from crawler.cleaning import clean
from crawler.cleaning.charsets import as_stated
from crawler.items import Page, Rejected
from crawler.routes import Answer, Kind, Route, answer, further, merged
from crawler.source import Source
from crawler.text import tidy
from crawler.urls import normal


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """What a server answered, as far as reading it goes."""

    url: str
    """Where it came from, after redirects."""
    body: bytes
    content_type: str = ""
    """Its header, empty without one."""

    @property
    def html(self) -> bytes:
        """The body, with the character set that the header states, where it states one."""
        return as_stated(self.body, self.content_type.lower().partition("charset=")[2].partition(";")[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What answers amounted to, before `pipelines.normalise`."""

    page: Page | Rejected
    alone: bool
    """True when there was nothing to ask for but the page itself: only then a receipt for it speaks for all."""


class Gathering:
    """The comments of one page, while they are gathered."""

    def __init__(self, page: Page, got: Got, source: Source, *, asked_as: str) -> None:
        """`asked_as` is the page's url in the ledger."""
        self.source = source
        self.asked = 0
        self._page = page
        self._todo: deque[Route] = deque()
        self._known = {normal(got.url), asked_as}
        self._answers: list[tuple[Kind, Answer]] = []
        self._unread = 0
        every = replace(source, comment_pages=True)  # what is not followed is counted
        self._take(further(got.body, got.url, page, every))

    def next(self) -> Route | None:
        """The route to ask for now; None when there is nothing left to ask for."""
        if not self._todo:
            return None
        self.asked += 1
        return self._todo.popleft()

    def answered(self, route: Route, got: Got) -> str:
        """Takes the comments of an answer, and the routes that it names; why it is none, or an empty text."""
        given = answer(route.kind, got.html if route.kind == "page" else got.body, got.url, self.source)
        if given.problem:
            self._unread += 1
        else:
            self._answers.append((route.kind, given))
            self._known.add(normal(got.url))
            self._take(given.more)
        return tidy(given.problem, limits.DETAIL_CHARACTERS)

    def missed(self) -> None:
        """There was no answer to the last route."""
        self._unread += 1

    def stop(self) -> None:
        """Nothing is asked for any more."""
        self._unread += len(self._todo)
        self._todo.clear()

    @property
    def page(self) -> Page:
        """The page with every comment."""
        if not (self._answers or self._unread):
            return self._page
        return merged(self._page, self._answers, self._unread)

    def _take(self, routes: Iterable[Route]) -> None:
        """Those routes that are new; beyond the cap they are only counted, as are pages where the source wants none."""
        routes = tuple(routes)
        self._known.update(normal(route.here) for route in routes if route.here)
        for route in routes:
            key = normal(route.url)
            if not key or key in self._known:
                continue
            self._known.add(key)
            barred = route.kind == "page" and not self.source.comment_pages
            if barred or self.asked + len(self._todo) >= limits.COMMENT_PAGES:
                self._unread += 1
            else:
                self._todo.append(route)


def not_html(content_type: str) -> Rejected | None:
    """A picture, a document or a feed, as its own header says."""
    stated = content_type.partition(";")[0].strip().lower()
    if not stated or "html" in stated or stated in ("text/plain", "application/octet-stream"):
        return None
    return Rejected(reason="not html", detail=stated)


def read_again(got: Got, source: Source, others: Mapping[str, Got], *, asked_as: str) -> Reading:
    """What the crawl that got these answers read in them. `others` are the answers with further comments, by the url
    that was asked for; those that are missing are as good as failed."""
    page = not_html(got.content_type) or clean(got.html, got.url, source)
    if isinstance(page, Rejected):
        return Reading(page=page, alone=True)
    gathering = Gathering(page, got, source, asked_as=asked_as)
    while route := gathering.next():
        other = others.get(normal(route.url))
        if other is None:
            gathering.missed()
        else:
            gathering.answered(route, other)
    return Reading(page=gathering.page, alone=not gathering.asked)
