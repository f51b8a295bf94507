"""Two texts side by side: which runs of words of the one the other has, too. Pure, linear in what it compares.

Small gaps in a run are closed, so that words changed here and there do not break it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

CHARACTERS = 50_000
"""Of a text that are compared: more than the longest daily report has."""
LONGEST_WORD = 40
"""Characters after which a word is two: a text may be one giant word."""
GRAM, DENSE_GRAM = 3, 6
"""Words, or characters of a script without spaces, of a piece: two texts share few by chance, and half of them survive
where every fifth word was changed."""
GAP = 12
"""Words between two shared pieces that are closed: with every third word changed, most gaps are shorter."""
SLACK = 6
"""Words by which the two sides of a gap may differ: a sentence put in or taken out is no small change."""
SAMPLE = 500
"""Characters, from all over a text, by which its script is told."""
RUN = 8
"""Words from which a run counts: shorter ones are phrases that everybody uses."""
GATE = 0.05
"""Share of the pieces below which two texts are not laid side by side."""

_DENSE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, kana and Han: written without spaces, so that each character is a word of its own."""
_WORD = re.compile(rf"[^\W_{_DENSE}]{{1,{LONGEST_WORD}}}|[{_DENSE}]")

_DENSE_CHARACTER = re.compile(f"[{_DENSE}]")

Run = tuple[int, int]
"""Words from the first up to, and without, the second."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text made ready to be laid beside others."""

    raw: list[str]
    words: list[str]
    """The same, case aside."""
    pieces: list[tuple[str, ...]]
    places: dict[tuple[str, ...], int]
    """Where each piece is for the first time."""
    scale: int
    """Tokens that make a word: 2 in a script without spaces."""

    @property
    def size(self) -> int:
        """In words."""
        return len(self.words) // self.scale


@dataclass(frozen=True, slots=True)
class Side:
    """One text as it lies beside the other."""

    text: Text
    runs: list[Run]
    """In their order, apart from one another."""
    other: Text

    @property
    def told(self) -> float:
        """Share of its words that are in the runs."""
        return sum(end - start for start, end in self.runs) / len(self.text.words)

    def begins(self, count: int) -> float:
        """The same of its first `count` words."""
        first = min(count * self.text.scale, len(self.text.words))
        return sum(min(end, first) - start for start, end in self.runs if start < first) / first

    def shared(self, words: Sequence[str]) -> list[str]:
        """The words in the runs; `words` are the text's, raw or folded."""
        return list(chain.from_iterable(words[start:end] for start, end in self.runs))

    def alone(self) -> set[str]:
        """The words in the runs that the other text has nowhere."""
        return set(self.shared(self.text.words)).difference(self.other.words)


Sides = tuple[Side, Side]


def plain(text: str) -> str:
    """As much of a text as is compared, each character in one spelling."""
    cut = text[:CHARACTERS]
    return cut if cut.isascii() else unicodedata.normalize("NFKC", cut)[:CHARACTERS]


def words(text: str) -> list[str]:
    """The words of a text as they are compared, punctuation and case aside; of a script without spaces characters."""
    return [word.casefold() for word in _WORD.findall(plain(text))]


def dense(text: str) -> bool:
    """Is a text, most of it, in a script without spaces?"""
    if text.isascii():
        return False
    sample = text[: CHARACTERS : 1 + min(len(text), CHARACTERS) // SAMPLE]
    return 2 * len(_DENSE_CHARACTER.findall(sample)) > len(sample)


@lru_cache(maxsize=32)
def prepared(text: str) -> Text:
    """A text made ready; kept, for a new article is laid beside many."""
    raw = _WORD.findall(plain(text))
    said = [word.casefold() for word in raw]
    tokens = 2 if dense(text) else 1
    gram = DENSE_GRAM if tokens > 1 else GRAM
    pieces = list(zip(*(said[at:] for at in range(gram)), strict=False))
    places = dict(zip(reversed(pieces), range(len(pieces) - 1, -1, -1), strict=True))
    return Text(raw, said, pieces, places, tokens)


def side_by_side(one: Text, other: Text) -> Sides | None:
    """Both as they lie beside each other; `None` where they have next to nothing in common."""
    if one.words == other.words:
        whole = [(0, len(one.words))]
        return Side(one, whole, other), Side(other, whole, one)
    common = len(one.places.keys() & other.places.keys())
    if one.scale != other.scale or not common or common < GATE * min(len(one.places), len(other.places)):
        return None
    return Side(one, _runs(one, other), other), Side(other, _runs(other, one), one)


def _runs(one: Text, other: Text) -> list[Run]:
    gap, slack, least = GAP * one.scale, SLACK * one.scale, RUN * one.scale
    theirs, last, gram = other.pieces, len(other.pieces), len(other.pieces[0])
    runs: list[Run] = []
    start = end = at = there = 0
    for here, found in enumerate(map(other.places.get, one.pieces)):
        if found is None:
            continue
        step = here - at
        if (due := there + step) < last and theirs[due] == one.pieces[here]:
            found = due
        if not end or step > gap or abs(found - there - step) > slack:
            if end - start >= least:
                runs.append((start, end))
            start = max(here, end)
        end, at, there = here + gram, here, found
    if end - start >= least:
        runs.append((start, end))
    return runs
