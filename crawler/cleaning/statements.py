"""Everything that a page states about itself, read once, for each field to be chosen from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from crawler import limits
from crawler.cleaning import json_ld, marks, microdata
from crawler.cleaning.index import Index
from crawler.cleaning.marks import Marks, Shown
from crawler.cleaning.page import Parsed, select
from crawler.items import Evidence
from crawler.text import line

SHOWN = etree.XPath(".//text()[not(ancestor::script or ancestor::style)]")
LABELLED = ("strong", "b", "dt", "th", "span")
"""Elements that hold a label in a list of facts about a text."""
LABEL_CHARACTERS = 24
RULED = 10
"""Elements that a source's own rule, or a property in microdata, may name."""


@dataclass(kw_only=True)
class Statements:
    """A page's statements."""

    parsed: Parsed
    marks: Marks
    nodes: tuple[json_ld.Node, ...]
    article: json_ld.Node
    """The JSON-LD node that speaks of the page's own article; empty without one."""
    host: str = ""
    site_name: str = ""
    headlines: list[tuple[str, str]] = field(default_factory=list)
    """Every spelling of the headline, each with its origin."""

    @cached_property
    def shown(self) -> Shown:
        """What readers see of author and date: asked for where what is stated for machines does not settle it."""
        return marks.shown(self.parsed.index)

    @cached_property
    def item(self) -> Mapping[str, list[Any]]:
        """The elements by which microdata states each property of the page's own article."""
        return microdata.article(self.parsed.index)

    def item_texts(self, name: str) -> list[str]:
        """What microdata states of a property: `content` counts before the text shown."""
        return [stated(el) for el in self.item.get(name, ())[:RULED]]

    def meta(self, *names: str) -> str:
        """The first value that one of the meta elements has, in the order of the names."""
        metas = self.marks.metas
        for name in names:
            for value in metas.get(name, ()):
                if bare := value.strip():
                    return bare
        return ""

    def metas(self, names: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
        """The values of each meta element that is there, with the element's name."""
        for name in names:
            if values := self.marks.metas.get(name):
                yield name, values

    def ruled(self, css: str) -> list[str]:
        """The texts that the source's own rule names; `content` and `datetime` count before the text shown."""
        return [stated(el) for el in select(self.parsed, css)[:RULED]]


def statements(parsed: Parsed, readers: frozenset[int]) -> Statements:
    """The page's marks and its JSON-LD. `readers` are the places of what readers wrote."""
    found = marks.find(parsed.index, readers)
    nodes = parsed.nodes
    return Statements(parsed=parsed, marks=found, nodes=nodes, article=json_ld.article(nodes), host=host_of(parsed.url))


def host_of(url: str) -> str:
    """The host, without `www.`; empty for what is no address."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def stated(el: Any) -> str:
    """What an element states for machines, else what it shows."""
    return el.get("content") or el.get("datetime") or shown(el)


def shown(el: Any) -> str:
    """The text that readers see of an element, its parts divided by a blank."""
    return " ".join(pieces(el))


def pieces(el: Any) -> list[str]:
    """The pieces of text that readers see of an element."""
    texts = el.itertext() if next(el.iter("script", "style"), None) is None else SHOWN(el)
    return [bare for text in texts if (bare := text.strip())]


def labelled(index: Index, labels: frozenset[str]) -> Iterator[str]:
    """What stands behind a label, as in `<strong>Datum</strong> 28.04.2023`."""
    for el in index.by_tag(*LABELLED):
        text = el.text
        if text and len(text) <= LABEL_CHARACTERS and text.strip().rstrip(":").lower() in labels:
            behind = el.getnext()
            yield (el.tail or "").strip() or (shown(behind) if behind is not None else "")


def told(name: str, offered: Iterable[tuple[str, str]], chosen: tuple[str, str] | None) -> tuple[Evidence, ...]:
    """A field's evidence: each origin with its raw value, `chosen` marked once."""
    rows = []
    for origin, raw in dict.fromkeys(offered):
        hit = chosen == (origin, raw)
        rows.append(Evidence(field=name, origin=origin, raw=line(raw, limits.HEADLINE_CHARACTERS), chosen=hit))
    return tuple(rows)
