"""A page's running text, weighed: how much of it stands below each element, and what is out from the start."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from crawler.cleaning import boilerplate
from crawler.cleaning.page import Parsed, select
from crawler.text import words

PIECES = etree.XPath(
    "//body//text()[string-length(.) > 12][not(parent::a or parent::script or parent::style or parent::noscript)]"
)
"""Pieces of text worth a look. The shortest hold twelve characters: in Chinese that is a sentence."""
LEAST_PIECE = 25
"""Bytes of UTF-8 that make a piece of text one that runs: a Chinese character says what three letters say."""
FULL_PIECE = 400
"""Bytes from which on a piece of text counts no more: one long footer must not outweigh ten paragraphs."""
LISTED = 0.4
"""What text in a list, a table or a heading counts beside text in a paragraph: menus and teasers are lists too."""
LIGHT = frozenset(words("li td th dd dt h1 h2 h3 h4 h5 h6 figcaption figure summary"))
LIGHT_LEVELS, LINK_LEVELS = 3, 4
"""How many elements round a piece are looked at for a list, and for a link."""
SPARED = 0.45
"""Share of the page's text from which on an element is kept though its class speaks against it."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A piece of running text."""

    weight: float
    holder: Any
    """The element it stands in."""
    text: str


@dataclass(slots=True)
class Ground:
    """A page's text by element."""

    parsed: Parsed
    regions: frozenset[Any]
    """Elements that are no part of the article, whatever they hold."""
    trusting: bool = False
    """True to keep what is out by its class alone: for pages whose classes mean nothing."""
    pieces: list[Weighed] = field(default_factory=list)
    raw: dict[Any, float] = field(default_factory=dict)
    """Bytes below each element, whatever its class."""
    weights: dict[Any, float] = field(default_factory=dict)
    """Bytes below each element that are not in boilerplate."""
    total: float = 0.0
    """All running text of the page."""
    parents: dict[Any, Any] = field(default_factory=dict)
    own_out: dict[Any, bool] = field(default_factory=dict)
    all_out: dict[Any, bool] = field(default_factory=dict)

    def chain(self, el: Any) -> Iterator[Any]:
        """The element and those round it, from the inside out."""
        while el is not None:
            yield el
            if el not in self.parents:
                self.parents[el] = el.getparent()
            el = self.parents[el]

    def is_out(self, el: Any) -> bool:
        """True when the element itself is no part of an article."""
        known = self.own_out.get(el)
        if known is None:
            known = self.own_out[el] = self._judge(el)
        return known

    def within_out(self, el: Any) -> bool:
        """True when the element or one round it is no part of an article."""
        return _inherited(el, self.all_out, self.chain(el), self.is_out)

    def _judge(self, el: Any) -> bool:
        if el in self.regions:
            return True
        verdict = boilerplate.verdict(el)
        if verdict != "unlikely" or (self.trusting and el.tag not in boilerplate.DOUBTFUL_TAGS):
            return verdict == "never"
        return self.raw.get(el, 0) < SPARED * self.total or (el.tag == "footer" and el.find(".//h1") is None)


def survey(parsed: Parsed, regions: frozenset[Any], *, trusting: bool = False) -> Ground:
    """The page's running text by element. Linear in the size of the page."""
    removed = frozenset(select(parsed, parsed.rules.remove))
    ground = Ground(parsed=parsed, regions=regions | removed, trusting=trusting)
    dropped: dict[Any, bool] = {}
    for text in PIECES(parsed.root):
        piece = _weighed(ground, text)
        if piece and not _inherited(piece.holder, dropped, ground.chain(piece.holder), _is_dropped):
            ground.pieces.append(piece)
    ground.raw = _summed(ground, ground.pieces)
    ground.total = max(ground.raw.values(), default=0.0)
    ground.weights = _summed(ground, (p for p in ground.pieces if not ground.within_out(p.holder)))
    return ground


def _is_dropped(el: Any) -> bool:
    return el.tag in boilerplate.DROPPED_TAGS


def _inherited(el: Any, known: dict[Any, bool], chain: Iterable[Any], judge: Any) -> bool:
    """Whether a verdict holds for an element or one round it; each element is asked once."""
    asked = []
    verdict = False
    for above in chain:
        if above in known:
            verdict = known[above]
            break
        asked.append(above)
    for below in reversed(asked):
        verdict = known[below] = verdict or judge(below)
    return verdict


def _weighed(ground: Ground, text: Any) -> Weighed | None:
    """The piece with its weight; None for link text and for what is too short to run."""
    bare = text.strip()
    size = min(len(bare) if bare.isascii() else len(bare.encode("utf-8", "replace")), FULL_PIECE)
    if size < LEAST_PIECE:
        return None
    holder = text.getparent()
    holder = holder.getparent() if text.is_tail else holder
    tags = []
    for el in ground.chain(holder):
        tags.append(el.tag)
        if len(tags) >= LINK_LEVELS:
            break
    if not tags or "a" in tags:
        return None
    light = not LIGHT.isdisjoint(tags[:LIGHT_LEVELS])
    return Weighed(size * (LISTED if light else 1.0), holder, text)


def _summed(ground: Ground, pieces: Iterable[Weighed]) -> dict[Any, float]:
    """The weight below each element: every element hands its sum to its parent once, the deepest first."""
    sums: dict[Any, float] = defaultdict(float)
    depths: dict[Any, int] = {}
    for piece in pieces:
        sums[piece.holder] += piece.weight
        _note_depths(ground, piece.holder, depths)
    for el in sorted(depths, key=depths.__getitem__, reverse=True):
        parent = ground.parents.get(el)
        if parent is not None:
            sums[parent] += sums[el]
    return dict(sums)


def _note_depths(ground: Ground, el: Any, depths: dict[Any, int]) -> None:
    climbed = []
    base = -1
    for above in ground.chain(el):
        if above in depths:
            base = depths[above]
            break
        climbed.append(above)
    for offset, below in enumerate(reversed(climbed), 1):
        depths[below] = base + offset
