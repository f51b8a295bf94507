"""What the classifier looks at in a comment: its words, pieces of its words, appeals to the reader, signals, length."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain, pairwise
from typing import TypeVar

from moderation.characters import plain_characters
from moderation.tables import read_rows

CHARACTERS = 2_000
"""Of a comment that are looked at: who sells does so at once."""
PIECE = 4
"""Length of the pieces of words, which catch endings and misspellings. 3 and 5 beside it gain nothing."""
LONG = 60
"""Words from which a comment is as long as it gets."""
REMEMBERED = 50_000
"""Words that are remembered at once: the vocabulary of a hundred thousand comments, some 10 MB."""
WORD_CHARACTERS = 40
"""A longer word is none: its beginning stands for it."""
Value = TypeVar("Value")
_WORD = re.compile(r"\w+")
_DIGIT = re.compile(r"[1-9]")


class Remembered(dict[str, Value]):
    """What is made of a word, made once. Forgets all when it is too much: hostile text has new words without end."""

    def __init__(self, make: Callable[[str], Value]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, word: str) -> Value:
        if len(self) >= REMEMBERED:
            self.clear()
        self[word] = made = self._make(word)
        return made


@dataclass(frozen=True)
class Traits:
    """A comment as the classifier sees it. What stands there twice counts once: a word sells no more by repetition."""

    text: tuple[str, ...]
    """Its words as they follow each other, in small letters. Digits are all 0."""
    clues: dict[str, float]
    """`signal link`, `appeal call`, `length`, `bias`: each from 0 to 1."""

    @cached_property
    def words(self) -> dict[str, int]:
        """Each word (`channel`) and each pair of neighbours (`my channel`), once."""
        return dict.fromkeys(chain(self.text, map(" ".join, pairwise(self.text))), 1)

    @cached_property
    def pieces(self) -> Counter[str]:
        """Each piece of a word, behind a tilde (`~chan`, `~ my `), with the number of different words it stands in."""
        return Counter(chain.from_iterable(map(pieces_of, dict.fromkeys(self.text))))


def look(text: str, signals: Iterable[str]) -> Traits:
    """The traits of a comment in which these signals fired. Linear in the text; raises nothing."""
    cut = text[:CHARACTERS]
    plain = _DIGIT.sub("0", (cut if cut.isascii() else plain_characters(cut).text).lower())
    found: list[str] = _WORD.findall(plain)
    if max(map(len, found), default=0) > WORD_CHARACTERS:
        found = [word[:WORD_CHARACTERS] for word in found]
    clues = {"bias": 1.0, "length": min(len(found), LONG) / LONG}
    clues.update((f"signal {name}", 1.0) for name in signals)
    clues.update((name, 1.0) for name in appeals(found))
    return Traits(tuple(found), clues)


def weighed(counts: Mapping[str, int], rarity: Mapping[str, float]) -> tuple[list[str], list[float]]:
    """The known words of a comment as a vector, rare ones longer; its length is 1 when none counts double."""
    names = [*filter(rarity.__contains__, counts)]
    length = math.sqrt(sum([counts[name] * rarity[name] ** 2 for name in names])) or 1.0
    return names, [counts[name] * rarity[name] / length for name in names]


def pieces_of(word: str) -> tuple[str, ...]:
    """The pieces of a word."""
    edged = f" {word} "
    return tuple(f"~{edged[at : at + PIECE]}" for at in range(max(1, len(edged) - PIECE + 1)))


def appeals(words: list[str]) -> set[str]:
    """The kinds of appeal in a comment, given its words in order: `appeal call`, … and `appeal call own` for both."""
    made: set[str] = set()
    begun = map(_BEGUN.__getitem__, words)
    for at, rows in [(at, rows) for at, rows in enumerate(begun) if rows]:
        for said, size, open_ended, kind in rows:
            here = " ".join(words[at : at + size])
            if here == said or (open_ended and here.startswith(said)):
                made.add(kind)
    return made | {"appeal call own"} if {"appeal call", "appeal own"} <= made else made


def _begun(word: str) -> tuple[_Appeal, ...]:
    """The rows of the table of appeals that may begin with this word."""
    return tuple(row for row in _appeals().get(word[:2], ()) if word.startswith(row[0].split(" ")[0]))


@cache
def _appeals() -> dict[str, list[_Appeal]]:
    """The table by the first two letters."""
    table: dict[str, list[_Appeal]] = {}
    for kind, row in read_rows("appeals.tsv"):
        words = _WORD.findall(row)
        entry = (" ".join(words), len(words), row.endswith("*"), f"appeal {kind}")
        table.setdefault(words[0][:2], []).append(entry)
    return table


_Appeal = tuple[str, int, bool, str]
"""The words, how many, whether the last one may go on, the kind."""
_BEGUN = Remembered(_begun)
