"""What on a page is not the article, and by which rule: an element's name, its class and id, its text."""

from __future__ import annotations

import re
import tomllib
from functools import cache, lru_cache
from importlib import resources

from crawler.cleaning.index import Index
from crawler.text import words

DROPPED_TAGS = frozenset(
    words(
        "script style noscript template nav button select input textarea svg canvas iframe object embed "
        "video audio picture source map "
        "menu head link meta label datalist option amp-ad amp-embed progress"
    )
)
"""Elements that never hold the text of an article."""
DOUBTFUL_TAGS = frozenset(words("footer aside form dialog fieldset"))
"""Elements that hold no article, except on pages that put all they have into one (ASP.NET puts pages into a form)."""
START, END = r"(?:^|[\s_-])", r"(?=[\s_-]|$)"
HIDDEN = (
    r"(?:^|\s)(?:hidden|hide|is-hidden|invisible|d-none)(?=\s|$)"
    r"(?!.*\b(?:sm|md|lg|xl|xxl)[:-](?:block|flex|grid|inline|table))"
)
"""Classes that hide an element, unless another shows it on wider screens."""


def _rows() -> dict[str, list[str]]:
    """The patterns of `boilerplate.toml` by list."""
    return tomllib.loads(resources.files("crawler.cleaning").joinpath("boilerplate.toml").read_text("utf-8"))


ROWS = _rows()
TABLE = {name: "|".join(rows) for name, rows in ROWS.items()}
"""Each list of patterns as one alternative."""
COMMENTS = re.compile(f"{START}(?:{TABLE['comments']}){END}")
STATES = re.compile(
    r"\b(?:no|has|with|without|show|hide)-comments?\b|\bcomments?-(?:enabled|disabled|open|closed|on|off|"
    r"allowed|true|false)\b"
)
"""Classes that say something about comments and do not hold them."""
WORDS = re.compile(f"{START}(?:{TABLE['classes']}){END}|{HIDDEN}")
CAPTIONS = re.compile(f"{START}(?:{TABLE['captions']}){END}")
KEEPERS = re.compile(TABLE["keepers"])
ANY = re.compile(f"{START}(?:{TABLE['comments']}|{TABLE['captions']}|{TABLE['classes']}){END}|{HIDDEN}")
"""Any of the above: most classes have none, which one search tells."""
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
NAMES = 300
"""Characters of a class or id that are looked at; style frameworks write longer ones, which say nothing."""
LINES = re.compile(rf"\W*(?:{TABLE['others']}|{TABLE['lines']})")
OTHERS = re.compile(rf"\W*(?:{TABLE['others']})")
CALLS = re.compile(TABLE["calls"])
LINE_CHARACTERS = 220
"""A line longer than this is a paragraph, whatever its first words."""


TAG, COMMENTS_HERE = "tag", "comments"
COMMENTS_ROUND, NAMED, DOUBTFUL, UNSEEN = "comments round the headline", "class", "doubtful tag", "hidden"
CERTAIN = frozenset((TAG, COMMENTS_HERE))
"""What `against` says of elements that hold no article, however much text they hold."""


@lru_cache(maxsize=16384)
def marks(names: str) -> str:
    """`comments`, `caption`, `boilerplate` or nothing: what a class or id attribute marks.

    Compared in small letters: patterns that pass over the case of letters cost several times as much.
    """
    spaced = _spaced(names)
    if not ANY.search(spaced):
        return ""
    if COMMENTS.search(spaced) and COMMENTS.search(STATES.sub("", spaced)) and "hentry" not in spaced:
        return "comments"
    if CAPTIONS.search(spaced):
        return "caption"
    return "boilerplate" if WORDS.search(spaced) and not KEEPERS.search(spaced) else ""


def _spaced(names: str) -> str:
    return (names if names.islower() else CAMEL.sub("-", names))[:NAMES].lower()


def against(index: Index, place: int) -> str:
    """What speaks against an element's holding the article; nothing for most.

    One of `CERTAIN` for an element that never does; any other for one that does only where nearly all the text stands
    in it.
    """
    tag = index.tags[place]
    if tag in DROPPED_TAGS:
        return TAG
    if tag in ("html", "body", "main", "article"):
        return ""
    names, own = index.classes[place], index.ids[place]
    by_class, by_id = marks(names) if names else "", marks(own) if own else ""
    if by_class == "comments" or by_id == "comments":
        return COMMENTS_ROUND if index.holds_tag(place, "h1") else COMMENTS_HERE
    if by_class == "boilerplate" or by_id == "boilerplate":
        return NAMED
    if tag in DOUBTFUL_TAGS:
        return DOUBTFUL
    return UNSEEN if is_hidden(index, place) else ""


def is_caption(names: str) -> bool:
    """True for the class of what stands under a picture."""
    return bool(names) and marks(names) == "caption"


def is_hidden(index: Index, place: int) -> bool:
    """True for what a reader does not see."""
    stated = index.attributes
    if place in stated["hidden"] or (stated["aria-hidden"].get(place) == "true" and index.tags[place] != "p"):
        return True
    return "display:none" in stated["style"].get(place, "").replace(" ", "").lower()


def is_line(text: str) -> bool:
    """True for a line that belongs to the page and not to the story."""
    if len(text) > LINE_CHARACTERS:
        return False
    small = text.lower()
    return LINES.match(small) is not None or CALLS.search(small) is not None


def heads_others(text: str) -> bool:
    """True for a line of the page under which other stories are listed."""
    return OTHERS.match(text.lower()) is not None


def hits(names: str) -> list[tuple[str, str]]:
    """The words by which `marks` knew a class or id attribute, each with its pattern in the table; for whoever asks
    why."""
    spaced, kind = _spaced(names), marks(names)
    table, known = {"comments": ("comments", COMMENTS), "caption": ("captions", CAPTIONS)}.get(kind, ("classes", WORDS))
    found = known.finditer(STATES.sub("", spaced) if kind == "comments" else spaced) if kind else ()
    bare = dict.fromkeys(hit[0].strip(" \t\n_-") for hit in found)
    return [(word, next((row for row in ROWS[table] if re.fullmatch(row, word)), "")) for word in bare]


def line_pattern(text: str) -> str:
    """The pattern by which `is_line` knew a line; for whoever asks why. Empty for a line of the story."""
    if len(text) > LINE_CHARACTERS:
        return ""
    small = text.lower()
    return next((row for row, pattern in _line_patterns() if pattern.match(small)), "")


@cache
def _line_patterns() -> list[tuple[str, re.Pattern[str]]]:
    begins = [(row, re.compile(rf"\W*(?:{row})")) for row in (*ROWS["others"], *ROWS["lines"])]
    return begins + [(row, re.compile(rf"(?s:.*?)(?:{row})")) for row in ROWS["calls"]]
