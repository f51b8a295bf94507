"""The main block as sections: BeautifulSoup goes through it and keeps headings, paragraphs, items, quotes, rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, cast

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


ADDRESS = re.compile(r"(?:https?://|www\.)\S", re.I)
LINKED = 0.7
"""Share of link text from which on a block is a list of links."""
SENTENCE_END = re.compile(r"[.!?…][\"'”’»)]*\Z")
LINKED_SENTENCE = 100
"""Characters from which on a paragraph that is one link, and ends as a sentence does, is text: most headlines of other
stories have neither."""
COMPARED = 300
"""Characters by which blocks are compared: longer than any headline, and two paragraphs that share them are one."""
TOP = 8
"""Blocks at the top among which a headline may stand again."""
SHORT_LINE = 60
"""Characters up to which what stands above the headline is a rubric and no standfirst."""
REPEATED = 60
"""Letters from which on a block that comes again is a pull quote or a copy for phones, not a refrain."""


CELLS = frozenset(("td", "th"))
PARAGRAPHS_A_CELL = 2
"""Paragraphs from which on a cell is no datum but a column of a page that is laid out with tables."""
ABOVE, HEADLINE, NO_WORD, LINKS = "above the headline", "the headline", "no word", "links"
PAGE_LINE, TWICE, NOTHING_UNDER = "page line", "said before", "nothing under it"
AUTHOR, OTHER_STORY = "the author", "under a heading of other stories"
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
    place: int | None = None
    """Place in the page's index of the element it begins in, as far as BeautifulSoup was told of it."""


def pieces(tree: BeautifulSoup) -> Iterator[Piece]:
    """The blocks of a tree in reading order."""
    for kind, level, run in _runs(tree):
        text = _joined(run, kind)
        if text:
            links = _links(run)
            linked = sum(len(words) for _, words in links)
            yield Piece(kind, text, linked, level, links, _place(run[0]))


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
            inner = "paragraph" if node.name in CELLS else inner
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
    if node.name in CELLS:
        return len(list(islice(_inside(node, "p"), PARAGRAPHS_A_CELL))) == PARAGRAPHS_A_CELL
    return any(isinstance(c, Tag) and c.name in BLOCK_OR_CELL for c in node.descendants)


def _inside(node: Tag, name: str) -> Iterator[Tag]:
    """The elements of a name inside one: `find_all` prepares for more, and takes ten times as long in a small one."""
    return (child for child in node.descendants if isinstance(child, Tag) and child.name == name)


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
            for br in list(_inside(node, "br")) if len(node.contents) > 1 else ():
                br.replace_with("\n")
            parts.append(_text(node))
    text = "".join(parts)
    return tidy(text).strip("\n") if kind == "code" else line(text).strip(" |")


def _text(node: Tag) -> str:
    """The text in an element; most hold one string and nothing else, which is told faster than by `get_text`."""
    only = node.contents[0] if len(node.contents) == 1 else None
    return str(only) if type(only) is NavigableString else node.get_text()


def _place(node: Any) -> int | None:
    """The place of an element, or of the one that a text stands in, as `soup` noted it."""
    holder: Any = node.parent if isinstance(node, NavigableString) else node
    return cast("int | None", holder.sourcepos)


def _links(run: Iterable[Any]) -> tuple[tuple[str, str], ...]:
    """The links of a run, as they stand, with the text each one stands behind."""
    found: list[tuple[str, str]] = []
    for node in run:
        if isinstance(node, Tag):
            anchors = [node] if node.name == "a" else _inside(node, "a")
            found += ((str(a.get("href") or ""), line(_text(a))) for a in anchors)
    return tuple(found)


class Known(NamedTuple):
    """What is known of an article before its text is read."""

    titles: frozenset[str]
    """Keys of the headline's spellings."""
    authors: frozenset[str] = frozenset()
    """Keys of the authors' names."""
    is_time: Callable[[str], bool] = lambda text: False
    """True for a line with the time of a live blog's entry."""


def kept(found: Iterable[Piece], known: Known) -> tuple[Piece, ...]:
    """The pieces without those that are links, calls for something, or the headline again; each long one once."""
    pieces_ = list(found)
    return tuple(piece for piece, why in zip(pieces_, reasons(pieces_, known), strict=True) if not why)


def reasons(found: list[Piece], known: Known) -> list[str]:
    """For each piece why it is no part of the article: one of the names above, or nothing for one that is kept."""
    whys: list[str] = []
    seen: set[str] = set()
    own_keys = [key(piece.text[:COMPARED]) for piece in found]
    begins = max((place for place, own in enumerate(own_keys[:TOP]) if own in known.titles), default=-1)
    others = False
    for place, (piece, own) in enumerate(zip(found, own_keys, strict=True)):
        why = ABOVE if place < begins and len(piece.text) <= SHORT_LINE else _reason(piece, own, known, seen)
        if others and not why and piece.kind == "item":
            why = OTHER_STORY
        others = piece.kind == "item" if others and why != PAGE_LINE else why == PAGE_LINE and _heads_others(piece)
        whys.append(why)
        if not why:
            seen.add(own)
    for place in range(len(found) - 1, -1, -1):
        if not whys[place]:
            if found[place].kind != "heading":
                break
            whys[place] = NOTHING_UNDER
    return whys


def _reason(piece: Piece, own: str, known: Known, seen: set[str]) -> str:
    if not own:
        return NO_WORD
    if own in known.titles:
        return HEADLINE
    if own in known.authors:
        return AUTHOR
    if _is_links(piece):
        return LINKS
    if boilerplate.is_line(piece.text) and not known.is_time(piece.text):
        return PAGE_LINE
    return TWICE if len(own) >= REPEATED and own in seen else ""


def _heads_others(piece: Piece) -> bool:
    return len(piece.text) <= SHORT_LINE and boilerplate.heads_others(piece.text)


def _is_links(piece: Piece) -> bool:
    if piece.linked <= LINKED * len(piece.text) or _is_sentence(piece):
        return False
    return not _ends_with_address(piece.text) or (len(piece.links) > 1 and " " in piece.text)


def _ends_with_address(text: str) -> bool:
    """True for a line that gives the address of a page to be read, not to lead on; an endnote (`[4] https://…`) does
    not."""
    last = text.rsplit(maxsplit=1)[-1] if text[-1:].strip() else ""
    found = ADDRESS.search(last)
    if found is None or last.endswith(("..", "…")):
        return False
    before = text[: len(text) - len(last) + found.start()]
    return not before or (before[0].isalpha() and "\n" not in before)


def _is_sentence(piece: Piece) -> bool:
    """True for a paragraph that is one link and whole sentences."""
    return (
        piece.kind == "paragraph"
        and len(piece.links) == 1
        and len(piece.text) >= LINKED_SENTENCE
        and SENTENCE_END.search(piece.text) is not None
    )


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
