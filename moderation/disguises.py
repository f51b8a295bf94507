"""The disguises in the order in which they are undone, and the folded copy of a text that results.

A rule runs only when its gate finds something, so that ordinary prose pays for none. Patterns are possessive or
bounded: every rule takes linear time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

from moderation import characters, dots, gate, hosts, partial, prose
from moderation.folding import Edit, Folded, apply

Rule = Callable[[str], Iterator[Edit]]

SPACED_LETTERS = 5
"""Letters in a row that make a spaced name: "U S A F" has four."""

DOT_WORD = "(?:d[o0]t|точка|punkt|punto|ponto|point|nokta|kropka)"
SCHEME = re.compile(
    r"(?<![a-zA-Z0-9])(?P<word>h[tx*+#%_-]{1,3}p|ht+p|h\wtp|hpp|ttp|fxp|f\*p|[mc]xxp)(?P<s>[sx]?)"
    rf"(?P<sep>\s{{0,2}}{dots.OPEN}?\s{{0,2}}[:;]{{0,2}}\s{{0,2}}{dots.CLOSE}?\s{{0,2}}"
    rf"(?:{dots.OPEN}?[/\\_|]{{1,4}}{dots.CLOSE}?){{1,2}}\s{{0,2}}|{dots.OPEN}?[:;]{dots.CLOSE}?\s?)"
    rf"(?=[\w-]{{1,63}}(?P<dot>{dots.MARK}(?=\w)|\s{dots.MARK}|\s?{dots.OPEN}|{dots.MARK}{dots.CLOSE}|\s{DOT_WORD}\s|\\\.)?|\[[\da-fA-F:]+\])",
    re.IGNORECASE,
)
SLASHED = re.compile(r"[/\\|]|__")
SPACED = re.compile(r"(?<![\w.:/-])[\w:/](?: {1,2}[\w.:/-](?!\w)){4,}")
DASHED = re.compile(r"(?<![\w.-])\w([-_*~+])\w(?:\1\w){1,62}\.\w(?:\1\w){1,9}(?![\w-])")
BROKEN_LINE = re.compile(
    r"(?:://|(?<![\w.])www\.)[\w.-]{1,80}(?P<gap>\s{0,2}\n\s{0,2})(?P<rest>[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})"
)


Gate = Callable[[str], object]
"""Is there anything, in a text in small letters, that the rule might have work on? Cheap, and wider than the rule."""


def undo(folded: Folded) -> Folded:
    """The copy with every disguise undone but those of single characters. Worth it where `gate.may_be_disguised`."""
    low = folded.text.lower()
    present = frozenset(low)
    for name, rule, needed, worth in disguises():
        if not needed.isdisjoint(present) and worth(low):
            before = folded
            folded = apply(folded, rule(folded.text), name)
            if folded is not before:
                low = folded.text.lower()
    return folded


def schemes(text: str) -> Iterator[Edit]:
    """`hxxp://`, `h**p://`, `http:/`, `http:\\\\`, `http[:]//`, `http: //`: the one that is meant."""
    for found in SCHEME.finditer(text):
        word, sep = found["word"].lower(), found["sep"]
        slashed = SLASHED.search(sep)
        if (word == "http" and sep == "://") or (sep != "://" and not found["dot"]) or not (slashed or word == "http"):
            continue
        if not slashed and ("_" in sep or ":" not in sep):
            continue
        meant = "ftp" if word[0] == "f" else "http" + ("s" if found["s"] else "")
        yield found.start(), found.end(), f"{meant}://"


def spaced_letters(text: str) -> Iterator[Edit]:
    """`m i l b e t . c o m`"""
    for found in SPACED.finditer(text):
        joined = found[0].replace(" ", "")
        if sum(map(str.isalpha, joined)) >= SPACED_LETTERS and re.search(r"\w\.\w|:/|\wdot\w", joined):
            for gap in re.finditer(" +", found[0]):
                yield found.start() + gap.start(), found.start() + gap.end(), ""


def dashed_letters(text: str) -> Iterator[Edit]:
    """`d-r-o-n-e-x.c-o-m`"""
    for found in DASHED.finditer(text):
        for gap in re.finditer(re.escape(found[1]), found[0]):
            yield found.start() + gap.start(), found.start() + gap.end(), ""


def broken_lines(text: str) -> Iterator[Edit]:
    """A host that goes on in the next line."""
    for found in BROKEN_LINE.finditer(text):
        host = text[found.start() : found.start("gap")].rpartition("/")[2]
        if host.endswith(("-", ".")) or "." not in host.removeprefix("www."):
            yield found.start("gap"), found.end("gap"), ""


def _broken_scheme(low: str) -> object:
    rest = low.replace("https://", "").replace("http://", "")
    return (BROKEN_SCHEME.search(rest) or "// " in low or "//\n" in low) and SCHEME_MARK.search(low)


BROKEN_SCHEME = re.compile(r"[:;/_|\[](?!$)")
SCHEME_MARK = re.compile(r"(?:h[tx*+#%_-]{1,3}p|ht+p|h\wtp|hpp|ttp|fxp|f\*p|xxp)[sx]?\W?\s?\W|[tx]ps?__")


def _any_of(*parts: str) -> Gate:
    def worth(low: str) -> bool:
        return any(part in low for part in parts)  # a generator costs more than the tests, but the tests are few

    return worth


def _matches(pattern: str) -> Gate:
    return re.compile(pattern).search


def _spoken(words: tuple[str, ...]) -> Gate:
    """Is one of the words there? Those beyond ASCII are looked for only in a text beyond it."""
    plain = tuple(word for word in words if word.isascii())

    def worth(low: str) -> bool:
        return any(word in low for word in (plain if low.isascii() else words))

    return worth


def _rules() -> Iterator[tuple[str, Rule, str, Gate]]:
    """Name, rule, characters of which one must be there, gate."""
    words = tuple(w for w in dots.spoken() if not any(v != w and v in w for v in dots.spoken()))
    initials = "".join({word[0] for word in words})
    marks = rf"[\[({{<«【（]\s?{dots.MARK}|{dots.MARK}\s?[\])}}>»】）]|\\\."
    yield "character codes", characters.entities, "&", _matches(r"&[#a-z]")
    yield "percent codes", characters.percent, "%", _matches(r"%[2-7][0-9a-f]")
    yield "spaced letters", spaced_letters, " ", _any_of(" . ", " : ", " d o t ", "h t t p")
    yield "dashed letters", dashed_letters, "-_*~+", _matches(r"[-_*~+]\w[-_*~+]\w")
    yield "dot word", dots.bracketed_dots, "[({<«【（])}>»】）\\", _matches(marks)
    yield "dot word", dots.bracketed_dots, "\"'*|_~", _matches(r"[\"'*|_~]\.[\"'*|_~]")
    said = _spoken(words)
    yield "dot word", dots.bracketed_dots, "[({<«【（])}>»】）\"'*|_~/-", said
    yield "dot word", dots.spoken_dots, initials, said
    yield "dot word", dots.glued_dots, "dт", _matches(r"d[o0]t[a-z]|точка\w")
    yield "slash word", dots.slashes, "/sс", _any_of("[/", "(/", "slash", "слэш", "слеш")
    yield "broken line", broken_lines, "\n", _any_of("://", "www.")
    yield "broken scheme", schemes, ":;/_[|", _broken_scheme
    yield "spaced dot", dots.spaced_www, "w", _any_of("ww")
    yield "missing dot", dots.missing_dots, " \n", _any_of(" com", " net", " org", "\ncom")
    yield (
        "spaced dot",
        dots.spaced_dots,
        ".",
        _matches(rf"\.(?:(?<=\s\.)\s{{0,3}}|\s{{1,2}})(?:{dots.SPACED_SUFFIX})\b"),
    )
    yield "odd dot", dots.odd_dots, dots.ODD_MARKS, _matches(rf"[{dots.ODD_MARKS}](?:com|net|org|ru|рф|ly|me)\b")


@cache
def disguises() -> tuple[tuple[str, Rule, frozenset[str], Gate], ...]:
    """Every disguise, encodings and letters before schemes and dots. What the rules read is read here, once."""
    for prepare in (dots.prepare, gate.prepare, prose.prepare, hosts.prepare, partial.prepare):
        prepare()
    return tuple((name, rule, frozenset(needed), worth) for name, rule, needed, worth in _rules())
