"""Where comments begin on a page: one look at every element's class and id, before any comment is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from lxml import etree

from crawler.cleaning.comments.engines import ENGINES, SHAPES, Engine
from crawler.cleaning.comments.frames import SOURCE, frame_kind
from crawler.cleaning.comments.roles import spelled
from crawler.items import CommentKind

NAMES = tuple(etree.XPath(path, smart_strings=False) for path in ("//@class", "//@id", "//@itemtype", "//script/@src"))
HINTS = [
    "comm",
    "koment",
    "komment",
    "coment",
    "reacti",
    "responses",
    "forum",
    "message",
    "postbit",
    "postauthor",
    "crawler-post",
    "topic-post",
    "post_",
    "pingback",
    "trackback",
    "dsq",
    "disqus",
    "respond",
    "remark42",
    "isso-",
    "livefyre",
    "spot-im",
    "spotim",
    "openweb",
    "viafoura",
    "vuukle",
    "hyvor",
    "coral",
    "giscus",
    "cusdis",
    "cackle",
    "gigya",
    "echo-",
    "cmt",
    "idc-",
    "bc_",
    "vf-",
    "ipscomment",
    "post_wrapper",
]
"""In some class, id, type or script of every page with comments, a form for them, or a widget, in small letters."""
ITEM_HINTS = (*HINTS, "post", "default", "depth-", "opinion", "review")
"""The same, with the words that say it only together with others."""
LOADERS = frozenset(("script", "iframe"))
NUMBERED = re.compile(r"[0-9]")
CLIMB = 8
"""Levels at most between the element that tells a comment and the one that holds it."""
DEPTH_WORD = re.compile(r"(?:depth|level|(?:wc|wpd)-comment-level|comment-level|indent)-(\d{1,5})")
PING = re.compile(r"(?:.*-)?(pingback|trackback)s?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """One comment's beginning."""

    engine: Engine
    site_id: str = ""
    parent_site_id: str = ""
    depth: int | None = None
    """As the page states it, from 0; None when it does not."""
    level: int = 0
    """How many lists of replies it stands in."""
    kind: CommentKind = "comment"
    roots: tuple[Any, ...] = ()
    """The elements that hold it, siblings."""


@dataclass(slots=True)
class Scan:
    """What one look at a page's elements brought."""

    hints: tuple[str, ...] = ITEM_HINTS
    openings: dict[Any, Opening] = field(default_factory=dict)
    """The first element of each comment of a named engine, in document order."""
    shapes: dict[Any, Opening] = field(default_factory=dict)
    """The same of elements that only look like a comment."""
    frames: list[tuple[Any, int]] = field(default_factory=list)
    """Lists, forms, notices and widgets, with their kind."""
    scripted: bool = False
    """True when a script of a comment service is loaded."""
    told: dict[tuple[str, str, str], Told] = field(default_factory=dict)
    """What each tag, class and `itemtype` of the page says."""


def hints_on(root: Any) -> tuple[str, ...]:
    """The hints that the page's classes, ids, types and scripts give; none on most pages without comments."""
    names = "\n".join(name for path in NAMES for name in set(path(root))).lower()
    return tuple(hint for hint in ITEM_HINTS if hint in names) if any(hint in names for hint in HINTS) else ()


def scan(roots: Iterable[Any], hints: tuple[str, ...] = ITEM_HINTS) -> Scan:
    """Every element under the roots, looked at once. `hints` are those that the page gives."""
    result = Scan(hints)
    for root in roots:
        for element in root.iter(etree.Element):
            _look(element, result)
    for found in (result.openings, result.shapes):
        found.update({first: _with_run(opening, first, found) for first, opening in found.items()})
    return result


def _look(element: Any, result: Scan) -> None:
    tag, names, id = element.tag, element.get("class") or "", element.get("id") or ""
    if tag in LOADERS:
        source = element.get("src")
        result.scripted = result.scripted or (bool(source) and bool(SOURCE.search(source)))
        return
    kind = element.get("itemtype") or ""
    if not (names or id or kind):
        return
    told = result.told.get((tag, names, kind))
    if told is None:
        told = result.told[tag, names, kind] = _told(tag, names, kind, result.hints)
    numbered = bool(id) and NUMBERED.search(id) is not None
    if told.named or told.shaped:
        for engines, found in ((told.named, result.openings), (told.shaped, result.shapes)):
            for engine in engines:
                if (numbered or engine.id is None) and (opening := _opening(engine, element, names, id)):
                    found.setdefault(opening.roots[0], opening)
                    break
    if told.frame:
        result.frames.append((element, told.frame))
    elif id and _hinted(id, result.hints) and (frame := frame_kind(tag, id)):
        result.frames.append((element, frame))


def _told(tag: str, names: str, kind: str, hints: tuple[str, ...]) -> Told:
    return told_by(tag, names, kind) if kind or _hinted(names, hints) else _nameless(tag)


def _hinted(names: str, hints: Iterable[str]) -> bool:
    """Substrings, not a pattern: ten times as fast on the many names of a page."""
    names = names.lower()
    return any(hint in names for hint in hints)


@dataclass(frozen=True, slots=True)
class Told:
    """What a tag and a class say of an element, its id left aside."""

    named: tuple[Engine, ...]
    shaped: tuple[Engine, ...]
    frame: int


@lru_cache(maxsize=8192)
def told_by(tag: str, names: str, kind: str) -> Told:
    """The engines an element can belong to by its tag, class and `itemtype`, and the frame it can be."""
    words = {spelled(n) for n in names.split()}
    named = tuple(e for e in ENGINES if _fits(e, tag, words, kind))
    shaped = tuple(e for e in SHAPES if _fits(e, tag, words, kind))
    return Told(named, shaped, frame_kind(tag, names))


@lru_cache(maxsize=256)
def _nameless(tag: str) -> Told:
    """The engines that ask for no class word: their id tells them."""
    named, shaped = (tuple(e for e in engines if _fits(e, tag, set(), "")) for engines in (ENGINES, SHAPES))
    return Told(named, shaped, 0)


def _fits(engine: Engine, tag: str, words: set[str], kind: str) -> bool:
    return (
        (not engine.tags or tag in engine.tags)
        and engine.words <= words
        and not engine.none_of & words
        and (engine.type is None or bool(engine.type.search(kind)))
        and (engine.any_word is None or any(engine.any_word.fullmatch(w) for w in words))
    )


def _opening(engine: Engine, element: Any, names: str, id: str) -> Opening | None:
    matched = engine.id.fullmatch(id) if engine.id else None
    if engine.id and not matched:
        return None
    holder = _climb(element, engine.climb) if engine.climb else element
    if holder is None:
        return None
    words = [spelled(n) for n in names.split()]
    parent = matched.groupdict().get("parent") if matched else None
    return Opening(
        engine=engine,
        site_id=matched[1] if matched else "",
        parent_site_id=parent if parent and parent != "0" else "",
        depth=_stated_depth(words),
        kind=_kind(words),
        roots=(holder,),
    )


def _climb(element: Any, tag: str) -> Any | None:
    for _, above in zip(range(CLIMB), element.iterancestors(), strict=False):
        if above.tag == tag:
            return above
    return None


def _stated_depth(words: Iterable[str]) -> int | None:
    for word in words:
        if found := DEPTH_WORD.fullmatch(word):
            return max(int(found[1]) - 1, 0)
    return None


def _kind(words: Iterable[str]) -> CommentKind:
    for word in words:
        if found := PING.fullmatch(word):
            return "pingback" if found[1] == "pingback" else "trackback"
    return "comment"


def _with_run(opening: Opening, first: Any, found: Mapping[Any, Opening]) -> Opening:
    """The same, with the siblings that belong to it."""
    if not opening.engine.run:
        return opening
    return replace(opening, roots=(first, *_until_next(first, found)))


def _until_next(first: Any, found: Mapping[Any, Opening]) -> Iterator[Any]:
    for sibling in first.itersiblings():
        if sibling in found and found[sibling].engine.run:
            return
        if isinstance(sibling.tag, str):
            yield sibling
