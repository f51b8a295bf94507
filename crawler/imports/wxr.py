"""WordPress eXtended RSS, the file that Tools → Export writes: one `item` for each post, its comments inside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from crawler.imports.export import Entry, Mark, Thread, in_threads, in_utc, stated
from crawler.imports.markup import plain
from crawler.imports.xml import elements, texts
from crawler.items import Comment, CommentKind, CommentsState, Moment
from crawler.urls import absolute
from crawler.xml import local

MARKS: dict[str, Mark] = {"spam": "spam", "0": "held", "hold": "held"}
KINDS: dict[str, CommentKind] = {"pingback": "pingback", "trackback": "trackback"}
STATES: dict[str, CommentsState] = {"open": "open", "closed": "closed"}
ITEMS = frozenset(("item",))
BESIDE = frozenset(("order_note", "webhook_delivery", "action_log"))
"""Types of rows that shops keep among the comments and no reader wrote."""


def threads(stream: BinaryIO, mended: list[str]) -> Iterator[Thread]:
    """One thread a post. Raises `BrokenExport`."""
    for item in elements(stream, ITEMS, mended):
        said = texts(item)
        url = absolute(said.get("link") or said.get("guid", ""), "")
        entries = (_entry(child, url) for child in item if local(child) == "comment")
        yield Thread(
            url=url,
            title=said.get("title", ""),
            published=in_utc(said.get("post_date_gmt", "")) or stated(said.get("pubdate", "")),
            state=STATES.get(said.get("comment_status", ""), "unknown"),
            entries=in_threads(entry for entry in entries if entry),
        )


def _entry(element: Any, base: str) -> Entry | None:
    said = texts(element)
    if said.get("comment_type") in BESIDE:
        return None
    text, links, cut = plain(said.get("comment_content", ""), base, lines=True)
    parent = said.get("comment_parent", "")
    approved = said.get("comment_approved", "1")
    comment = Comment(
        text=text,
        author=said.get("comment_author", ""),
        author_url=said.get("comment_author_url", ""),
        posted=_posted(said),
        links=links,
        site_id=said.get("comment_id", ""),
        parent_site_id="" if parent == "0" else parent,
        kind=KINDS.get(said.get("comment_type", ""), "comment"),
        deleted=approved == "trash",
        cut=cut,
    )
    return Entry(comment=comment, mark=MARKS.get(approved, ""))


def _posted(said: dict[str, str]) -> Moment | None:
    return in_utc(said.get("comment_date_gmt", "")) or stated(said.get("comment_date", ""))
