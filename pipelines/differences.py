"""What changed between two versions of a text, word by word, as people mark a proof. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

WORD = re.compile(r"\s+|[^\W_]+|.", re.DOTALL)
"""Blanks, a word, or one other character."""
_LETTERS = re.compile(r"[^\W_]+")
ALIKE = 0.5
"""Share of words that two paragraphs have in common to be one that was edited, not one for another."""
WORDS = 2_000
"""A paragraph with more words than this is compared as a whole: the effort grows with their square."""
PARAGRAPHS = 2_000
"""Beyond this many the rest of a text is one paragraph, for the same reason."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text that both versions have, or only one."""

    kind: Literal["same", "gone", "new"]
    text: str


def pieces(old: str, new: str) -> tuple[Piece, ...]:
    """Both versions in one: those that are not `new` make up the old text, those that are not `gone` the new one."""
    return tuple(_joined(_by_paragraph(old, new)))


def words_changed(old: str, new: str) -> tuple[int, int]:
    """How many words of the old text went, and how many came; one that only moved did neither. Linear."""
    was, became = Counter(words(old)), Counter(words(new))
    return (was - became).total(), (became - was).total()


def words(text: str) -> list[str]:
    """The words of a text, without blanks and signs: two texts that have the same are no edits of each other."""
    return _LETTERS.findall(text)


def _by_paragraph(old: str, new: str) -> Iterator[Piece]:
    one, other = _paragraphs(old), _paragraphs(new)
    for kind, a, b, c, d in SequenceMatcher(None, one, other).get_opcodes():
        if kind == "equal":
            yield Piece("same", "".join(one[a:b]))
        elif b - a == d - c:
            for was, became in zip(one[a:b], other[c:d], strict=True):
                yield from _by_word(was, became)
        elif kind == "replace":
            yield from _by_word("".join(one[a:b]), "".join(other[c:d]))
        else:
            yield Piece("gone", "".join(one[a:b]))
            yield Piece("new", "".join(other[c:d]))


def _by_word(old: str, new: str) -> Iterator[Piece]:
    one, other = WORD.findall(old), WORD.findall(new)
    matcher = SequenceMatcher(None, one, other)  # common words are no anchors: else the effort grows with the cube
    if max(len(one), len(other)) > WORDS or matcher.ratio() < ALIKE:
        yield Piece("gone", old)
        yield Piece("new", new)
        return
    for _, a, b, c, d in matcher.get_opcodes():
        if one[a:b] == other[c:d]:
            yield Piece("same", "".join(one[a:b]))
        else:
            yield Piece("gone", "".join(one[a:b]))
            yield Piece("new", "".join(other[c:d]))


def _paragraphs(text: str) -> list[str]:
    """Each with the empty line behind it."""
    found = re.findall(r"(?:(?!\n\n).)+(?:\n\n)?|\n\n", text, re.DOTALL)
    return [*found[:PARAGRAPHS], "".join(found[PARAGRAPHS:])] if len(found) > PARAGRAPHS else found


def _joined(found: Iterator[Piece]) -> Iterator[Piece]:
    """Neighbours of one kind as one; empty ones left out."""
    last: Piece | None = None
    for piece in found:
        if not piece.text:
            continue
        if last and last.kind == piece.kind:
            last = Piece(last.kind, last.text + piece.text)
            continue
        if last:
            yield last
        last = piece
    if last:
        yield last
