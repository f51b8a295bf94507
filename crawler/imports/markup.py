"""The HTML of one comment, as exports, feeds and interfaces carry it → its text and its links."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from crawler import limits
from crawler.items import Href
from crawler.markup import within_limits
from crawler.text import tidy, words
from crawler.urls import absolute

BLOCKS = frozenset(words("p div li ul ol dl dt dd blockquote pre h1 h2 h3 h4 h5 h6 table tr section article hr figure"))
SILENT = frozenset(words("script style template noscript iframe object"))
SPACES = re.compile(r"[ \t\n\r\f]+")
TAG = re.compile(r"<[a-zA-Z/!]")
CHARACTERS = limits.COMMENT_CHARACTERS * 10
"""Of markup that is read for one comment: ten times what is kept of its text leaves room for tags and links."""
TAGS = 5_000
"""In one comment. What stands behind them is kept as plain text."""


@dataclass(slots=True)
class _Reading:
    parts: list[str] = field(default_factory=list)
    links: list[Href] = field(default_factory=list)

    def words(self, text: str, *, verbatim: bool) -> None:
        if not verbatim:
            text = SPACES.sub(" ", text)
            if not self.parts or self.parts[-1][-1:] in (" ", "\n"):
                text = text.removeprefix(" ")
        if text:
            self.parts.append(text)

    def breaks(self, mark: str) -> None:
        """A break after what stands there; two make an empty line, and more make no more."""
        while self.parts and not self.parts[-1].strip(" "):
            self.parts.pop()
        if not self.parts:
            return
        if self.parts[-1] in ("\n", "\n\n"):
            self.parts[-1] = "\n\n"
            return
        self.parts[-1] = self.parts[-1].rstrip(" ")
        self.parts.append(mark)


def plain(html: str, base: str = "", *, lines: bool = False) -> tuple[str, tuple[Href, ...], int]:
    """(text, links, characters of markup beyond the limit). `lines`: a line break in the source is one on the screen,
    and an empty line divides paragraphs, as in what WordPress stores. Any text gives an answer."""
    html = tidy(html)
    beyond = max(0, len(html) - CHARACTERS)
    html = html[:CHARACTERS]
    if not TAG.search(html) and "&" not in html:
        return _flat(html, lines=lines), (), beyond
    if lines:
        html = html.replace("\n\n", "<p>").replace("\n", "<br>")
    root = _tree(html)
    if root is None:
        return "", (), beyond
    reading = _Reading()
    _read(root, reading, base)
    return tidy("".join(reading.parts)).strip(" \n\t"), tuple(reading.links[: limits.LINKS_A_COMMENT]), beyond


def _flat(text: str, *, lines: bool) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip() if lines else SPACES.sub(" ", text).strip()


def _tree(html: str) -> Any | None:
    starts = [m.start() for m in TAG.finditer(html)]
    if len(starts) > TAGS:
        html = html[: starts[TAGS]] + html[starts[TAGS] :].replace("<", "&lt;")
    html, _ = within_limits(html)
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        return etree.fromstring(f"<div>{html}</div>".encode("utf-8", "replace"), parser=parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _read(root: Any, reading: _Reading, base: str) -> None:
    verbatim, skipped = 0, 0
    anchors: list[tuple[str, int]] = []
    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag
        if event == "start":
            skipped += tag in SILENT
            verbatim += tag == "pre"
            if tag == "a":
                anchors.append((element.get("href") or "", len(reading.parts)))
            _opens(tag, reading)
            if element.text and not skipped:
                reading.words(element.text, verbatim=bool(verbatim))
            continue
        skipped -= tag in SILENT
        verbatim -= tag == "pre"
        if tag in BLOCKS:
            reading.breaks("\n\n")
        elif tag == "a" and anchors:
            _closes(*anchors.pop(), reading, base)
        if element.tail and element is not root and not skipped:
            reading.words(element.tail, verbatim=bool(verbatim))


def _opens(tag: str, reading: _Reading) -> None:
    if tag in BLOCKS:
        reading.breaks("\n\n")
    elif tag == "br":
        reading.breaks("\n")


def _closes(href: str, start: int, reading: _Reading, base: str) -> None:
    if href.strip() and len(reading.links) < limits.LINKS_A_COMMENT:
        behind = " ".join("".join(reading.parts[start:]).split())
        reading.links.append(Href(url=absolute(href, base) or href.strip(), text=behind))
