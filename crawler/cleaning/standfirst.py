"""The standfirst: the lines between the headline and the text, which many sites keep outside the article's body."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

from crawler.cleaning.boilerplate import CAMEL
from crawler.cleaning.ground import Ground, Weighed
from crawler.cleaning.headline import key

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


def find(ground: Ground, block: Any, summary: str) -> Any | None:
    """The element that holds the standfirst where that stands before the main block: it repeats the page's own
    description, or its class says so and it stands near the headline."""
    around = set(ground.chain(block))
    wanted = key(summary)[:KEY]
    refused: set[Any] = set()
    for piece in islice(ground.pieces, LOOKED_AT):
        holder = piece.holder
        if any(el is block for el in ground.chain(holder)):
            return None
        if holder in around or holder in refused or _is_elsewhere(ground, holder):
            continue
        if len(wanted) == KEY and key(piece.text[:200]).startswith(wanted):
            return holder
        if named := _named(ground, piece, around):
            return named[0]
        refused.add(holder)
    return None


def _is_elsewhere(ground: Ground, holder: Any) -> bool:
    """True in the headline, in a menu or a sidebar. The next elements round a standfirst may well be called teaser."""
    chain = list(ground.chain(holder))
    return any(el.tag == "h1" for el in chain[:LEVELS]) or any(ground.is_out(el) for el in chain[NEXT:])


def _named(ground: Ground, piece: Weighed, around: set[Any]) -> list[Any]:
    """The element that its class calls standfirst, in a list of one; or none."""
    chain = list(islice(ground.chain(piece.holder), LEVELS))
    own = [el for el in chain[:NEXT] if el not in around]
    if not any(NAMED.search(CAMEL.sub("-", el.get("class") or el.get("itemprop") or "")) for el in own):
        return []
    if not any(el.find(".//h1") is not None for el in chain[1:] if el.tag not in ("body", "html")):
        return []
    fitting = [
        el for el in own if el.find(".//h1") is None and LEAST <= len("".join(el.itertext()).strip()) <= CHARACTERS
    ]
    return fitting[:1]
