"""The headline: what readers see above the text, not the site's name and not the title made for search engines."""

from __future__ import annotations

import re
from functools import lru_cache

from crawler import limits
from crawler.text import line

DIVIDERS = re.compile(r"\s+[|\-–—•·»:›«/~*]{1,2}\s+|\s*[|｜ㅣ：]\s*|\s+::\s+")
SHORTEST = 10
"""Characters that a headline has at least: a shorter match may be a rubric."""
NO_WORD = re.compile(r"\W+")
KEYS = [None if NO_WORD.match(chr(code)) else chr(code).lower() for code in range(128)]
"""What each character of ASCII is in a key; a table with holes takes twice as long."""
TYPOGRAPHIC = "“”‘’–—… "
"""What makes most texts in Latin letters more than ASCII."""
KEPT = 300
"""Characters of a text up to which its key is kept for a while: a page's headlines are asked for theirs many times."""


def key(text: str) -> str:
    """Letters and digits only, small: two spellings of one headline have one key."""
    return _kept_key(text) if len(text) <= KEPT else _key(text)


def _key(text: str) -> str:
    """A table is several times as fast as a pattern, but only in ASCII."""
    if not text.isascii():
        for mark in TYPOGRAPHIC:
            text = text.replace(mark, "")
        if not text.isascii():
            return NO_WORD.sub("", "".join(text.split())).casefold()
    return text.translate(KEYS)


_kept_key = lru_cache(maxsize=128)(_key)


def without_site(title: str, site_name: str, host: str) -> str:
    """The title without the site's name at either end."""
    text = line(title, limits.HEADLINE_CHARACTERS)
    dividers = list(DIVIDERS.finditer(text))
    for divider in reversed(dividers):
        head, tail = text[: divider.start()], text[divider.end() :]
        if _names_site(tail, site_name, host) and key(head):
            return without_site(head, site_name, host)
    for divider in dividers:
        head, tail = text[: divider.start()], text[divider.end() :]
        if _names_site(head, site_name, host) and key(tail):
            return tail
    return text


def _names_site(part: str, site_name: str, host: str) -> bool:
    own, site = key(part), key(site_name)
    if not own:
        return True
    label = key(host.removeprefix("www.").partition(".")[0])
    full = key(host.removeprefix("www."))
    return (
        own in (site, label, full)
        or (len(site) > 3 and site in own and len(own) < 2 * len(site))
        or (len(own) > 4 and own in full)
    )


BEHIND = re.compile(r"\s*[-–—|｜：ㅣ*•·»]")
"""How what a title has behind the headline begins, spaces or not."""


def extends(title: str, shown: str) -> bool:
    """True when a title is the headline shown with something behind or before it, divided by a mark."""
    rest = title.removeprefix(shown) if title.startswith(shown) else title.removesuffix(shown)
    return (
        len(shown) >= SHORTEST
        and 0 < len(rest) < len(title)
        and (
            (title.startswith(shown) and len(rest) < len(shown) and BEHIND.match(rest) is not None)
            or (DIVIDERS.match(f"{rest} ") or DIVIDERS.search(f" {rest}")) is not None
        )
        and not rest.strip().endswith(":")
    )
