"""Items of Hacker News as its Firebase interface gives them: one a file, or one a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from crawler.imports.documents import Row, document, lines, text
from crawler.imports.export import Entry, Thread, in_threads
from crawler.imports.markup import plain
from crawler.imports.rows import moment
from crawler.items import Comment

ITEM = "https://news.ycombinator.com/item?id="


def one(stream: BinaryIO, mended: list[str]) -> Iterator[Thread]:
    """The thread of a single item. Raises `BrokenExport`."""
    found: Any = document(stream)
    yield from _threads((found,))


def many(stream: BinaryIO, mended: list[str]) -> Iterator[Thread]:
    """The threads of items, one a line. Raises `BrokenExport`."""
    yield from _threads(row for _, row in lines(stream))


def _threads(rows: Iterable[Row]) -> Iterator[Thread]:
    """A comment says only what it replies to: the topmost that is known of is taken for the article."""
    listed = list(rows)
    above = {text(row, "id"): text(row, "parent") for row in listed if row.get("type") == "comment"}
    titles = {text(row, "id"): text(row, "title") for row in listed if row.get("type") != "comment"}
    tops: dict[str, str] = {}
    pages: dict[str, list[Entry]] = {}
    for row in listed:
        if row.get("type") == "comment":
            pages.setdefault(_top(text(row, "id"), above, tops), []).append(_entry(row))
    for top, entries in pages.items():
        yield Thread(url=f"{ITEM}{top}" if top else "", title=titles.get(top, ""), entries=in_threads(entries))


def _top(id: str, above: dict[str, str], tops: dict[str, str]) -> str:
    """The end of the way up. Every step is taken once; a circle ends where it closes."""
    way: dict[str, None] = {}
    while id in above and id not in tops and id not in way:
        way[id] = None
        id = above[id]
    top = tops.get(id, id)
    tops.update(dict.fromkeys(way, top))
    return top


def _entry(row: Row) -> Entry:
    said, links, cut = plain(text(row, "text"), ITEM)
    comment = Comment(
        text=said,
        author=text(row, "by"),
        posted=moment(text(row, "time")),
        links=links,
        site_id=text(row, "id"),
        parent_site_id=text(row, "parent"),
        deleted=row.get("deleted") is True or row.get("dead") is True,
        cut=cut,
    )
    return Entry(comment=comment)
