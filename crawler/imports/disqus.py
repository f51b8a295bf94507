"""Disqus's export: first the threads, each the page of an article, then the posts, each with its thread's number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO

from crawler.imports.export import Entry, Thread, in_threads, stated
from crawler.imports.markup import plain
from crawler.imports.xml import elements, texts
from crawler.items import Comment
from crawler.urls import absolute
from crawler.xml import local

PARTS = frozenset(("thread", "post"))
NOWHERE = ""


def threads(stream: BinaryIO, mended: list[str]) -> Iterator[Thread]:
    """One thread a page, those of the same address as one; posts whose thread is not there come last, under no
    address. Raises `BrokenExport`."""
    known: dict[str, Thread] = {}
    posts: dict[str, list[Entry]] = {}
    for element in elements(stream, PARTS, mended):
        if local(element) == "thread":
            known[_number(element)] = _thread(element)
        else:
            posts.setdefault(_named(element, "thread"), []).append(_entry(element))
    homeless = [entry for number, entries in posts.items() if number not in known for entry in entries]
    pages: dict[str, tuple[Thread, list[Entry]]] = {}
    for number, thread in known.items():
        pages.setdefault(thread.url, (thread, []))[1].extend(posts.get(number, []))
    for thread, entries in pages.values():
        yield replace(thread, entries=in_threads(entries))
    yield Thread(url=NOWHERE, entries=in_threads(homeless))


def _thread(element: Any) -> Thread:
    said = texts(element)
    return Thread(
        url=absolute(said.get("link", ""), "") or absolute(said.get("id", ""), ""),
        title=said.get("title", ""),
        state="closed" if said.get("isclosed") == "true" else "open",
    )


def _entry(element: Any) -> Entry:
    said = texts(element)
    author = next((child for child in element if local(child) == "author"), None)
    text, links, cut = plain(said.get("message", ""))
    comment = Comment(
        text=text,
        author="" if author is None else texts(author).get("name", ""),
        posted=stated(said.get("createdat", "")),
        links=links,
        site_id=_number(element),
        parent_site_id=_named(element, "parent"),
        deleted=said.get("isdeleted") == "true",
        cut=cut,
    )
    return Entry(comment=comment, mark="spam" if said.get("isspam") == "true" else "")


def _number(element: Any) -> str:
    """The value of `dsq:id`."""
    return next((str(v) for k, v in element.attrib.items() if k.rpartition("}")[2].rpartition(":")[2] == "id"), "")


def _named(element: Any, name: str) -> str:
    return next((_number(child) for child in element if local(child) == name), "")
