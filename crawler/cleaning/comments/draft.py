"""One comment while the page is being walked: its words in reading order, and where in the comment each one stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from crawler.cleaning.comments.openers import Opening

TEXT, LINE, BLOCK, VERBATIM = range(4)
"""Kinds of pieces: running text, a line break, the edge of a block, text whose white space counts."""

ASIDE, DROPPED = -1, -2
"""Zones that are no text: the author line and its like; buttons, profiles and signatures. From 0 on a zone is text,
the more surely the higher: see `roles`."""


@dataclass(slots=True)
class Piece:
    """Some characters of a page, and where they stand in their comment."""

    zone: int
    kind: int
    text: str


@dataclass(slots=True)
class Capture:
    """The words of an element that may name the author or the time, and how far it is believed."""

    rank: int
    start: int
    """Index of its first piece."""
    zone: int = 0
    """The zone it was found in."""
    words: list[str] = field(default_factory=list)
    url: str = ""
    end: int = 0
    of_time: bool = False


@dataclass(slots=True)
class Anchor:
    """A hyperlink, as it stands."""

    url: str
    zone: int
    start: int
    """Index of its first piece."""
    words: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The words it stands behind, on one line."""
        return " ".join("".join(self.words).split())


@dataclass(slots=True)
class Draft:
    """What the walk has gathered of one comment."""

    opening: Opening
    element: Any
    parent: int | None = None
    """Index of the draft it stands in."""
    offset: int = 0
    """How many pieces that draft had when this one began."""
    site_id: str = ""
    pieces: list[Piece] = field(default_factory=list)
    authors: list[Capture] = field(default_factory=list)
    times: list[tuple[int, str]] = field(default_factory=list)
    """Rank and raw text; machine-readable ones rank higher."""
    anchors: list[Anchor] = field(default_factory=list)
    indent: int | None = None
    """How far the page sets it in, in whatever unit; None when it does not say."""
    top: int = 0
    """The surest zone that was entered."""
    text_element: Any | None = None
    """The element of that zone, the first one."""
    spoken: bool = False
    """True once words of the text itself were met."""
    worded: bool = False
    """True once any words were met that are not known to be no text."""
    staff: bool = False
    deleted: bool = False
    edited: bool = False

    @property
    def blank(self) -> bool:
        """True while nothing of the comment has been read."""
        return not (self.authors or self.times or self.worded)
