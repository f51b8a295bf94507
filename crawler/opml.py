"""Lists of feeds as feed readers exchange them (OPML 2.0, opml.org/spec2.opml). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lxml import etree

from crawler.source import Source
from crawler.text import NOT_XML, SURROGATE, line
from crawler.urls import absolute, normal
from crawler.xml import local

MOST = 10_000
"""Outlines read of one file."""
NAME_CHARACTERS = 200


class OpmlError(Exception):
    """A file that is no list of feeds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One feed of a list."""

    title: str
    feed: str
    home: str
    """Empty where the list does not say."""


def read_opml(body: bytes) -> tuple[Outline, ...]:
    """The feeds of a list, each once, in its order. Raises `OpmlError`."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, huge_tree=False)
    try:
        root = etree.fromstring(SURROGATE.sub(b"", body), parser=parser)
    except (etree.XMLSyntaxError, ValueError) as e:
        raise OpmlError(f"not XML: {e}") from None
    if root is None or local(root) != "opml":
        raise OpmlError("not an OPML file: it does not begin with <opml>")
    if not _is_closed(body):
        raise OpmlError("cut off: nothing closes the list at its end; get the file again")
    found: dict[str, Outline] = {}
    for element in root.iter("outline"):
        try:
            outline = _outline(element)
        except UnicodeDecodeError:  # a reference to half a character, in UTF-16
            continue
        if outline and len(found) < MOST:
            found.setdefault(normal(outline.feed), outline)
    return tuple(found.values())


def _is_closed(body: bytes) -> bool:
    """True when the end of the list is there, in whatever encoding; a parser that forgives would not miss it."""
    return b"</opml" in body[-2_000:].replace(b"\0", b"").lower()


def _outline(element: Any) -> Outline | None:
    said = {name.lower(): NOT_XML.sub("", value) for name, value in element.items()}
    feed = absolute(said.get("xmlurl", ""), "")
    if not feed:
        return None
    title = line(said.get("title") or said.get("text", ""), NAME_CHARACTERS)
    return Outline(title=title, feed=feed, home=absolute(said.get("htmlurl", ""), ""))


def write_opml(sources: Iterable[Source]) -> bytes:
    """The feeds of the sources: one outline a feed, under its source's name."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "watchfloor"
    body = etree.SubElement(root, "body")
    for source in sources:
        name, home = NOT_XML.sub("", source.name), NOT_XML.sub("", source.home)
        for feed in source.feeds:
            to = NOT_XML.sub("", feed)
            etree.SubElement(body, "outline", type="rss", text=name, title=name, xmlUrl=to, htmlUrl=home)
    made: bytes = etree.tostring(root, pretty_print=True, xml_declaration=True, encoding="UTF-8")
    return made
