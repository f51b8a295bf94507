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
from crawler.cleaning.charsets import decode
from crawler.cleaning.comments.hoist import hoisted
from crawler.cleaning.index import Index, index_of
from crawler.items import Cut, Rejected
from crawler.source import Rules
from crawler.text import tidy, words

TAG = re.compile(r"<[a-zA-Z]")
NAMED = r"[^\s/>=]++(?:\s*+=\s*+(?:\"[^\"]*+\"?|'[^']*+'?|[^\s>]*+))?"
ATTRIBUTE = rf"(?:[\s/]++(?:{NAMED})?|(?<=[\"']){NAMED})"
"""White space and what follows on it; right behind a quoted value none is needed."""
LONG_TAG = re.compile(rf"<[a-zA-Z][^\s/>]*+(?:(?=({ATTRIBUTE}))\1){{{limits.ATTRIBUTES_A_TAG}}}")
"""A tag with more attributes than the limit, as HTML's tokenizer reads them. Each is looked ahead for and then taken
whole, so that no attribute is ever read in two ways: linear."""
REST_OF_TAG = re.compile(r"(?:\"[^\"]*+\"|'[^']*+'|[^>\"']++)*")
RAW = re.compile(r"<(script|style|textarea)\b.*?(?:</\1|\Z)|<!--.*?(?:-->|\Z)", re.I | re.S)
MARKUP = re.compile(r"<(?:!doctype\s+html|html|head|body|div|p|a|h1|title|article|meta|table|br|span)\b", re.I)
FEED = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,2000}?-->\s*|<\?[^>]{0,500}>\s*){0,9}<(?:rss|feed|urlset|"
    r"sitemapindex|rdf:RDF|opml)\b",
    re.I | re.S,
)
"""How feeds and sitemaps begin."""
BASE = etree.XPath("string(//base/@href)")
MARK = re.compile(
    r"<(?:script|style|textarea)\b.*?(?:</(?:script|style|textarea)\s*>|\Z)|<!--.*?(?:-->|\Z)|"
    r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^>]*>",
    re.I | re.S,
)
VOID = frozenset(words("area base br col embed hr img input link meta param source track wbr"))
"""Elements without an end tag."""
DEEP = etree.XPath("/*" * limits.DEPTH)
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
    rules: Rules
    cuts: tuple[Cut, ...] = ()
    """What the limits on markup left out."""

    @cached_property
    def index(self) -> Index:
        """The page's elements, numbered."""
        return index_of(self.root)


def parse(html: bytes, url: str, rules: Rules) -> Parsed | Rejected:
    """The page's bytes as a tree, or why they are none."""
    if html.startswith(MAGIC):
        return Rejected(reason="not html", detail="a file of another kind")
    text = decode(html)
    if FEED.match(text):
        return Rejected(reason="not html", detail="a feed or sitemap")
    if not MARKUP.search(text):
        return Rejected(reason="not html", detail="no markup" if text.strip() else "empty")
    text, cuts = _within_limits(text)
    root = _tree(text)
    if root is not None and DEEP(root):
        text = hoisted(text)
        root = _tree(text)
    if root is not None and DEEP(root):
        text, depth = _shallower(text)
        root, cuts = _tree(text), cuts + depth
    if root is None:
        return Rejected(reason="not html", detail="nothing but markup")
    cuts += _flattened(root)
    return Parsed(url=url, base=absolute(BASE(root), url) or url, root=root, rules=rules, cuts=cuts)


def _tree(text: str) -> Any | None:
    """The markup as a tree; None where there is nothing to make one of."""
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, remove_pis=True, remove_comments=True)
    try:
        return etree.fromstring(text.encode("utf-8", "replace").replace(b"\0", b""), parser=parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def select(parsed: Parsed, css: str) -> list[Any]:
    """The elements that a source's rule names, in the page's order; none for an empty or a wrong rule."""
    if not css:
        return []
    try:
        return list(CSSSelector(css, translator="html")(parsed.root))
    except (SelectorError, etree.XPathError):
        return []


def absolute(address: str, base: str) -> str:
    """The address as an absolute http(s) URL within the limit; empty where it is none."""
    try:
        bare = address.strip()
        joined = tidy(bare if bare.startswith(("https://", "http://")) else urljoin(base, bare))
        parts = urlsplit(joined)
        usable = parts.scheme in ("http", "https") and parts.hostname
    except ValueError:
        return ""
    return joined if usable and len(joined) <= limits.URL_CHARACTERS else ""


def _within_limits(text: str) -> tuple[str, tuple[Cut, ...]]:
    """The markup without what would make the parser slow, and what was left out."""
    text, tags = _fewer_tags(text)
    text, attributes = _fewer_attributes(text)
    return text, tags + attributes


def _fewer_tags(text: str) -> tuple[str, tuple[Cut, ...]]:
    if text.count("<") <= limits.TAGS:
        return text, ()
    starts = [m.start() for m in TAG.finditer(text)]
    if len(starts) <= limits.TAGS:
        return text, ()
    cut = Cut(limit="TAGS", kept=limits.TAGS, left_out=len(starts) - limits.TAGS, unit="tags")
    return text[: starts[limits.TAGS]], (cut,)


def _fewer_attributes(text: str) -> tuple[str, tuple[Cut, ...]]:
    if not LONG_TAG.search(text):
        return text, ()
    raw = {m.start(): m.end() for m in RAW.finditer(text)}
    kept, at, left_out = [], 0, 0
    spans = sorted(raw.items())
    for start, end in [*spans, (len(text), len(text))]:
        piece, dropped = _shortened(text[at:start])
        kept += [piece, text[start:end]]
        at, left_out = end, left_out + dropped
    cut = Cut(limit="ATTRIBUTES_A_TAG", kept=limits.ATTRIBUTES_A_TAG, left_out=left_out, unit="characters")
    return "".join(kept), (cut,) if left_out else ()


def _shortened(markup: str) -> tuple[str, int]:
    """Markup outside scripts with the tags too long cut short, and the number of characters dropped."""
    kept, at, dropped = [], 0, 0
    while match := LONG_TAG.search(markup, at):
        rest = REST_OF_TAG.match(markup, match.end())
        end = rest.end() if rest else match.end()
        kept.append(markup[at : match.end()])
        dropped, at = dropped + end - match.end(), end
    return "".join([*kept, markup[at:]]), dropped


def _flattened(root: Any) -> tuple[Cut, ...]:
    """Elements nested deeper than the limit become plain text of the element at the limit."""
    deep = [el for el in DEEP(root) if len(el)]
    for el in deep:
        text = " ".join(part for part in el.itertext() if part.strip())
        del el[:]
        el.text = text
    return (Cut(limit="DEPTH", kept=limits.DEPTH, left_out=len(deep), unit="elements"),) if deep else ()


def _shallower(text: str) -> tuple[str, tuple[Cut, ...]]:
    """The markup without the tags that stand deeper than the limit, and how many those are.

    The text stays: libxml2 would drop what stands below 2,048 levels and all that comes after it.
    """
    kept, depth, at, left_out = [], 0, 0, 0
    for match in re.finditer(MARK, text):
        closing, name = match[1], match[2]
        if not name or name.lower() in VOID:
            continue
        depth += -1 if closing else 1
        if depth + bool(closing) > limits.DEPTH:
            kept.append(text[at : match.start()])
            at, left_out = match.end(), left_out + 1
        depth = max(depth, 0)
    cut = Cut(limit="DEPTH", kept=limits.DEPTH, left_out=left_out, unit="tags")
    return " ".join(part for part in (*kept, text[at:]) if part), (cut,) if left_out else ()
