"""What every text passes on its way in: characters that no store or screen should meet are taken out, once."""

from __future__ import annotations

import re

UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters other than tab and newline, and lone surrogates, which UTF-8 cannot carry."""
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML 1.0 does not carry (2.2). HTML gives them to lxml, and lxml takes none of them back."""
SURROGATE = re.compile(
    rb"&#(?:x0*d[89a-f][0-9a-f]{2}|0*5(?:529[6-9]|5[3-9]\d\d|6\d{3}|7[0-2]\d\d|73[0-3]\d|734[0-3]));?", re.I
)
"""A reference to half a character, in bytes. libxml2 takes it out of damaged XML, and lxml raises when it is asked for
the text."""
HALF = "it refers to a character that is none"
"""Why a file with such a reference in UTF-16, where it is not seen before, cannot be read: lxml raises
UnicodeDecodeError."""
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
