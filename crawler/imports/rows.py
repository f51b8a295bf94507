"""Plain comments, one a row: JSON lines, a JSON list, CSV. The columns go by many names; the table knows them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

from crawler.imports.documents import document, lines, listed, text
from crawler.imports.export import BrokenExport, Entry, Mark, Thread, in_threads, stated
from crawler.imports.markup import TAG, plain
from crawler.items import Comment, CommentKind, Moment
from crawler.moments import as_iso
from crawler.text import words
from crawler.urls import absolute

COLUMNS = {
    "text": words("text comment_text comment_content content body message comment html"),
    "author": words("author author_name comment_author name by user username"),
    "author_url": words("author_url comment_author_url website homepage"),
    "id": words("id comment_id site_id"),
    "parent": words("parent_id parent comment_parent reply_to in_reply_to parent_site_id"),
    "posted": words("posted posted_at date created created_at comment_date_gmt comment_date time timestamp published"),
    "url": words("article_url page_url post_url thread_url url link permalink page"),
    "title": words("article_title page_title post_title thread_title title headline"),
    "kind": words("kind type comment_type"),
    "mark": words("status state approved comment_approved mark"),
}
MARKS: dict[str, Mark] = {"spam": "spam", "0": "held", "hold": "held", "pending": "held", "unapproved": "held"}
DELETED = frozenset(words("trash deleted removed"))
KINDS: dict[str, CommentKind] = {"pingback": "pingback", "trackback": "trackback"}
FIELD_CHARACTERS = 8 * 1024 * 1024
"""Largest field of a CSV row."""
EPOCH_SECONDS = 10**11
"""A number beyond this counts milliseconds: in seconds it would lie in the year 5138."""


def from_lines(stream: BinaryIO, mended: list[str]) -> Iterator[Thread]:
    """Threads from one JSON object a line. Raises `BrokenExport`."""
    yield from _threads(lines(stream))


def from_list(stream: BinaryIO, mended: list[str]) -> Iterator[Thread]:
    """Threads from a JSON list, or one that stands under `comments`. Raises `BrokenExport`."""
    found: Any = document(stream)
    rows = listed(found.get("comments") if isinstance(found, dict) else found)
    yield from _threads((0, row) for row in rows)


def from_csv(stream: BinaryIO, mended: list[str]) -> Iterator[Thread]:
    """Threads from CSV with a line of column names, divided by commas, semicolons or tabs. Raises `BrokenExport`."""
    yield from _threads(_csv_rows(stream))


def _csv_rows(stream: BinaryIO) -> Iterator[tuple[int, dict[str, Any]]]:
    before = csv.field_size_limit(FIELD_CHARACTERS)
    file = io.TextIOWrapper(stream, "utf-8-sig", newline="")
    reader: Any = None
    try:
        head = file.readline()
        mark = max(",;\t", key=head.count)
        names = [name.strip().lower() for name in next(csv.reader([head], delimiter=mark), [])]
        reader = csv.reader(file, delimiter=mark, strict=True)
        for cells in reader:
            if len(cells) > len(names):
                raise BrokenExport(f"{len(cells)} fields where {len(names)} are named", reader.line_num + 1)
            if cells:
                yield reader.line_num + 1, dict(zip(names, cells, strict=False))
    except UnicodeDecodeError:
        raise BrokenExport("not UTF-8", reader.line_num + 2 if reader else 1) from None
    except csv.Error as e:
        raise BrokenExport(f"not CSV: {e}", reader.line_num + 1 if reader else 1) from None
    finally:
        csv.field_size_limit(before)
        file.detach()


def _threads(rows: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[Thread]:
    pages: dict[str, list[Entry]] = {}
    titles: dict[str, str] = {}
    for line, row in rows:
        if not any(name in row for name in COLUMNS["text"]):
            raise BrokenExport(f"no comment: none of the columns {', '.join(COLUMNS['text'])}", line)
        url = absolute(text(row, *COLUMNS["url"]), "")
        pages.setdefault(url, []).append(_entry(row, url))
        titles[url] = titles.get(url) or text(row, *COLUMNS["title"])
    for url, entries in pages.items():
        yield Thread(url=url, title=titles[url], entries=in_threads(entries))


def _entry(row: dict[str, Any], base: str) -> Entry:
    raw = text(row, *COLUMNS["text"])
    said, links, cut = plain(raw, base, lines=True) if TAG.search(raw) else (raw.strip(), (), 0)
    parent, state = text(row, *COLUMNS["parent"]), text(row, *COLUMNS["mark"]).lower()
    comment = Comment(
        text=said,
        author=text(row, *COLUMNS["author"]),
        author_url=text(row, *COLUMNS["author_url"]),
        posted=moment(text(row, *COLUMNS["posted"])),
        links=links,
        site_id=text(row, *COLUMNS["id"]),
        parent_site_id="" if parent == "0" else parent,
        kind=KINDS.get(text(row, *COLUMNS["kind"]).lower(), "comment"),
        deleted=state in DELETED or row.get("deleted") is True,
        cut=cut,
    )
    return Entry(comment=comment, mark=MARKS.get(state, ""))


def moment(raw: str) -> Moment | None:
    """A time as machines write it; a bare number counts seconds or milliseconds since 1970."""
    if not raw.isascii() or not raw.isdigit() or len(raw) < len("631152000"):
        return stated(raw)
    seconds = int(raw[:20])
    try:
        when = datetime.fromtimestamp(seconds / 1000 if seconds > EPOCH_SECONDS else seconds, UTC)
        return Moment(iso=as_iso(when), raw=raw)
    except (ValueError, OverflowError, OSError):
        return stated(raw)
