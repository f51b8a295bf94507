"""A large XML file, one element at a time, with nothing in it that could make the parser work without end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from lxml import etree

from crawler import limits
from crawler.imports.export import BrokenExport
from crawler.imports.streams import rejoined
from crawler.text import SURROGATE
from crawler.xml import local

DEPTH = 64
"""Elements in one another. Exports carry their HTML as text and stay below 10."""
PROLOG = re.compile(
    rb"(?:\s++|<\?[^>]{0,2000}>|<!--(?:[^-]++|-(?!->))*-->)*(?:<!DOCTYPE[^\[>]*+>(?:<!--(?:[^-]++|-(?!->))*-->|\s++)*)?"
    rb"<[^!?]",
    re.I,
)
"""What may stand before the root element: no document type with declarations of its own, the place for entities."""
NOTED = 100
"""Notes on small damage; what comes after is read past in silence."""
WIDE = (b"\xff\xfe", b"\xfe\xff")
"""How UTF-16 begins."""
CONTROLS = bytes(c for c in range(32) if c not in b"\t\n\r")
"""Characters that XML does not allow, and that WordPress lets from comments into its exports. libxml2 ends a CDATA
section at the first one, so that they are taken out before it sees them."""
REFERENCE_BYTES = 12
"""Of a reference to a character, as anybody writes it."""
ERRORS = etree.ErrorTypes
MENDED = {
    ERRORS.ERR_INVALID_CHAR: "a character that XML does not allow was left out",
    ERRORS.ERR_ATTRIBUTE_NOT_STARTED: "an attribute without quotes was left out",
    ERRORS.ERR_SPACE_REQUIRED: "",
    ERRORS.ERR_GT_REQUIRED: "",
    ERRORS.NS_ERR_UNDEFINED_NAMESPACE: "a name from an undeclared namespace was read as it stands",
}
"""Damage that costs no more than the spot it strikes. The empty ones come only in the wake of another. All other damage
ends the reading."""


def elements(stream: BinaryIO, names: frozenset[str], mended: list[str]) -> Iterator[Any]:
    """Each element with one of these local names, whole, in the file's order; it is emptied when the next is asked for.

    What was read past is added to `mended`. Raises `BrokenExport` with the line.
    """
    start = _checked(stream)
    events = etree.iterparse(
        _Cleaned(rejoined(start, stream), mended, wide=start[:2] in WIDE),
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        recover=True,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        yield from _walked(events, names)
    except etree.XMLSyntaxError as e:
        _refuse(events.error_log, mended)
        raise BrokenExport(f"not whole XML: {e.msg}", e.lineno or 0) from None
    _refuse(events.error_log, mended)


def texts(element: Any) -> dict[str, str]:
    """The first text under each child's local name."""
    found: dict[str, str] = {}
    for child in element:
        if isinstance(child.tag, str):  # an unknown entity is a child too
            found.setdefault(local(child), "".join(child.itertext()).strip())
    return found


def _walked(events: Any, names: frozenset[str]) -> Iterator[Any]:
    depth = inside = 0
    for event, element in events:
        wanted = local(element) in names
        if event == "start":
            depth += 1
            inside += wanted
            _within_limits(element, depth)
            continue
        depth -= 1
        inside -= wanted
        if inside:
            continue
        if wanted:
            yield element
        if depth:
            _forget(element)


def _within_limits(element: Any, depth: int) -> None:
    if depth > DEPTH:
        raise BrokenExport(f"elements nested deeper than {DEPTH}", element.sourceline or 0)
    if len(element.attrib) > limits.ATTRIBUTES_A_TAG:
        raise BrokenExport("an element with too many attributes", element.sourceline or 0)


def _forget(element: Any) -> None:
    """The element's memory; also of what stood before it."""
    element.clear(keep_tail=False)
    above = element.getparent()
    while above is not None and above[0] is not element:
        del above[0]


def _refuse(log: Any, mended: list[str]) -> None:
    for error in log:
        if error.type not in MENDED:
            raise BrokenExport(f"not whole XML: {error.message}", error.line)
        if MENDED[error.type]:
            _note(mended, error.line, MENDED[error.type])


def _checked(stream: BinaryIO) -> bytes:
    """The beginning of the file, from its first tag on. Raises `BrokenExport` for one that may hold entities."""
    start = stream.read(limits.EXPORT_HEAD_BYTES)
    wide = start[:2] in WIDE
    narrow = start.replace(b"\0", b"") if wide else start
    at = narrow.find(b"<")
    if at < 0:
        raise BrokenExport("no XML", 1)
    if not PROLOG.match(narrow, at):
        raise BrokenExport("it declares XML entities or types of its own, which no export needs", 1)
    return start if wide else start[at:]


def _note(mended: list[str], line: int, what: str) -> None:
    if len(mended) < NOTED:
        mended.append(f"line {line}: {what}")


class _Cleaned:
    """A file without control characters, and without references to halves of characters."""

    def __init__(self, file: BinaryIO, mended: list[str], *, wide: bool) -> None:
        self.file, self.mended, self.wide, self.line = file, mended, wide, 1
        self.held = b""
        """The end of a part in which a reference may have begun."""

    def read(self, size: int = -1) -> bytes:
        """The next part; empty only at the end."""
        while part := self.file.read(size):
            kept = part if self.wide else part.translate(None, CONTROLS)
            if len(kept) < len(part):
                at = next(i for i, c in enumerate(part) if c in CONTROLS)
                _note(self.mended, self.line + part.count(b"\n", 0, at), MENDED[ERRORS.ERR_INVALID_CHAR])
            self.line += part.count(b"\n")
            if kept := self._without_halves(kept):
                return kept
        last, self.held = self.held, b""
        return last

    def _without_halves(self, part: bytes) -> bytes:
        part = SURROGATE.sub(b"", self.held + part)
        begun = part.rfind(b"&", -REFERENCE_BYTES)
        at = begun if begun >= 0 and b";" not in part[begun:] else len(part)
        self.held = part[at:]
        return part[:at]
