"""What on a page is not the article: by an element's name, by its class and id, by its text."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
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


def _table() -> dict[str, str]:
    """The patterns of `boilerplate.toml`, each list as one alternative."""
    text = resources.files("crawler.cleaning").joinpath("boilerplate.toml").read_text("utf-8")
    return {name: "|".join(parts) for name, parts in tomllib.loads(text).items()}


TABLE = _table()
COMMENTS = re.compile(f"{START}(?:{TABLE['comments']}){END}")
STATES = re.compile(
    r"\b(?:no|has|with|without|show|hide)-comments?\b|\bcomments?-(?:enabled|disabled|open|closed|on|off|"
    r"allowed|true|false)\b"
)
"""Classes that say something about comments and do not hold them."""
WORDS = re.compile(f"{START}(?:{TABLE['classes']}){END}|{HIDDEN}")
CAPTIONS = re.compile(f"{START}(?:{TABLE['captions']}){END}")
KEEPERS = re.compile(TABLE["keepers"])
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
NAMES = 300
"""Characters of a class or id that are looked at; style frameworks write longer ones, which say nothing."""
LINES = re.compile(rf"\W*(?:{TABLE['lines']})")
CALLS = re.compile(TABLE["calls"])
LINE_CHARACTERS = 220
"""A line longer than this is a paragraph, whatever its first words."""


@lru_cache(maxsize=16384)
def marks(names: str) -> str:
    """`comments`, `caption`, `boilerplate` or nothing: what a class or id attribute marks.

    Compared in small letters: patterns that pass over the case of letters cost several times as much.
    """
    spaced = (names if names.islower() else CAMEL.sub("-", names))[:NAMES].lower()
    if COMMENTS.search(spaced) and COMMENTS.search(STATES.sub("", spaced)) and "hentry" not in spaced:
        return "comments"
    if CAPTIONS.search(spaced):
        return "caption"
    return "boilerplate" if WORDS.search(spaced) and not KEEPERS.search(spaced) else ""


def verdict(index: Index, place: int) -> str:
    """`never` for an element that holds no article, `unlikely` for one that holds none unless it holds
    nearly all the text."""
    tag = index.tags[place]
    if tag in DROPPED_TAGS:
        return "never"
    if tag in ("html", "body", "main", "article"):
        return ""
    names, own = index.classes[place], index.ids[place]
    by_class, by_id = marks(names) if names else "", marks(own) if own else ""
    if by_class == "comments" or by_id == "comments":
        return "unlikely" if index.holds_tag(place, "h1") else "never"
    if by_class == "boilerplate" or by_id == "boilerplate" or tag in DOUBTFUL_TAGS:
        return "unlikely"
    return "unlikely" if is_hidden(index, place) else ""


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
