"""Remark42: its backup, one comment a line behind a line about the site, and its trees and lists as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from crawler.imports.documents import Row, document, lines, listed, text
from crawler.imports.export import Entry, Thread, in_threads, stated
from crawler.imports.markup import plain
from crawler.items import Comment
from crawler.urls import absolute


def backup(stream: BinaryIO, mended: list[str]) -> Iterator[Thread]:
    """One thread a page, from a backup. Raises `BrokenExport`."""
    yield from _threads(row for _, row in lines(stream) if "locator" in row)


def answer(stream: BinaryIO, mended: list[str]) -> Iterator[Thread]:
    """One thread a page, from what the interface answers: a tree or a list. Raises `BrokenExport`."""
    yield from _threads(_flat(document(stream)))


def _flat(tree: Any) -> Iterator[Row]:
    """The comments of a tree in reading order."""
    stack = listed(tree.get("comments"))[::-1]
    while stack:
        node = stack.pop()
        comment = node.get("comment")
        yield comment if isinstance(comment, dict) else node
        stack.extend(listed(node.get("replies"))[::-1])


def _threads(rows: Iterator[Row]) -> Iterator[Thread]:
    pages: dict[str, list[Entry]] = {}
    titles: dict[str, str] = {}
    for row in rows:
        url = _address(row.get("locator"))
        pages.setdefault(url, []).append(_entry(row))
        titles.setdefault(url, text(row, "title"))
    for url, entries in pages.items():
        yield Thread(url=url, title=titles[url], entries=in_threads(entries))


def _address(locator: Any) -> str:
    """Where the page stands. An address without a host is one of the site that the locator names."""
    return absolute(text(locator, "url"), f"https://{text(locator, 'site')}/")


def _entry(row: Row) -> Entry:
    user = row.get("user")
    said, links, cut = plain(text(row, "text"))
    comment = Comment(
        text=said,
        author=text(user, "name"),
        posted=stated(text(row, "time")),
        links=links,
        site_id=text(row, "id"),
        parent_site_id=text(row, "pid"),
        edited=bool(row.get("edit")),
        deleted=row.get("delete") is True,
        by_staff=isinstance(user, dict) and user.get("admin") is True,
        cut=cut,
    )
    return Entry(comment=comment)
