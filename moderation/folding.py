"""The folded copy of a text, in which disguises are undone, with the way back to the original.

Folding never changes what is stored: each character of the copy knows the piece of the original that it stands for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain, islice, repeat

from crawler.limits import COMMENT_CHARACTERS

Edit = tuple[int, int, str]
"""Start, end and what stands there instead."""
EDITS = COMMENT_CHARACTERS
"""Edits of one kind that are made: a stored comment has no room for more."""


@dataclass(slots=True)
class Folded:
    """A copy of `original`. Without `starts` and `ends` it is as long as the original, character for character."""

    original: str
    text: str
    starts: list[int] | None = None
    ends: list[int] | None = None
    disguises: list[tuple[int, int, str]] = field(default_factory=list)
    """Start and end in the original of each piece that was undone, and the name of the disguise."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where `text[start:end]` stands in the original; `start < end`."""
        if self.starts is None or self.ends is None:
            return start, end
        first, last = self.starts[start], self.starts[end - 1]
        return min(first, last), max(self.ends[start], self.ends[end - 1])

    def disguise(self, start: int, end: int) -> str:
        """The first disguise that was undone inside `original[start:end]`, or an empty text."""
        at = bisect_left(self.disguises, (start, -1, ""))
        if at < len(self.disguises) and self.disguises[at][0] < end:
            return self.disguises[at][2]
        return ""


def apply(folded: Folded, edits: Iterable[Edit], name: str) -> Folded:
    """The copy with the edits made: in order, not overlapping. The same copy when there are none."""
    edits = list(islice(edits, EDITS))
    if not edits:
        return folded
    size = len(folded.text)
    old_starts = folded.starts if folded.starts is not None else list(range(size))
    old_ends = folded.ends if folded.ends is not None else list(range(1, size + 1))
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    disguises: list[tuple[int, int, str]] = []
    done = 0
    for start, end, new in edits:
        first, last = old_starts[start], old_ends[end - 1]
        pieces += (folded.text[done:start], new)
        starts += chain(old_starts[done:start], repeat(first, len(new)))
        ends += chain(old_ends[done:start], repeat(last, len(new)))
        disguises.append((first, last, name))
        done = end
    pieces.append(folded.text[done:])
    starts += old_starts[done:]
    ends += old_ends[done:]
    merged = sorted(folded.disguises + disguises)
    return Folded(folded.original, "".join(pieces), starts, ends, merged)
