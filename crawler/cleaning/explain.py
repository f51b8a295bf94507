"""Why a page was cleaned as it was: each of its texts once, with the rule that kept it or left it out.

The steps are those of `clean`, taken by the same functions; here is only told what they said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from itertools import islice
from typing import NamedTuple

from crawler.cleaning import assemble, blocks, body, boilerplate, ground
from crawler.cleaning.ground import Ground
from crawler.cleaning.index import Index
from crawler.cleaning.page import Parsed, parse, select
from crawler.cleaning.witnesses import Field, fields_of
from crawler.items import Page, Rejected
from crawler.source import Rules, Source
from crawler.text import line, words

UNSEEN = frozenset(words("head script style noscript template iframe object"))
"""Elements whose text no reader sees; it is not accounted for, unless the article stands in it."""
PLAIN_NAME = re.compile(r"-?[A-Za-z_][\w-]*", re.ASCII)
"""A class or an id that can stand in a CSS selector as it is."""
CLASSES_SHOWN, LEVELS_SHOWN = 3, 6
"""Classes of an element, and elements round it, that tell a person which one is meant."""
OUTSIDE, STATED, NO_TEXT, ANNOTATION = "outside", "stated elsewhere", "no running text", "annotation"
PASSED_OVER = ("rt", "rp")
"""How a word is pronounced, which stands above it and is no part of the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """An element of the page, as a person would look for it."""

    selector: str
    """`div#story.text`: a CSS selector, fit for a source's rules; several elements may match it."""
    path: str
    """The elements round it and itself, from the outside in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A text of the page, and what became of it."""

    text: str
    """On one line, except for code."""
    rule: str
    """Why it was left out, by name; empty for what was kept."""
    because: str
    """The same in words, with the pattern or the element that decided."""
    element: Element
    """The element it stands in; for what was left out with an element that one."""
    kind: str = ""
    """`heading`, `paragraph`, `item`, …; empty for what was not looked at as a block."""

    @property
    def kept(self) -> bool:
        """True for a part of the article."""
        return not self.rule


@dataclass(frozen=True, slots=True, kw_only=True)
class MainBlock:
    """The element that was taken for the article's text."""

    element: Element
    start: Element
    """Where the search down began."""
    why: str
    """Why there."""
    levels: int
    """How far down it went."""
    share: float
    """Share of the page's running text that stands in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleUse:
    """A rule of the source, and how many elements it names on this page."""

    name: str
    selector: str
    matches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A page, and why it was cleaned so."""

    result: Page | Rejected
    texts: tuple[Explained, ...] = ()
    """In reading order. Those that are kept are the article's headings and blocks, before the limit on its size."""
    main: MainBlock | None = None
    standfirst: Element | None = None
    """What stands before the main block and was taken with it."""
    spared: tuple[Explained, ...] = ()
    """Elements with something against them that were kept because most of the text stands in them."""
    trusting: bool = False
    """True when so little was found that the page was read again, classes and hidden elements no longer held against
    what stands in them."""
    fields: tuple[Field, ...] = ()
    rules: tuple[RuleUse, ...] = ()


def explain(html: bytes, url: str, source: Source | None = None) -> Explanation:
    """What `clean` gives for the page, and why. Any bytes give an answer; nothing is raised.

    Linear in the size of the page.
    """
    parsed = parse(html, url, source.rules if source else Rules())
    if isinstance(parsed, Rejected):
        return Explanation(result=parsed)
    reading = assemble.read(parsed)
    text = reading.text
    seen = text.ground or ground.survey(parsed, reading.found.regions)
    return Explanation(
        result=assemble.concluded(reading, source),
        texts=tuple(_Account(reading, seen).texts()),
        main=_main_block(text, seen),
        standfirst=_element(parsed.index, text.standfirst) if text.standfirst is not None else None,
        spared=tuple(_spared(seen, text.main)),
        trusting=seen.trusting,
        fields=fields_of(reading.said.evidence, parsed.base),
        rules=tuple(_rules(parsed)),
    )


def _rules(parsed: Parsed) -> Iterator[RuleUse]:
    for name in (f.name for f in fields(Rules)):
        if selector := getattr(parsed.rules, name):
            yield RuleUse(name=name, selector=selector, matches=len(select(parsed, selector)))


# ---- the main block ------------------------------------------------------------------------------

MOST = "of the text outside boilerplate, or more"
STARTS = {
    body.MARKED: f"microdata marks it as the article's body, and it holds {body.MARKED_SHARE:.0%} {MOST}",
    body.NAMED_SO: f"its class or id names an article's body, and it holds {body.NAMED_SHARE:.0%} {MOST}",
    body.ARTICLE: f"the smallest article or main element that holds {body.ARTICLE_SHARE:.0%} {MOST}",
    body.HEAVIEST: "no element is marked, named or tagged as the article, and this one holds the most text",
    body.FIRST_POST: "the first post of a forum thread",
    body.RULE: "the source's rule `content` names it",
}


def _main_block(text: body.Text, seen: Ground) -> MainBlock | None:
    main = text.main
    if main is None:
        return None
    levels = list(seen.index.chain(main.place)).index(main.start)
    start, own = _element(seen.index, main.start), _element(seen.index, main.place)
    return MainBlock(element=own, start=start, why=STARTS[main.why], levels=levels, share=text.share)


def _spared(seen: Ground, main: body.Main | None) -> Iterator[Explained]:
    """The elements round and in the main block that were kept against their class."""
    index = seen.index
    heavy = [p for p, raw in enumerate(seen.raw) if raw and raw >= ground.SPARED * seen.total] if main else []
    for place in heavy:
        against = boilerplate.against(index, place)
        if against and not seen.is_out(place):
            kept = f"kept, for it holds {seen.raw[place] / seen.total:.0%} of the running text"
            element = _element(index, place)
            yield Explained(text="", rule=against, because=f"{_why(index, place, against)}; {kept}", element=element)


# ---- the texts -----------------------------------------------------------------------------------

BLOCK_REASONS: dict[str, Callable[[blocks.Piece], str]] = {
    blocks.ABOVE: lambda piece: f"a line of {blocks.SHORT_LINE} characters or fewer above the headline",
    blocks.HEADLINE: lambda piece: "the headline again",
    blocks.NO_WORD: lambda piece: "no letter and no digit in it",
    blocks.AUTHOR: lambda piece: "an author's name and nothing else",
    blocks.OTHER_STORY: lambda piece: "an item under a line that heads other stories",
    blocks.LINKS: lambda piece: f"a list of links: more than {blocks.LINKED:.0%} of it is link text",
    blocks.PAGE_LINE: lambda piece: f"a line that belongs to the page: {boilerplate.line_pattern(piece.text)}",
    blocks.TWICE: lambda piece: "said before on the page",
    blocks.NOTHING_UNDER: lambda piece: "a heading at the end, with nothing under it",
}
ELEMENT_REASONS = {
    ground.REMOVED: "the source's rule `remove` names it",
    ground.READERS: "readers' comments stand in it, a form for them or a notice of them",
    boilerplate.COMMENTS_HERE: "it is named as readers' comments are",
    boilerplate.COMMENTS_ROUND: "it is named as readers' comments are",
    boilerplate.NAMED: "it is named as what is not the article is",
    boilerplate.UNSEEN: "it is hidden",
    OUTSIDE: "it does not stand in the main block",
    STATED: "the page states the article's text in JSON-LD, several times as much as was found on the page itself",
    NO_TEXT: "no element of the page holds running text",
    ANNOTATION: "it says how the word under it is pronounced",
}
NAMED_RULES = frozenset((boilerplate.COMMENTS_HERE, boilerplate.COMMENTS_ROUND, boilerplate.NAMED))


def _why(index: Index, place: int, rule: str) -> str:
    """In words, why an element is no part of the article."""
    tag = index.tags[place]
    if rule == boilerplate.TAG:
        return f"<{tag}> never holds an article"
    if rule == boilerplate.DOUBTFUL:
        return f"<{tag}> holds no article unless most of the text stands in it"
    return ELEMENT_REASONS[rule] + (_named(index, place) if rule in NAMED_RULES else "")


def _named(index: Index, place: int) -> str:
    """The words of its class or id that gave an element away, with their patterns in the table."""
    wanted = "boilerplate" if boilerplate.against(index, place) == boilerplate.NAMED else "comments"
    for attribute, names in (("class", index.classes[place]), ("id", index.ids[place])):
        if names and boilerplate.marks(names) == wanted:
            said = (
                f"“{word}”" + (f" ({pattern})" if pattern not in ("", word) else "")
                for word, pattern in boilerplate.hits(names)
            )
            return f": {attribute} {', '.join(said)}"
    return ""


class _Fate(NamedTuple):
    """What became of the text right inside an element."""

    element: int
    """Place of the element that decided."""
    rule: str
    """Why it was left out; `IN_BLOCKS` where its blocks are judged one by one, `NOT_SEEN` where no reader sees it."""
    whole: bool = True
    """True when it holds for all that the element holds; false when each element inside is asked again."""


IN_BLOCKS, NOT_SEEN = "in blocks", "not seen"


class _Part(NamedTuple):
    """The texts that one element decided on, the first of them behind the beginning of the element at `place`."""

    place: int
    texts: list[str]


class _Account:
    """Goes over the page once and says of each text what became of it."""

    def __init__(self, reading: assemble.Reading, seen: Ground) -> None:
        text = reading.text
        self.reading, self.seen, self.index = reading, seen, seen.index
        self.own = {p for p in (text.standfirst, text.main.place if text.main else None) if p is not None}
        self.round = {above for place in self.own for above in self.index.chain(place)}
        self.beyond = OUTSIDE if text.main else STATED if text.pieces else NO_TEXT

    def texts(self) -> Iterator[Explained]:
        """The blocks, and the texts left out by the element that decided, by the place where each begins."""
        judged = self._judged()
        for fate, part in self._parts().items():
            while judged and judged[-1][0] < part.place:
                yield judged.pop()[1]
            because = _why(self.index, fate.element, fate.rule)
            element = _element(self.index, fate.element)
            yield Explained(text=line(" ".join(part.texts)), rule=fate.rule, because=because, element=element)
        while judged:
            yield judged.pop()[1]

    def _judged(self) -> list[tuple[int, Explained]]:
        """The blocks with their places, the last first. None comes before one that stands above it."""
        found: list[tuple[int, Explained]] = []
        at = min(self.own, default=0)
        for piece, why, stated in body.judged(self.reading.text, self.reading.said):
            at = max(at, piece.place or 0)
            because = BLOCK_REASONS[why](piece) if why else ""
            element = JSON_LD if stated else _element(self.index, piece.place or at)
            found.append((at, Explained(text=piece.text, rule=why, because=because, element=element, kind=piece.kind)))
        return found[::-1]

    def _parts(self) -> dict[_Fate, _Part]:
        """What was left out before blocks were made, in reading order."""
        fates, parts = self._fates(), dict[_Fate, _Part]()
        for holder, at, text in _texts(self.index):
            fate = fates[holder]
            if fate.rule not in (IN_BLOCKS, NOT_SEEN):
                parts.setdefault(fate, _Part(at, [])).texts.append(text)
        return parts

    def _fates(self) -> list[_Fate]:
        """For each element what became of the text right inside it."""
        fates: list[_Fate] = []
        for place, parent in enumerate(self.index.parents):
            above = fates[parent] if parent >= 0 else _Fate(0, self.beyond, whole=False)
            fates.append(self._fate(place, above))
        return fates

    def _fate(self, place: int, above: _Fate) -> _Fate:
        tag, parent = self.index.tags[place], self.index.parents[place]
        if place in self.own:
            return _Fate(place, IN_BLOCKS, whole=False)
        if tag in UNSEEN and place not in self.round:
            return _Fate(place, NOT_SEEN)
        if above.whole:
            return above
        if why := self.seen.why_out(place):
            return _Fate(place, why)
        if above.rule != IN_BLOCKS:
            small = place not in self.round and self.seen.raw[place] < ground.FULL_PIECE
            return _Fate(place, self.beyond, whole=small)
        return _Fate(place, ANNOTATION) if tag in PASSED_OVER and self.index.tags[parent] == "ruby" else above


def _texts(index: Index) -> Iterator[tuple[int, int, str]]:
    """The page's texts in reading order: the element each stands in, the last one begun before it, the text."""
    open_: list[int] = []
    for place, element in enumerate(index.elements):
        yield from _closed(index, open_, place)
        if element.text and not element.text.isspace():
            yield place, place, element.text
        open_.append(place)
    yield from _closed(index, open_, len(index.elements))


def _closed(index: Index, open_: list[int], place: int) -> Iterator[tuple[int, int, str]]:
    """The texts behind the elements that end before a place."""
    while open_ and index.ends[open_[-1]] < place:
        ended = open_.pop()
        tail = index.elements[ended].tail
        if open_ and tail and not tail.isspace():
            yield open_[-1], index.ends[ended], tail


# ---- elements ------------------------------------------------------------------------------------

JSON_LD = Element(selector="script", path="JSON-LD")
"""Where a text is from that does not stand on the page."""


def _element(index: Index, place: int) -> Element:
    chain = list(islice(index.chain(place), LEVELS_SHOWN))
    more = "… > " if index.parents[chain[-1]] >= 0 else ""
    return Element(
        selector=_selector(index, place), path=more + " > ".join(_selector(index, each) for each in reversed(chain))
    )


def _selector(index: Index, place: int) -> str:
    """Tag, id and the first classes; those left out that a selector would have to spell otherwise."""
    own = index.ids[place].strip()
    classes = [name for name in index.classes[place].split() if PLAIN_NAME.fullmatch(name)][:CLASSES_SHOWN]
    return "".join((index.tags[place], f"#{own}" if PLAIN_NAME.fullmatch(own) else "", *(f".{c}" for c in classes)))
