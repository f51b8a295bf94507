"""The standfirst: the lines between the headline and the text, which many sites keep outside the article's body."""

from __future__ import annotations

import re
from itertools import islice

from crawler.cleaning.boilerplate import CAMEL
from crawler.cleaning.ground import Ground
from crawler.cleaning.headline import key
from crawler.cleaning.index import Index

NAMED = re.compile(
    r"standfirst|(?:^|[\s_-])(?:deck|dek|lede|lead|leadin|intro|introduction|excerpt|chapo|chapeau|summary|sub-?title|"
    r"sub-?head(?:line|ing)?|strapline|synopsis|vorspann|teaser-?(?:text|intro)|abstract|description|"
    r"ingress|bajada|copete|"
    r"entradilla|sommario|occhiello)(?:[\s_-]|$)",
    re.I,
)
"""Words of class that mark the standfirst, in the trade's many languages."""
CHARACTERS = 900
"""A longer text is no standfirst."""
LEAST = 40
"""A shorter one is a rubric."""
KEY = 40
"""Letters of the page's own description that a text must begin with to be the standfirst."""
LOOKED_AT = 100
"""Pieces of text before the article that are looked at: menus come first on a page, and hold little running text."""
NEXT = 3
"""How many elements round a text are asked for their class."""
LEVELS = 5
"""How far round a standfirst the headline is looked for."""


def find(ground: Ground, block: int, summary: str) -> int | None:
    """Place of the element that holds the standfirst where that stands before the main block: it repeats the page's
    own description, or its class says so and it stands near the headline."""
    wanted = key(summary)[:KEY]
    refused: set[int] = set()
    for piece in islice(ground.pieces, LOOKED_AT):
        holder = piece.holder
        if ground.index.holds(block, holder):
            return None
        if ground.index.holds(holder, block) or holder in refused or _is_elsewhere(ground, holder):
            continue
        if len(wanted) == KEY and key(piece.text[:200]).startswith(wanted):
            return holder
        if (named := _named(ground, holder, block)) is not None:
            return named
        refused.add(holder)
    return None


def _is_elsewhere(ground: Ground, holder: int) -> bool:
    """True in the headline, in a menu or a sidebar. The next elements round a standfirst may well be called teaser."""
    chain = list(ground.index.chain(holder))
    tags = ground.index.tags
    return any(tags[place] == "h1" for place in chain[:LEVELS]) or any(map(ground.is_out, chain[NEXT:]))


def _named(ground: Ground, holder: int, block: int) -> int | None:
    """Place of the element that its class calls standfirst."""
    index = ground.index
    chain = list(islice(index.chain(holder), LEVELS))
    own = [place for place in chain[:NEXT] if not index.holds(place, block)]
    if not any(_is_named(index, place) for place in own):
        return None
    if not any(index.holds_tag(p, "h1") for p in chain[1:] if index.tags[p] not in ("body", "html")):
        return None
    return next((place for place in own if _fits(index, place)), None)


def _is_named(index: Index, place: int) -> bool:
    names = index.classes[place] or index.attributes["itemprop"].get(place, "")
    return bool(names) and NAMED.search(CAMEL.sub("-", names)) is not None


def _fits(index: Index, place: int) -> bool:
    """True for an element as long as a standfirst, without a headline in it."""
    if index.holds_tag(place, "h1"):
        return False
    return LEAST <= len("".join(index.elements[place].itertext()).strip()) <= CHARACTERS
