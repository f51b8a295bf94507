"""What the articles of a run have, field by field: what drifts shows here. Pure.

Each article speaks once for each field, and again when what it has changes. So a page that is read in every run counts
as one, and a template that changed shows on every known page that is read again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from crawler.items import Delta, Fetch, FieldCount, FieldValue, Outcome

BODY_CHARACTERS = 300
"""A body that is shorter is counted as missing: of 102 articles of a hundred sites the shortest has 369 characters;
what a changed template leaves of one (standfirst, share box, newsletter box) has 80 to 260."""
WALL = "bot wall"
"""The reason for which a page is rejected that tells of us, not of the page."""
NO_ARTICLE_AT_STAKE = frozenset({WALL, "no comments"})
"""Reasons that say nothing of an article: a wall, and a further page or feed of comments that is none."""

ARTICLE = "article"
"""Not a field of articles, but counted as one: pages that turned out to be articles."""
PAGE, LET_IN = "page", "let in"
"""Nor these: pages that could be read, pages from which we were not kept."""
COMMENTS = "comments"
UNREAD = ("comments", "comment pages")
"""Units of cuts that leave comments out."""

Fields = Mapping[str, FieldValue]


def _text(name: str) -> Callable[[Fields], bool]:
    return lambda fields: bool(fields.get(name))


PRESENT: Mapping[str, Callable[[Fields], bool]] = {
    "headline": _text("headline"),
    "authors": lambda fields: str(fields.get("authors") or "[]") != "[]",
    "published": _text("published_at"),
    "published_time": lambda fields: "T" in str(fields.get("published_at") or ""),
    "body": lambda fields: len(str(fields.get("body") or "")) >= BODY_CHARACTERS,
    "summary": _text("summary"),
    "image": _text("image_url"),
    "section": _text("section"),
}
"""Whether an article, as columns of the table `articles`, has each field."""


def spoken(delta: Delta) -> dict[str, bool]:
    """For which fields this visit speaks, and whether the article has them."""
    if not delta.news:
        return _comments(delta)
    new = delta.known.article_id is None
    before = {} if new else {name: has(delta.known.fields) for name, has in PRESENT.items()}
    now = {name: has(delta.fields) for name, has in PRESENT.items()}
    said = {name: has for name, has in now.items() if before.get(name) is not has}
    return said | _comments(delta) | ({ARTICLE: True} if new else {})


def _comments(delta: Delta) -> dict[str, bool]:
    """An article that had comments speaks whenever it is read: what is stored does not tell whether a page lost them
    before, as one that loads them by script proves none of them gone. A new article has none yet, which is no loss; nor
    are those that could not be read this time."""
    if not any(not comment.gone for comment in delta.known.comments.values()):
        return {}
    unread = any(cut.unit in UNREAD for cut in delta.page.cuts)
    return {COMMENTS: True} if delta.page.comments else {} if unread else {COMMENTS: False}


def refused(fetch: Fetch, before: Outcome | None) -> dict[str, bool]:
    """For which fields a rejected page speaks. `before` is what the ledger said of it; None for a page never seen.

    One without text lacks a body, and so does a stored article whose page is none any more.
    """
    if fetch.reason in NO_ARTICLE_AT_STAKE or before == "rejected":
        return {}
    stored = before in ("stored", "unchanged")
    return {ARTICLE: False, "body": False} if stored or fetch.reason == "no text" else {ARTICLE: False}


def asked(fetch: Fetch, before: Outcome | None, *, kept_out: bool) -> dict[str, bool]:
    """For what an answer without an article speaks: a page that failed before is no news when it fails again."""
    if fetch.outcome == "failed":
        return {} if before == "failed" else {LET_IN: False} if kept_out else {PAGE: False, LET_IN: True}
    if kept_out:
        return {} if before == "rejected" else {LET_IN: False}
    return {} if before else {PAGE: True, LET_IN: True}


class FieldTally:
    """The counts of one source in one run."""

    def __init__(self, *, anxious: bool = False) -> None:
        """Of a source that is `anxious`, as many of its pages failed lately, every answer counts: else nobody would see
        that it is well again."""
        self.anxious = anxious
        self.counts: dict[str, FieldCount] = {}
        self._texts: dict[tuple[str, int], str] = {}

    def add(self, delta: Delta, url: str) -> None:
        """Counts a visit. A headline or body that another page of this run had word for word is none of its own."""
        for name, has in spoken(delta).items():
            self._count(name, has and not self._repeated(name, delta, url), url)
        if self.anxious or delta.known.article_id is None:
            self._count(PAGE, True, url)
            self._count(LET_IN, True, url)

    def answer(self, fetch: Fetch, before: Outcome | None, *, kept_out: bool) -> None:
        """Counts an answer without an article; `before` is what the ledger said of its page, None for a new one."""
        said = asked(fetch, None if self.anxious else before, kept_out=kept_out)
        if fetch.outcome == "rejected":
            said |= refused(fetch, before)
        for name, has in said.items():
            self._count(name, has, fetch.url)

    def _repeated(self, name: str, delta: Delta, url: str) -> bool:
        if name not in ("headline", "body"):
            return False
        return self._texts.setdefault((name, hash(delta.fields.get(name))), url) != url

    def _count(self, name: str, has: bool, url: str) -> None:
        count = self.counts.get(name, FieldCount())
        count = replace(count, read=count.read + 1, filled=count.filled + has)
        if has:
            count = replace(count, filled_url=url)
        elif not count.missing_url:
            count = replace(count, missing_url=url)
        self.counts[name] = count
