"""What every value passes on its way in: characters that no store or screen should meet are taken out, once."""

from __future__ import annotations

import re

UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff]")
"""NUL and the other C0 controls except tab and newline, and lone surrogates, which UTF-8 cannot carry."""
BREAKS = re.compile("\r\n?")
SPACES = re.compile(r"\s+")


def tidy(text: str, limit: int | None = None) -> str:
    """The text without unwanted characters, carriage returns as newlines, at most `limit` characters."""
    if "\r" in text:
        text = BREAKS.sub("\n", text)
    text = UNWANTED.sub("", text)
    return text if limit is None else text[:limit]


def line(text: str, limit: int | None = None) -> str:
    """The text on one line: tidied, runs of white space as one space, none at the ends."""
    return tidy(SPACES.sub(" ", text), limit and limit + 1).strip()[:limit]
