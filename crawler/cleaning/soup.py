"""The main block as BeautifulSoup, built straight from the page's tree.

BeautifulSoup costs by the node. So it gets no boilerplate, no markup inside a line and no attributes that nobody reads,
and gets them from the tree that is there: nothing is written out and parsed a second time.
"""

from __future__ import annotations

from typing import Any

from bs4 import BeautifulSoup
from bs4.builder import HTMLTreeBuilder

from crawler.cleaning import boilerplate
from crawler.cleaning.ground import Ground
from crawler.text import words

INLINE = frozenset(
    words(
        "span b i em strong font u mark small big abbr acronym cite q dfn kbd samp var sub sup bdi bdo wbr ins tt data "
        "time nobr s"
    )
)
"""Elements inside a line: only their text counts."""
WRAPPERS = frozenset(words("div section article main header center ul ol dl table tbody thead tfoot"))
"""Elements that mean nothing but a new block."""
EDGES = WRAPPERS | frozenset(words("p li h1 h2 h3 h4 h5 h6 dt dd blockquote tr pre figure"))
"""Elements that begin and end a block wherever they stand."""
BREAKING = EDGES | frozenset(words("aside form nav footer fieldset dialog"))
"""Elements whose place divides the texts before and behind them, though they are left out."""
EMPTY = frozenset(words("img picture source svg iframe video audio script style noscript template input button"))
"""Elements without text of their own."""


class Builder(HTMLTreeBuilder):
    """Tells BeautifulSoup of the elements of a block, in the place of a parser."""

    NAME = "block"
    features = (NAME,)

    def __init__(self, ground: Ground, block: int) -> None:
        super().__init__(multi_valued_attributes={})
        self.ground: Ground | None = ground
        self.block = block

    def feed(self, markup: Any) -> None:
        """The block's elements in reading order. `markup` is not looked at.

        The page is let go of afterwards: BeautifulSoup's nodes hold one another and this builder until Python's
        collector comes by, and would hold the page as well.
        """
        assert self.soup is not None and self.ground is not None
        ground, self.ground = self.ground, None
        _tell(self.soup, ground, self.block)


def soup(ground: Ground, block: int) -> BeautifulSoup:
    """The element at a place of the page's index, with what of it may be the article."""
    return BeautifulSoup("\n", builder=Builder(ground, block))


def _tell(tree: BeautifulSoup, ground: Ground, block: int) -> None:
    index, open_ = ground.index, _Open(tree)
    place, last = block, index.ends[block]
    while place <= last:
        open_.close(place)
        element, tag = index.elements[place], index.tags[place]
        tail = (element.tail or "") if place != block else ""
        if place != block and (tag in EMPTY or ground.is_out(place)):
            place = index.ends[place] + 1
            if tag in BREAKING and (tail.strip() or (place <= last and index.tags[place] not in EDGES)):
                open_.begin("hr")
                open_.end("hr")
            open_.add(tail or ("" if open_.texts else " "))
            continue
        text = element.text or ""
        if name := _name(ground, place, text, tail):
            open_.begin(name, element, place)
        open_.add(text)
        open_.elements.append((index.ends[place], name, tail))
        place += 1
    open_.close(last + 1)
    open_.tell()


class _Open:
    """What BeautifulSoup is being told: the elements that have begun and not ended, and the text since."""

    def __init__(self, tree: BeautifulSoup) -> None:
        self.tree = tree
        self.elements: list[tuple[int, str, str]] = []
        """Last place, name, and the text behind each."""
        self.texts: list[str] = []
        """Not yet told; none of them empty."""

    def add(self, text: str) -> None:
        """Keep a piece of text until the next element begins or ends."""
        if text:
            self.texts.append(text)

    def tell(self, edge: str = "") -> None:
        """Tell the text since; white space alone is none beside the edge of a block."""
        text, self.texts = "".join(self.texts), []
        if text and not (edge in EDGES and text.isspace()):
            self.tree.handle_data(text)

    def begin(self, name: str, element: Any = None, place: int | None = None) -> None:
        """Begin an element; its place in the page's index is noted where BeautifulSoup notes a place in the source."""
        self.tell(name)
        attributes = {"href": element.get("href", "")} if name == "a" else {}
        self.tree.handle_starttag(name, None, None, attributes, None, place)

    def end(self, name: str) -> None:
        """End an element."""
        self.tell(name)
        self.tree.handle_endtag(name)

    def close(self, place: int) -> None:
        """End the elements that end before a place."""
        while self.elements and self.elements[-1][0] < place:
            _, name, tail = self.elements.pop()
            if name:
                self.end(name)
            self.add(tail)


def _name(ground: Ground, place: int, text: str, tail: str) -> str:
    """What BeautifulSoup is told that an element is; nothing for one that it need not know of."""
    tag = ground.index.tags[place]
    if place in ground.times:
        return "p"
    if boilerplate.is_caption(ground.index.classes[place]):
        return "figcaption"
    return "" if tag in INLINE or (tag in WRAPPERS and _only_wraps(ground, place, text, tail)) else tag


def _only_wraps(ground: Ground, place: int, text: str, tail: str) -> bool:
    """True for an element that begins and ends with another block: its own edges say nothing new."""
    index, first, final = ground.index, place + 1, ground.index.ends[place]
    if text.strip() or tail.strip() or first > final or not _is_edge(ground, first):
        return False
    while index.parents[final] != place:
        final = index.parents[final]
    return _is_edge(ground, final) and not (index.elements[final].tail or "").strip()


def _is_edge(ground: Ground, place: int) -> bool:
    return ground.index.tags[place] in EDGES and not ground.is_out(place)
