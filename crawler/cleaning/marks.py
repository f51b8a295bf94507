"""Every element that a page's metadata can be read from, found in one pass."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any

from crawler.cleaning.index import Index
from crawler.text import words

BYLINE_CLASSES = words(
    "author byline autor auteur verfasser reporter writer journalist periodista redakteur contributor"
)
"""Parts of class names that mark who wrote a text."""
DATE_CLASSES = words("date publish time datum meta-info fecha")
"""Parts of class names that mark when it was written."""
NOT_THE_TEXTS = words("comment related teaser recommend sidebar avatar")
"""Parts of class names that tell that an author is someone else's: a reader, the writer of another text."""
AUTHOR_FOLDERS = frozenset(
    words(
        "author authors autor autoren autores autorin autori autore autorzy auteur auteurs profile profiles journalist "
        "journalists journaliste journalistes journalistinnen reporter reporters writer writers contributor "
        "contributors columnist columnists redakteur redakteure redakteurin staff byline penulis forfatter firmas "
        "correspondents skribent"
    )
)
"""Folders in the addresses of the pages where a site presents its authors."""
ADDRESS = 300
"""Characters of an address looked at."""
NEAR_HEADLINE = 200
"""Elements behind a headline whose text is looked at for a byline that no class marks."""
NAME = 100
"""Characters of a meta element's name looked at: the tables' longest have some thirty."""
MARKED = 60
"""Elements kept of each kind: an index of authors has thousands, an article's own come first."""
PREFIX = re.compile(r"https?://ogp\.me/ns#", re.I)
ALIKE = str.maketrans("_-. ", "::::")
TEXTUAL = frozenset(words("span div p li ul small td dd b strong em i address a h2 h3 h4 h5 header section cite"))
"""Elements that bylines and dates are made of."""
BYLINE, DATE = 1, 2


@dataclass(slots=True)
class Marks:
    """What the pass found, each kind in the page's order; places count elements from the page's start."""

    metas: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """`content` of the `meta` elements by `spelled` name."""
    title: str = ""
    canonical: str = ""
    h1s: list[tuple[int, Any]] = field(default_factory=list)
    times: list[tuple[int, Any]] = field(default_factory=list)
    items: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    """Elements by each word of their `itemprop`."""


@dataclass(slots=True)
class Shown:
    """What readers see of author and date, as far as the markup marks it; in the page's order, with places."""

    bylines: list[tuple[int, Any]] = field(default_factory=list)
    """Elements that a class, an address or `rel` marks as speaking of an author."""
    dated: list[tuple[int, Any]] = field(default_factory=list)
    """Elements whose class speaks of a date."""


def spelled(name: str) -> str:
    """A meta element's name as the tables have it: small, with `_`, `-`, `.` and blanks as `:`."""
    return _spelled(name[:NAME])


@lru_cache(maxsize=1024)
def _spelled(name: str) -> str:
    bare = name.strip()
    return PREFIX.sub("og:", bare).lower().translate(ALIKE)


def find(index: Index, readers: frozenset[int]) -> Marks:
    """The marks of a page. Linear in its size. `readers` are the places of what readers wrote."""
    begins = sorted(readers)
    times = (at for at in index.tagged.get("time", ()) if not _stands_in(index, begins, at))
    marks = Marks(
        title=next(("".join(el.itertext()) for el in index.by_tag("title") if _is_in_head(el)), ""),
        canonical=next((el.get("href") or "" for el in index.by_tag("link") if _is_canonical(el)), ""),
        h1s=_placed(index, index.tagged.get("h1", ())),
        times=_placed(index, times),
    )
    for el in index.by_tag("meta"):
        if (content := el.get("content")) is not None:
            marks.metas[spelled(el.get("property") or el.get("name") or el.get("itemprop") or "")].append(content)
    for at, prop in index.attributes["itemprop"].items():
        _note_item(marks, index.elements[at], prop)
    return marks


def shown(index: Index) -> Shown:
    """The elements that their class or their address marks. Each class is judged once."""
    kinds = {names: kind for names in set(index.classes) if (kind := _kind(names))}
    marked = {at: kinds[names] for at, names in enumerate(index.classes) if names in kinds}
    linked = _author_links(index)
    places = [at for at in sorted(linked | marked.keys()) if index.tags[at] in TEXTUAL]
    bylines = [at for at in places if at in linked or marked[at] & BYLINE]
    dated = [at for at in places if marked.get(at, 0) & DATE]
    return Shown(bylines=_placed(index, bylines), dated=_placed(index, dated))


def names_author(link: Any) -> bool:
    """True for a link to the page of an author."""
    folders = link.get("href", "")[:ADDRESS].lower().split("/")[:-1]
    return not AUTHOR_FOLDERS.isdisjoint(folders) or "author" in link.get("rel", "")


def _stands_in(index: Index, begins: list[int], place: int) -> bool:
    """True where one of the elements holds the place; they are in reading order, and none holds another."""
    before = bisect_right(begins, place)
    return before > 0 and index.holds(begins[before - 1], place)


def _placed(index: Index, places: Iterable[int]) -> list[tuple[int, Any]]:
    return [(at, index.elements[at]) for at in islice(places, MARKED)]


def near_headline(index: Index) -> Iterator[tuple[int, Any, str]]:
    """Elements that follow the first headlines, with their places and the text that each begins with."""
    last = len(index.elements) - 1
    behind = {p for at in index.tagged.get("h1", ())[:2] for p in range(at + 1, min(at + NEAR_HEADLINE, last) + 1)}
    for at in sorted(behind):
        if index.tags[at] in TEXTUAL and (text := (index.elements[at].text or "").strip()):
            yield at, index.elements[at], text


@lru_cache(maxsize=16384)
def _kind(names: str) -> int:
    """What a class speaks of. Kept: the pages of one site share their classes."""
    small = names.lower()
    kind = (BYLINE if _holds(small, BYLINE_CLASSES) else 0) | (DATE if _holds(small, DATE_CLASSES) else 0)
    return 0 if kind and _holds(small, NOT_THE_TEXTS) else kind


def _holds(stated: str, parts: Iterable[str]) -> bool:
    for part in parts:  # noqa: SIM110 - a third of the time of any() with a generator
        if part in stated:
            return True
    return False


def _author_links(index: Index) -> set[int]:
    """Places of the links to pages of authors; the folders are sought in all addresses at once."""
    addresses, rels = index.attributes["href"], index.attributes["rel"]
    found = {at for at, rel in rels.items() if "author" in rel and index.tags[at] == "a"}
    links = [at for at in index.tagged.get("a", ()) if at in addresses]
    every = "\0/".join([addresses[at][:ADDRESS] for at in links]).lower()
    if folders := AUTHOR_FOLDERS.intersection(every.split("/")):
        parts = [f"/{folder}/" for folder in folders]
        found.update(at for at, address in zip(links, f"/{every}".split("\0"), strict=True) if _holds(address, parts))
    return found


def _note_item(marks: Marks, el: Any, prop: str) -> None:
    for word in prop.split()[:4]:
        if len(marks.items[word]) < MARKED:
            marks.items[word].append(el)


def _is_in_head(title: Any) -> bool:
    """True for the page's title, not for a drawing's."""
    parent = title.getparent()
    return parent is not None and parent.tag in ("head", "html")


def _is_canonical(link: Any) -> bool:
    return (link.get("rel") or "").strip().lower() == "canonical"
