"""One page of all that was read of it: its own comments, and those of further pages, feeds and interfaces. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from crawler import limits
from crawler.imports.export import Entry, in_threads
from crawler.items import Comment, Cut, Page

WORD = re.compile(r"\w+")
SAID = 500
"""Characters by which a comment of a page that names no number is known again in a feed, which may cut the rest off."""

Kind = Literal["page", "feed", "atom", "api"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A way to more comments of an article."""

    kind: Kind
    """`page` is HTML, `feed` WordPress's RSS, `atom` Blogger's feed, `api` WordPress's JSON."""
    url: str
    here: str = ""
    """Another address of the page that it was found on, which need not be fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one route gave."""

    comments: tuple[Comment, ...] = ()
    more: tuple[Route, ...] = ()
    problem: str = ""
    """Why it is not what it should be; empty when all is well."""


def merged(page: Page, answers: Sequence[tuple[Kind, Answer]], unread: int) -> Page:
    """The page with the comments of every route, each once: the page's own reading of a comment first, then that of
    further pages, then the others'. `unread` is how many routes there are that were not read.

    What was not read leaves a cut, and so does a feed: it shows the latest comments only, and some day none. With such
    a cut nothing that is missing counts as gone.
    """
    whole = _Whole()
    whole.take(page.comments, of_page=True)
    for kind, given in sorted(answers, key=lambda given: given[0] != "page"):
        whole.take(given.comments, of_page=kind == "page")
    comments = _hung(whole.comments())
    cuts = list(page.cuts)
    if unread:
        cuts.append(Cut(limit="COMMENT_PAGES", kept=len(answers), left_out=unread, unit="comment pages"))
    if comments and any(kind in ("feed", "atom") for kind, _ in answers):
        cuts.append(Cut(limit="COMMENT_FEED", kept=len(comments), left_out=0, unit="comment pages"))
    if len(comments) > limits.COMMENTS_A_PAGE:
        over = len(comments) - limits.COMMENTS_A_PAGE
        cuts.append(Cut(limit="COMMENTS_A_PAGE", kept=limits.COMMENTS_A_PAGE, left_out=over, unit="comments"))
    return replace(page, comments=comments[: limits.COMMENTS_A_PAGE], cuts=tuple(cuts))


class _Whole:
    """The comments of all lists, each under an id of its own, by which its replies name it."""

    def __init__(self) -> None:
        self._kept: dict[tuple[object, ...], Comment] = {}
        self._ids: dict[str, str] = {}
        """A site's id → the one under which that comment was kept, where they differ."""
        self._strange: dict[tuple[str, str], list[str]] = {}
        """Author and words → the ids of comments of pages that name no number, as feeds and interfaces do."""
        self._lists = 0

    def comments(self) -> list[Comment]:
        """All of them, in the order in which they came."""
        ids = self._ids
        return [replace(c, parent_site_id=ids.get(c.parent_site_id, c.parent_site_id)) for c in self._kept.values()]

    def take(self, comments: Sequence[Comment], *, of_page: bool) -> None:
        """Adds those that are not there yet."""
        self._lists += 1
        ids: list[str] = []
        times: Counter[tuple[object, ...]] = Counter()
        for place, comment in enumerate(comments):
            identity = _identity(comment)
            times[identity] += not comment.site_id
            above = ids[comment.parent] if comment.parent is not None else comment.parent_site_id
            own = replace(comment, site_id=comment.site_id or f"\0{self._lists} {place}", parent_site_id=above)
            ids.append(self._add((*identity, times[identity]), own, of_page))

    def _add(self, key: tuple[object, ...], own: Comment, of_page: bool) -> str:
        """The id under which the comment is there now."""
        said = (own.author.casefold(), "".join(WORD.findall(own.text[:SAID].casefold())))
        if key not in self._kept and own.site_id in self._ids:
            return self._ids[own.site_id]
        if key not in self._kept and not of_page and (same := self._strange.get(said)):
            self._ids[own.site_id] = same.pop(0)
            return self._ids[own.site_id]
        if key not in self._kept and of_page and not own.site_id.isdigit():
            self._strange.setdefault(said, []).append(own.site_id)
        return self._kept.setdefault(key, own).site_id


def _identity(comment: Comment) -> tuple[object, ...]:
    """The site's id; without one what it says. The second of a kind in one list is another one than the first."""
    if comment.site_id:
        return ("id", comment.site_id)
    return ("said", comment.author, comment.posted.iso if comment.posted else "", comment.text)


def _hung(comments: list[Comment]) -> tuple[Comment, ...]:
    threads = (entry.comment for entry in in_threads(Entry(comment=c) for c in comments))
    return tuple(replace(c, site_id=_unmarked(c.site_id), parent_site_id=_unmarked(c.parent_site_id)) for c in threads)


def _unmarked(id: str) -> str:
    return "" if id.startswith("\0") else id
