"""Markup whose replies are nested deeper than any parser follows, made shallow before it is parsed.

libxml2 drops what stands below 2,048 levels, and `crawler.limits.DEPTH` is far above that. Here each reply that begins
near the limit is lifted to stand beside the one it is in: it stays a comment, under the ancestor that the limit on
replies would give it anyway.
"""

from __future__ import annotations

import re

from crawler import limits

ROOM = 25
"""Levels below the limit that a comment's own elements may take."""
HIGHEST = limits.DEPTH - ROOM
MARK = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*)>")
BEGINS = re.compile(r"\bid\s*=\s*[\"']?[^\"'\s>]*[0-9]|(?<![\w-])comment(?![\w-])", re.IGNORECASE)
"""Attributes of an element that a comment begins with: an id with a number, or the word as a class of its own."""
BEGINNERS = frozenset(("li", "div", "article", "section", "dd", "table"))
VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)


def hoisted(markup: str) -> str:
    """The markup with no comment beginning deeper than `HIGHEST` levels; the same where none does. Linear."""
    parts: list[str] = []
    stack: list[str] = []
    owed = at = 0
    for mark in MARK.finditer(markup):
        name = mark[2].lower()
        if name in VOID or mark[3].endswith("/"):
            continue
        if not mark[1]:
            if len(stack) >= HIGHEST and name in BEGINNERS and (name == "li" or BEGINS.search(mark[3])):
                parts += [markup[at : mark.start()], "".join(f"</{open}>" for open in reversed(stack[HIGHEST - 1 :]))]
                at = mark.start()
                owed += len(stack) - HIGHEST + 1
                del stack[HIGHEST - 1 :]
            stack.append(name)
        elif stack and stack[-1] == name and (len(stack) >= HIGHEST or not owed):
            stack.pop()
        elif owed:
            parts.append(markup[at : mark.start()])
            at, owed = mark.end(), owed - 1
        elif stack:
            stack.pop()
    parts.append(markup[at:])
    return "".join(parts)
