"""What a page says about itself in JSON-LD: every block, flattened to plain nodes, and the one that is the article."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from crawler import limits
from crawler.text import words

Node = dict[str, Any]

WRAPPERS = (
    "<!--",
    "-->",
    "//<![CDATA[",
    "//]]>",
    "<![CDATA[",
    "]]>",
    "/*<![CDATA[*/",
    "/*]]>*/",
    "// <![CDATA[",
    "// ]]>",
    "//",
    ";",
)
"""What old advice puts round a script, so that browsers of another age skip it."""
SIDE_BY_SIDE = re.compile(r"}\s*{")
TRAILING_COMMA = re.compile(r",(\s*[}\]])")
NODES = 2_000
"""Nodes looked at in a page: real pages have below 200, a hostile one may have millions."""
ARTICLES = {
    "NewsArticle", "ReportageNewsArticle", "AnalysisNewsArticle", "OpinionNewsArticle", "BackgroundNewsArticle",
    "ReviewNewsArticle", "AskPublicNewsArticle", "Article", "BlogPosting", "LiveBlogPosting", "Report", "TechArticle",
    "ScholarlyArticle", "AdvertiserContentArticle", "SatiricalArticle", "DiscussionForumPosting", "SocialMediaPosting",
    "MedicalScholarlyArticle", "Review",
}  # fmt: skip
"""Types of schema.org that are one text with a headline."""
OTHERS = frozenset(
    words("comment liveBlogUpdate hasPart itemListElement mentions isRelatedTo relatedLink review citation blogPost")
)
"""Properties whose value is another text than the page's own."""
HEAVIER = {"LiveBlogPosting": 3, "Article": 1, "Review": 0, "SocialMediaPosting": 0}
"""How sure a type names the page's own article, where several stand on it; 2 for the rest."""


UPDATES, UPDATE_CHARACTERS = 2_000, 200
"""Entries of a live blog looked at, and characters of the text of each."""


class Update(NamedTuple):
    """An entry of a live blog."""

    headline: str
    text: str
    """How it begins."""
    published: str
    """Its time, as it stands."""


def nodes_in(scripts: Iterable[Any]) -> tuple[Node, ...]:
    """Every object of the JSON-LD blocks given, outer ones first. Broken blocks count as absent."""
    found: list[Node] = []
    for script in scripts:
        for node in _walk(_loaded(script.text or "")):
            found.append(node)
            if len(found) >= NODES:
                return tuple(found)
    return tuple(found)


def types(node: Node) -> set[str]:
    """The node's types, without the vocabulary's address."""
    value = node.get("@type") or ()
    values = value if isinstance(value, list) else [value]
    return {v.rpartition("/")[2] for v in values if isinstance(v, str)}


def article(found: tuple[Node, ...]) -> Node:
    """The node that speaks of the page's own article; empty without one."""
    candidates = [n for n in found if types(n) & ARTICLES]
    return max(candidates, key=_likeness, default={})


def updates(found: tuple[Node, ...]) -> tuple[Update, ...]:
    """The entries of the page's live blogs."""
    stated = [node.get("liveBlogUpdate") for node in found if "LiveBlogPosting" in types(node)]
    entries = [entry for value in stated for entry in (value if isinstance(value, list) else [value])]
    return tuple(
        Update(text(e.get("headline")), text(e.get("articleBody"))[:UPDATE_CHARACTERS], text(e.get("datePublished")))
        for e in entries[:UPDATES]
        if isinstance(e, dict)
    )


def text(value: Any) -> str:
    """A text as JSON-LD gives it: entities resolved, the first of a list, the name or value of an object."""
    if isinstance(value, str):
        return html.unescape(value) if "&" in value else value
    if isinstance(value, list):
        return next((t for v in value if (t := text(v))), "")
    if isinstance(value, dict):
        return text(value.get("name") or value.get("@value") or value.get("url") or value.get("@id"))
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _likeness(node: Node) -> tuple[int, int]:
    """How surely a node is the page's article: what it is, and how much it says."""
    said = sum(bool(node.get(k)) for k in ("headline", "datePublished", "author", "articleBody", "mainEntityOfPage"))
    return said, max((HEAVIER.get(t, 2) for t in types(node) & ARTICLES), default=0)


def _loaded(source: str) -> Any:
    """The block as a value, repaired where that is safe; None where it is not."""
    if len(source) > limits.JSON_LD_BYTES:
        return None
    for repaired in _repairs(source):
        try:
            return json.loads(repaired, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _repairs(source: str) -> Iterator[str]:
    yield source
    bare = _unwrapped(source)
    yield bare
    yield TRAILING_COMMA.sub(r"\1", bare)
    yield "[" + SIDE_BY_SIDE.sub("},{", bare) + "]"


def _unwrapped(source: str) -> str:
    bare = source.strip()
    for _ in range(3):
        for mark in WRAPPERS:
            bare = bare.removeprefix(mark).removesuffix(mark).strip()
    return bare


def _walk(value: Any) -> Iterator[Node]:
    """Objects inside a value, breadth first, so that outer ones come before those they mention."""
    level = [value]
    while level:
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                yield item
                below += [v for k, v in item.items() if isinstance(v, dict | list) and k not in OTHERS]
            elif isinstance(item, list):
                below += item
        level = below
