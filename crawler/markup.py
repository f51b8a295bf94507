"""Markup made harmless before it is parsed: tags and attributes beyond the limits are left out, and said to be.

libxml2 hangs each attribute behind the last one of its element, which takes time with the square of their number: 0.2 s
for a tag of 10,000, minutes for one of 100,000.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crawler import limits
from crawler.items import Cut
from crawler.text import words

TAG = re.compile(r"<[a-zA-Z]")
TAG_CHARACTERS = 3
"""Characters of the shortest tag: `<b>`."""
SPACE = r" \t\n\r\f"
"""White space as HTML has it, for a class of characters: a regular expression's own knows Unicode and takes longer."""
VALUE = rf"(?:\"[^\"]*+\"?+|'[^']*+'?+|[^{SPACE}>\"'][^{SPACE}>]*+|)"
ATTRIBUTE = rf"[{SPACE}/]*+[^{SPACE}/>][^{SPACE}/>=]*+(?:=[{SPACE}]*+{VALUE}|[{SPACE}]++=[{SPACE}]*+{VALUE}|)"
"""An attribute as HTML's tokenizer reads it: a name that may begin with anything, a value that may hold anything. There
is one way only to read each, so that a text is gone through once."""
NAME = rf"(?>[^{SPACE}/><]*+(?:<(?![a-zA-Z])[^{SPACE}/><]*+)*)(?=[{SPACE}/])"
"""The rest of a tag's name, up to where another tag might begin."""
FULL = rf"{NAME}(?:{ATTRIBUTE}){{0,{limits.ATTRIBUTES_A_TAG - 1}}}({ATTRIBUTE})?"
"""The rest of a tag up to its limit, with the last attribute that it may have. Whatever is read is not read again."""
PLAIN = rf"[a-zA-Z0-9:-]*+(?:[{SPACE}]++[a-zA-Z0-9:_-]++=\"[^\"]*+\"){{0,12}}[{SPACE}/]*+>"
"""The rest of a tag as nearly all are, which takes half as long to read and ends at the same place."""
READ = re.compile(f"<[a-zA-Z](?:{PLAIN}|{FULL})")
REST_OF_TAG = re.compile(rf"(?:{ATTRIBUTE})*[{SPACE}/]*+")
RAW = re.compile(r"<(?:(script|style|textarea)\b|!--)", re.I)
"""How begins what holds no tags, whatever stands in it."""
RAW_ENDS = {name: re.compile(f"</(?i:{name})") for name in words("script style textarea")} | {"": re.compile("-->")}
MARK = re.compile(
    r"<(?:script|style|textarea)\b.*?(?:</(?:script|style|textarea)\s*>|\Z)|<!--.*?(?:-->|\Z)|"
    r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^>]*>",
    re.I | re.S,
)
VOID = frozenset(words("area base br col embed hr img input link meta param source track wbr"))
"""Elements without an end tag."""


def within_limits(text: str) -> tuple[str, tuple[Cut, ...]]:
    """The markup without what would make a parser slow, and what was left out. Linear."""
    text, tags = _fewer_tags(text)
    text, attributes = _fewer_attributes(text)
    return text, tags + attributes


def shallower(text: str) -> tuple[str, tuple[Cut, ...]]:
    """The markup without the tags that stand deeper than the limit, and how many those are.

    The text stays: libxml2 would drop what stands below 2,048 levels and all that comes after it.
    """
    kept, depth, at, left_out = [], 0, 0, 0
    for match in MARK.finditer(text, 0, text.rfind(">") + 1):  # beyond it each tag would be looked for to the end
        closing, name = match[1], match[2]
        if not name or name.lower() in VOID:
            continue
        depth += -1 if closing else 1
        if depth + bool(closing) > limits.DEPTH:
            kept.append(text[at : match.start()])
            at, left_out = match.end(), left_out + 1
        depth = max(depth, 0)
    cut = Cut(limit="DEPTH", kept=limits.DEPTH, left_out=left_out, unit="tags")
    return " ".join(part for part in (*kept, text[at:]) if part), (cut,) if left_out else ()


def _fewer_tags(text: str) -> tuple[str, tuple[Cut, ...]]:
    if len(text) <= TAG_CHARACTERS * limits.TAGS or text.count("<") <= limits.TAGS:
        return text, ()
    starts = [m.start() for m in TAG.finditer(text)]
    if len(starts) <= limits.TAGS:
        return text, ()
    cut = Cut(limit="TAGS", kept=limits.TAGS, left_out=len(starts) - limits.TAGS, unit="tags")
    return text[: starts[limits.TAGS]], (cut,)


def _fewer_attributes(text: str) -> tuple[str, tuple[Cut, ...]]:
    if not any(READ.findall(text)):
        return text, ()
    kept, at, left_out = [], 0, 0
    for start, end in [*_raw(text), (len(text), len(text))]:
        piece, dropped = _shortened(text[at:start])
        kept += [piece, text[start:end]]
        at, left_out = end, left_out + dropped
    cut = Cut(limit="ATTRIBUTES_A_TAG", kept=limits.ATTRIBUTES_A_TAG, left_out=left_out, unit="characters")
    return "".join(kept), (cut,) if left_out else ()


def _raw(text: str) -> Iterator[tuple[int, int]]:
    """Where scripts, styles and comments stand."""
    begins = RAW.search(text)
    while begins:
        ends = RAW_ENDS[(begins[1] or "").lower()].search(text, begins.end())
        end = ends.end() if ends else len(text)
        yield begins.start(), end
        begins = RAW.search(text, end)


def _shortened(markup: str) -> tuple[str, int]:
    """Markup outside scripts with the tags too long cut short, and the number of characters dropped."""
    kept, at, dropped = [], 0, 0
    for match in READ.finditer(markup):
        if not match[1] or match.start() < at:
            continue
        rest = REST_OF_TAG.match(markup, match.end())
        end = rest.end() if rest else match.end()
        kept.append(markup[at : match.end()])
        dropped, at = dropped + end - match.end(), end
    return "".join([*kept, markup[at:]]), dropped
