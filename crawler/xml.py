"""XML of strangers, gone through once: no entities of its own, nothing fetched, within limits. Pure.

A parser that recovers from errors is asked for each element as it ends; what a limit or an error leaves is given.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from crawler import limits

DEPTH = 64
"""Elements in one another. Honest feeds and sitemaps stay below 20; feedparser hangs on very deep ones."""
ELEMENTS = 300_000
"""A sitemap may have 50,000 addresses (sitemaps.org, protocol), with five elements for each; 0.5 s."""
PART = 32 * 1024
"""Bytes that are parsed before their elements are looked at."""
CUT = "cut in the middle"
"""A problem with which what was read is still good, as is `MORE`."""
MORE = "more than {} {}: the rest was not read"
ENCODING = re.compile(rb"(?<=encoding=[\"'])([\w.:-]{1,40})(?=[\"'])")
KNOWN = re.compile(
    rb"utf-?(?:8|16)(?:[bl]e)?|us-ascii|ascii|iso-?8859-\d\d?|latin-?\d\d?|(?:windows-|cp)\d{3,4}|koi8-[ru]|macintosh|"
    rb"gb(?:k|2312|18030)|big5(?:-hkscs)?|euc-(?:jp|kr)|shift[_-]jis|iso-2022-jp|tis-620",
    re.I,
)
"""Names of character sets as the WHATWG Encoding Standard has them: libxml2 and Python know others, in which markup
hides (`utf-7`, `unicode_escape`)."""


class Xml:
    """One pass over a document: iterate over it once, then ask what became of it."""

    def __init__(self, body: bytes) -> None:
        self.root: Any = None
        self.problem = ""
        """Why not all was read; empty when it was."""
        self.broken = False
        """True when the parser had something to mend."""
        self._body = with_known_encoding(body)
        self._depth = self._count = 0

    @property
    def refused(self) -> bool:
        """True where nothing of it should be used."""
        return bool(self.problem) and self.problem != CUT and not self.problem.startswith("more than")

    def __iter__(self) -> Iterator[Any]:
        parser = etree.XMLPullParser(
            ("start", "end"), resolve_entities=False, no_network=True, recover=True, huge_tree=False,
            remove_comments=True, remove_pis=True,
        )  # fmt: skip
        events = parser.read_events()
        for start in range(0, len(self._body), PART):
            with contextlib.suppress(etree.XMLSyntaxError):
                parser.feed(self._body[start : start + PART])
            yield from self._ended(events)
            if self.problem:
                return
        with contextlib.suppress(etree.XMLSyntaxError):
            parser.close()
        yield from self._ended(events)
        log = parser.feed_error_log
        self.broken = len(log) > 0
        if not self.problem and any(e.type == etree.ErrorTypes.ERR_TAG_NOT_FINISHED for e in log):
            self.problem = CUT

    def _ended(self, events: Iterator[tuple[str, Any]]) -> Iterator[Any]:
        for event, element in events:
            if event == "end":
                self._depth -= 1
                yield element
            elif not self._begun(element):
                return

    def _begun(self, element: Any) -> bool:
        if self.root is None:
            self.root = element
            dtd = element.getroottree().docinfo.internalDTD
            if dtd is not None and next(iter(dtd.iterentities()), None) is not None:
                self.problem = "declares XML entities, which no feed needs"
        self._depth += 1
        self._count += 1
        if self._depth > DEPTH:
            self.problem = f"nested deeper than {DEPTH} elements"
        elif self._count > ELEMENTS:
            self.problem = MORE.format(ELEMENTS, "elements")
        elif len(element.attrib) > limits.ATTRIBUTES_A_TAG:
            self.problem = f"an element with more than {limits.ATTRIBUTES_A_TAG} attributes"
        return not self.problem


def with_known_encoding(body: bytes) -> bytes:
    """The document, which says that it is UTF-8 where it named a character set that is none of the web's."""
    head, rest = body[:300], body[300:]
    return ENCODING.sub(lambda named: named[1] if KNOWN.fullmatch(named[1]) else b"utf-8", head, count=1) + rest


def local(element: Any) -> str:
    """The element's name without its namespace, in small letters; empty for what is none, as an entity."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""
