"""Where the article's text stands: the smallest element that holds it, and a copy of it without what is not text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from crawler.cleaning import blocks, live, standfirst
from crawler.cleaning.ground import Ground
from crawler.cleaning.headline import key
from crawler.cleaning.metadata import Metadata
from crawler.cleaning.page import select
from crawler.cleaning.soup import soup
from crawler.text import line

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
MARKUP = re.compile(r"<[^<>]{0,1000}>")
STATED_TIMES, LEAST_STATED = 3, 80
"""How many times longer than the text found, and than this many characters, JSON-LD's text must be to be taken."""
LEAD_BLOCKS = 4
"""Blocks at the top among which a caption belongs to the lead image."""
LEAVES = frozenset(("p", "ul", "ol", "table", "blockquote", "pre", "li", "h1", "h2", "h3"))


class Main(NamedTuple):
    """The element that holds the article's text."""

    place: int
    start: int
    """Place of the element that was taken for the article, from which the search went down."""
    why: str
    """Why that one: a name of `STARTS`, `FIRST_POST` or `RULE`."""


MARKED, NAMED_SO, ARTICLE, HEAVIEST = STARTS = ("marked", "named", "article", "heaviest")
FIRST_POST, RULE = "first post", "rules.content"


def main_block(ground: Ground, titles: frozenset[str]) -> Main | None:
    """The element that holds the article's text; None for a page without text.

    `titles` are the keys of the headline's spellings: where one stands in an `h1`, that is where the article begins.
    """
    if not any(ground.weights):
        return None
    start, why = _start(ground, titles)
    return Main(_descended(ground, start), start, why)


def _start(ground: Ground, titles: frozenset[str]) -> tuple[int, str]:
    """The element that the page itself marks as the article, else its body, and which. Of several the heaviest."""
    index, weights = ground.index, ground.weights
    total = max(weights)
    around = _around_headline(ground, titles)
    within = (0, len(weights) - 1)
    if around is not None and (
        weights[around] >= ARTICLE_SHARE * total or _in_other_articles(ground, around) > OTHERS_SHARE * total
    ):
        total, within = weights[around], (around, index.ends[around])
    least = MARKED_SHARE * total
    heavy = [p for p in range(within[1], within[0] - 1, -1) if weights[p] >= least]
    if marked := [p for p in heavy if _is_marked(index.elements[p])]:
        return max(marked, key=weights.__getitem__), MARKED
    heavy = [p for p in heavy if weights[p] >= NAMED_SHARE * total]
    if named := [p for p in heavy if NAMED.search(index.classes[p] or index.ids[p])]:
        return max(named, key=weights.__getitem__), NAMED_SO
    articles = [p for p in heavy if weights[p] >= ARTICLE_SHARE * total and index.tags[p] in ("article", "main")]
    if articles:
        return min(articles, key=weights.__getitem__), ARTICLE
    return max(heavy, key=weights.__getitem__), HEAVIEST


def _is_marked(el: Any) -> bool:
    """True when the page itself says, in microdata or RDFa, that the element is the article's body."""
    return "articleBody" in (el.get("itemprop") or el.get("property") or "")


def _around_headline(ground: Ground, titles: frozenset[str]) -> int | None:
    """The `article` element that holds the headline."""
    index = ground.index
    for h1 in index.tagged.get("h1", ()):
        if key("".join(index.elements[h1].itertext())) in titles:
            holder = next((above for above in index.chain(h1) if index.tags[above] == "article"), None)
            return holder if holder is not None and ground.weights[holder] >= LEAST_ARTICLE else None
    return None


def _in_other_articles(ground: Ground, own: int) -> float:
    """The text in `article` elements that stand neither in nor round this one."""
    index = ground.index
    others = (
        place
        for place in index.tagged.get("article", ())
        if not index.holds(own, place) and not index.holds(place, own) and index.tags[index.parents[place]] != "article"
    )
    return sum(ground.weights[place] for place in others)


def _descended(ground: Ground, place: int) -> int:
    """From an element down to the smallest that still holds nearly all of its text, and all of its own paragraphs."""
    index, weights = ground.index, ground.weights
    while True:
        children = [child for child in index.children(place) if weights[child]]
        best = max(children, key=weights.__getitem__, default=None)
        if best is None or weights[best] < DESCENT * weights[place] or index.tags[best] in LEAVES:
            return place
        if sum(weights[child] for child in children if index.tags[child] == "p") >= OWN_PARAGRAPHS:
            return place
        place = best


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
    ground: Ground | None = None
    """The page as it was seen; None for a text that does not stand on the page."""
    main: Main | None = None
    standfirst: int | None = None
    """Place of the element with the standfirst, where that stands before the main block."""


def read(ground: Ground, said: Metadata) -> Text:
    """The article's text, wherever it stands."""
    chosen = _chosen(ground)
    main = main_block(ground, _titles(said)) if chosen is None else Main(chosen, chosen, RULE)
    return Text(ground=ground) if main is None else read_block(ground, main, said)


def stated(text: str) -> Text:
    """The article's text as JSON-LD has it, for pages that leave it to a script to show."""
    lines = (line(part) for part in MARKUP.sub(" ", text).split("\n"))
    pieces = tuple(blocks.Piece(kind="paragraph", text=part, linked=0) for part in lines if part)
    return Text(pieces=pieces, size=sum(len(p.text) for p in pieces), share=1.0)


def _chosen(ground: Ground) -> int | None:
    """The element that the source's own rule names."""
    named = select(ground.parsed, ground.parsed.rules.content)
    return ground.index.places[named[0]] if named else None


def read_block(ground: Ground, main: Main, said: Metadata) -> Text:
    """The text of one element, after the standfirst that stands before it."""
    first = standfirst.find(ground, main.place, said)
    if said.live:
        live.show_times(ground, main.place)
    kept = blocks.kept(found_in(ground, main, first), _known(said))
    if said.updates:
        kept = live.dated(kept, said.updates)
    size = sum(len(p.text) for p in kept if p.kind not in ("heading", "caption"))
    share = ground.weights[main.place] / (ground.total or 1)
    caption = next((p.text for p in kept[:LEAD_BLOCKS] if p.kind == "caption"), "")
    return Text(pieces=kept, size=size, share=share, caption=caption, ground=ground, main=main, standfirst=first)


def found_in(ground: Ground, main: Main, first: int | None) -> Iterator[blocks.Piece]:
    """The pieces of the standfirst, where there is one, and of the main block: those kept and the others."""
    for place in (first, main.place):
        if place is not None:
            yield from blocks.pieces(soup(ground, place))


class Judged(NamedTuple):
    """A piece, and what became of it."""

    piece: blocks.Piece
    why: str = ""
    """Why it was left out, a name of `blocks.reasons`; none for what is kept."""
    stated: bool = False
    """True for what does not stand on the page: JSON-LD states it."""


def judged(text: Text, said: Metadata) -> Iterator[Judged]:
    """The text's pieces once more, and among them in their places those that were left out."""
    pieces = list(found_in(text.ground, text.main, text.standfirst)) if text.ground and text.main else []
    kept = iter(text.pieces)
    for piece, why in zip(pieces, blocks.reasons(pieces, _known(said)), strict=True):
        if why:
            yield Judged(piece, why)
            continue
        for each in kept:
            yield Judged(each, stated=each != piece)
            if each == piece:
                break
    yield from (Judged(each, stated=True) for each in kept)


def _known(said: Metadata) -> blocks.Known:
    authors = frozenset(map(key, said.authors))
    return blocks.Known(_titles(said), authors, live.is_time) if said.live else blocks.Known(_titles(said), authors)


def _titles(said: Metadata) -> frozenset[str]:
    """The keys of the headline's spellings."""
    return frozenset(key(h) for h in said.headlines)
