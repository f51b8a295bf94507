"""What wrote a file, told from its beginning, and the file read as that."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, BinaryIO, NamedTuple

from crawler import limits
from crawler.imports import blogger, commento, disqus, hackernews, remark42, rows, wxr
from crawler.imports.export import BrokenExport, Export, Thread, in_threads
from crawler.imports.streams import rejoined
from crawler.text import HALF
from crawler.urls import normal

Reader = Callable[[BinaryIO, list[str]], Iterator[Thread]]


class Format(NamedTuple):
    """A kind of export: what people call it, and what reads it."""

    name: str
    read: Reader


XML_FORMATS = (
    (re.compile(rb"wordpress\.org/export/\d"), Format("WordPress", wxr.threads)),
    (re.compile(rb"<disqus\b"), Format("Disqus", disqus.threads)),
    (re.compile(rb"<(?:\w+:)?feed\b[^>]*http://www\.w3\.org/2005/Atom"), Format("Blogger", blogger.threads)),
)
"""A mark in the file's beginning, and what it means."""

HN_TYPES = ("comment", "story", "poll", "job")
Fits = Callable[[dict[str, Any]], bool]
DOCUMENTS: tuple[tuple[Fits, Format], ...] = (
    (lambda d: "commenters" in d and "comments" in d, Format("Commento", commento.threads)),
    (lambda d: _is_remark(d), Format("Remark42", remark42.answer)),
    (lambda d: d.get("type") in HN_TYPES and "id" in d and "time" in d, Format("Hacker News", hackernews.one)),
    (lambda d: isinstance(d.get("comments"), list), Format("JSON", rows.from_list)),
)
"""For a file that is one JSON object."""

LINES: tuple[tuple[Fits, Format], ...] = (
    (lambda d: "locator" in d or {"version", "users"} <= d.keys(), Format("Remark42", remark42.backup)),
    (lambda d: d.get("type") in HN_TYPES and "by" in d and "time" in d, Format("Hacker News", hackernews.many)),
    (lambda d: any(name in d for name in rows.COLUMNS["text"]), Format("JSON lines", rows.from_lines)),
)
"""For the first of many JSON objects, one a line."""

LIST = Format("JSON", rows.from_list)
CSV = Format("CSV", rows.from_csv)
HTTP_HEAD = re.compile(rb"HTTP/\d(?:\.\d)? \d{3}[^\n]*\n(?:[^\r\n]+\r?\n)*\r?\n")
"""A response saved with its header."""
JUNK = 16
"""Stray bytes before the first tag that are passed over: byte order marks, a quotation mark left by a script."""
KNOWN = "WordPress, Disqus, Blogger, Remark42, Commento, Hacker News, JSON, JSON lines and CSV"


def read_export(stream: BinaryIO) -> Export:
    """The whole file. Raises `BrokenExport` with the line when it is damaged, or says that it is no export at all."""
    start = stream.read(limits.EXPORT_HEAD_BYTES)
    if header := HTTP_HEAD.match(start):
        start = start[header.end() :]
    form = format_of(start, whole=len(start) < limits.EXPORT_HEAD_BYTES)
    mended: list[str] = []
    pages: dict[str, list[Thread]] = {}
    unplaced = 0
    try:
        for thread in form.read(rejoined(start, stream), mended):
            if thread.url and thread.entries:
                pages.setdefault(normal(thread.url) or thread.url, []).append(thread)
            else:
                unplaced += len(thread.entries)
    except UnicodeDecodeError:
        raise BrokenExport(HALF) from None
    threads = tuple(_as_one(parts) for parts in pages.values())
    return Export(kind=form.name, threads=threads, unplaced=unplaced, mended=tuple(mended))


def _as_one(parts: list[Thread]) -> Thread:
    """Threads under one address; the first one's title."""
    if len(parts) == 1:
        return parts[0]
    return replace(parts[0], entries=in_threads(entry for thread in parts for entry in thread.entries))


def format_of(start: bytes, *, whole: bool) -> Format:
    """What wrote the file that begins like this. `whole`: there is no more of it. Raises `BrokenExport`."""
    head = start.replace(b"\0", b"").lstrip(b"\xff\xfe\xef\xbb\xbf \t\r\n")
    if b"<" in head[:JUNK]:
        found: Format | None = next((form for mark, form in XML_FORMATS if mark.search(head)), None)
    elif head[:1] == b"[":
        found = LIST
    elif head[:1] == b"{":
        found = _json_format(head, whole=whole)
    else:
        found = _csv_format(head)
    if found is None:
        raise BrokenExport(f"not an export that watchfloor knows: {KNOWN}", 1)
    return found


def _json_format(head: bytes, *, whole: bool) -> Format | None:
    first, _, more = head.partition(b"\n")
    row = _object(first)
    if row is not None and (more.strip() or not whole):
        return next((form for fits, form in LINES if fits(row)), None)
    row = row if row is not None else _object(head)
    if row is None:
        row = dict.fromkeys(re.findall(r'"(\w{1,40})"\s*:', head.decode("utf-8", "replace")))
        row["comments"] = [row] if "comments" in row else None
    lone = next((form for fits, form in LINES if fits(row)), None)
    return next((form for fits, form in DOCUMENTS if fits(row)), lone)


def _is_remark(found: dict[str, Any]) -> bool:
    """A tree has each comment under `comment`, a list has them bare; a comment says its page in `locator`."""
    first = next(iter(found["comments"]), None) if isinstance(found.get("comments"), list) else None
    inner = first.get("comment", first) if isinstance(first, dict) else None
    return "locator" in (inner if isinstance(inner, dict) else first or {})


def _csv_format(head: bytes) -> Format | None:
    names = re.split(r"[,;\t]", head.partition(b"\n")[0].decode("utf-8", "replace").lower())
    columns = {name.strip(" \"'\r") for name in names}
    return CSV if len(columns) > 1 and columns & set(rows.COLUMNS["text"]) else None


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
