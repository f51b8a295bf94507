"""The one walk over the comments of a page: every element is met once, however deep replies are nested.

lxml's tree is read as it stands. BeautifulSoup would have to parse the region again and build a Python object for each
node, many times the cost of this walk on a page with thousands of comments, and it nests as deep as the page does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from crawler.cleaning.comments.draft import (
    ASIDE,
    BLOCK,
    DROPPED,
    LINE,
    TEXT,
    VERBATIM,
    Anchor,
    Capture,
    Draft,
    Piece,
)
from crawler.cleaning.comments.openers import Opening
from crawler.cleaning.comments.roles import AUTHOR_PROPS, SILENT, SURELY, TIME_PROPS, Roles, roles

DIGITS = re.compile(r"\d.*", re.DOTALL)
HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
SET_IN = re.compile(r"(?:margin|padding)-left\s*:\s*([0-9]{1,5})", re.IGNORECASE)
PIXELS = re.compile(r"[0-9]{1,5}")
OUTWARD = re.compile(r"\b(?:external|ugc)\b")
SHORT_ALT = 8
PICTOGRAPHS = 0x2190
"""An image whose text is at most eight characters with one from the arrows upward stands for that pictograph."""
MOST_CAPTURES = 6
"""Open captures at once in one comment; an author line does not nest deeper."""
SKIPPED = frozenset(("form", "noscript", "img", "meta", "br", "wbr", "hr"))
TIME_VALUES = (("datetime", 6), ("content", 6), ("data-time", 5), ("title", 4))
"""Attributes that hold a time, and how far each is believed."""


@dataclass(slots=True)
class State:
    """Where in a comment the walk is."""

    draft: int = -1
    zone: int = 0
    quote: bool = False
    verbatim: bool = False
    anchor: Anchor | None = None
    captures: tuple[Capture, ...] = ()

    def copy(self) -> State:
        """The same state for the elements inside, to be changed there."""
        return State(self.draft, self.zone, self.quote, self.verbatim, self.anchor, self.captures)


class Walk:
    """Turns openings into drafts."""

    def __init__(self, openings: Mapping[Any, Opening], holders: set[Any]) -> None:
        self.openings, self.holders = openings, holders
        self.drafts: list[Draft] = []
        self.state = State()
        self._stack: list[tuple[State, bool]] = []
        self._seen: set[Any] = set()

    def run(self) -> list[Draft]:
        """Every draft of the page, in reading order."""
        for first, opening in self.openings.items():
            if first not in self._seen:
                self._open(opening, first)
                for root in opening.roots:
                    self._read(root)
                self.state = State()
        return self.drafts

    def _read(self, root: Any) -> None:
        context = etree.iterwalk(root, events=("start", "end", "comment"))
        for event, element in context:
            if event == "start":
                if self._start(element):
                    context.skip_subtree()
                continue
            if event == "end":
                self._end()
            if element is not root and element.tail:
                self._words(element.tail)

    def _start(self, element: Any) -> bool:
        """Enter an element; true when nothing inside it is to be read."""
        before = self.state
        opening = self.openings.get(element)
        opened = opening is not None
        if opening and element not in self._seen:
            self._seen.add(element)
            self._open(opening, element)
        engine = self.drafts[self.state.draft].opening.engine.name
        prop = element.get("itemprop") or element.get("property") or ""
        role = roles(element.tag, _names(element), prop, engine)
        self._stack.append((before, role.block))
        self.state = self.state.copy()
        if not opened and element not in self.holders and self._skipped(element, role, prop):
            return True
        if role.block:
            self._piece(BLOCK, "")
        if opened:
            self._mark(role)
        elif element not in self.holders:
            self._enter(element, role)
        if element.text:
            self._words(element.text)
        return False

    def _end(self) -> None:
        before, block = self._stack.pop()
        if block:
            self._piece(BLOCK, "")
        if before.draft == self.state.draft:
            for capture in self.state.captures[len(before.captures) :]:
                self._close(capture)
        self.state = before

    # ---- a comment begins

    def _open(self, opening: Opening, element: Any) -> None:
        inside = self.state.draft
        current = self.drafts[inside] if inside >= 0 else None
        if current and not opening.engine.weak and _same(current, opening):
            current.site_id = current.site_id or opening.site_id
            return
        parent = inside if current else None
        offset = len(current.pieces) if current else 0
        self.drafts.append(Draft(opening, element, parent, offset, opening.site_id, indent=_set_in(element)))
        self._seen.add(element)
        self.state = State(len(self.drafts) - 1)

    # ---- an element inside a comment

    def _skipped(self, element: Any, role: Roles, prop: str) -> bool:
        tag = element.tag
        if tag == "br":
            self._piece(LINE, "")
        elif tag == "img":
            self._image(element)
        elif tag == "meta":
            self._property(prop, element.get("content") or "")
        if tag in SILENT or (tag in SKIPPED and not (tag == "form" and role.zone)):
            return True
        style = element.get("style")
        return bool(style) and not role.zone and bool(HIDDEN.search(style))

    def _enter(self, element: Any, role: Roles) -> None:
        draft = self.drafts[self.state.draft]
        self._mark(role)
        if role.attribution:
            self._to(DROPPED)
        elif not self.state.quote:
            self._place(element, role, draft)
        if role.quote and self.state.zone >= 0:
            self.state.quote = True
        if element.tag == "pre":
            self.state.verbatim = True
        elif element.tag == "a" and (href := element.get("href")):
            anchor = Anchor(href, self.state.zone, len(draft.pieces))
            draft.anchors.append(anchor)
            self.state.anchor = anchor
            for capture in self.state.captures:
                capture.url = capture.url or href

    def _mark(self, role: Roles) -> None:
        draft = self.drafts[self.state.draft]
        if self.state.zone < SURELY:
            draft.staff |= role.staff
            draft.deleted |= role.deleted
        draft.edited |= role.edited

    def _place(self, element: Any, role: Roles, draft: Draft) -> None:
        """Which part of the comment begins here."""
        zone = self.state.zone
        inside = zone >= SURELY and zone == draft.top
        if self.state.captures and self.state.captures[-1].of_time:
            self._stated(element, draft)
        rank = _author_by_tag(element)
        if role.author and not (role.nameless and not self.state.captures):
            rank = role.author
        if role.zone and (zone >= 0 or role.zone > -zone):
            self._to(max(zone, role.zone))
            if role.zone > draft.top:
                draft.top, draft.text_element = role.zone, element
        elif role.time and not (inside and draft.times):
            self._time(element, role, draft)
        elif rank and _may_name(draft, role, rank, inside):
            self._capture(Capture(rank, len(draft.pieces), zone))
            if rank > 1:
                self._to(ASIDE)
        elif role.drop:
            self._to(DROPPED)
        elif role.own_meta or (role.meta and not inside):
            self._to(ASIDE)

    def _to(self, zone: int) -> None:
        """Into another zone; what is below the text stays as low as it was."""
        if zone < 0:
            zone = min(zone, self.state.zone)
        self.state.zone = zone

    def _time(self, element: Any, role: Roles, draft: Draft) -> None:
        self._stated(element, draft)
        self._capture(Capture(role.time, len(draft.pieces), of_time=True))
        self._to(ASIDE)

    def _stated(self, element: Any, draft: Draft) -> None:
        for name, rank in TIME_VALUES:
            if value := element.get(name):
                draft.times.append((rank, value))

    def _capture(self, capture: Capture) -> None:
        if len(self.state.captures) < MOST_CAPTURES:
            capture.url = self.state.anchor.url if self.state.anchor else ""
            self.state.captures = (*self.state.captures, capture)

    def _close(self, capture: Capture) -> None:
        draft = self.drafts[self.state.draft]
        text = " ".join("".join(capture.words).split())
        if text and capture.of_time:
            draft.times.append((capture.rank, text))
        elif text:
            capture.end, capture.words = len(draft.pieces), [text]
            draft.authors.append(capture)

    def _property(self, prop: str, value: str) -> None:
        draft = self.drafts[self.state.draft]
        prop = prop.lower().rpartition(":")[2]
        if prop in TIME_PROPS:
            draft.times.append((7, value))
        elif prop in AUTHOR_PROPS and value.strip() and not self.state.quote:
            here = len(draft.pieces)
            draft.authors.append(Capture(AUTHOR_PROPS[prop], here, ASIDE, [value], end=here))

    def _image(self, element: Any) -> None:
        alt = element.get("alt") or ""
        if alt and len(alt) <= SHORT_ALT and any(ord(c) >= PICTOGRAPHS for c in alt):
            self._words(alt)
        draft, width = self.drafts[self.state.draft], element.get("width") or ""
        if draft.opening.engine.spacer and draft.indent is None and PIXELS.fullmatch(width):
            draft.indent = int(width)

    def _words(self, text: str) -> None:
        self._piece(VERBATIM if self.state.verbatim else TEXT, text)
        for capture in self.state.captures:
            capture.words.append(text)
        if self.state.anchor:
            self.state.anchor.words.append(text)
        if self.state.zone >= 0 and not text.isspace():
            draft = self.drafts[self.state.draft]
            draft.worded = True
            draft.spoken = draft.spoken or self.state.zone >= SURELY

    def _piece(self, kind: int, text: str) -> None:
        self.drafts[self.state.draft].pieces.append(Piece(self.state.zone, kind, text))


def holders_of(openings: Iterable[Any]) -> set[Any]:
    """Every element that has an opening inside it."""
    seen: set[Any] = set()
    for element in openings:
        for above in element.iterancestors():
            if above in seen:
                break
            seen.add(above)
    return seen


def _same(current: Draft, opening: Opening) -> bool:
    """True when an opening in a comment only repeats it: the same number, or none and nothing said yet."""
    if current.site_id and opening.site_id:
        return current.site_id == opening.site_id
    return current.blank


def _set_in(element: Any) -> int | None:
    style = element.get("style")
    found = SET_IN.search(style) if style else None
    return int(found[1]) if found else None


def _may_name(draft: Draft, role: Roles, rank: int, inside: bool) -> bool:
    """True where words may name the author: in the text only before anything is said, or by an unmistakable class."""
    if rank <= 2 and _named(draft):
        return False
    return not inside or (not draft.authors and (role.own_author or (not draft.spoken and rank >= 2)))


def _named(draft: Draft) -> bool:
    return any(a.rank > 1 for a in draft.authors[:MOST_CAPTURES])


def _names(element: Any) -> str:
    names, id = element.get("class") or "", element.get("id")
    return f"{names} {DIGITS.sub('', id)}" if id else names


def _author_by_tag(element: Any) -> int:
    tag = element.tag
    if tag == "cite" or (tag == "a" and OUTWARD.search(element.get("rel") or "")):
        return 2
    return 1 if tag in ("strong", "b") else 0
