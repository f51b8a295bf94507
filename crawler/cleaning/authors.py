"""Names of people out of what bylines and metadata say: split, without "By", titles and credits, each once."""

from __future__ import annotations

import re
from collections.abc import Iterable

from crawler import limits
from crawler.text import line, words

LEAD = re.compile(
    r"^(?:(?:written|posted|published|reported|edited|story|text|words|analysis|report|commentary|opinion|"
    r"review|interview)\s*(?:by|:)|"
    r"(?:by|authors?|von|par|por|di|af|av|door|autor|autorin|autore|auteur|texto?|texte|przez|oleh|"
    r"penulis|editor)(?=\s*:|\s))\s*:?\s*|"
    r"^[文記者기자]{1,2}\s*[:：/]\s*",
    re.I,
)
CONJUNCTION = re.compile(r"\s+(?:and|und|et|y|e|og|och|dan|ve|with|mit|en|&)\s+|\s*&\s*", re.I)
"""Words that stand between two names; a name of an agency or paper may hold one too (`Le Figaro et AFP`)."""
BREAK = re.compile(r"\s*[;|\n•·、，]\s*|\s+[/–—-]\s+")
COMMA = re.compile(r"\s*,\s*(?:(?:and|und|et|y)\s+)?")
JOBS = re.compile(
    r"\b(?:reporter|correspondent|editor|editors|writer|journalist|columnist|producer|photographer|"
    r"videographer|contributor|analyst|"
    r"redakteur\w*|redaktor\w*|korrespondent\w*|journaliste|périodista|director|chief|fellow|professor|"
    r"intern|associate|senior|special to|updated|published|"
    r"posted|photos?|images?|getty|istock\w*|shutterstock|webmaster|administrator|freelance|ph\.?d|m\.?d|"
    r"jr|read more|follow|email|view|see all|contact|minutes?|expert|advisor|"
    r"january|february|march|april|june|july|august|september|october|november|december)\b\.?",
    re.I,
)
"""Words that no person's name has: jobs, credits, buttons."""
UNNAMED = frozenset(
    words(
        "admin administrator staff guest author authors editor editorial webmaster unknown anonymous null "
        "none undefined user redaktion redazione team "
        "contributor newsroom editors facebook twitter instagram whatsapp share follow"
    )
)
"""Words that stand where a name should and are none."""
NO_NAME = re.compile(r"https?:|www\.|@|\d{3}|[{}<>\[\]=_#?!]", re.I)
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+")
BRACKETS = re.compile(r"\([^()]{0,200}\)|\[[^\[\]]{0,200}\]")
PLACE = re.compile(r"\s+(?:in|aus|für|for|at|from)\s+[A-Z].*$")
DATELINE = re.compile(r"(?<=\w \w\w)(\w*),\s*[A-Z][^\W\d_]+$")
"""A place behind a name: `Lea Wagner, Nairobi`."""
NAME_WORDS = 6
"""Words in a person's name: `María del Carmen de la Torre` has six."""


def people(items: Iterable[str], not_a_person: Iterable[str] = ()) -> tuple[str, ...]:
    """Authors that a page lists as such, one to an item: kept as they are unless an item plainly holds several.

    `not_a_person` are the site's and publisher's own names.
    """
    own = {_folded(n) for n in not_a_person if n}
    return _once(name for item in items for name in _split(item) if _folded(name) not in own)


def names(values: Iterable[str], not_a_person: Iterable[str] = ()) -> tuple[str, ...]:
    """The people that bylines name: as `people`, and without what does not look like a person's name."""
    return tuple(n for n in people(values, not_a_person) if _like_a_name(n))


def is_byline(text: str) -> bool:
    """True when a visible line can be a byline: it says `By`, or each part begins like a name of several words."""
    bare = LEAD.sub("", text.strip())
    words = bare.split()
    return bare != text.strip() or (
        len(words) >= 2 and all(w[:1].isupper() or not w[:1].isalpha() or len(w) < 4 for w in words)
    )


def _folded(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


def _once(found: Iterable[str]) -> tuple[str, ...]:
    kept: dict[str, str] = {}
    for name in found:
        kept.setdefault(_folded(name), name)
    return tuple(kept.values())[: limits.AUTHORS]


def _split(item: str) -> list[str]:
    """One listed author as names: cut at breaks, at commas and conjunctions where whole names stand on both sides."""
    text = LEAD.sub("", BRACKETS.sub("", line(item, limits.SUMMARY_CHARACTERS)).strip())
    found = []
    for part in BREAK.split(text):
        for piece in _halves(DATELINE.sub(r"\1", part), COMMA):
            found += [_bare(n) for n in _halves(piece, CONJUNCTION)]
    return [n for n in found if n]


def _halves(text: str, at: re.Pattern[str]) -> list[str]:
    """The text split, if what comes out are names of several words or titles that go; else whole."""
    parts = [p for p in at.split(text) if p]
    named = [p for p in parts if len(LEAD.sub("", p).split()) > 1 or _is_job(p)]
    if len(parts) < 2 or len(named) == len(parts):
        return parts
    return [text] if at is CONJUNCTION or len(parts) == 2 else parts


def _is_job(part: str) -> bool:
    return bool(JOBS.search(part)) or part.casefold().strip(" .") in UNNAMED


def _bare(part: str) -> str:
    """The part as a name, or nothing where it is a job, an address or no name at all."""
    name = PLACE.sub("", LEAD.sub("", part.strip(" ,.:;-–—*|/\u200b\ufeff"))).strip()
    if not 2 <= len(name) <= limits.AUTHOR_CHARACTERS or NO_NAME.search(name) or SLUG.fullmatch(name):
        return ""
    return "" if _is_job(name) or not any(c.isalpha() for c in name) else name


def _like_a_name(name: str) -> bool:
    words = name.casefold().split()
    return len(words) <= NAME_WORDS and len(name) <= 60 and not name.islower() and UNNAMED.isdisjoint(words)
