"""The standfirst: the lines between the headline and the text, which many sites keep outside the article's body."""

from __future__ import annotations

import re
from itertools import islice, takewhile

from crawler.cleaning.boilerplate import CAMEL, is_caption
from crawler.cleaning.ground import Ground, Weighed
from crawler.cleaning.headline import key
from crawler.cleaning.index import Index
from crawler.cleaning.metadata import Metadata

NAMED = re.compile(
    r"standfirst|(?:^|[\s_-])(?:deck|dek|lede|lead|leadin|intro|introduction|excerpt|chapo|chapeau|summary|sub-?title|"
    r"sub-?head(?:line|ing)?|strapline|synopsis|vorspann|teaser-?(?:text|intro)|abstract|description|"
    r"ingress|preamble|epigraph|bajada|copete|"
    r"entradilla|sommario|occhiello)(?:[\s_-]|$)",
    re.I,
)
"""Words of class that mark the standfirst, in the trade's many languages."""
CHARACTERS = 900
"""A longer text is no standfirst."""
LEAST = 40
"""A shorter one is a rubric."""
KEY, WHOLE = 40, 20
"""Letters of a description of the page's own that a text must begin with to be the standfirst; that one must have to be
it when the text says no more."""
LOOKED_AT = 100
"""Pieces of text right before the article that are looked at."""
NEXT = 3
"""How many elements round a text are asked for their class."""
HEADLINES = 5
"""`h1` elements looked at."""
LEVELS = 5
"""How far round a standfirst the headline is looked for."""


def find(ground: Ground, block: int, said: Metadata) -> int | None:
    """Place of the element that holds the standfirst where that stands before the main block: it begins as the page's
    summary, or its class says so and it stands under the headline, or it repeats another description of the page's
    own."""
    near = _before(ground, block)
    summary = key(said.summary)[:KEY]
    headlines = _shown_at(ground.index, said) if near else []
    refused: set[int] = set()
    others: list[Weighed] = []
    for piece in near:
        if piece.holder in refused:
            continue
        refused.add(piece.holder)
        if _is_elsewhere(ground, piece.holder):
            continue
        if len(summary) == KEY and key(piece.text[:200]).startswith(summary):
            return piece.holder
        if (named := _named(ground, piece.holder, block, headlines)) is not None:
            return named
        others.append(piece)
    return _repeating(ground.index, others, said.summaries)


def _before(ground: Ground, block: int) -> list[Weighed]:
    """The last pieces of text before the block, those left out in which the block stands."""
    ends, end = ground.index.ends, ground.index.ends[block]
    before = takewhile(lambda piece: not block <= piece.holder <= end, ground.pieces)
    return [piece for piece in before if not piece.holder <= block <= ends[piece.holder]][-LOOKED_AT:]


def _repeating(index: Index, pieces: list[Weighed], descriptions: tuple[str, ...]) -> int | None:
    """Place of the first piece that begins as one of the descriptions, or is a short one; pictures' captions do too."""
    wanted = [own for description in descriptions if len(own := key(description)) >= WHOLE]
    for piece in pieces if wanted else ():
        own = key(piece.text[:200])
        same = any(own.startswith(w[:KEY]) if len(w) >= KEY else own == w for w in wanted)
        if same and not _is_caption(index, piece.holder):
            return piece.holder
    return None


def _is_elsewhere(ground: Ground, holder: int) -> bool:
    """True in the headline, in a menu or a sidebar. The next elements round a standfirst may well be called teaser,
    and what holds the headline too is no sidebar, whatever it is called."""
    chain = list(ground.index.chain(holder))
    if any(ground.index.tags[place] == "h1" for place in chain[:LEVELS]):
        return True
    for place in chain[NEXT:]:
        if ground.is_out(place):
            return not ground.index.holds_tag(place, "h1")
    return False


def _is_caption(index: Index, holder: int) -> bool:
    """True for what stands under a picture: descriptions for machines often are that of the picture."""
    return any(index.tags[p] == "figure" or is_caption(index.classes[p]) for p in islice(index.chain(holder), NEXT))


def _shown_at(index: Index, said: Metadata) -> list[int]:
    """Places of the `h1` elements that show the headline, else of those that do not show the site's name."""
    headline, site = key(said.headline), key(said.site_name)
    texts = [(at, key("".join(index.elements[at].itertext()))) for at in index.tagged.get("h1", ())[:HEADLINES]]
    shown = [at for at, text in texts if text and (text in headline or headline in text)]
    return shown or [at for at, text in texts if text not in site]


def _named(ground: Ground, holder: int, block: int, headlines: list[int]) -> int | None:
    """Place of the element that its class calls standfirst."""
    index = ground.index
    chain = list(islice(index.chain(holder), LEVELS))
    own = [place for place in chain[:NEXT] if not index.holds(place, block)]
    if not any(_is_named(index, place) for place in own):
        return None
    outer = [place for place in chain[1:] if index.tags[place] not in ("body", "html")]
    if not any(place < headline < holder for place in outer for headline in headlines):
        return None
    return next((place for place in own if _fits(index, place)), None)


def _is_named(index: Index, place: int) -> bool:
    names = index.classes[place] or index.attributes["itemprop"].get(place, "")
    return bool(names) and NAMED.search(CAMEL.sub("-", names)) is not None


def _fits(index: Index, place: int) -> bool:
    """True for an element as long as a standfirst, without a headline or a date in it."""
    if index.holds_tag(place, "h1") or index.holds_tag(place, "time"):
        return False
    return LEAST <= len("".join(index.elements[place].itertext()).strip()) <= CHARACTERS
