"""A draft as a `Comment`: the text chosen from its zones, the author and the time from what named them."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from crawler import limits
from crawler.cleaning.comments.byline import SAYS, name_in, read_byline
from crawler.cleaning.comments.draft import ASIDE, BLOCK, DROPPED, LINE, TEXT, VERBATIM, Capture, Draft, Piece
from crawler.cleaning.comments.roles import EXACTLY, PLAINLY
from crawler.cleaning.comments.when import Order, best_time, find_time
from crawler.items import Comment, Href, Moment
from crawler.text import line, tidy

SPACES = re.compile(r"[ \t\n\r\f]+")
SIGNATURE = re.compile(r"(?:^|\n)[ \t]*_{10,}[ \t]*(?:\n|$)")
"""The line of underscores that forums set above a signature; phpBB writes seventeen."""
EDIT_NOTE = re.compile(
    r"\b(?:last|was) edited\b|\(edited\)|zuletzt (?:geändert|bearbeitet|editiert)|dernière (?:modification|édition)"
    r"|editado por última vez|ultima modifica|laatst (?:bewerkt|aangepast)|последний раз редактировалось",
    re.IGNORECASE,
)
DELETION = re.compile(
    r"\W*(?:(?:this )?(?:comment|post|message)?\s*(?:has been|was|is)?\s*(?:deleted|removed)(?: by .{1,20})?"
    r"|(?:dieser )?kommentar (?:wurde )?(?:gelöscht|entfernt)|commentaire supprimé|comentario eliminado)\W*",
    re.IGNORECASE,
)
"""The whole of a short text that stands where a comment was."""
LABEL = 40
"""Characters at most of a loose label such as `Kommentar 3 von` before the author's name."""
NEAR = 12
"""Anchors among which the one behind the author's name is looked for."""
ASIDE_CHARACTERS = 600
"""Of the author line, enough to find a name and a date in."""


def finish(draft: Draft, base: str, order: Order) -> Comment:
    """The comment, without its place among the others."""
    zone = text_zone(draft)
    author, url, skip = _author(draft, zone)
    text, ends = _text(draft, zone, skip)
    limit = limits.COMMENT_CHARACTERS
    return Comment(
        text=text[:limit],
        cut=max(len(text) - limit, 0),
        author=author,
        author_url=absolute(url, base),
        posted=_posted(draft, zone, order),
        links=_links(draft, zone, skip, ends, base),
        site_id=tidy(draft.site_id),
        parent_site_id=tidy(draft.opening.parent_site_id),
        kind=draft.opening.kind,
        edited=draft.edited or bool(EDIT_NOTE.search(aside_of(draft, zone, DROPPED))),
        deleted=draft.deleted or bool(DELETION.fullmatch(text[:LABEL])),
        by_staff=draft.staff,
    )


def links_left_out(draft: Draft) -> int:
    """How many of the comment's links the limit leaves out."""
    if len(draft.anchors) <= limits.LINKS_A_COMMENT:
        return 0
    zone = text_zone(draft)
    return max(sum(a.zone == zone for a in draft.anchors) - limits.LINKS_A_COMMENT, 0)


def in_brief(draft: Draft) -> Comment:
    """The comment with the beginning of its text alone."""
    zone = text_zone(draft)
    return Comment(text=next((p.text.strip() for p in draft.pieces if p.zone == zone and _worded(p)), ""))


def text_zone(draft: Draft) -> int:
    """The zone that holds the text: an engine's own name for it, even an empty one, else the surest with words."""
    if draft.top == EXACTLY:
        return EXACTLY
    return max((p.zone for p in draft.pieces if p.zone > 0 and _worded(p)), default=0)


def absolute(url: str, base: str) -> str:
    """The address a link means, whatever its scheme; one that cannot be resolved stays as it stands."""
    url = tidy(url.strip(), limits.URL_CHARACTERS)
    if not url:
        return ""
    try:
        return urljoin(base, url)
    except ValueError:
        return url


def _worded(piece: Piece) -> bool:
    return piece.kind in (TEXT, VERBATIM) and bool(piece.text) and not piece.text.isspace()


# ---- text


def _text(draft: Draft, zone: int, skip: range) -> tuple[str, int]:
    """The text, and the index of the piece where a signature begins, or the number of pieces."""
    parts: list[str] = []
    for index, piece in enumerate(draft.pieces):
        if piece.kind == BLOCK:
            _break(parts, "\n\n")
        elif piece.zone != zone or index in skip:
            continue
        elif piece.kind == LINE:
            _break(parts, "\n")
        elif piece.kind == TEXT and zone <= EXACTLY and _signs_off(piece.text):
            return _joined(parts), index
        else:
            _append(parts, piece)
    return _joined(parts), len(draft.pieces)


def _signs_off(text: str) -> bool:
    return "__________" in text and bool(SIGNATURE.fullmatch(text.strip()))


def _joined(parts: list[str]) -> str:
    return tidy("".join(parts)).strip(" \n\t")


def _append(parts: list[str], piece: Piece) -> None:
    text = piece.text
    if piece.kind == TEXT:
        text = SPACES.sub(" ", text)
        if not parts or parts[-1][-1:] in " \n":
            text = text.removeprefix(" ")
    if text:
        parts.append(text)


def _break(parts: list[str], mark: str) -> None:
    """A break after what stands there; two make an empty line, and more make no more."""
    while parts and parts[-1] == " ":
        parts.pop()
    if not parts:
        return
    if parts[-1] in ("\n", "\n\n"):
        parts[-1] = "\n\n"
        return
    if parts[-1].endswith(" "):
        parts[-1] = parts[-1].rstrip(" ")
    parts.append(mark)


def _links(draft: Draft, zone: int, skip: range, ends: int, base: str) -> tuple[Href, ...]:
    kept = [a for a in draft.anchors if a.zone == zone and a.start < ends and a.start not in skip]
    return tuple(
        Href(url=absolute(a.url, base), text=tidy(a.text, limits.URL_CHARACTERS))
        for a in kept[: limits.LINKS_A_COMMENT]
    )


# ---- author and time


def _author(draft: Draft, zone: int) -> tuple[str, str, range]:
    """Name, address, and the pieces of the text that are the name and so no text."""
    best: tuple[str, Capture] | None = None
    for capture in draft.authors:
        if (best is None or capture.rank > best[1].rank) and (name := name_in(capture.words[0])):
            best = (name, capture)
    if best and best[1].rank == 1 and best[1].zone == zone and _speaks_before(draft, best[1], zone):
        best = None
    if best is None:
        near, far = aside_of(draft, zone, ASIDE, ASIDE), aside_of(draft, zone)
        name, url = read_byline((near, far), [a for a in draft.anchors if a.zone == ASIDE or a.zone == 0 < zone])
        return name, url, range(0)
    name, capture = best
    url = next((a.url for a in draft.anchors[:NEAR] if a.zone != zone and a.text == name), capture.url)
    return name, url, _not_text(draft, capture, zone)


def _speaks_before(draft: Draft, capture: Capture, zone: int) -> bool:
    return any(p.zone == zone and _worded(p) for p in draft.pieces[: capture.start])


def _not_text(draft: Draft, capture: Capture, zone: int) -> range:
    """The name's own pieces, and a loose label before it on the same line."""
    start = capture.start
    if zone < PLAINLY and any(p.zone == zone and _worded(p) for p in draft.pieces[capture.end :]):
        before, length = start, 0
        while before and draft.pieces[before - 1].kind != BLOCK and length <= LABEL:
            before -= 1
            length += len(draft.pieces[before].text.strip()) if draft.pieces[before].zone == zone else 0
        start = before if length <= LABEL else start
    return range(start, _after_says(draft, capture.end, zone))


def _after_says(draft: Draft, end: int, zone: int) -> int:
    """Where a loose `says:` behind the name ends; the same place without one."""
    if zone >= PLAINLY:
        return end
    last = next((i for i in range(end, len(draft.pieces)) if draft.pieces[i].kind in (LINE, BLOCK)), end)
    words = "".join(p.text for p in draft.pieces[end:last] if p.zone == zone)
    return last if words.strip() and SAYS.fullmatch(f" {words.strip()}") else end


def aside_of(draft: Draft, zone: int, lowest: int = ASIDE, highest: int = EXACTLY) -> str:
    """The words of a comment that are not its text, within some zones, on one line."""
    parts: list[str] = []
    length = 0
    for piece in draft.pieces:
        if piece.zone == zone or not piece.text:
            parts.append(" ")
        elif lowest <= piece.zone <= highest:
            parts.append(piece.text)
            length += len(piece.text)
            if length > ASIDE_CHARACTERS:
                break
    return " ".join("".join(parts).split())[:ASIDE_CHARACTERS]


def _posted(draft: Draft, zone: int, order: Order) -> Moment | None:
    stated = [text for _, text in sorted(draft.times, key=lambda t: -t[0])]
    near = [c.words[0] for c in draft.authors]
    aside = aside_of(draft, zone)
    together = " ".join(text for _, text in draft.times[:4])
    if moment := best_time([*stated, *near, aside], [together, aside, *near], order):
        return moment
    if found := find_time(aside_of(draft, zone, DROPPED), order):
        return found[0]
    raw = line(next((t for t in stated if t.strip()), ""), limits.DATE_CHARACTERS)
    return Moment(iso="", raw=raw) if raw else None
