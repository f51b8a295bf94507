"""Comments of an engine that nobody named, known by their shape: elements that call themselves a comment, each with an
author, a time and a text.

Themes wrap one comment in several such elements, and lists in one. What each is shows when all have been read: an
element with neither author nor time of its own is a part of the comment around it, or the frame of those inside it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Any

from crawler import limits
from crawler.cleaning.comments.draft import ASIDE, Draft, Piece
from crawler.cleaning.comments.engines import ITEMS, Engine
from crawler.cleaning.comments.finish import aside_of, text_zone
from crawler.cleaning.comments.openers import Opening
from crawler.cleaning.comments.roles import LONGEST, spelled
from crawler.cleaning.comments.when import ANY_ORDER, find_time

ROW = Engine("row", weak=True)
ROW_LENGTH, ROW_SAMPLE, ROW_TEXTS, ROW_SHARE = 2, 6, 12, 0.8
"""A row has two elements or more; six of them are looked at for a date in their first twelve texts; eight in ten must
have a name and a time."""
FRAMES, FRAME_ELEMENTS = 5, 200
"""Frames looked into for a row, and elements in each."""
BESIDE = re.compile(
    r"(?:.*-)?(?:recent|latest|newest|popular|most)-?(?:comments?|commented|discussed)(?:-.*)?|sidebar|widget-area"
    r"|derniers-comm.*|(?:neueste|letzte)-?komm.*"
)
"""Boxes beside the article that show comments on other pages."""
TEASER = 0.8
"""Share of a text that is link from which on it is a teaser: comments are seldom such, lists of articles always."""


def settled(drafts: list[Draft]) -> list[Draft]:
    """The drafts that are comments, each whole, in reading order, their parents numbered anew."""
    children: list[list[int]] = [[] for _ in drafts]
    for index, draft in enumerate(drafts):
        if draft.parent is not None:
            children[draft.parent].append(index)
    gone: set[int] = set()
    for index in range(len(drafts) - 1, -1, -1):
        inside = [c for c in children[index] if c not in gone]
        parts = [c for c in inside if not _signed(drafts[c])]
        if not _signed(drafts[index]) and len(inside) == 1:
            parts = inside
        _absorb(drafts[index], [drafts[p] for p in parts])
        gone.update(parts)
        for part in parts:
            children[index].extend(children[part])
    kept = _renumbered(drafts, [i for i, d in enumerate(drafts) if i not in gone and _signed(d)])
    return [] if kept and sum(map(_linked, kept)) * 2 > len(kept) else kept


def is_beside(element: Any) -> bool:
    """True for a box of the site's latest comments, or a sidebar: what stands there is said elsewhere."""
    if element.tag in ("html", "body"):
        return False
    names = f"{element.get('class') or ''} {element.get('id') or ''}"
    return any(BESIDE.fullmatch(spelled(n)) for n in names.split() if len(n) <= LONGEST)


def repeated(frames: Sequence[Any]) -> dict[Any, Opening]:
    """Openings where a list of comments holds elements of one kind in a row that say nothing of themselves.

    The row is the first one, from the outside in, whose elements hold a date each.
    """
    for frame in frames[:FRAMES]:
        queue = deque([frame])
        looked = 0
        while queue and looked < FRAME_ELEMENTS:
            element = queue.popleft()
            looked += 1
            if row := _row(element):
                return {e: Opening(engine=ROW, roots=(e,)) for e in row}
            queue.extend(child for child in element if isinstance(child.tag, str) and child.tag != "form")
    return {}


def _row(element: Any) -> list[Any]:
    """The element's children of the commonest kind, when they are two or more and most hold a date."""
    kinds: dict[tuple[str, str], list[Any]] = {}
    for child in element:
        if child.tag in ITEMS or child.tag in ("blockquote", "p"):
            kinds.setdefault((child.tag, (child.get("class") or "").split(" ")[0]), []).append(child)
    row = max(kinds.values(), key=len, default=[])
    if len(row) < ROW_LENGTH:
        return []
    dated = sum(_holds_date(e) for e in row[:ROW_SAMPLE])
    return row if dated * 2 > min(len(row), ROW_SAMPLE) else []


def _holds_date(element: Any) -> bool:
    words = [text[: limits.DATE_CHARACTERS] for text in islice(element.itertext("*"), ROW_TEXTS)]
    return next(element.iter("time"), None) is not None or find_time(" ".join(words), ANY_ORDER) is not None


def signed_throughout(drafts: Sequence[Draft]) -> bool:
    """True when nearly all drafts of a row have a name, a time and a text: a row of anything else has not."""
    full = sum(bool(_dated(d) or d.times) and any(a.rank >= 1 for a in d.authors) for d in drafts)
    return bool(drafts) and full >= ROW_SHARE * len(drafts)


def _signed(draft: Draft) -> bool:
    """True when an author or a time of its own stands in it."""
    return any(a.rank > 1 for a in draft.authors) or bool(draft.times) or _dated(draft)


def _dated(draft: Draft) -> bool:
    return find_time(aside_of(draft, text_zone(draft), ASIDE), ANY_ORDER) is not None


def _linked(draft: Draft) -> bool:
    """True when its text is little but a link: a teaser of an opinion piece, which sites call `comment` too."""
    zone = text_zone(draft)
    text = sum(len(p.text.strip()) for p in draft.pieces if p.zone == zone)
    return sum(len(a.text) for a in draft.anchors if a.zone == zone) >= TEASER * text


def _absorb(draft: Draft, parts: Sequence[Draft]) -> None:
    """Take the pieces of parts in where they stood."""
    if not parts:
        return
    pieces: list[Piece] = []
    at = 0
    for part in parts:
        pieces += draft.pieces[at : part.offset]
        shift = len(pieces)
        at = part.offset
        for capture in part.authors:
            capture.start, capture.end = capture.start + shift, capture.end + shift
        for anchor in part.anchors:
            anchor.start += shift
        pieces += part.pieces
        _take_over(draft, part)
    draft.pieces = pieces + draft.pieces[at:]


def _take_over(draft: Draft, part: Draft) -> None:
    draft.authors += part.authors
    draft.times += part.times
    draft.anchors += part.anchors
    draft.site_id = draft.site_id or part.site_id
    draft.top = max(draft.top, part.top)
    draft.staff |= part.staff
    draft.deleted |= part.deleted
    draft.edited |= part.edited
    draft.indent = part.indent if draft.indent is None else draft.indent


def _renumbered(drafts: Sequence[Draft], kept: Sequence[int]) -> list[Draft]:
    place = {old: new for new, old in enumerate(kept)}
    for index in kept:
        above = drafts[index].parent
        while above is not None and above not in place:
            above = drafts[above].parent
        drafts[index].parent = place[above] if above is not None else None
    return [drafts[i] for i in kept]
