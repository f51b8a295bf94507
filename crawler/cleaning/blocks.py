"""The main block as sections: BeautifulSoup goes through it and keeps headings, paragraphs, items, quotes, rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from crawler import limits
from crawler.cleaning import boilerplate
from crawler.cleaning.headline import key
from crawler.cleaning.page import absolute
from crawler.items import Block, BlockKind, Cut, Href, Section
from crawler.text import line, tidy, words

HEADINGS = {f"h{n}": n for n in range(1, 7)}
KINDS: dict[str, BlockKind] = {
    "li": "item",
    "dd": "item",
    "dt": "item",
    "blockquote": "quote",
    "tr": "row",
    "figure": "caption",
    "figcaption": "caption",
    "caption": "caption",
    "pre": "code",
}
FLOWING = frozenset(
    words(
        "html body p div section article main header li ul ol dl dd dt blockquote table thead tbody tfoot tr "
        "figure figcaption caption pre hgroup "
        "h1 h2 h3 h4 h5 h6 center details summary address hr"
    )
)
"""Elements that begin a new block; every other one is part of the line it stands in."""


LINKED = 0.7
"""Share of link text from which on a block is a list of links."""
COMPARED = 300
"""Characters by which blocks are compared: longer than any headline, and two paragraphs that share them are one."""
TOP = 8
"""Blocks at the top among which a headline may stand again."""
SHORT_LINE = 60
"""Characters up to which what stands above the headline is a rubric and no standfirst."""
REPEATED = 60
"""Letters from which on a block that comes again is a pull quote or a copy for phones, not a refrain."""


CELLS = frozenset(("td", "th"))
BLOCK_OR_CELL = FLOWING | CELLS


@dataclass(slots=True)
class Piece:
    """A block on its way: what it is, what it says, how much of that is link text."""

    kind: str
    text: str
    linked: int
    level: int = 0
    links: tuple[tuple[str, str], ...] = ()
    """Address as it stands, and text."""


def pieces(tree: BeautifulSoup) -> Iterator[Piece]:
    """The blocks of a tree in reading order."""
    for kind, level, run in _runs(tree):
        text = _joined(run, kind)
        if text:
            links = _links(run)
            yield Piece(kind=kind, text=text, linked=sum(len(words) for _, words in links), level=level, links=links)


def _runs(tree: Tag) -> Iterator[tuple[str, int, list[Any]]]:
    """Runs of inline content, each with the kind of block it stands in. None on the stack ends a run."""
    stack: list[tuple[Any, str, int]] = [(tree, "paragraph", 0)]
    run: list[Any] = []
    run_kind, run_level = "paragraph", 0
    while stack:
        node, kind, level = stack.pop()
        if node is None:
            if run:
                yield run_kind, run_level, run
            run, run_kind, run_level = [], kind, level
        elif isinstance(node, NavigableString) or not _flows(node):
            run.append(node)
        else:
            inner = "heading" if node.name in HEADINGS else KINDS.get(node.name, kind)
            inner_level = HEADINGS.get(node.name, level)
            stack.append((None, kind, level))
            stack += [(child, inner, inner_level) for child in reversed(node.contents)]
            stack.append((None, inner, inner_level))
    if run:
        yield run_kind, run_level, run


def _flows(node: Tag) -> bool:
    """True for an element that begins a block of its own, or holds one that does."""
    if node.name in FLOWING or node.name == "[document]":
        return True
    return node.name not in CELLS and any(isinstance(c, Tag) and c.name in BLOCK_OR_CELL for c in node.descendants)


def _joined(run: Iterable[Any], kind: str) -> str:
    parts = []
    for node in run:
        if isinstance(node, NavigableString):
            parts.append(str(node))
        elif node.name == "br":
            parts.append("\n")
        elif node.name in CELLS:
            parts.append(node.get_text(" ").strip() + " | ")
        else:
            for br in node.find_all("br") if len(node.contents) > 1 else ():
                br.replace_with("\n")
            parts.append(node.get_text())
    text = "".join(parts)
    return tidy(text).strip("\n") if kind == "code" else line(text).strip(" |")


def _links(run: Iterable[Any]) -> tuple[tuple[str, str], ...]:
    """The links of a run, as they stand, with the text each one stands behind."""
    found: list[tuple[str, str]] = []
    for node in run:
        if isinstance(node, Tag):
            anchors = [node] if node.name == "a" else node.find_all("a")
            found += ((str(a.get("href") or ""), line(a.get_text())) for a in anchors)
    return tuple(found)


def kept(found: Iterable[Piece], titles: frozenset[str]) -> tuple[Piece, ...]:
    """The pieces without those that are links, calls for something, or the headline again; each long one once."""
    pieces_: list[Piece] = []
    seen: set[str] = set()
    for piece in _below_headline(list(found), titles):
        own = key(piece.text[:COMPARED])
        if not own or own in titles or _is_links(piece) or boilerplate.is_line(piece.text):
            continue
        if len(own) < REPEATED or own not in seen:
            seen.add(own)
            pieces_.append(piece)
    while pieces_ and pieces_[-1].kind == "heading":
        pieces_.pop()
    return tuple(pieces_)


def _below_headline(found: list[Piece], titles: frozenset[str]) -> list[Piece]:
    """Without the short lines that stand above the headline: the site's name, the rubric, the date."""
    places = [place for place, piece in enumerate(found[:TOP]) if key(piece.text[:COMPARED]) in titles]
    if not places:
        return found
    above = [p for p in found[: places[-1]] if len(p.text) > SHORT_LINE]
    return above + found[places[-1] + 1 :]


def _is_links(piece: Piece) -> bool:
    return piece.linked > LINKED * len(piece.text)


def sections(kept: Iterable[Piece]) -> tuple[tuple[Section, ...], tuple[Cut, ...]]:
    """Pieces gathered under their headings, and what the limit on a body's size left out."""
    found: list[tuple[str, int, list[Block]]] = [("", 0, [])]
    size, left_out = 0, 0
    for piece in kept:
        room = limits.BODY_CHARACTERS - size
        text = piece.text[:room]
        size, left_out = size + len(text), left_out + len(piece.text) - len(text)
        if piece.kind == "heading" and text:
            found.append((text, piece.level, []))
        elif text:
            found[-1][2].append(Block(kind=cast(BlockKind, piece.kind), text=text))
    cut = Cut(limit="BODY_CHARACTERS", kept=size, left_out=left_out, unit="characters")
    return tuple(Section(heading=h, level=n, blocks=tuple(b)) for h, n, b in found if h or b), (
        cut,
    ) if left_out else ()


def links(kept: Iterable[Piece], base: str) -> tuple[Href, ...]:
    """The links of the pieces kept, each once, as absolute addresses."""
    found: dict[Href, None] = {}
    for address, text in dict.fromkeys(link for piece in kept for link in piece.links):
        if len(found) >= limits.LINKS_AN_ARTICLE:
            break
        if url := absolute(address, base):
            found[Href(url=url, text=text)] = None
    return tuple(found)
