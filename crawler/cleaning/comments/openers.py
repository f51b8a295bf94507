"""Where comments begin on a page: one look at every element's class and id, before any comment is read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from crawler.cleaning.comments.engines import ENGINES, ITEMS, SHAPES, Engine
from crawler.cleaning.comments.frames import SERVICES, SOURCE, frame_kind
from crawler.cleaning.comments.roles import spelled
from crawler.cleaning.index import Index
from crawler.items import CommentKind

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
]
"""In some class, id, type or script of every page with comments, a form for them, or a widget, in small letters."""
TELLING = frozenset(HINTS)
ITEM_HINTS = (*HINTS, "post", "default", "depth-", "opinion", "review")
"""The same, with the words that say it only together with others."""
LOADERS = frozenset(("script", "iframe"))
NUMBERED = re.compile(r"[0-9]")
NUMBERED_TAGS = ITEMS | {"dt"}
"""Elements that a number in their id alone may make a comment."""
CLIMB = 8
"""Levels at most between the element that tells a comment and the one that holds it."""
DEPTH_WORD = re.compile(r"(?:depth|level|(?:wc|wpd)-comment-level|comment-level|indent)-(\d{1,5})")
OWN_ID = re.compile(r"(?:li-|div-)?comment[-_]((?=\D*\d)[\w.:-]{1,60})")
"""How a comment is named that something else than its id tells to be one."""
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

    openings: dict[Any, Opening] = field(default_factory=dict)
    """The first element of each comment of a named engine, in document order."""
    shapes: dict[Any, Opening] = field(default_factory=dict)
    """The same of elements that only look like a comment."""
    frames: list[tuple[Any, int]] = field(default_factory=list)
    """Lists, forms, notices and widgets, with their kind."""
    scripted: bool = False
    """True when a script of a comment service is loaded."""


@dataclass(frozen=True, slots=True)
class Hinted:
    """What on a page may speak of comments."""

    present: bool = False
    """False on most pages without comments."""
    scripted: bool = False
    """True when a script of a comment service is loaded."""
    names: frozenset[str] = frozenset()
    """The classes and ids that have one of them."""
    types: Mapping[int, str] = field(default_factory=dict)
    """The `itemtype` of elements, by their place."""


def hinted(index: Index) -> Hinted:
    """What the page's classes, ids, types and scripts hint at. Substrings of one long text: ten times as fast as a
    pattern."""
    names, types = {*index.classes, *index.ids}, index.attributes["itemtype"]
    sources = "\n".join([source for el in index.by_tag(*LOADERS) if (source := el.get("src"))]).lower()
    text = "\n".join((*names, *types.values(), sources)).lower()
    hints = [hint for hint in ITEM_HINTS if hint in text]
    if TELLING.isdisjoint(hints):
        return Hinted()
    telling = frozenset([name for name in names if _holds(name.lower(), hints)])
    return Hinted(True, _holds(sources, SERVICES) and SOURCE.search(sources) is not None, telling, types)


def _holds(text: str, parts: Iterable[str]) -> bool:
    for part in parts:  # noqa: SIM110 a generator costs three times as much here
        if part in text:
            return True
    return False


def scan(index: Index, hints: Hinted, roots: Iterable[Any] = ()) -> Scan:
    """The elements under the roots, or all of the page without any, each looked at once."""
    result = Scan(scripted=hints.scripted)
    for place in _worth_a_look(index, hints, roots):
        _look(index.elements[place], hints.types.get(place, ""), hints.names, result)
    for found in (result.openings, result.shapes):
        found.update({first: _with_run(opening, first, found) for first, opening in found.items()})
    return result


def _worth_a_look(index: Index, hints: Hinted, roots: Iterable[Any]) -> list[int]:
    """Places of the elements that have a type, a name with a hint in it or an id with a number, in reading order."""
    names, tags = hints.names, index.tags
    found = {place for place, own in enumerate(index.classes) if own in names}
    found.update(place for place, own in enumerate(index.ids) if own and (own in names or _numbered(tags[place], own)))
    found.update(hints.types)
    places = [index.places[el] for el in roots]
    if not places:
        return sorted(found)
    return [inner for place in places for inner in range(place, index.ends[place] + 1) if inner in found]


def _numbered(tag: str, own: str) -> bool:
    return tag in NUMBERED_TAGS and NUMBERED.search(own) is not None


def _look(element: Any, kind: str, telling: Collection[str], result: Scan) -> None:
    tag, names, id = element.tag, element.get("class") or "", element.get("id") or ""
    if tag in LOADERS:
        return
    told = told_by(tag, names, kind) if kind or names in telling else _nameless(tag)
    numbered = bool(id) and NUMBERED.search(id) is not None
    if told.named or told.shaped:
        for engines, found in ((told.named, result.openings), (told.shaped, result.shapes)):
            for engine in engines:
                if (numbered or engine.id is None) and (opening := _opening(engine, element, names, id)):
                    found.setdefault(opening.roots[0], opening)
                    break
    if told.frame:
        result.frames.append((element, told.frame))
    elif id in telling and (frame := frame_kind(tag, id)):
        result.frames.append((element, frame))


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
    named, shaped = (tuple(e for e in engines if _fits(e, words, kind)) for engines in _of_tag(tag))
    return Told(named, shaped, frame_kind(tag, names))


@lru_cache(maxsize=256)
def _of_tag(tag: str) -> tuple[tuple[Engine, ...], tuple[Engine, ...]]:
    """The engines, and the shapes, whose comments may begin with this tag."""
    named, shaped = (tuple(e for e in engines if not e.tags or tag in e.tags) for engines in (ENGINES, SHAPES))
    return named, shaped


@lru_cache(maxsize=256)
def _nameless(tag: str) -> Told:
    """The engines that ask for no class word: their id tells them."""
    named, shaped = (tuple(e for e in engines if _fits(e, set(), "")) for engines in _of_tag(tag))
    return Told(named, shaped, 0)


def _fits(engine: Engine, words: set[str], kind: str) -> bool:
    return (
        engine.words <= words
        and (engine.type is None or bool(engine.type.search(kind)))
        and not engine.none_of & words
        and (engine.any_word is None or any(map(engine.any_word.fullmatch, words)))
    )


def _opening(engine: Engine, element: Any, names: str, id: str) -> Opening | None:
    matched = (engine.id or OWN_ID).fullmatch(id)
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
