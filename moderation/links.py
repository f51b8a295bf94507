"""Every link of a comment, however it is disguised: in the text, behind words, in the author's URL field."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Literal
from urllib.parse import urlsplit

from crawler.items import Comment, Link
from moderation.characters import RIGHT_TO_LEFT, plain_characters
from moderation.disguises import undo
from moderation.finding import SCHEME_CHARACTERS, find_places
from moderation.folding import Folded
from moderation.hosts import ascii_host, ip_address, is_homoglyph, names, registrable
from moderation.places import Place, make

KEY = re.compile(r"^(?:https?:)?/*|/+$")
NOTHING = "\u200b"
"""Stands for a character that is not to count: it has no width."""
SCHEME = re.compile(r"\s*([a-zA-Z][a-zA-Z0-9+.-]*):")


def find_links(comment: Comment | str) -> tuple[Link, ...]:
    """The links of a comment: those of the text in order, then those behind words, then the author's.

    Spans are those of the comment's text. Takes linear time whatever the text, and raises nothing.
    """
    if isinstance(comment, str):
        return tuple(_in_text(comment))
    links = _in_text(comment.text)
    if comment.links:
        links = _with_hrefs(comment, links)
    if comment.author_url.strip():
        links.append(_of_address(comment.author_url, "author", 0, 0))
    return tuple(links)


def _in_text(text: str) -> list[Link]:
    """The links of a text. The first that is looked at reads the tables for all that follow."""
    if text.isascii():
        return _of(Folded(text, text, text.lower()))
    links = _of(plain_characters(text))
    return _both_ways(text, links) if RIGHT_TO_LEFT in text else links


def _both_ways(text: str, shown: list[Link]) -> list[Link]:
    """Those that a reader sees, and those that a right-to-left override turns round on the screen: who copies them, and
    software that makes links of text, gets them as they are stored."""
    turned = text.index(RIGHT_TO_LEFT)
    stored = _of(plain_characters(text.replace(RIGHT_TO_LEFT, NOTHING)))
    starts = [link.start for link in shown]
    links = list(shown)
    for link in stored:
        at = bisect_left(starts, link.start)
        free = (at == 0 or shown[at - 1].end <= link.start) and (at == len(shown) or shown[at].start >= link.end)
        if link.start > turned and free:
            links.append(link._replace(text=text[link.start : link.end], disguise=link.disguise or "reversed text"))
    return sorted(links, key=_span)


def _of(copy: Folded) -> list[Link]:
    folded = undo(copy)
    places = find_places(folded)
    if not places:
        return []
    links = [_link(folded, place) for place in places]
    return _apart(links) if len(links) > 1 else links


def _apart(links: list[Link]) -> list[Link]:
    """In the order of the text, without those that begin inside another: an address in the path of an address."""
    kept: list[Link] = []
    done = 0
    for link in sorted(links, key=_span):
        if link.start >= done:
            kept.append(link)
            done = link.end
    return kept


def _span(link: Link) -> tuple[int, int]:
    return link.start, -link.end


def _link(folded: Folded, place: Place) -> Link:
    first, last, named, scheme, disguise, url = place
    start, end = first, last
    text = shown = folded.text[first:last]
    if folded.disguises:
        start, end = folded.span(first, last)
        text = folded.original[start:end]
        disguise = disguise or folded.disguise(start, end)
    if not disguise and not named.isascii() and is_homoglyph(named):
        disguise = "homoglyph"
    host, domain = names(named)
    return make(
        Link, (start, end, text, url or (shown if scheme else f"http://{shown}"), host, domain, "text", disguise)
    )


def _with_hrefs(comment: Comment, shown: list[Link]) -> list[Link]:
    """The links of the text, with the hrefs that it does not show at the words that they stand behind.

    Where the words are an address of the same domain, perhaps a shortened one, they and the href are one link.
    """
    links = list(shown)
    starts = [link.start for link in shown]
    keys = {_key(link.url) for link in shown}
    done: dict[str, int] = {}
    for href in comment.links:
        start, end = _words(comment.text, href.text.strip(), done)
        link = _of_address(href.url, "href", start, end)
        at = bisect_left(starts, start)
        there = links[at] if at < len(shown) and links[at].end <= end else None
        if there and link.domain and there.domain == link.domain:
            links[at] = there._replace(url=link.url, host=link.host)
        elif there or _key(href.url) not in keys:
            links.append(link)
    return links


def _words(text: str, words: str, done: dict[str, int]) -> tuple[int, int]:
    """Where the words of an href stand; the next time the same words come, the next place."""
    start = text.find(words, done.get(words, 0)) if words else -1
    if start < 0:
        return 0, 0
    done[words] = start + len(words)
    return start, start + len(words)


def _key(url: str) -> str:
    """What two spellings of one address have in common."""
    return KEY.sub("", url.strip().lower()).removeprefix("www.")


def _of_address(url: str, place: Literal["href", "author"], start: int, end: int) -> Link:
    """A link from an address that stands in an attribute or in a field of its own."""
    raw = url.strip()
    bare = _unread(raw)
    plain = "://" in raw[:SCHEME_CHARACTERS] or not SCHEME.match(raw)
    found = [link for link in _in_text(raw) if link.start == 0] if plain else []
    link = found[0] if found else bare
    return link._replace(start=start, end=end, text=raw, url=bare.url, place=place)


def _unread(raw: str) -> Link:
    try:
        host = ascii_host(urlsplit(raw).hostname or "")
    except ValueError:
        host = ""
    host = ip_address(host) or host
    url = raw if SCHEME.match(raw) else f"http://{raw}"
    return Link(start=0, end=0, text=raw, url=url, host=host, domain=registrable(host))
