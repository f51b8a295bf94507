"""The comments of one page, gathered from wherever they stand: what to ask for next, and what came of it. Pure.

A crawl and a replay of what it archived share this: the one asks for a route's answer, the other looks it up. What an
answer says is read in `crawler.reading`, which a crawl leaves to its child processes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from crawler import limits
from crawler.items import Page, Rejected
from crawler.merging import Answer, Kind, Route, merged
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What an article's page gave."""

    page: Page | Rejected
    routes: tuple[Route, ...] = ()
    """To further comments, whether the source wants them followed or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What answers amounted to, before `pipelines.normalise`."""

    page: Page | Rejected
    alone: bool
    """True when there was nothing to ask for but the page itself: only then a receipt for it speaks for all."""


class Gathering:
    """The comments of one page, while they are gathered."""

    def __init__(self, page: Page, routes: Iterable[Route], source: Source, *, url: str, asked_as: str) -> None:
        """`url` is where the page came from, `asked_as` its url in the ledger."""
        self.source = source
        self.asked = 0
        self._page = page
        self._todo: deque[Route] = deque()
        self._known = {normal(url), asked_as}
        self._answers: list[tuple[Kind, Answer]] = []
        self._unread = 0
        self._take(routes)

    def next(self) -> Route | None:
        """The route to ask for now; None when there is nothing left to ask for."""
        if not self._todo:
            return None
        self.asked += 1
        return self._todo.popleft()

    def answered(self, route: Route, given: Answer, *, url: str) -> str:
        """Takes the comments of an answer, and the routes that it names; why it is none, or an empty text."""
        if given.problem:
            self._unread += 1
        else:
            self._answers.append((route.kind, given))
            self._known.add(normal(url))
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
