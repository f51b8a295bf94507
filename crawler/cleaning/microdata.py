"""What a page says about its article in microdata: the one item that is the article, and that item's own properties."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from crawler.cleaning.index import Index
from crawler.cleaning.json_ld import ARTICLES

ITEMS = 60
"""Items of an article's type looked at: an index page has one for each teaser."""
PROPERTIES = 2_000
"""Elements with a property looked at: pages have some tens, a hostile one may have them nested by the thousand."""


def article(index: Index) -> Mapping[str, list[Any]]:
    """The elements that state each property of the page's own article, in reading order; empty where microdata names
    no article, or several and none with the page's headline."""
    item = _item(index)
    if item is None:
        return {}
    found: dict[str, list[Any]] = {}
    last = index.ends[item]
    for place, stated in islice(index.attributes["itemprop"].items(), PROPERTIES):
        if item < place <= last and _owner(index, place) == item:
            for name in stated.split():
                found.setdefault(name, []).append(index.elements[place])
    return found


def _item(index: Index) -> int | None:
    """Place of the item that is the article: the only one of such a type, else the only one that holds an `h1`.
    Items inside another are its parts."""
    places = [at for at, named in index.attributes["itemtype"].items() if _is_article(named)]
    outer, end = [], -1
    for place in islice(places, ITEMS):
        if place > end:
            outer.append(place)
            end = index.ends[place]
    if len(outer) > 1:
        outer = [place for place in outer if index.holds_tag(place, "h1")]
    return outer[0] if len(outer) == 1 else None


def _is_article(named: str) -> bool:
    return named.strip().rstrip("/").rpartition("/")[2] in ARTICLES


def _owner(index: Index, place: int) -> int:
    """Place of the item that a property belongs to: the next one round its element; -1 for none."""
    items = index.attributes["itemtype"]
    above = index.parents[place]
    while above >= 0 and above not in items:
        above = index.parents[above]
    return above
