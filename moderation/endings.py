"""Where a link ends: its port and path, without the marks and brackets that belong to the sentence."""

from __future__ import annotations

import re

from crawler.limits import URL_CHARACTERS

PORTS = 65536
ENCLOSURE_CHARACTERS = 300
"""How far back an opening bracket is looked for that a closing one behind a link belongs to."""

PORT = re.compile(r":(\d{1,5})(?!\d)")
BEGINS_TAIL = frozenset("/?#\\")
TAIL = re.compile(rf"[/?#\\][^\s<>\"“”«»「」『』（）｜。、，`]{{0,{URL_CHARACTERS}}}")
BBCODE = re.compile(r"\[/?[a-zA-Z]{1,9}[\]=]")
GLUED = re.compile(r"(?<=[a-zA-Z0-9])_?(?=[\u0370-\u1cff\u2e80-\uabff\uac00-\ud7ff])")
"""Prose of another script that follows a path without a blank."""
BRACKET = re.compile(r"[()\[\]{}]")
CLOSERS = {")": "(", "]": "[", "}": "{"}
CLOSED_BY = {opener: closer for closer, opener in CLOSERS.items()}
TRAILING = ".,;:!?'*_~|\\-…’"


def tail(text: str, start: int, end: int) -> int:
    """Where the link that starts at `start` and whose host ends at `end` ends."""
    after = text[end : end + 1]
    if after == ":":
        port = PORT.match(text, end)
        end = port.end() if port and int(port[1]) < PORTS else end
        after = text[end : end + 1]
    rest = TAIL.match(text, end) if after in BEGINS_TAIL else None
    if not rest:
        return end
    stop, shown = rest.end(), rest[0]
    code = BBCODE.search(text, end, stop) if "[" in shown else None
    if code:
        stop = code.start()
    if ")" in shown or "]" in shown or "}" in shown:
        stop = _balanced(text, start, end, stop)
    glued = None if shown.isascii() else GLUED.search(text, end, stop)
    if glued:
        stop = glued.start()
    while stop > end and text[stop - 1] in TRAILING:
        stop -= 1
    return stop


def is_end(text: str, start: int, end: int) -> bool:
    """Does a path in plain letters end here: not before a bracket that may be its own?"""
    after = text[end : end + 1]
    if after == "[":
        return bool(BBCODE.match(text, end))
    return after not in CLOSERS or after in _open(text, start)


def _open(text: str, start: int) -> list[str]:
    """The brackets that close what was opened before the link."""
    window = text[max(0, start - ENCLOSURE_CHARACTERS) : start]
    return [closer for closer, opener in CLOSERS.items() if window.rfind(opener) > window.rfind(closer)]


def _balanced(text: str, start: int, end: int, stop: int) -> int:
    """Cut at a closing bracket whose opening one stands before the link."""
    depth = dict.fromkeys(_open(text, start), 0)
    for bracket in BRACKET.finditer(text, end, stop) if depth else ():
        closer = CLOSED_BY.get(bracket[0])
        if closer in depth:
            depth[closer] += 1
        elif bracket[0] in depth:
            if not depth[bracket[0]]:
                return bracket.start()
            depth[bracket[0]] -= 1
    return stop
