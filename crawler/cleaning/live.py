"""The times of a live blog's entries: each stands in the text with its entry, as readers see it or as JSON-LD says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from crawler.cleaning.blocks import Piece
from crawler.cleaning.ground import Ground
from crawler.cleaning.headline import key
from crawler.cleaning.json_ld import Update
from crawler.cleaning.statements import shown
from crawler.text import line, words

CLOCK = re.compile(r"(?<!\d)(?:[01]?\d|2[0-3])\s?(?:[:.]|[hu](?=\d))\s?[0-5]\d(?!\d)|\b1?\d\s?[ap]\.?m\b", re.I)
"""A time of day as entries show it: `17:35`, `17.35 Uhr`, `9h05`, `5 pm`."""
SHORT = 60
"""Characters of an entry's line with its time at most: `2 hours ago 10:05 KEY EVENT`."""
PIECES = 20
"""Pieces of text, blanks too, that such a line is made of at most."""
NAMED = re.compile(r"time|date|stamp", re.I)
"""What the class of an entry's time says somewhere."""
IN_LINE = frozenset(words("h1 h2 h3 h4 h5 h6 p li blockquote a"))
"""Elements in which a time is part of the line."""
LEAST_KEY, BODY_KEY = 8, 40
"""Letters of an entry's headline, and of its text, by which the entry is known in the page's text."""

NEAR = 3
"""Blocks before and behind an entry's headline among which its time is looked for."""


def show_times(ground: Ground, block: int) -> None:
    """Keep the times of the entries in the block, whatever their class says, each as a line of its own."""
    for place in _timed(ground, block):
        above = place
        while above > block and _is_short(ground.index.elements[above]):
            ground.own_out[above] = ""
            above = ground.index.parents[above]
        if not any(ground.index.tags[p] in IN_LINE for p in ground.index.chain(place) if p > block):
            ground.times.add(place)


def _timed(ground: Ground, block: int) -> Iterator[int]:
    """The innermost elements that show the time of an entry and no more than a line."""
    index, end = ground.index, -1
    for place in range(block + 1, index.ends[block] + 1):
        if place <= end or not (index.tags[place] == "time" or NAMED.search(index.classes[place])):
            continue
        if _is_short(index.elements[place]) and CLOCK.search(shown(index.elements[place])):
            end = index.ends[place]
            yield place


def _is_short(element: Any) -> bool:
    """True for an element with no more than a line. Ends at the first text beyond that: a live blog has a thousand
    times, and each may stand in the element that holds them all."""
    size = 0
    for count, text in enumerate(element.itertext()):
        size += len(text.strip())
        if size > SHORT or count > PIECES:
            return False
    return True


def is_time(text: str) -> bool:
    """True for a line with the time of an entry."""
    return len(text) <= SHORT and CLOCK.search(text) is not None


def dated(pieces: tuple[Piece, ...], updates: tuple[Update, ...]) -> tuple[Piece, ...]:
    """The pieces, with the times that JSON-LD gives entries of which the text shows none: each before its entry's
    headline, or before its text where that has none."""
    known = {own: update for update in updates if update.published for own in _keys(update)}
    done: set[Update] = set()
    found: list[Piece] = []
    for at, piece in enumerate(pieces):
        own = key(piece.text)
        update = known.get(own) or known.get(own[:BODY_KEY])
        if update and update not in done:
            done.add(update)
            if not any(is_time(p.text) for p in pieces[max(0, at - NEAR) : at + NEAR]) and not CLOCK.match(piece.text):
                found.append(Piece(kind="paragraph", text=line(update.published, SHORT), linked=0))
        found.append(piece)
    return tuple(found)


def _keys(update: Update) -> Iterator[str]:
    """By what an entry is known in the text."""
    headline, body = key(update.headline), key(update.text)[:BODY_KEY]
    if len(headline) >= LEAST_KEY:
        yield headline
    if len(body) == BODY_KEY:
        yield body
