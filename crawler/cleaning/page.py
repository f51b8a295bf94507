"""The parse, once. Metadata, body and comments all read from this tree; nothing parses a page twice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urljoin, urlsplit

from cssselect import SelectorError
from lxml import etree
from lxml.cssselect import CSSSelector

from crawler import limits
from crawler.cleaning import json_ld
from crawler.cleaning.charsets import decoded
from crawler.cleaning.comments.hoist import hoisted
from crawler.cleaning.index import Index, index_of
from crawler.items import Cut, Rejected
from crawler.markup import shallower, within_limits
from crawler.source import Rules
from crawler.text import NOT_XML, tidy

MARKUP = re.compile(r"<(?:!doctype\s+html|html|head|body|div|p|a|h1|title|article|meta|table|br|span)\b", re.I)
FEED = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,2000}?-->\s*|<\?[^>]{0,500}>\s*){0,9}<(?:rss|feed|urlset|"
    r"sitemapindex|rdf:RDF|opml)\b",
    re.I | re.S,
)
"""How feeds and sitemaps begin."""
PLAIN = re.compile(r"https?://[a-zA-Z0-9.-]+/[!#-;=?-Z_a-z~]*+")
"""An absolute address as nearly all are, with nothing in it to repair."""
DEEP = etree.XPath("/*" * limits.DEPTH)
"""The elements at the limit of depth."""
MAGIC = (b"%PDF-", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"PK\x03\x04", b"\x1f\x8b")
"""First bytes of what is served as a page by mistake: PDF, images, archives."""
NOT_TEXT_SHARE = 0.1
"""Control characters among all characters from which on bytes are no text."""


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """A page as a tree."""

    url: str
    """Where it was fetched from; may be empty."""
    base: str
    """What relative addresses are relative to: `<base href>` or the URL."""
    root: Any
    """The lxml element of `<html>`. Read it; change nothing in it."""
    index: Index
    """Its elements, numbered."""
    rules: Rules
    cuts: tuple[Cut, ...] = ()
    """What the limits on markup left out."""

    @cached_property
    def nodes(self) -> tuple[json_ld.Node, ...]:
        """What the page says of itself in JSON-LD."""
        return json_ld.nodes_in(el for el in self.index.by_tag("script") if "ld+json" in (el.get("type") or "").lower())


def parse(html: bytes, url: str, rules: Rules) -> Parsed | Rejected:
    """The page's bytes as a tree, or why they are none."""
    if html.startswith(MAGIC):
        return Rejected(reason="not html", detail="a file of another kind")
    text, is_utf8 = decoded(html)
    if FEED.match(text):
        return Rejected(reason="not html", detail="a feed or sitemap")
    if not MARKUP.search(text):
        return Rejected(reason="not html", detail="no markup" if text.strip() else "empty")
    bounded, cuts = within_limits(text)
    root = _tree(html if is_utf8 and bounded is text else _utf8(bounded))
    index = None if root is None else index_of(root)
    if index and index.depth >= limits.DEPTH:
        index, deeper = _made_shallow(bounded)
        cuts += deeper
    if index is None:
        return Rejected(reason="not html", detail="nothing but markup")
    stated = next((el.get("href", "") for el in index.by_tag("base")), "")
    base = absolute(stated, url) or url
    return Parsed(url=url, base=base, root=index.elements[0], index=index, rules=rules, cuts=cuts)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _tree(html: bytes) -> Any | None:
    """The markup, in UTF-8, as a tree; None where there is nothing to make one of."""
    parser = etree.HTMLParser(
        encoding="utf-8", huge_tree=True, remove_pis=True, remove_comments=True, collect_ids=False
    )
    try:
        return etree.fromstring(html, parser=parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _made_shallow(text: str) -> tuple[Index | None, tuple[Cut, ...]]:
    """The elements of markup that is nested too deep: replies beside what they answer, the rest flattened."""
    text = hoisted(text)
    root = _tree(_utf8(text))
    cuts: tuple[Cut, ...] = ()
    if root is not None and DEEP(root):
        text, cuts = shallower(text)
        root = _tree(_utf8(text))
    if root is None:
        return None, cuts
    cuts += _flattened(root)
    return index_of(root), cuts


def select(parsed: Parsed, css: str) -> list[Any]:
    """The elements that a source's rule names, in the page's order; none for an empty or a wrong rule."""
    if not css:
        return []
    try:
        return list(CSSSelector(css, translator="html")(parsed.root))
    except (SelectorError, etree.XPathError, RecursionError):
        return []


def absolute(address: str, base: str) -> str:
    """The address as an absolute http(s) URL within the limit; empty where it is none."""
    try:
        bare = address.strip()
        if PLAIN.fullmatch(bare):
            return bare if len(bare) <= limits.URL_CHARACTERS else ""
        joined = tidy(bare if bare.startswith(("https://", "http://")) else urljoin(base, bare))
        parts = urlsplit(joined)
        usable = parts.scheme in ("http", "https") and parts.hostname
    except ValueError:
        return ""
    return joined if usable and len(joined) <= limits.URL_CHARACTERS else ""


def _flattened(root: Any) -> tuple[Cut, ...]:
    """Elements nested deeper than the limit become plain text of the element at the limit."""
    deep = [el for el in DEEP(root) if len(el)]
    for el in deep:
        text = " ".join(part for part in el.itertext() if part.strip())
        del el[:]
        el.text = NOT_XML.sub("", text)
    return (Cut(limit="DEPTH", kept=limits.DEPTH, left_out=len(deep), unit="elements"),) if deep else ()
