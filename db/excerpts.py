"""Where in a text the words of a search stand, and the piece of it that shows them best. Pure."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence

from db.asking import Term

OPEN, CLOSE = "\x02", "\x03"
"""Stand around each hit in a snippet. No stored text holds them: control characters are stripped at the door."""
LENGTH = 160
"""Characters of a snippet: two lines of a terminal."""
LEAD = 40
"""Of them before the first hit: what it is about."""
HITS = 100
"""Of each term, hits that are looked at; the best piece of a long text is among its first."""


class _Folded(dict[int, str]):
    """Each character as the index has it: small, without accents; one for one, so that places stay."""

    def __missing__(self, code: int) -> str:
        base = unicodedata.normalize("NFD", chr(code))[0].lower()
        self[code] = base if len(base) == 1 else chr(code)
        return self[code]


_FOLDED = _Folded()


def folded(text: str) -> str:
    """The text as the index has it, character for character. The text is in NFC."""
    return text.lower() if text.isascii() else text.translate(_FOLDED)


def patterns(terms: Iterable[Term]) -> list[re.Pattern[str]]:
    """One for each of the terms, that finds it in folded text."""
    return [re.compile(_spelled(term)) for term in terms]


def _spelled(term: Term) -> str:
    """The first word stands in front, so that a text can be run through for it; only then comes what must not stand
    before it."""
    first, *others = (re.escape(folded(unicodedata.normalize("NFC", word))) for word in term.words)
    words = "".join((first, rf"(?<![^\W_]{first})", *(rf"[\W_]+{word}" for word in others)))
    return rf"{words}[^\W_]*" if term.beginning else rf"{words}(?![^\W_])"


def holds(text: str, wanted: Iterable[re.Pattern[str]]) -> bool:
    """Whether each of the patterns is found."""
    flat = folded(unicodedata.normalize("NFC", text))
    return all(each.search(flat) for each in wanted)


def snippet(texts: Sequence[str], wanted: Sequence[re.Pattern[str]]) -> str:
    """The piece of one of the texts in which most of the terms stand together, the hits between `OPEN` and `CLOSE`;
    without a hit, how the first one begins that has anything."""
    each = [_best(unicodedata.normalize("NFC", text), wanted) for text in texts if text]
    _, text, spans = max(each, key=lambda found: found[0], default=(0, "", []))
    start, end = _edges(text, spans)
    parts, last = [], start
    for opens, closes in spans:
        if opens >= last and closes <= end:
            parts += [text[last:opens], OPEN, text[opens:closes], CLOSE]
            last = closes
    piece = "".join((*parts, text[last:end]))
    return ("…" if start else "") + piece + ("…" if end < len(text) else "")


def _best(text: str, wanted: Sequence[re.Pattern[str]]) -> tuple[int, str, list[tuple[int, int]]]:
    """How many terms stand together in the best piece, the text, and the hits from there on."""
    flat = folded(text)
    found = sorted(
        (match.start(), match.end(), which)
        for which, each in enumerate(wanted)
        for match in itertools.islice(each.finditer(flat), HITS)
    )
    most, at, ahead, inside = 0, 0, 0, dict[int, int]()
    for i, (start, _, which) in enumerate(found):
        while ahead < len(found) and found[ahead][0] <= start + LENGTH - LEAD:
            inside[found[ahead][2]] = inside.get(found[ahead][2], 0) + 1
            ahead += 1
        if len(inside) > most:
            most, at = len(inside), i
        inside[which] -= 1
        if not inside[which]:
            del inside[which]
    return most, text, [(start, end) for start, end, _ in found[at:]]


def _edges(text: str, spans: list[tuple[int, int]]) -> tuple[int, int]:
    """Where the piece begins and ends: between words, where there are any nearby."""
    first = spans[0][0] if spans else 0
    start = max(0, first - LEAD)
    if start:
        space = text.find(" ", start, first)
        start = space + 1 if space >= 0 else start
    end = max(start + LENGTH, spans[0][1] if spans else 0)
    if end < len(text):
        space = text.rfind(" ", max(start, end - LEAD, spans[0][1] if spans else 0), end + 1)
        end = space if space > start else end
    return start, end
