"""Comments that belong together: they advertise the same domain, or say nearly the same. Pure, linear in its input.

Texts are compared by the pieces they have in common (Jaccard), and only where min-hashes say that it is worth a look
(Broder 1997; bands as in Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, 3.4).
"""

from __future__ import annotations

import random
import re
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from urllib.parse import urlsplit

from crawler.items import Link
from moderation.characters import plain_characters
from moderation.hosts import messengers, shorteners
from moderation.tables import read_words

PIECE = 5
"""Characters of a piece of text: two texts share few by chance, and a changed word breaks few."""
SHORTEST = 24
"""Letters and digits from which a text can be like another: everybody says "great article"."""
ALIKE = 0.5
"""Share of their pieces that two texts have in common from which they are one text with changes. Two
honest comments under one article stay below 0.2."""
BANDS, ROWS = 8, 2
"""Two texts that share 0.5 of their pieces meet in a band in 90 of 100 cases, such that share 0.7 in all but one."""
BINS, KEYS = 12, 6
"""The least hashes by which the database finds a text again, and the keys that are made of four each: two texts that
share 0.8 of their pieces have a key in common in 9 of 10 cases, such that share 0.02 in none of a hundred thousand."""
CHARACTERS = 2_000
"""Of a text that are compared."""
EXACT = 40
"""Characters from which a text of few letters, an address or a row of signs, is found again as it stands."""
_LETTERS = re.compile(r"[^\W_]+")
_DIGIT = re.compile(r"\d")
_ADDRESS = re.compile(r"(?:://|www\.)\S+")


@dataclass(frozen=True, slots=True)
class Member:
    """A comment, as far as belonging together goes."""

    id: int
    text: str
    places: frozenset[str]
    """What it advertises: `advertised` of its links."""


def advertised(links: Iterable[Link]) -> frozenset[str]:
    """What links advertise: a registrable domain; on sites where anybody can put a page, that page."""
    return frozenset(filter(None, map(_advertised, links)))


def campaigns(members: Sequence[Member]) -> tuple[tuple[int, ...], ...]:
    """The groups of two and more, the largest first. Who is like one of them belongs to all of them."""
    leader = {member.id: member.id for member in members}

    def of(id: int) -> int:
        while leader[id] != id:
            leader[id] = id = leader[leader[id]]
        return id

    for one, other in _pairs(members):
        leader[of(other)] = of(one)
    groups: dict[int, list[int]] = {}
    for member in members:
        groups.setdefault(of(member.id), []).append(member.id)
    return tuple(sorted((tuple(g) for g in groups.values() if len(g) > 1), key=lambda g: (-len(g), g)))


def like(one: Member, others: Iterable[Member]) -> tuple[int, ...]:
    """Those that advertise a place of this one, or say nearly the same: like this one, not like one that is like it.

    So no comment can draw honest ones into its group by way of a third.
    """
    pieces = _pieces(one.text)
    return tuple(
        other.id
        for other in others
        if other.id != one.id
        and (one.places & other.places or (pieces and _shared(pieces, _pieces(other.text)) >= ALIKE))
    )


def same_text(one: str, other: str) -> bool:
    """Do they say the same, small changes aside? Of short texts only when they are equal."""
    return one == other or _shared(_pieces(one), _pieces(other)) >= ALIKE


def text_keys(text: str) -> tuple[int, ...]:
    """Numbers below 2⁶³ of which two texts that are nearly the same most likely share one; none for a short text."""
    pieces = _pieces(text)
    if not pieces:
        return ()
    least = [min([piece * odd & 0xFFFFFFFF for piece in pieces]) for odd in _multipliers()]
    bands = (tuple(least[at : at + ROWS]) for at in range(0, BANDS * ROWS, ROWS))
    return tuple(number << 32 | zlib.crc32(repr(band).encode()) for number, band in enumerate(bands))


@lru_cache(maxsize=1_024)
def near_keys(text: str) -> tuple[int, ...]:
    """Numbers below 2³¹ of which two texts that are nearly the same most likely share one, and others hardly ever.

    The database keeps them: whoever changes what they are made of writes a migration that makes them anew. They are
    min-hashes in one permutation (Li, Owen, Zhang 2012): the least hash of each bin, the next one for an empty bin.
    """
    pieces = _pieces(text)
    if not pieces:
        return (zlib.crc32(text.encode("utf-8", "surrogatepass")) >> 4,) if len(text) >= EXACT else ()
    hashes = sorted([piece * _SPREAD & 0xFFFFFFFF for piece in pieces])
    hashes.append(hashes[0])
    least = [hashes[bisect_left(hashes, start, 0, len(pieces))] for start in _BIN_STARTS]
    return tuple(
        number << 28 | zlib.crc32(b"".join([least[bin].to_bytes(4, "little") for bin in bins])) >> 4
        for number, bins in enumerate(_BINS_OF_KEYS)
    )


_SPREAD = 0x9E3779B1
"""Knuth's multiplier (2³² over the golden ratio): the sum that a piece is known by becomes a hash of even spread."""
_BIN_STARTS = tuple(bin * 2**32 // BINS for bin in range(BINS))
_BINS_OF_KEYS = tuple(tuple(3 * row + (key + row * (key >= 3)) % 3 for row in range(4)) for key in range(KEYS))
"""Two ways through a grid of four rows and three columns: two of the keys share two bins at most."""


def _pairs(members: Sequence[Member]) -> Iterator[tuple[int, int]]:
    """Pairs that belong together; one for each member and each place or band that it shares, not all of them."""
    by_place: dict[str, int] = {}
    by_key: dict[int, tuple[int, frozenset[int]]] = {}
    for member in members:
        for place in member.places:
            yield by_place.setdefault(place, member.id), member.id
        pieces = _pieces(member.text)
        for key in text_keys(member.text):
            first, its_pieces = by_key.setdefault(key, (member.id, pieces))
            if first != member.id and _shared(pieces, its_pieces) >= ALIKE:
                yield first, member.id


@lru_cache(maxsize=256)
def _pieces(text: str) -> frozenset[int]:
    cut = text[:CHARACTERS]
    plain = (cut if cut.isascii() else plain_characters(cut).text).lower()
    if "//" in plain or "www." in plain:
        plain = _ADDRESS.sub(" ", plain)
    squeezed = _DIGIT.sub("0", "".join(_LETTERS.findall(plain))).encode("utf-32-le", "surrogatepass")
    if len(squeezed) < 4 * SHORTEST:
        return frozenset()
    size = 4 * PIECE
    return frozenset([zlib.crc32(squeezed[at : at + size]) for at in range(0, len(squeezed) - size + 1, 4)])


def _shared(one: frozenset[int], other: frozenset[int]) -> float:
    both = len(one & other)
    return both / (len(one) + len(other) - both) if both else 0.0


@cache
def _multipliers() -> tuple[int, ...]:
    drawn = random.Random(0)  # noqa: S311 - the same in every run, no secret
    return tuple(drawn.getrandbits(32) | 1 for _ in range(BANDS * ROWS))


def _advertised(link: Link) -> str:
    domain = link.domain or link.host
    if domain and not {domain, link.host} & _open_to_all():
        return domain
    try:
        parts = urlsplit(link.url)
    except ValueError:
        return ""
    page = parts.path.rstrip("/")
    query = f"?{parts.query}" if parts.query else ""
    return f"{domain}{page}{query}".lower() if page or query else ""


@cache
def _open_to_all() -> frozenset[str]:
    """Hosts on which anybody can put a page."""
    return frozenset(shorteners() | messengers() | read_words("public_sites.txt"))
