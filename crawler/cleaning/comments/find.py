"""Every comment on a page, whole and in its thread."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crawler import limits
from crawler.cleaning.comments.byline import set_apart
from crawler.cleaning.comments.draft import DROPPED, Draft
from crawler.cleaning.comments.finish import NEAR, aside_of, finish, in_brief, links_left_out, text_zone
from crawler.cleaning.comments.frames import FRAME, outermost, state_of
from crawler.cleaning.comments.linked import linked_comments
from crawler.cleaning.comments.openers import Opening, Scan, hinted, scan
from crawler.cleaning.comments.shape import is_beside, repeated, settled, signed_throughout
from crawler.cleaning.comments.threads import counted_above, hung, levels, parents_of
from crawler.cleaning.comments.walk import Walk, holders_of
from crawler.cleaning.comments.when import Order, order_of
from crawler.cleaning.page import Parsed, select
from crawler.items import Comment, CommentsState, Cut, Moment

POST_NUMBER = re.compile(r"#\s?(\d{1,7})\b")
LATER_PAGE = re.compile(r"(?:page[-=/]?|[?&](?:p|start|offset)=)(?:[2-9]|[1-9]\d)", re.IGNORECASE)
"""Addresses of the second and further pages of a thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundComments:
    """What a page holds of its readers."""

    comments: tuple[Comment, ...] = ()
    """In reading order; `position` is the index."""
    state: CommentsState = "unknown"
    regions: tuple[Any, ...] = ()
    """The elements that hold comments, comment forms and notices: no part of the article."""
    first_post: Any | None = None
    """In a forum thread the element with the first post's text: it is the article."""
    first_author: str = ""
    first_posted: Moment | None = None
    cuts: tuple[Cut, ...] = ()


def find_comments(parsed: Parsed) -> FoundComments:
    """The comments of a page. Never raises; linear in the size of the page."""
    seen = _scanned(parsed)
    drafts = _walked(seen.openings) or settled(_walked(_in_place(seen.shapes))) or _row(seen)
    order = order_of(text for draft in drafts for _, text in draft.times)
    comments = _finished(drafts, parsed.base, order)
    if not drafts:
        return _without_drafts(parsed, seen)
    first = _first_post(drafts[0], parsed.url)
    kept, cuts = hung(comments[first:], parents_of(drafts[first:], [bool(c.text) for c in comments[first:]], first))
    elements = [root for draft in drafts[first:] for root in draft.opening.roots]
    return FoundComments(
        comments=kept,
        state=state_of(seen.frames, seen.scripted, set(elements), holders_of(elements)),
        regions=_regions(seen, elements, drafts[0].element if first else None),
        first_post=(drafts[0].text_element if drafts[0].text_element is not None else drafts[0].element)
        if first
        else None,
        first_author=comments[0].author if first else "",
        first_posted=comments[0].posted if first else None,
        cuts=(*cuts, *_links_cut(drafts)),
    )


def _finished(drafts: Sequence[Draft], base: str, order: Order) -> list[Comment]:
    """A comment of each draft; those beyond the limit in brief, for they are only counted."""
    comments: list[Comment] = []
    shown = 0
    for draft in drafts:
        comments.append(finish(draft, base, order) if shown <= limits.COMMENTS_A_PAGE else in_brief(draft))
        shown += bool(comments[-1].text)
    return comments


def _links_cut(drafts: Sequence[Draft]) -> tuple[Cut, ...]:
    left_out = sum(map(links_left_out, drafts))
    return (
        (Cut(limit="LINKS_A_COMMENT", kept=limits.LINKS_A_COMMENT, left_out=left_out, unit="links"),)
        if left_out
        else ()
    )


def _without_drafts(parsed: Parsed, seen: Scan) -> FoundComments:
    linked = linked_comments(parsed.nodes, parsed.base)
    kept, cuts = hung([c for c, _ in linked], [p for _, p in linked])
    state = "open" if kept else state_of(seen.frames, seen.scripted, (), ())
    return FoundComments(comments=kept, state=state, regions=_regions(seen, [], None), cuts=cuts)


def _scanned(parsed: Parsed) -> Scan:
    """The places of comments: in the elements that the source's rule names, else on the whole page."""
    if chosen := select(parsed, parsed.rules.comments):
        seen = scan(parsed.index, hinted(parsed.index), outermost(chosen))
        seen.frames += [(element, FRAME) for element in chosen]
        return seen
    found = hinted(parsed.index)
    return scan(parsed.index, found) if found.present else Scan()


def _walked(openings: Mapping[Any, Opening]) -> list[Draft]:
    if not openings:
        return []
    deep = levels(openings)
    levelled = {e: replace(o, level=deep[e]) if deep[e] else o for e, o in openings.items()}
    drafts = Walk(levelled, holders_of(levelled)).run()
    for draft in drafts:
        set_apart(draft)
    return drafts


def _in_place(shapes: Mapping[Any, Opening]) -> dict[Any, Opening]:
    """Those that do not stand in a box of the latest comments of the whole site."""
    beside = counted_above(shapes, is_beside)
    return {element: opening for element, opening in shapes.items() if not beside[element] and not is_beside(element)}


def _row(seen: Scan) -> list[Draft]:
    """The drafts of a list whose elements bear no telling name."""
    lists = outermost([frame for frame, kind in seen.frames if kind == FRAME and not is_beside(frame)])
    drafts = settled(_walked(repeated(lists))) if lists else []
    return drafts if signed_throughout(drafts) else []


def _first_post(draft: Draft, url: str) -> int:
    """1 when the first draft begins a forum thread and so is the article, else 0."""
    if not draft.opening.engine.forum:
        return 0
    said = (*(a.text for a in draft.anchors[:NEAR]), aside_of(draft, text_zone(draft), DROPPED))
    number = next((found for text in said if (found := POST_NUMBER.search(text))), None)
    if number:
        return int(int(number[1]) == 1)
    return int(not LATER_PAGE.search(url))


def _regions(seen: Scan, elements: Sequence[Any], first: Any | None) -> tuple[Any, ...]:
    """The outermost elements that belong to the readers, none of which holds the first post."""
    above = set(first.iterancestors()) if first is not None else set()
    return outermost([e for e in (*elements, *(frame for frame, _ in seen.frames)) if e not in above])
