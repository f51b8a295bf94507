"""The folded copy of a text, in which disguises are undone, with the way back to the original.

Folding never changes what is stored. Each pass over the text is a layer that knows where a character of its copy stood
in the copy below; a place is found by going down the layers, so that a text pays for the places asked for, not for each
of its characters.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import NamedTuple

from crawler.limits import COMMENT_CHARACTERS
from moderation.places import make

Edit = tuple[int, int, str]
"""Start, end and what stands there instead."""
Undone = tuple[int, int, str]
"""Start and end of what was undone, and the name of the disguise."""
EDITS = COMMENT_CHARACTERS
"""Edits of one kind that are made: a stored comment has no room for more."""


class Edited(NamedTuple):
    """A layer of edits, in order, not overlapping."""

    edits: list[Edit]
    ends: list[int]
    """Where what each edit has put there ends in the copy."""

    def below(self, start: int, end: int) -> tuple[int, int]:
        """Where what `start:end` stands for begins and ends in the copy below."""
        at = bisect_right(self.ends, start)
        until = bisect_right(self.ends, end - 1, at)
        return self._edge(at, start, 0), self._edge(until, end - 1, 1)

    def _edge(self, at: int, place: int, edge: int) -> int:
        """The start or the end of what a character stands for; `at` is the first edit that ends behind it."""
        if at < len(self.ends):
            start, end, new = self.edits[at]
            if place >= self.ends[at] - len(new):
                return end if edge else start
        return place + edge + (self.edits[at - 1][1] - self.ends[at - 1] if at else 0)


class Turned(NamedTuple):
    """A layer in which runs were turned round."""

    runs: list[tuple[int, int]]

    def below(self, start: int, end: int) -> tuple[int, int]:
        """Where `start:end` begins and ends in the copy below."""
        first, last = self._before(start), self._before(end - 1)
        return (first, last + 1) if first < last else (last, first + 1)

    def _before(self, place: int) -> int:
        at = bisect_left(self.runs, (place + 1, 0)) - 1
        start, end = self.runs[at] if at >= 0 else (0, 0)
        return start + end - 1 - place if start <= place < end else place


@dataclass(slots=True)
class Folded:
    """A copy of `original`. Without layers it is as long as the original, character for character."""

    original: str
    text: str
    low: str
    """The copy in small letters, character for character."""
    layers: tuple[Edited | Turned, ...] = ()
    disguises: tuple[Undone, ...] = ()
    """Each piece that was undone, in the original."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where `text[start:end]` stands in the original; `start < end`."""
        for layer in reversed(self.layers):
            start, end = layer.below(start, end)
        return start, end

    def disguise(self, start: int, end: int) -> str:
        """The first disguise that was undone inside `original[start:end]`, or an empty text."""
        at = bisect_left(self.disguises, (start, -1, ""))
        if at < len(self.disguises) and self.disguises[at][0] < end:
            return self.disguises[at][2]
        return ""


def apply(folded: Folded, edits: list[Edit], name: str) -> Folded:
    """The copy with the edits made: in order, not overlapping. The same copy when there are none."""
    if not edits:
        return folded
    text, done, size = folded.text, 0, 0
    pieces: list[str] = []
    ends: list[int] = []
    undone: list[Undone] = []
    for start, end, new in edits:
        pieces += (text[done:start], new)
        size += start - done + len(new)
        ends.append(size)
        undone.append((start, end, name))
        done = end
    pieces.append(text[done:])
    return _layered(folded, "".join(pieces), make(Edited, (edits, ends)), undone)


def turn(folded: Folded, runs: list[tuple[int, int]], name: str) -> Folded:
    """The copy with the runs, in order and not overlapping, turned round."""
    characters = list(folded.text)
    for start, end in runs:
        characters[start:end] = characters[start:end][::-1]
    return _layered(folded, "".join(characters), Turned(runs), [(start, end, name) for start, end in runs])


def _layered(folded: Folded, text: str, layer: Edited | Turned, undone: list[Undone]) -> Folded:
    """The copy with one layer more; where in the copy it was undone, and by which name."""
    if folded.layers:
        undone = [(*folded.span(start, end), name) for start, end, name in undone]
    if folded.disguises:
        undone = sorted([*folded.disguises, *undone])
    return Folded(folded.original, text, small_letters(text), (*folded.layers, layer), tuple(undone))


def small_letters(text: str) -> str:
    """The text in small letters, character for character."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(c if len(c.lower()) > 1 else c.lower() for c in text)
