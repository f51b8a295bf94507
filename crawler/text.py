"""What every text passes on its way in: characters that no store or screen should meet are taken out, once."""

from __future__ import annotations

import re

UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters other than tab and newline, and lone surrogates, which UTF-8 cannot carry."""
BREAKS = re.compile("\r\n?")
SPACES = re.compile(r"\s+")


def tidy(text: str, limit: int | None = None) -> str:
    """The text without unwanted characters, carriage returns as newlines, at most `limit` characters."""
    if "\r" in text:
        text = BREAKS.sub("\n", text)
    text = UNWANTED.sub("", text)
    return text if limit is None else text[:limit]


def line(text: str, limit: int | None = None) -> str:
    """The text on one line: tidied, runs of white space as one space, none at the ends; at most `limit` characters."""
    one = " ".join(text.split())
    if not one.isprintable():
        one = " ".join(tidy(SPACES.sub(" ", text)).split())
    return one if limit is None else one[:limit].rstrip()


def words(text: str) -> tuple[str, ...]:
    """The words of a table written as one text."""
    return tuple(text.split())
