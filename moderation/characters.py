"""Disguises of single characters: styled letters, invisible and reversed characters, character and percent codes."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from itertools import islice

from moderation.folding import EDITS, Edit, Folded, Undone, apply, small_letters, turn

INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\u0334-\u0338\u20d0-\u20f0\U000e0000-\U000e0fff"
)
"""Zero-width, soft hyphen, direction marks, fillers, variation selectors, overlays, tags."""
STYLED = (
    "\u02b0-\u02b8\u02e0-\u02e4\u1d2c-\u1dbf\u2024\u2070-\u209f\u2100-\u214f\u2460-\u24ff\u3002\ua4f8\ufe52\uff00-\uff9f"
    "\uffe0-\uffef\U0001d400-\U0001d7ff\U0001f100-\U0001f189"
)
"""Letters, digits and dots that stand for plain ones: fullwidth, mathematical, circled, squared, raised."""
IS_STYLED = re.compile(f"[{STYLED}]")
ODD = re.compile(f"[{INVISIBLE}{STYLED}](?:(?<=([{STYLED}]))[{STYLED}]*|[{INVISIBLE}]*)")
"""A run of one kind, with a group where it is styled. It begins with a class: what the engine skips fastest by."""
ODD_BYTES = b"\xc2\xca\xcb\xcc\xcd\xd8\xe1\xe2\xe3\xea\xef\xf0\xf3"
"""The first bytes in UTF-8 of all of these."""
ORDINARY = bytes(set(range(256)) - set(ODD_BYTES))
NEGATIVE_LETTERS = (0x1F150, 0x1F170)
"""First of the white-on-black letters, circled and squared, which Unicode maps to nothing."""
DOTS = "。．｡․﹒ꓸ"
RIGHT_TO_LEFT = "\u202e"
REVERSED = re.compile("\u202e([^\u202a-\u202d\u2066-\u2069\n]++)")
ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|period|sol|colon|dot|lowbar|hyphen|dash|num|quest);?")
PERCENT = re.compile(r"(?<![\w/=&?%.:-])[\w.:/%-]{0,12}%(?:3[aA]%2[fF]|2[eEfF]|[4-7][0-9a-fA-F])[^\s<>\"]*")
PERCENT_LETTER = re.compile(r"(?:%(?:2[dDeEfF]|3[0-9aA]|[46][1-9a-fA-F]|[57][0-9aA]|5[fF]))+")


class Plain(dict[int, str]):
    """Styled characters to plain ones, one to one, learnt as they are met."""

    def __missing__(self, code: int) -> str:
        plain = unicodedata.normalize("NFKC", chr(code)) if IS_STYLED.match(chr(code)) else chr(code)
        for first in NEGATIVE_LETTERS:
            if first <= code < first + 26:
                plain = chr(ord("A") + code - first)
        if plain in DOTS:
            plain = "."
        self[code] = plain if len(plain) == 1 else chr(code)
        return self[code]


PLAIN = Plain()


def plain_characters(text: str) -> Folded:
    """The copy of a text beyond ASCII with styled, reversed and invisible characters undone."""
    if not text.encode("utf-8", "surrogatepass").translate(None, ORDINARY):
        return Folded(text, text, small_letters(text))
    styled: list[Undone] = []
    invisible: list[Edit] = []
    for run in ODD.finditer(text):
        if run[1]:
            styled.append((run.start(), run.end(), _style(run[1])))
        elif len(invisible) < EDITS:
            invisible.append((run.start(), run.end(), ""))
    plain = _plainly(text, styled) if styled else text
    folded = Folded(text, plain, small_letters(plain), (), tuple(styled))
    if RIGHT_TO_LEFT in text:
        folded = turn(folded, [run.span(1) for run in REVERSED.finditer(plain)], "reversed text")
        runs = (run.span() for run in ODD.finditer(folded.text) if not run[1])
        invisible = [(start, end, "") for start, end in islice(runs, EDITS)]
    return apply(folded, invisible, "invisible characters")


def _plainly(text: str, styled: list[Undone]) -> str:
    """The text with the styled runs in plain characters."""
    pieces: list[str] = []
    done = 0
    for start, end, _ in styled:
        pieces += (text[done:start], text[start:end].translate(PLAIN))
        done = end
    return "".join(pieces) + text[done:]


def entities(text: str, _low: str) -> Iterator[Edit]:
    """`&#104;ttp`, `&period;`"""
    for found in ENTITY.finditer(text):
        plain = html.unescape(found[0])
        if len(plain) == 1 and plain.isprintable() and not plain.isspace():
            yield found.start(), found.end(), plain


def percent(text: str, _low: str) -> Iterator[Edit]:
    """`https%3A%2F%2Fexample.com`, `example%2ecom`, `http://%65xample.com`; no escapes in a plain path."""
    for found in PERCENT.finditer(text):
        for run in PERCENT_LETTER.finditer(found[0]):
            plain = bytes.fromhex(run[0].replace("%", " ")).decode("ascii")
            yield found.start() + run.start(), found.start() + run.end(), plain


def _style(first: str) -> str:
    if first in DOTS:
        return "another dot"
    return "fullwidth letters" if "\uff00" <= first <= "\uffef" else "styled letters"
