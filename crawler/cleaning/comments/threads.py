"""Who replies to whom: from nesting, from the ids that the site states, from links to a comment, from indentation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from crawler import limits
from crawler.cleaning.comments.draft import Draft
from crawler.cleaning.comments.roles import spelled
from crawler.items import Comment, Cut

REPLIES = re.compile(
    r"indented|children|child|repl(?:y|ies)-?(?:list|container|thread)?|comment-replies|sub-?comments?"
    r"|comment-?children"
)
"""A list of replies, which some engines put beside the comment and not inside it."""
LISTS = ("ul", "ol")
NEAR = 12
"""Links among which the one to the comment replied to is looked for."""
FRAGMENT = 80
NUMBER_AT_END = re.compile(r"(\d{1,20})$")


def hung(comments: Sequence[Comment], parents: Sequence[int | None]) -> tuple[tuple[Comment, ...], tuple[Cut, ...]]:
    """The comments that have a text, each under its parent and within the limits, and what the limits left out."""
    kept: list[Comment] = []
    place: dict[int | None, int] = {}
    true_depth: list[int] = []
    left_out = 0
    for index, comment in enumerate(comments):
        if not comment.text:
            continue
        if len(kept) >= limits.COMMENTS_A_PAGE:
            left_out += 1
            continue
        parent = place.get(parents[index])
        place[index] = len(kept)
        true_depth.append(0 if parent is None else true_depth[parent] + 1)
        if parent is not None and kept[parent].depth > limits.REPLY_DEPTH:
            parent = kept[parent].parent
        kept.append(_placed(comment, parent, kept))
    return tuple(kept), _cuts(len(kept), left_out, max(true_depth, default=0))


def levels(elements: Iterable[Any]) -> dict[Any, int]:
    """How many lists of replies each element stands in."""
    return counted_above(elements, _is_reply_list)


def counted_above(elements: Iterable[Any], counts: Callable[[Any], bool]) -> dict[Any, int]:
    """How many of the elements above each one count; every element on the way up is looked at once."""
    known: dict[Any, int] = {}
    found: dict[Any, int] = {}
    for element in elements:
        path: list[Any] = []
        above = element.getparent()
        while above is not None and above not in known:
            path.append(above)
            above = above.getparent()
        level = known[above] if above is not None else 0
        for step in reversed(path):
            level += counts(step)
            known[step] = level
        found[element] = level
    return found


def _placed(comment: Comment, parent: int | None, kept: Sequence[Comment]) -> Comment:
    above = kept[parent] if parent is not None else None
    return replace(
        comment,
        parent=parent,
        parent_site_id=comment.parent_site_id or (above.site_id if above else ""),
        depth=above.depth + 1 if above else 0,
        position=len(kept),
    )


def _cuts(kept: int, left_out: int, deepest: int) -> tuple[Cut, ...]:
    cuts = []
    if left_out:
        cuts.append(Cut(limit="COMMENTS_A_PAGE", kept=kept, left_out=left_out, unit="comments"))
    if deepest > limits.REPLY_DEPTH + 1:
        over = deepest - limits.REPLY_DEPTH - 1
        cuts.append(Cut(limit="REPLY_DEPTH", kept=limits.REPLY_DEPTH, left_out=over, unit="levels"))
    return tuple(cuts)


# ---- one comment's parent


def parents_of(drafts: Sequence[Draft], shown: Sequence[bool], shift: int = 0) -> list[int | None]:
    """Index of each draft's parent among those that are shown; always a smaller one.

    `shift` is how many drafts stood before the first one here when they were numbered.
    """
    parents: list[int | None] = []
    by_id: dict[str, int] = {}
    by_name: dict[str, int] = {}
    indents: list[tuple[int, int]] = []
    for index, draft in enumerate(drafts):
        parent = by_id.get(draft.opening.parent_site_id) if draft.opening.parent_site_id else None
        if parent is None:
            parent = _nested(drafts[index].parent, parents, shown, shift)
        if parent is None:
            parent = _pointed_at(draft, by_id, by_name)
        if draft.parent is None:
            set_in = _under(indents, _indent(draft), index if shown[index] else None)
            parent = set_in if parent is None else parent
        parents.append(parent)
        if shown[index]:
            for name, index_of in ((draft.site_id, by_id), (draft.element.get("id"), by_name)):
                if name:
                    index_of.setdefault(name, index)
    return parents


def _nested(above: int | None, parents: Sequence[int | None], shown: Sequence[bool], shift: int) -> int | None:
    """The draft that this one stands in; where that one shows nothing, the one it replies to."""
    if above is None or above < shift:
        return None
    above -= shift
    return above if shown[above] else parents[above]


def _pointed_at(draft: Draft, by_id: Mapping[str, int], by_name: Mapping[str, int]) -> int | None:
    """The comment that a link of the author line leads to: `in reply to`, `replied to comment from`."""
    for anchor in draft.anchors[:NEAR]:
        if "#" in anchor.url and (anchor.zone < 0 or anchor.zone == 0 < draft.top):
            name = unquote(anchor.url.rpartition("#")[2][:FRAGMENT])
            number = NUMBER_AT_END.search(name)
            target = by_name.get(name, by_id.get(number[1]) if number else None)
            if target is not None and name != draft.element.get("id") and not (number and number[1] == draft.site_id):
                return target
    return None


def _indent(draft: Draft) -> int:
    if draft.opening.depth is not None:
        return draft.opening.depth
    return draft.indent if draft.indent is not None else draft.opening.level


def _under(indents: list[tuple[int, int]], indent: int, index: int | None) -> int | None:
    """The last one set in less. `indents` is the open branch, from the outside in."""
    while indents and indents[-1][0] >= indent:
        indents.pop()
    parent = indents[-1][1] if indents else None
    if index is not None:
        indents.append((indent, index))
    return parent


def _is_reply_list(element: Any) -> bool:
    if element.tag in LISTS and (above := element.getparent()) is not None and above.tag in (*LISTS, "li"):
        return True
    names = element.get("class")
    return bool(names) and any(REPLIES.fullmatch(spelled(n)) for n in names.split())
