"""Text for a terminal: page text can hold control characters, and a terminal obeys them."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from typing import Any

import click

_KEPT = "\n\t"
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
"""Unicode categories that act on a screen or cannot be seen: controls, formats (bidi, zero width), surrogates."""


def safe(text: str) -> str:
    """The text with everything that a terminal would obey, or nobody could see, spelled out: `\\x1b`, `\\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in _KEPT or unicodedata.category(c) not in _HIDDEN else _spelled(c) for c in text)


def one_line(text: str, width: int = 0) -> str:
    """Safe text on one line, cut to `width` characters when it is given."""
    line = safe(" ".join(text.split()))
    return line if not width or len(line) <= width else line[: width - 1] + "…"


def say(text: str = "") -> None:
    """A line of output. What is not ours in it must be `safe` already. A reader who has left is no error."""
    try:
        click.echo(text)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(text: str) -> None:
    """A line for people, on standard error."""
    click.echo(f"watchfloor: {safe(text)}", err=True)


def as_json(value: Any) -> None:
    """One JSON document, ASCII only, so that no terminal and no encoding can spoil it."""
    say(json.dumps(value, indent=2, ensure_ascii=True))


def marked(text: str, spans: list[tuple[int, int]], open: str = "⟦", close: str = "⟧") -> str:
    """Safe text with each span (start, end in characters of the raw text) between marks."""
    edges: list[tuple[int, str]] = []
    for start, end in spans:
        if 0 <= start < end <= len(text):
            edges += [(start, open), (end, close)]
    parts, last = [], 0
    for place, mark in sorted(edges, key=lambda e: (e[0], e[1] == open)):
        parts += [safe(text[last:place]), mark]
        last = place
    return "".join((*parts, safe(text[last:])))


def shows_blocks() -> bool:
    """True when standard output can carry characters like ▁ and █."""
    return (sys.stdout.encoding or "").lower().startswith("utf")


def is_terminal() -> bool:
    """True when a person is looking at standard error."""
    return sys.stderr.isatty()


def _spelled(c: str) -> str:
    code = ord(c)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
