"""Where the article's text stands: the smallest element that holds it, and a copy of it without what is not text."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import Any

from lxml import etree

from crawler.cleaning import blocks, boilerplate, standfirst
from crawler.cleaning.ground import Ground
from crawler.cleaning.headline import key
from crawler.cleaning.metadata import Metadata
from crawler.cleaning.page import select
from crawler.text import line, words

NAMED = re.compile(
    r"(?:^|[\s_-])(?:article|story|post|entry|news|blog)-?(?:body|content|text|copy|detail|"
    r"details)(?:[\s_-]|$)|articlebody|"
    r"(?:^|\s)(?:rich-?text|bodytext|body-?copy)(?:\s|$)",
    re.I,
)
"""Classes by which sites name the element that holds the article's text."""
DESCENT = 0.7
"""Share of an element's text that one child must hold for the article to be in that child alone."""
POOR_SHARE = 0.12
"""Share of the page's running text below which what was taken for the article is probably not it."""
MARKED_SHARE, NAMED_SHARE, ARTICLE_SHARE = 0.25, 0.4, 0.4
"""Share of the page's text that an element must hold for its mark, its class, its tag to be believed."""
OTHERS_SHARE = 0.3
"""Share of the page's text in other `article` elements from which on the one with the headline is "
"believed, however short."""
LEAST_ARTICLE = 120
"""Bytes of running text that make an `article` element with the headline an article."""
OWN_PARAGRAPHS = 100
"""Bytes in an element's own paragraphs that keep the search from going into a child."""
INLINE = words(
    "span b i em strong font u mark small big abbr acronym cite q dfn kbd samp var sub sup bdi bdo wbr ins tt data "
    "time nobr s"
)
"""Elements inside a line: their tags go before BeautifulSoup counts them, their text stays."""
UNREAD = words("class id style rel target title dir lang itemprop itemtype itemscope role width height align data-id")
"""Attributes that have been looked at by then."""
EMPTY = words("img picture source svg iframe video audio script style noscript template input button")
"""Elements without text of their own: gone before BeautifulSoup counts them."""
MARKUP = re.compile(r"<[^<>]{0,1000}>")
STATED_TIMES, LEAST_STATED = 3, 80
"""How many times longer than the text found, and than this many characters, JSON-LD's text must be to be taken."""
LEAD_BLOCKS = 4
"""Blocks at the top among which a caption belongs to the lead image."""
LEAVES = ("p", "ul", "ol", "table", "blockquote", "pre", "li", "h1", "h2", "h3")


def main_block(ground: Ground, titles: frozenset[str]) -> Any | None:
    """The element that holds the article's text; None for a page without text.

    `titles` are the keys of the headline's spellings: where one stands in an `h1`, that is where the article begins.
    """
    if not ground.weights:
        return None
    return _descended(_start(ground, titles), ground.weights)


def _start(ground: Ground, titles: frozenset[str]) -> Any:
    """The element that the page itself marks as the article, else its body. Of several the first: others follow on."""
    weights = ground.weights
    total = max(weights.values())
    around = _around_headline(ground, titles)
    if around is not None and (
        weights[around] >= ARTICLE_SHARE * total or _in_other_articles(ground, around) > OTHERS_SHARE * total
    ):
        total = weights[around]
        weights = {el: w for el, w in weights.items() if el is around or around in el.iterancestors()}
    marked = [el for el, w in weights.items() if w >= MARKED_SHARE * total and _is_marked(el)]
    if marked:
        return max(marked, key=weights.__getitem__)
    named = [
        el
        for el, w in weights.items()
        if w >= NAMED_SHARE * total and NAMED.search(el.get("class") or el.get("id") or "")
    ]
    if named:
        return max(named, key=weights.__getitem__)
    articles = [el for el, w in weights.items() if w >= ARTICLE_SHARE * total and el.tag in ("article", "main")]
    return min(articles, key=weights.__getitem__) if articles else max(weights, key=weights.__getitem__)


def _is_marked(el: Any) -> bool:
    """True when the page itself says, in microdata or RDFa, that the element is the article's body."""
    return "articleBody" in (el.get("itemprop") or el.get("property") or "")


def _around_headline(ground: Ground, titles: frozenset[str]) -> Any | None:
    """The `article` element that holds the headline."""
    for h1 in ground.parsed.root.iter("h1"):
        if key("".join(h1.itertext())) in titles:
            holder = next((el for el in h1.iterancestors("article")), None)
            return holder if holder is not None and ground.weights.get(holder, 0) >= LEAST_ARTICLE else None
    return None


def _in_other_articles(ground: Ground, own: Any) -> float:
    others = (
        el
        for el in ground.weights
        if el.tag == "article" and own not in el.iterancestors() and el not in own.iterancestors() and el is not own
    )
    return sum(ground.weights[el] for el in others if el.getparent().tag != "article")


def _descended(el: Any, weights: dict[Any, float]) -> Any:
    """From an element down to the smallest that still holds nearly all of its text, and all of its own paragraphs."""
    while True:
        children = [child for child in el if child in weights]
        best = max(children, key=weights.__getitem__, default=None)
        if best is None or weights[best] < DESCENT * weights[el] or best.tag in LEAVES:
            return el
        if sum(weights[child] for child in children if child.tag == "p") >= OWN_PARAGRAPHS:
            return el
        el = best


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """The article's text as blocks."""

    pieces: tuple[blocks.Piece, ...] = ()
    size: int = 0
    """Characters in paragraphs, items and quotes."""
    share: float = 0.0
    """Share of the page's running text that stands in the block."""
    caption: str = ""
    """What stands under the first picture, where that comes before the text is well under way."""


def read(ground: Ground, said: Metadata) -> Text:
    """The article's text, wherever it stands."""
    titles = frozenset(key(h) for h in said.headlines)
    chosen = _chosen(ground)
    block = chosen if chosen is not None else main_block(ground, titles)
    return Text() if block is None else read_block(ground, block, said)


def stated(text: str) -> Text:
    """The article's text as JSON-LD has it, for pages that leave it to a script to show."""
    lines = (line(part) for part in MARKUP.sub(" ", text).split("\n"))
    pieces = tuple(blocks.Piece(kind="paragraph", text=part, linked=0) for part in lines if part)
    return Text(pieces=pieces, size=sum(len(p.text) for p in pieces), share=1.0)


def _chosen(ground: Ground) -> Any | None:
    """The element that the source's own rule names."""
    return next(iter(select(ground.parsed, ground.parsed.rules.content)), None)


def read_block(ground: Ground, block: Any, said: Metadata) -> Text:
    """The text of one element, after the standfirst that stands before it."""
    first = standfirst.find(ground, block, said.summary)
    parts = [el for el in (first, block) if el is not None]
    found = [p for el in parts for p in blocks.pieces(blocks.soup(pruned(ground, el)), ground.parsed.base)]
    kept = blocks.kept(found, frozenset(key(h) for h in said.headlines))
    size = sum(len(p.text) for p in kept if p.kind not in ("heading", "caption"))
    share = ground.weights.get(block, 0) / (ground.total or 1)
    caption = next((p.text for p in kept[:LEAD_BLOCKS] if p.kind == "caption"), "")
    return Text(pieces=kept, size=size, share=share, caption=caption)


def pruned(ground: Ground, block: Any) -> Any:
    """A copy of the block without boilerplate, comment regions and inline markup."""
    twin = copy.deepcopy(block)
    twin.tail = None
    dropped = []
    for o, t in zip(block.iter(), twin.iter(), strict=True):
        if o is not block and ground.is_out(o):
            dropped.append(t)
        elif boilerplate.is_caption(o):
            t.tag = "figcaption"
    for el in dropped:
        if el.getparent() is not None:
            _drop(el)
    etree.strip_elements(twin, *EMPTY, with_tail=False)
    etree.strip_tags(twin, *INLINE)
    etree.strip_attributes(twin, *UNREAD)
    return twin


def _drop(el: Any) -> None:
    """Takes an element out of its tree; the text after it stays."""
    parent, before = el.getparent(), el.getprevious()
    if el.tail:
        if before is not None:
            before.tail = (before.tail or "") + el.tail
        else:
            parent.text = (parent.text or "") + el.tail
    parent.remove(el)
