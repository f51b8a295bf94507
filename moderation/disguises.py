"""The disguises in the order in which they are undone, and the folded copy of a text that results.

A rule runs only where the gate suspects its disguise, so that ordinary prose pays for none. Patterns are possessive or
bounded: every rule takes linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice

from moderation import characters, dots, hosts, partial, prose
from moderation.dots import CLOSE, MARK, OPEN
from moderation.folding import EDITS, Edit, Folded, apply
from moderation.gate import Gate, Rule, Sign

SPACED_LETTERS = 5
"""Letters in a row that make a spaced name: "U S A F" has four."""

DOT_WORD = "(?:d[o0]t|точка|punkt|punto|ponto|point|nokta|kropka)"
SCHEME = re.compile(
    r"(?P<word>h(?<![a-z0-9]h)(?:[tx*+#%_-]{1,3}p|t+p|\wtp|pp)|t(?<![a-z0-9]t)tp|f(?<![a-z0-9]f)[x*]p"
    r"|m(?<![a-z0-9]m)xxp|c(?<![a-z0-9]c)xxp)(?P<s>[sx]?)"
    rf"(?P<sep>\s{{0,2}}{OPEN}?\s{{0,2}}[:;]{{0,2}}\s{{0,2}}{CLOSE}?\s{{0,2}}"
    rf"(?:{OPEN}?[/\\_|]{{1,4}}{CLOSE}?){{1,2}}\s{{0,2}}|{OPEN}?[:;]{CLOSE}?\s?)"
    rf"(?=[\w-]{{1,63}}(?P<dot>{MARK}(?=\w)|\s{MARK}|\s?{OPEN}|{MARK}{CLOSE}|\s{DOT_WORD}\s|\\\.)?|\[[\da-f:]+\])"
)
SLASHED = re.compile(r"[/\\|]|__")
SPACED = re.compile(r"[\w:/](?= )(?<![\w.:/-][\w:/])(?: {1,2}[\w.:/-](?!\w)){4,}")
DASHED = re.compile(r"(?<![\w.-])\w([-_*~+])\w(?:\1\w){1,62}\.\w(?:\1\w){1,9}(?![\w-])")
BROKEN_LINE = re.compile(
    r"(?:://|w(?<![\w.]w)ww\.)[\w.-]{1,80}(?P<gap>\s{0,2}\n\s{0,2})(?P<rest>[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})"
)


def undo(folded: Folded) -> Folded:
    """The copy with every disguise undone but those of single characters, which come before."""
    ahead = gate().suspects(folded.low)
    while ahead:
        order, rule, look = ahead[0]
        edits = None if look and not look(folded.low) else [*islice(rule.edits(folded.text, folded.low), EDITS)]
        if edits:
            folded = apply(folded, edits, rule.name)
            ahead = gate().suspects(folded.low, order + 1)
        else:
            ahead = ahead[1:]
    return folded


def undo_ungated(folded: Folded) -> Folded:
    """What `undo` must come to: every rule in its turn, whether suspected or not."""
    for rule in rules():
        edits = list(islice(rule.edits(folded.text, folded.low), EDITS))
        folded = apply(folded, edits, rule.name)
    return folded


def schemes(_text: str, low: str) -> Iterator[Edit]:
    """`hxxp://`, `h**p://`, `http:/`, `http:\\\\`, `http[:]//`, `http: //`: the one that is meant."""
    for found in SCHEME.finditer(low):
        word, sep = found["word"], found["sep"]
        slashed = SLASHED.search(sep)
        if (word == "http" and sep == "://") or (sep != "://" and not found["dot"]) or not (slashed or word == "http"):
            continue
        if not slashed and ("_" in sep or ":" not in sep):
            continue
        meant = "ftp" if word[0] == "f" else "http" + ("s" if found["s"] else "")
        yield found.start(), found.end(), f"{meant}://"


def spaced_letters(_text: str, low: str) -> Iterator[Edit]:
    """`m i l b e t . c o m`"""
    for found in SPACED.finditer(low):
        joined = found[0].replace(" ", "")
        if sum(map(str.isalpha, joined)) >= SPACED_LETTERS and re.search(r"\w\.\w|:/|\wdot\w", joined):
            for gap in re.finditer(" +", found[0]):
                yield found.start() + gap.start(), found.start() + gap.end(), ""


def dashed_letters(_text: str, low: str) -> Iterator[Edit]:
    """`d-r-o-n-e-x.c-o-m`"""
    for found in DASHED.finditer(low):
        for gap in re.finditer(re.escape(found[1]), found[0]):
            yield found.start() + gap.start(), found.start() + gap.end(), ""


def broken_lines(_text: str, low: str) -> Iterator[Edit]:
    """A host that goes on in the next line."""
    for found in BROKEN_LINE.finditer(low):
        host = low[found.start() : found.start("gap")].rpartition("/")[2]
        if host.endswith(("-", ".")) or "." not in host.removeprefix("www."):
            yield found.start("gap"), found.end("gap"), ""


SCHEME_END = r"(?<=[tx*+#%_\-p]p)(?=[sx]?\s{0,2}[:;/\\_|\[\](){}<>«»【】（）])(?:(?<!http)|(?!s?://[^\W_]))"
"""Behind the `p` of a scheme; whole ones apart that a host follows directly."""
HOST_END = r"(?=[\w.-]{1,80}+\s{0,2}\n)"


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule: encodings and letters before schemes and dots."""
    words = [word for word in dots.spoken() if word < dots.GLUED_FROM]
    glued = [Sign(word[0], word[1:]) for word in dots.spoken() if word >= dots.GLUED_FROM]
    said = (Sign(words=words), *glued)
    in_brackets = (
        Sign(dots.OPENING, rf"(?=\s?{MARK})"),
        Sign(dots.CLOSING, rf"(?<={MARK}.)(?=\w)"),
        Sign("\\", r"(?=\.\w)"),
        Sign(dots.QUOTES, rf"(?=\.[{dots.QUOTES}])"),
    )
    spaced = (Sign(".", r" (?:(?<=\w \. )|(?<=\w  \. )) ?(?=\w(?!\w))"), Sign(":", r" {1,2}/(?!\w)"), Sign(words=["o"]))
    broken = (Sign(":", f"//{HOST_END}"), Sign("w", rf"ww(?<![\w.]www)\.{HOST_END}"))
    slashes = (Sign(dots.OPENING, f"/(?={CLOSE})"), Sign(words=["slash", "слэш", "слеш"]))
    return (
        Rule("character codes", characters.entities, (Sign("&", "(?=[#a-z])"),)),
        Rule("percent codes", characters.percent, (Sign("%", "(?=[2-7][0-9a-f])"),)),
        Rule("spaced letters", spaced_letters, spaced),
        Rule("dashed letters", dashed_letters, (Sign(".", r"(?=\w[-_*~+])(?<=[-_*~+]\w\.)"),)),
        Rule("dot word", dots.bracketed_dots, (*in_brackets, *said), dots.BRACKETS),
        Rule("dot word", dots.spoken_dots, said),
        Rule("dot word", dots.glued_dots, (Sign("d", "[o0]t(?=com|net|org|ru)"), Sign("т", "очка(?=ру|ком|ru|com)"))),
        Rule("slash word", dots.slashes, slashes),
        Rule("broken line", broken_lines, broken),
        Rule("broken scheme", schemes, (Sign("p", SCHEME_END),)),
        Rule("spaced dot", dots.spaced_www, (Sign("w", r"ww(?<![\w.]www)(?=[\s,*•]|\.\s)"),)),
        Rule("missing dot", dots.missing_dots, (Sign(words=["com", "net", "org"]),), dots.SUFFIX_APART),
        Rule(
            "spaced dot",
            dots.spaced_dots,
            (
                Sign(".", dots.AROUND_SPACED),
                Sign(".", dots.BEHIND_BLANK),
            ),
        ),
        Rule("odd dot", dots.odd_dots, (Sign(dots.ODD_MARKS, dots.BEHIND_ODD),)),
    )


@cache
def gate() -> Gate:
    """The gate in front of the rules. What the rules read is read here, once."""
    for prepare in (dots.prepare, prose.prepare, hosts.prepare, partial.prepare):
        prepare()
    return Gate(rules())
