"""What the classifier looks at in a comment: its words, pieces of its words, appeals to the reader, signals, length."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain, pairwise
from operator import mul

from moderation.characters import plain_characters
from moderation.tables import read_rows

CHARACTERS = 2_000
"""Of a comment that are looked at: who sells does so at once."""
PIECE = 4
"""Length of the pieces of words, which catch endings and misspellings. 3 and 5 beside it gain nothing."""
LONG = 60
"""Words from which a comment is as long as it gets."""
WORD_CHARACTERS = 40
"""A longer word is none: its beginning stands for it."""
_WORD = re.compile(r"\w+")
_DIGITS = str.maketrans("123456789", "000000000")


@dataclass(frozen=True, slots=True)
class Traits:
    """A comment as the classifier sees it."""

    words: Counter[str]
    """How often each word (`channel`) and each pair of neighbours (`my channel`) stands there. Digits are all 0."""
    pieces: Counter[str]
    """The same for pieces of words, each behind a tilde: `~chan`, `~ my `."""
    clues: dict[str, float]
    """`signal link`, `appeal call`, `length`, `bias`: each from 0 to 1."""


def look(text: str, signals: Iterable[str]) -> Traits:
    """The traits of a comment in which these signals fired. Linear in the text; raises nothing."""
    cut = text[:CHARACTERS]
    plain = (cut if cut.isascii() else plain_characters(cut).text).lower().translate(_DIGITS)
    found = [word[:WORD_CHARACTERS] for word in _WORD.findall(plain)]
    clues = {"bias": 1.0, "length": min(len(found), LONG) / LONG}
    clues.update((f"signal {name}", 1.0) for name in signals)
    clues.update((name, 1.0) for name in appeals(found))
    return Traits(
        Counter(chain(found, map(" ".join, pairwise(found)))),
        Counter(chain.from_iterable(map(_pieces, found))),
        clues,
    )


def weighed(counts: Counter[str], rarity: Mapping[str, float]) -> tuple[list[str], list[float]]:
    """The known words of a comment as a vector of length 1 (sublinear tf-idf): rare ones count more."""
    names = [name for name in counts if name in rarity]
    values = [rarity[name] if counts[name] == 1 else rarity[name] * _LOG[min(counts[name], 99)] for name in names]
    length = math.sqrt(sum(map(mul, values, values))) or 1.0
    return names, [value / length for value in values]


_LOG = (0.0, *(1.0 + math.log(n) for n in range(1, 100)))


@lru_cache(maxsize=50_000)
def _pieces(word: str) -> tuple[str, ...]:
    edged = f" {word} "
    return tuple(f"~{edged[at : at + PIECE]}" for at in range(max(1, len(edged) - PIECE + 1)))


def appeals(words: list[str]) -> set[str]:
    """The kinds of appeal in a comment, given its words in order: `appeal call`, … and `appeal call own` for both."""
    table = _appeals()
    made: set[str] = set()
    for at, word in enumerate(words):
        for said, size, open_ended, kind in table.get(word[:2], ()):
            here = word if size == 1 else " ".join(words[at : at + size])
            if here == said or (open_ended and here.startswith(said)):
                made.add(kind)
    return made | {"appeal call own"} if {"appeal call", "appeal own"} <= made else made


@cache
def _appeals() -> dict[str, list[tuple[str, int, bool, str]]]:
    """The table of appeals by the first two letters: the words, how many, whether the last one may go on, the kind."""
    table: dict[str, list[tuple[str, int, bool, str]]] = {}
    for kind, row in read_rows("appeals.tsv"):
        words = _WORD.findall(row)
        entry = (" ".join(words), len(words), row.endswith("*"), f"appeal {kind}")
        table.setdefault(words[0][:2], []).append(entry)
    return table
