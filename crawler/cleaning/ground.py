"""A page's running text, weighed: how much of it stands below each element, and what is out from the start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple

from crawler.cleaning import boilerplate
from crawler.cleaning.index import Index
from crawler.cleaning.page import Parsed, select
from crawler.text import words

SHORTEST = 12
"""Characters up to which a piece of text is not looked at: in Chinese so many are a sentence."""
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


REMOVED, READERS = "rules.remove", "the readers' part"
"""Why an element of `survey`'s regions is out: the source's rule names it, or comments stand in it."""


class Weighed(NamedTuple):
    """A piece of running text."""

    weight: float
    holder: int
    """Place of the element it stands in."""
    text: str


@dataclass(slots=True)
class Ground:
    """A page's text by the place of each element in the page's index."""

    parsed: Parsed
    index: Index
    regions: Mapping[int, str]
    """Elements that are no part of the article, whatever they hold, each with the reason."""
    trusting: bool = False
    """True to keep what is out by its class alone: for pages whose classes mean nothing."""
    pieces: list[Weighed] = field(default_factory=list)
    """In reading order."""
    raw: list[float] = field(default_factory=list)
    """Bytes below each element, whatever its class."""
    weights: list[float] = field(default_factory=list)
    """Bytes below each element that are not in boilerplate."""
    total: float = 0.0
    """All running text of the page."""
    times: set[int] = field(default_factory=set)
    """Elements that show the time of a live blog's entry, each a line of its own."""
    own_out: dict[int, str] = field(default_factory=dict)
    all_out: dict[int, bool] = field(default_factory=dict)

    def is_out(self, place: int) -> bool:
        """True when the element itself is no part of an article."""
        known = self.own_out.get(place)
        return bool(self.why_out(place) if known is None else known)

    def why_out(self, place: int) -> str:
        """Why the element itself is no part of an article: a reason of `survey`, or of `boilerplate.against`; empty
        when it may be one."""
        known = self.own_out.get(place)
        if known is None:
            known = self.own_out[place] = self._judge(place)
        return known

    def within_out(self, place: int) -> bool:
        """True when the element or one round it is no part of an article. Each element is asked once."""
        asked = []
        verdict = False
        for above in self.index.chain(place):
            if above in self.all_out:
                verdict = self.all_out[above]
                break
            asked.append(above)
        for below in reversed(asked):
            verdict = self.all_out[below] = verdict or self.is_out(below)
        return verdict

    def trusted(self) -> Ground:
        """The same page, seen with less suspicion."""
        twin = Ground(self.parsed, self.index, self.regions, True, self.pieces, self.raw, total=self.total)
        twin.weights = _kept_weights(twin)
        return twin

    def _judge(self, place: int) -> str:
        if place in self.regions:
            return self.regions[place]
        against = boilerplate.against(self.index, place)
        if not against or against in boilerplate.CERTAIN:
            return against
        tag = self.index.tags[place]
        if self.trusting and tag not in boilerplate.DOUBTFUL_TAGS:
            return ""
        light = self.raw[place] < SPARED * self.total
        return against if light or (tag == "footer" and not self.index.holds_tag(place, "h1")) else ""


def survey(parsed: Parsed, regions: Iterable[Any]) -> Ground:
    """The page's running text by element. Linear in the size of the page.

    `regions` are the elements that hold what readers wrote.
    """
    index = parsed.index
    out = dict.fromkeys(index.placed(regions), READERS)
    out |= dict.fromkeys(index.placed(select(parsed, parsed.rules.remove)), REMOVED)
    ground = Ground(parsed=parsed, index=index, regions=out)
    ground.pieces = _pieces(index)
    ground.raw = _summed(index, ground.pieces)
    ground.total = max(ground.raw, default=0.0)
    ground.weights = _kept_weights(ground)
    return ground


def _kept_weights(ground: Ground) -> list[float]:
    return _summed(ground.index, [p for p in ground.pieces if not ground.within_out(p.holder)])


def _pieces(index: Index) -> list[Weighed]:
    """The page's pieces of running text in reading order. What never holds an article is not gone into."""
    found: list[tuple[int, int, int, Weighed]] = []
    dropped, parents, ends = boilerplate.DROPPED_TAGS, index.parents, index.ends
    passed = -1
    for place, (tag, element) in enumerate(zip(index.tags, index.elements, strict=True)):
        if place <= passed:
            continue
        if tag in dropped:
            passed = ends[place]
        elif tag != "a":
            text = element.text
            if text and len(text) > SHORTEST and not text.isspace() and (own := _weighed(index, place, text)):
                found.append((place, 0, 0, own))
        tail = element.tail if place else None
        if tail and len(tail) > SHORTEST and not tail.isspace() and (behind := _weighed(index, parents[place], tail)):
            found.append((ends[place], 1, -place, behind))
    found.sort(key=itemgetter(0, 1, 2))
    return [piece for _, _, _, piece in found]


def _weighed(index: Index, holder: int, text: str) -> Weighed | None:
    """The piece with its weight; None for link text and for what is too short to run."""
    bare = text.strip()
    size = min(len(bare) if bare.isascii() else len(bare.encode("utf-8", "replace")), FULL_PIECE)
    if size < LEAST_PIECE:
        return None
    light, at = False, holder
    for level in range(LINK_LEVELS):
        if at < 0:
            break
        tag = index.tags[at]
        if tag == "a":
            return None
        light = light or (level < LIGHT_LEVELS and tag in LIGHT)
        at = index.parents[at]
    return Weighed(size * (LISTED if light else 1.0), holder, text)


def _summed(index: Index, pieces: Iterable[Weighed]) -> list[float]:
    """The weight below each element: every element with text hands its sum to its parent once, the last first."""
    parents = index.parents
    sums = [0.0] * len(parents)
    holding: set[int] = set()
    for piece in pieces:
        at = piece.holder
        sums[at] += piece.weight
        while at > 0 and at not in holding:
            holding.add(at)
            at = parents[at]
    for place in sorted(holding, reverse=True):
        sums[parents[place]] += sums[place]
    return sums
