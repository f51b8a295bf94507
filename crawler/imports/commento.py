"""Commento's export: one JSON document with the comments and those who wrote them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from crawler.imports.documents import Row, document, listed, text
from crawler.imports.export import Entry, Mark, Thread, in_threads, stated
from crawler.imports.markup import plain
from crawler.items import Comment
from crawler.urls import absolute

MARKS: dict[str, Mark] = {"flagged": "spam", "unapproved": "held"}
TOP = "root"
ANONYMOUS = "anonymous"


def threads(stream: BinaryIO, mended: list[str]) -> Iterator[Thread]:
    """One thread a page. Raises `BrokenExport`."""
    found: Any = document(stream)
    people = {text(row, "commenterHex"): row for row in listed(found.get("commenters"))}
    pages: dict[str, list[Entry]] = {}
    for row in listed(found.get("comments")):
        address = absolute(text(row, "url", "path"), f"https://{text(row, 'domain')}/")
        pages.setdefault(address, []).append(_entry(row, people.get(text(row, "commenterHex"), {})))
    for url, entries in pages.items():
        yield Thread(url=url, entries=in_threads(entries))


def _entry(row: Row, person: Row) -> Entry:
    said, links, cut = plain(text(row, "html")) if row.get("html") else plain(text(row, "markdown"), lines=True)
    parent, address = text(row, "parentHex"), text(person, "link")
    comment = Comment(
        text=said,
        author=text(person, "name") or ANONYMOUS.capitalize(),
        author_url="" if address == "undefined" else address,
        posted=stated(text(row, "creationDate")),
        links=links,
        site_id=text(row, "commentHex"),
        parent_site_id="" if parent == TOP else parent,
        deleted=row.get("deleted") is True,
        by_staff=person.get("isModerator") is True,
        cut=cut,
    )
    return Entry(comment=comment, mark=MARKS.get(text(row, "state"), ""))
