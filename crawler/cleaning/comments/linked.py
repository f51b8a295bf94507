"""Comments that a page states in JSON-LD: schema.org `Comment`, with replies inside. Read where the page shows none."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from crawler import limits
from crawler.cleaning import json_ld
from crawler.cleaning.comments.finish import absolute
from crawler.cleaning.comments.when import Order, find_time
from crawler.items import Comment, Moment
from crawler.text import line, tidy

TYPES = frozenset(("Comment", "UserComments"))
NUMBER = re.compile(r"(\d{1,20})/?$")
BREAKS = re.compile(r"<(?:br|/p|/div|/li)\b[^<>]{0,80}>", re.IGNORECASE)
Node = dict[str, Any]


def linked_comments(nodes: Iterable[Node], base: str) -> list[tuple[Comment, int | None]]:
    """Each comment among a page's JSON-LD nodes, with the index of the one it replies to, in the page's order."""
    found: list[tuple[Comment, int | None]] = []
    seen: set[int] = set()
    for node in nodes:
        if id(node) not in seen:
            _read(node, base, found, seen)
    return found


def _read(top: Node, base: str, found: list[tuple[Comment, int | None]], seen: set[int]) -> None:
    stack: list[tuple[Node, int | None]] = [(top, None)]
    while stack:
        node, parent = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if json_ld.types(node) & TYPES:
            found.append((_comment(node, base), parent))
            parent = len(found) - 1
        stack.extend((child, parent) for child in reversed(_children(node)))


def _children(node: Node) -> list[Node]:
    value = node.get("comment") or node.get("comments") or ()
    values = value if isinstance(value, list) else [value]
    return [v for v in values if isinstance(v, dict)]


def _comment(node: Node, base: str) -> Comment:
    text = _plain(json_ld.text(node.get("text") or node.get("commentText") or node.get("description")))
    author = node.get("author") or node.get("creator")
    author = author[0] if isinstance(author, list) and author else author
    url = author.get("url") if isinstance(author, dict) else ""
    return Comment(
        text=text[: limits.COMMENT_CHARACTERS],
        cut=max(len(text) - limits.COMMENT_CHARACTERS, 0),
        author=line(json_ld.text(author), limits.AUTHOR_CHARACTERS),
        author_url=absolute(url, base) if isinstance(url, str) else "",
        posted=_moment(json_ld.text(node.get("dateCreated") or node.get("datePublished") or node.get("commentTime"))),
        site_id=_id(json_ld.text(node.get("identifier") or node.get("@id") or node.get("url"))),
    )


def _plain(text: str) -> str:
    if "<" in text and ">" in text:
        with suppress(etree.ParserError, ValueError):
            text = lxml_html.fromstring(f"<div>{BREAKS.sub(chr(10), text)}</div>").text_content()
    return tidy(text).strip()


def _moment(raw: str) -> Moment | None:
    found = find_time(raw, Order.UNKNOWN)
    return found[0] if found else Moment(iso="", raw=line(raw, limits.DATE_CHARACTERS)) if raw.strip() else None


def _id(text: str) -> str:
    found = NUMBER.search(text[-60:])
    return found[1] if found else ""
